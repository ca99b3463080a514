/** Checks declarations at the boundary. Every problem of a file is reported, each with its field, what was expected and what was found. */
import { z } from 'zod';
import type { AblationDeclaration, ArmDeclaration, Comparison, ProfileBase, PublishedValues, Study } from './declaration.ts';
import { armNameText, armReference, armsOf } from './claims.ts';
import { UsageError } from './errors.ts';
import { executionOnly } from './execution.ts';
import { chosenFactors } from './expand.ts';
import type { JsonObject, StageKind } from './kind.ts';
import { isSeen, lookalikes } from './lookalike.ts';
import { isByMeasure, knownMeasures, measuresOf } from './measures.ts';
import { knownFields, pathText, problems, problemText, type Path, type Problem } from './problems.ts';
import { foreignReferenceProblems, ownReferenceProblems, type Declarations } from './references.ts';
import { slurmOptions } from './slurm.ts';
import { suggest } from './suggest.ts';
import { sweptAblations } from './swept.ts';

/** Names stand in paths, selectors (`relation/qk-vv`) and file names. */
const WORDS = '[a-z0-9]+(?:[._-][a-z0-9]+)*';
const name = z.string().regex(new RegExp(`^${WORDS}$`), "expected lower-case words joined by '-', '_' or '.'");
const reference = z.string().regex(new RegExp(`^${WORDS}(?:/${WORDS})?$`), "expected 'arm' or 'ablation/arm'");
const foreignReference = z.string().regex(new RegExp(`^${WORDS}/${WORDS}$`), "expected 'ablation/arm'");
const text = z.string().refine(isSeen, 'expected a text that can be seen');

const published = z.strictObject({
  value: z.number(),
  unit: text,
  table: text,
  row: text,
  column: text,
  source: text,
  quote: text,
  note: text.optional(),
  inferred: z.boolean().optional(),
});

/** One value, or values by measure: told apart before they are checked, so that a slip in one is not answered with what the other would be. */
const publishedValues = z.custom<PublishedValues>().superRefine((value, context) => {
  const byMeasure = typeof value === 'object' && (value as unknown) !== null && isByMeasure(value);
  const parsed = (byMeasure ? z.record(z.string(), published) : published).safeParse(value);
  for (const issue of parsed.error?.issues ?? []) context.addIssue({ ...issue });
});

const factors = z.record(z.string(), z.unknown());

const arm = z
  .strictObject({
    name,
    label: text,
    factors: factors.optional(),
    sameAs: foreignReference.optional(),
    published: publishedValues.optional(),
    note: text.optional(),
    at: z.number().optional(),
    group: text.optional(),
    crossed: z.tuple([text, text]).optional(),
  })
  .refine(a => (a.factors === undefined) !== (a.sameAs === undefined), "expected either 'factors' or 'sameAs'");

const measure = text.optional();
const comparison = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('greater'), arm: reference, than: reference, measure }),
  z.strictObject({ type: z.literal('not-worse'), arm: reference, than: reference, measure }),
  z.strictObject({ type: z.literal('same'), arm: reference, than: reference, measure }),
  z.strictObject({ type: z.literal('best'), arm: reference, of: z.array(reference).min(1), measure }),
  z.strictObject({ type: z.literal('monotone'), arms: z.array(reference).min(2), measure }),
]);

const claim = z.strictObject({
  name,
  sentence: text,
  source: text.optional(),
  parts: z.array(comparison).min(1),
  margin: z.number().min(0).optional(),
  note: text.optional(),
});

const ablation = z.strictObject({
  name,
  title: text,
  order: z.int().min(0).optional(),
  table: text,
  question: text,
  expected: text,
  axis: text.optional(),
  measures: z.array(text).min(1).optional(),
  base: factors,
  default: name,
  arms: z.array(arm).min(1),
  claims: z.array(claim).optional(),
  references: z.array(z.strictObject({ label: text, published: publishedValues, note: text.optional() })).optional(),
  inconsistencies: z.array(z.strictObject({ text, table: text, source: text })).optional(),
  footnotes: z.array(text).optional(),
});

const seeds = z
  .array(
    z
      .int()
      .min(0)
      .max(2 ** 32 - 1),
  )
  .min(1);
const spread = z.strictObject({ value: z.number().positive(), source: text });
const verdicts = z.union([z.literal(false), z.strictObject({ margin: z.number().min(0), source: text, spread: spread.optional() })]);
const sweep = z.array(z.strictObject({ ablations: z.array(text).min(1), seeds: seeds.optional() })).min(1);
const profileBase = z.looseObject({ name, seeds, verdicts: verdicts.optional(), sweep: sweep.optional() });

const isSchema = (value: unknown): boolean => typeof value === 'object' && value !== null && 'safeParse' in value && typeof value.safeParse === 'function';
const schema = z.custom<unknown>(isSchema, 'expected a zod schema');
const callable = z.custom<unknown>(value => typeof value === 'function', 'expected a function');

const slot = z.strictObject({ kinds: z.array(text).min(1), optional: z.boolean().optional() });
const kind = z.looseObject({
  name,
  revision: z.int().min(1),
  codeInKey: z.boolean().optional(),
  recipe: schema,
  upstream: z.record(z.string(), slot),
  metrics: z.record(z.string(), z.looseObject({ label: text })),
  cost: callable,
  load: callable,
});
const overview = z
  .strictObject({
    title: text,
    x: z.strictObject({ label: text, values: z.array(text).min(1) }),
    series: z.array(z.strictObject({ label: text, arms: z.array(foreignReference.nullable()) })).min(1),
  })
  .refine(({ x, series }) => series.every(({ arms }) => arms.length === x.values.length), "expected an arm, or null, for each of the values of 'x'");
const headroom = z.strictObject({ name, title: text, note: text, of: callable, baseline: callable.optional() });
const retraining = z.strictObject({ values: z.array(z.number()).min(2), source: text });
const number = z.looseObject({ role: text, metric: text, standardError: text });
const study = z.looseObject({
  name: text,
  factors: schema,
  profile: schema,
  kinds: z.array(kind).min(1),
  realise: callable,
  headroom: headroom.optional(),
  slurm: slurmOptions.optional(),
  report: z.looseObject({
    headline: number,
    measures: z.record(z.string(), number).optional(),
    retraining: retraining.optional(),
    columns: z.array(z.looseObject({ label: text })),
    curves: z.array(z.unknown()),
    ownRoles: z.array(text),
    overview: overview.optional(),
  }),
});

/**
 * @throws UsageError listing every problem of the study, among them slots that name no registered kind, and fields of
 *   factors, profile or recipes that only say how a stage runs
 */
export function parseStudy(value: unknown, file: string): Study {
  const found = problems(study, value);
  refuse(file, found);
  const parsed = value as Study;
  refuse(file, [...kindProblems(parsed.kinds), ...executionFields(parsed), ...headProblems(parsed)]);
  return parsed;
}

/** Looks at the fields of the outermost object only: further inside, `device` may be a word of the study's own subject. */
function executionFields({ factors: f, profile: p, kinds }: Study): Problem[] {
  const schemas: [Path, z.ZodType][] = [[['factors'], f], [['profile'], p], ...kinds.map((k, i): [Path, z.ZodType] => [['kinds', i, 'recipe'], k.recipe])];
  return schemas.flatMap(([path, fields]) => executionProblems(path, knownFields(fields)));
}

function executionProblems(path: Path, fields: readonly string[]): Problem[] {
  return fields.flatMap(field => {
    const message = executionOnly(field);
    return message === undefined ? [] : [{ path: [...path, field], message }];
  });
}

/** Heads of the columns of a table, and lines and places of a chart. */
function headProblems({ report: { columns, overview } }: Study): Problem[] {
  return [
    ...lookalikes(columns.map(({ label }, i) => [label, ['report', 'columns', i, 'label']])),
    ...lookalikes((overview?.series ?? []).map(({ label }, i) => [label, ['report', 'overview', 'series', i, 'label']])),
    ...lookalikes((overview?.x.values ?? []).map((value, i) => [value, ['report', 'overview', 'x', 'values', i]])),
  ];
}

function kindProblems(kinds: readonly StageKind[]): Problem[] {
  const names = kinds.map(k => k.name);
  const unknown = kinds.flatMap((k, i) =>
    Object.entries(k.upstream).flatMap(([slotName, spec]) =>
      spec.kinds
        .map((n, j): Problem => ({ path: ['kinds', i, 'upstream', slotName, 'kinds', j], message: `no kind '${n}' is registered${suggest(n, names)}` }))
        .filter((_, j) => !names.includes(spec.kinds[j]!)),
    ),
  );
  return [...duplicates(names, i => ['kinds', i, 'name']), ...unknown];
}

/**
 * Checks the declaration's own fields, its claims, then each arm's factors by the study's schema. References to arms of
 * other ablations are checked by `checkReferences`.
 * @param fileName base name of the file without extension, which the declaration must carry as its name
 */
export function parseAblation(value: unknown, file: string, fileName: string, of: Study): AblationDeclaration<JsonObject> {
  refuse(file, problems(ablation, value));
  const declaration = value as AblationDeclaration<JsonObject>;
  const names = declaration.arms.map(a => a.name);
  const claims = declaration.claims ?? [];
  const found = [
    ...nameProblems(declaration.name, fileName),
    ...duplicates(names, i => ['arms', i, 'name']),
    ...lookalikes([
      ...declaration.arms.map(({ label }, i): [string, Path] => [label, ['arms', i, 'label']]),
      ...(declaration.references ?? []).map(({ label }, i): [string, Path] => [label, ['references', i, 'label']]),
    ]),
    ...(names.includes(declaration.default) ? [] : [{ path: ['default'], message: `expected the name of an arm, got '${declaration.default}'${suggest(declaration.default, names)}` }]),
    ...executionProblems(['base'], Object.keys(declaration.base)),
    ...declaration.arms.flatMap((arm, i) => factorProblems(declaration, arm, i, of)),
    ...duplicates(
      claims.map(c => c.name),
      i => ['claims', i, 'name'],
    ),
    ...claims.flatMap((c, i) => c.parts.flatMap((part, j) => comparisonProblems(part, declaration.name, ['claims', i, 'parts', j]))),
    ...ownReferenceProblems(declaration),
    ...measureProblems(declaration, of),
  ];
  refuse(file, found);
  return declaration;
}

/** Names of numbers: those that the study has, and of these, where values and comparisons name one, those of the ablation. */
function measureProblems({ measures, arms, references = [], claims = [] }: AblationDeclaration<JsonObject>, study: Study): Problem[] {
  const known = [...knownMeasures(study).keys()];
  const own = measuresOf(study, measures === undefined ? {} : { measures }).map(({ name: of }) => of);
  const unknown = (path: Path, of: string, names: readonly string[]): Problem[] =>
    names.includes(of) ? [] : [{ path, message: `expected one of ${names.join(', ')}, got '${of}'${suggest(of, names)}` }];
  const ofValues = (path: Path, values: PublishedValues | undefined): Problem[] =>
    values === undefined || !isByMeasure(values) ? [] : Object.keys(values).flatMap(of => unknown([...path, of], of, own));
  return [
    ...(measures ?? []).flatMap((of, i) => unknown(['measures', i], of, known)),
    ...duplicates(measures ?? [], i => ['measures', i]),
    ...arms.flatMap(({ published: values }, i) => ofValues(['arms', i, 'published'], values)),
    ...references.flatMap(({ published: values }, i) => ofValues(['references', i, 'published'], values)),
    ...claims.flatMap((c, i) => c.parts.flatMap((part, j) => (part.measure === undefined ? [] : unknown(['claims', i, 'parts', j, 'measure'], part.measure, own)))),
  ];
}

/** @throws UsageError when a claim or `sameAs` names an arm of another ablation that is not there or lacks the number; see `foreignReferenceProblems` */
export function checkReferences(declaration: AblationDeclaration<JsonObject>, file: string, others: Declarations, available: readonly string[], study: Study): void {
  refuse(file, foreignReferenceProblems(declaration, others, available, study));
}

/** No arm stands twice in a comparison: it cannot be above itself, and told twice it is a slip of the pen. */
function comparisonProblems(part: Comparison, ablationName: string, at: Path): Problem[] {
  const named = armsOf(part).map(([path, arm]) => ({ path: [...at, ...path], arm: armNameText(armReference(arm, ablationName)) }));
  const first = new Map<string, Path>();
  return named.flatMap(({ path, arm }) => {
    const other = first.get(arm);
    first.set(arm, other ?? path);
    return other ? [{ path, message: `expected an arm other than ${pathText(other)}, got '${arm}' again` }] : [];
  });
}

/** A problem is blamed on the arm when the arm chose that factor, on `base` when the base did. */
function factorProblems({ base }: AblationDeclaration<JsonObject>, arm: ArmDeclaration<JsonObject>, index: number, of: Study): Problem[] {
  if (arm.factors === undefined) return []; // those of another arm, checked where they are declared
  const own = executionProblems(['arms', index, 'factors'], Object.keys(arm.factors));
  const judged = problems(of.factors, chosenFactors(base, arm)).filter(({ path: [factor] }) => executionOnly(String(factor ?? '')) === undefined);
  return own.concat(
    judged.map(({ path, message }) => {
      const factor = String(path[0] ?? '');
      const inBase = !(factor in (arm.factors ?? {})) && factor in base;
      return { path: [...(inBase ? ['base'] : ['arms', index, 'factors']), ...path], message };
    }),
  );
}

/** The profile as the study's schema parses it, defaults filled in. */
export function parseProfile(value: unknown, file: string, fileName: string, of: Study): ProfileBase {
  const found = [...problems(profileBase, value), ...problems(of.profile, value)].map(inProfile);
  refuse(file, found);
  const profile = of.profile.parse(value);
  refuse(file, [...nameProblems(profile.name, fileName), ...duplicates(profile.seeds.map(String), i => ['seeds', i]), ...sweepProblems(profile)]);
  return profile;
}

function sweepProblems({ sweep: parts = [] }: ProfileBase): Problem[] {
  const places = parts.flatMap(({ ablations }, part) => ablations.map((_, i): Path => ['sweep', part, 'ablations', i]));
  return [
    ...duplicates(sweptAblations({ seeds: [], sweep: parts }) ?? [], i => places[i]!),
    ...parts.flatMap(({ seeds: own = [] }, part) => duplicates(own.map(String), i => ['sweep', part, 'seeds', i])),
  ];
}

/** @throws UsageError where a profile sweeps what is not declared. @param available names of ablations, that of the headroom among them */
export function checkSwept(profile: ProfileBase, file: string, available: readonly string[]): void {
  refuse(
    file,
    (profile.sweep ?? []).flatMap(({ ablations }, part) =>
      ablations.flatMap((each, i): Problem[] => (available.includes(each) ? [] : [{ path: ['sweep', part, 'ablations', i], message: `no ablation '${each}'${suggest(each, available)}` }])),
    ),
  );
}

/** A field that is unknown because it only says how to run is told so. */
function inProfile({ path, message }: Problem): Problem {
  const why = message.startsWith('unknown field') ? executionOnly(String(path.at(-1))) : undefined;
  return { path, message: why ?? message };
}

function nameProblems(declared: string, fileName: string): Problem[] {
  return declared === fileName ? [] : [{ path: ['name'], message: `expected '${fileName}' as the file is named, got '${declared}'` }];
}

function duplicates(names: readonly string[], at: (index: number) => Path): Problem[] {
  const first = new Map<string, number>();
  return names.flatMap((n, i) => {
    const other = first.get(n);
    if (other === undefined) first.set(n, i);
    return other === undefined ? [] : [{ path: at(i), message: `'${n}' is already taken by ${pathText(at(other))}` }];
  });
}

/** One base problem shows up once per arm; it is told once. */
function unique(found: readonly Problem[]): Problem[] {
  return [...new Map(found.map(p => [problemText(p), p])).values()];
}

function refuse(file: string, found: readonly Problem[]): void {
  if (found.length === 0) return;
  throw new UsageError(
    'INVALID_DECLARATION',
    unique(found)
      .map(p => `${file}: ${problemText(p)}`)
      .join('\n'),
  );
}
