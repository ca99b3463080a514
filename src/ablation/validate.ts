/** Checks declarations at the boundary. Every problem of a file is reported, each with its field, what was expected and what was found. */
import { z } from 'zod';
import type { AblationDeclaration, ArmDeclaration, ProfileBase, Study } from './declaration.ts';
import { UsageError } from './errors.ts';
import { chosenFactors } from './expand.ts';
import type { JsonObject, StageKind } from './kind.ts';
import { pathText, problems, problemText, type Problem } from './problems.ts';
import { suggest } from './suggest.ts';

/** Names stand in paths, selectors (`relation/qk-vv`) and file names. */
const name = z.string().regex(/^[a-z0-9]+([._-][a-z0-9]+)*$/, "expected lower-case words joined by '-', '_' or '.'");
const text = z.string().min(1);

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

const factors = z.record(z.string(), z.unknown());

const ablation = z.strictObject({
  name,
  title: text,
  table: text,
  question: text,
  expected: text,
  base: factors,
  default: name,
  arms: z.array(z.strictObject({ name, label: text, factors, published: published.optional(), note: text.optional() })).min(1),
  footnotes: z.array(text).optional(),
});

const seeds = z.array(z.int().min(0).max(2 ** 32 - 1)).min(1);
const profileBase = z.looseObject({ name, seeds });

const isSchema = (value: unknown): boolean => typeof value === 'object' && value !== null && 'safeParse' in value && typeof value.safeParse === 'function';
const schema = z.custom<unknown>(isSchema, 'expected a zod schema');
const callable = z.custom<unknown>(value => typeof value === 'function', 'expected a function');

const slot = z.strictObject({ kinds: z.array(text).min(1), optional: z.boolean().optional() });
const kind = z.looseObject({
  name,
  revision: z.int().min(1),
  recipe: schema,
  upstream: z.record(z.string(), slot),
  metrics: z.record(z.string(), z.looseObject({ label: text })),
  cost: callable,
  load: callable,
});
const study = z.looseObject({
  name: text,
  factors: schema,
  profile: schema,
  kinds: z.array(kind).min(1),
  realise: callable,
  report: z.looseObject({ columns: z.array(z.unknown()), curves: z.array(z.unknown()), ownRoles: z.array(text) }),
});

/** @throws UsageError listing every problem of the study, among them slots that name no registered kind */
export function parseStudy(value: unknown, file: string): Study {
  const found = problems(study, value);
  refuse(file, found);
  const parsed = value as Study;
  refuse(file, kindProblems(parsed.kinds));
  return parsed;
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
 * Checks the declaration's own fields, then each arm's factors by the study's schema.
 * @param fileName base name of the file without extension, which the declaration must carry as its name
 */
export function parseAblation(value: unknown, file: string, fileName: string, of: Study): AblationDeclaration<JsonObject> {
  refuse(file, problems(ablation, value));
  const declaration = value as AblationDeclaration<JsonObject>;
  const names = declaration.arms.map(a => a.name);
  const found = [
    ...nameProblems(declaration.name, fileName),
    ...duplicates(names, i => ['arms', i, 'name']),
    ...(names.includes(declaration.default)
      ? []
      : [{ path: ['default'], message: `expected the name of an arm, got '${declaration.default}'${suggest(declaration.default, names)}` }]),
    ...declaration.arms.flatMap((arm, i) => factorProblems(declaration, arm, i, of)),
  ];
  refuse(file, found);
  return declaration;
}

/** A problem is blamed on the arm when the arm chose that factor, on `base` when the base did. */
function factorProblems(declaration: AblationDeclaration<JsonObject>, arm: ArmDeclaration<JsonObject>, index: number, of: Study): Problem[] {
  return problems(of.factors, chosenFactors(declaration.base, arm)).map(({ path, message }) => {
    const factor = String(path[0] ?? '');
    const inBase = !(factor in (arm.factors ?? {})) && factor in declaration.base;
    return { path: [...(inBase ? ['base'] : ['arms', index, 'factors']), ...path], message };
  });
}

/** The profile as the study's schema parses it, defaults filled in. */
export function parseProfile(value: unknown, file: string, fileName: string, of: Study): ProfileBase {
  const found = unique([...problems(profileBase, value), ...problems(of.profile, value)]);
  refuse(file, found);
  const profile = of.profile.parse(value);
  refuse(file, [...nameProblems(profile.name, fileName), ...duplicates(profile.seeds.map(String), i => ['seeds', i])]);
  return profile;
}

function nameProblems(declared: string, fileName: string): Problem[] {
  return declared === fileName ? [] : [{ path: ['name'], message: `expected '${fileName}' as the file is named, got '${declared}'` }];
}

function duplicates(names: readonly string[], at: (index: number) => Problem['path']): Problem[] {
  return names.flatMap((n, i) => {
    const first = names.indexOf(n);
    return first === i ? [] : [{ path: at(i), message: `'${n}' is already taken by ${pathText(at(first))}` }];
  });
}

/** One base problem shows up once per arm; it is told once. */
function unique(found: readonly Problem[]): Problem[] {
  return [...new Map(found.map(p => [problemText(p), p])).values()];
}

function refuse(file: string, found: readonly Problem[]): void {
  if (found.length === 0) return;
  throw new UsageError('INVALID_DECLARATION', unique(found).map(p => `${file}: ${problemText(p)}`).join('\n'));
}
