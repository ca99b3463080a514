/** One ablation of the report: its rows, and how their order relates to the paper's. */
import type { AblationDeclaration, ArmDeclaration, Inconsistency, ReferenceRow, ReportColumn, Study } from '../../ablation/declaration.ts';
import type { ClaimResult } from './claims.ts';
import { agreement, comparePairs, countOrder, difference, publishedDifference, type ComparedArm, type Replicate, type Replicates } from '../statistics/compare.ts';
import { curveCharts } from './curves.ts';
import { doubtfulWarnings } from './doubtful.ts';
import type { TableHeadroom } from './headroom.ts';
import { tableImages } from './images.ts';
import { finishedOf, mixedCodes, mixedCodeText, type CodesByKind } from '../records/code.ts';
import { mixedEngines, type Engines } from '../records/engines.ts';
import { formatCode, formatDelta, formatValue, scale } from '../../text/format.ts';
import type { AblationReport, ArmRow, ArmState, ExtraColumn, Failure, Headline, Measurement, PublishedCell, Reference, SharedStage } from './model.ts';
import { rankAgreement } from '../statistics/rank.ts';
import type { ArmRecipe } from './recipes.ts';
import { retraining } from './retraining.ts';
import { byText, type ReportRecord } from '../records/records.ts';
import { mean, sampleStd } from '../statistics/statistics.ts';
import { oneLine } from '../../text/clean.ts';
import { declaredOf } from '../statistics/verdict.ts';
import { teacherWarnings } from './teacher.ts';
import { earlierText, metricSpec, placeRecords, replicateCost, replicates, resultNumber, type Placed } from './usage.ts';

export interface AblationInput {
  readonly study: Study;
  readonly ablation: AblationDeclaration<object>;
  /** Sorted. */
  readonly records: readonly ReportRecord[];
  /** Seeds that the profile declares for it, and for the headroom in its table. */
  readonly declared: readonly number[];
  readonly headroomSeeds: readonly number[];
  readonly headline: Headline;
  readonly comparable: boolean;
  readonly engines: Engines;
  /** The claims that this ablation declares. */
  readonly claims: readonly ClaimResult[];
  readonly recipes: readonly ArmRecipe[] | undefined;
  readonly headroom: TableHeadroom;
}

/** An arm with its records, before rows are made. */
interface Arm {
  readonly declaration: ArmDeclaration<object>;
  readonly label: string;
  readonly placed: readonly Placed[];
  /** Those that count. */
  readonly replicates: Replicates;
  readonly extraSeeds: ArmRow['extraSeeds'];
}

function armOf({ study, declared }: Pick<AblationInput, 'study' | 'declared'>, declaration: ArmDeclaration<object>, placed: ReadonlyMap<string, readonly Placed[]>): Arm {
  const ofArm = placed.get(declaration.name) ?? [];
  const all = replicates(ofArm, study.report.headline);
  const counted = new Set(declaredOf([...all.keys()], declared));
  const ofSeeds = (isCounted: boolean): [number, Replicate][] => [...all].filter(([seed]) => counted.has(seed) === isCounted);
  return { declaration, label: oneLine(declaration.label), placed: ofArm, replicates: new Map(ofSeeds(true)), extraSeeds: ofSeeds(false).map(([seed, { value }]) => ({ seed, value })) };
}

/** Whether there is anything of a paper in it. */
const hasPublished = ({ arms, references = [] }: AblationDeclaration<object>): boolean => references.length > 0 || arms.some(({ published }) => published !== undefined);

export function buildAblation(input: AblationInput): AblationReport {
  const { study, ablation, records, headline } = input;
  const placed = placeRecords(records, ablation.name);
  const arms = ablation.arms.map(declaration => armOf(input, declaration, placed));
  const headroom = headroomArms(input);
  const shown = shownColumns(study, arms);
  const columns: ExtraColumn[] = shown.map(column => {
    const spec = metricSpec(study, records, column.role, column.metric);
    return { role: column.role, label: oneLine(column.label), unit: spec?.unit ?? 'ratio' };
  });
  const finished = finishedOf([...arms, ...headroom].flatMap(({ placed }) => placed.map(({ record }) => record)));
  const mixed = mixedCodes(finished);
  const images = tableImages({
    study,
    ablation,
    arms: arms.map(({ declaration: { name }, label, placed: ofArm }) => ({ name, label, placed: ofArm })),
    claims: input.claims,
    baselines: input.headroom.baselines,
    records,
  });
  const rows = arms.map((arm, index) => ({ ...buildRow(input, arms, arm, index, mixed, shown), fewerImages: images.fewer.get(arm.declaration.name) }));
  const compared = comparedArms(ablation, arms);
  const pairs = comparePairs(compared, study.report.publishedNoise?.value ?? 0);
  return {
    name: ablation.name,
    title: oneLine(ablation.title),
    table: oneLine(ablation.table),
    question: oneLine(ablation.question),
    expected: oneLine(ablation.expected),
    axis: ablation.axis === undefined ? undefined : oneLine(ablation.axis),
    finding: finding(rows, headline),
    rows,
    headroom: headroom.map(arm => ({ ...measuredRow({ study, declared: input.headroomSeeds }, arm, mixed), name: `${study.headroom!.name}/${arm.declaration.name}`, index: -1, extra: [] })),
    headroomNote: headroom.length === 0 ? undefined : oneLine(study.headroom!.note),
    warnings: [...teacherWarnings({ study, declared: input.declared, records, headline, baselines: input.headroom.baselines }), ...doubtfulWarnings(study, arms)],
    images: images.line,
    published: hasPublished(ablation),
    columns,
    pairs,
    order: countOrder(pairs),
    rank: rankAgreement(compared),
    claims: input.claims,
    references: (ablation.references ?? []).map(reference),
    inconsistencies: (ablation.inconsistencies ?? []).map(inconsistency),
    shared: sharedStages(arms, study.report.ownRoles),
    curves: curveCharts(study, ablation.name, arms),
    failures: failures([...arms, ...headroom]),
    recipes: input.recipes,
    mixedCode: mixedCodeText(finished),
    footnotes: [
      ...footnotes(ablation),
      ...exploratoryNotes([...arms, ...headroom], [...input.declared, ...input.headroomSeeds]),
      ...(input.headroom.footnote === undefined ? [] : [input.headroom.footnote]),
      ...engineNotes([...arms, ...headroom], input.engines),
    ],
  };
}

/** Recorded under the name of the headroom, whichever table shows them. */
function headroomArms(input: AblationInput): Arm[] {
  const { study, records, headroom } = input;
  const { arms } = headroom;
  if (arms.length === 0) return [];
  const placed = placeRecords(records, study.headroom!.name);
  return arms.map(({ name, label, factors }) => armOf({ study, declared: input.headroomSeeds }, { name, label, factors }, placed));
}

function exploratoryNotes(arms: readonly Arm[], declared: readonly number[]): string[] {
  const only = arms.filter(arm => isExploratory(arm, declared)).map(({ label }) => label);
  const extra = [...new Set(arms.flatMap(({ extraSeeds }) => extraSeeds.map(({ seed }) => seed)))].sort((a, b) => a - b);
  return [
    ...(only.length === 0 ? [] : [`Exploratory, of seeds that the profile does not declare: ${only.join('; ')}.`]),
    ...(extra.length === 0
      ? []
      : [`${extra.length === 1 ? 'Seed' : 'Seeds'} ${extra.join(', ')}, beyond those that the profile declares, ${extra.length === 1 ? 'is' : 'are'} exploratory: in no number here, and in the CSV.`]),
  ];
}

function engineNotes(arms: readonly Arm[], engines: Engines): string[] {
  const records = new Map(arms.flatMap(({ placed }) => placed).map(({ record }) => [record.key, record]));
  const note = mixedEngines([...records.values()], engines);
  return note === undefined ? [] : [note];
}

const reference = ({ label, published, note }: ReferenceRow): Reference => ({
  label: oneLine(label),
  value: published.value,
  unit: oneLine(published.unit),
  table: oneLine(published.table),
  source: oneLine(published.source),
  inferred: published.inferred === true,
  note: note === undefined ? undefined : oneLine(note),
});

const inconsistency = ({ text, table, source }: Inconsistency): Inconsistency => ({ text: oneLine(text), table: oneLine(table), source: oneLine(source) });

const publishedOf = (declaration: ArmDeclaration<object>, defaultTable: string | undefined) =>
  declaration.published !== undefined && declaration.published.table === defaultTable ? declaration.published : undefined;

/** Arms whose published values compare with each other: those of the default arm's table. */
function comparedArms(ablation: AblationDeclaration<object>, arms: readonly Arm[]): ComparedArm[] {
  const table = arms.find(arm => arm.declaration.name === ablation.default)?.declaration.published?.table;
  return arms.flatMap(({ declaration, replicates: measured }) => {
    const published = publishedOf(declaration, table);
    const what = `${declaration.sameAs ?? `${ablation.name}/${declaration.name}`} ${published?.table ?? ''}`;
    return published === undefined ? [] : [{ what, published: published.value, replicates: measured }];
  });
}

/** What an arm came to by itself. @param mixed kinds whose code the table mixes */
function measuredRow({ study, declared }: Pick<AblationInput, 'study' | 'declared'>, arm: Arm, mixed: CodesByKind) {
  return {
    label: arm.label,
    at: undefined,
    group: undefined,
    crossed: undefined,
    isDefault: false,
    state: armState(arm, declared.length, isExploratory(arm, declared)),
    wanted: declared.length,
    measured: measurement(arm.replicates),
    exploratory: isExploratory(arm, declared),
    extraSeeds: arm.extraSeeds,
    earlier: earlierText(
      study,
      arm.placed.map(({ record }) => record),
    ),
    ...codeOf(arm, mixed),
    delta: undefined,
    published: undefined,
    agreement: undefined,
    valueGap: undefined,
    retraining: undefined,
    fewerImages: undefined,
    cost: replicateCost(arm.placed, study.report.headline.role, role => study.report.ownRoles.includes(role)),
  };
}

function buildRow(input: AblationInput, arms: readonly Arm[], arm: Arm, index: number, mixed: CodesByKind, columns: readonly ReportColumn[]): ArmRow {
  const { study, ablation, headline, comparable } = input;
  const isDefault = arm.declaration.name === ablation.default;
  const reference = arms.find(other => other.declaration.name === ablation.default);
  const row = measuredRow(input, arm, mixed);
  const { measured } = row;
  const delta = isDefault || reference === undefined ? undefined : difference(arm.replicates, reference.replicates);
  const published = publishedCell(arm.declaration, reference?.declaration, isDefault);
  const valueGap = comparable && measured !== undefined && published !== undefined ? measured.mean - published.value / scale(1, headline.unit) : undefined;
  return {
    ...row,
    index,
    name: arm.declaration.name,
    at: arm.declaration.at,
    group: arm.declaration.group === undefined ? undefined : oneLine(arm.declaration.group),
    crossed: crossedOf(arm.declaration),
    isDefault,
    delta,
    published,
    agreement: delta === undefined || published?.delta === undefined ? undefined : agreement(delta, published.delta, study.report.publishedNoise?.value ?? 0),
    valueGap,
    retraining: valueGap === undefined || study.report.retraining === undefined ? undefined : retraining(scale(valueGap, headline.unit), measured!.n, study.report.retraining),
    extra: columns.map(column => columnMean(arm.placed, column)),
  };
}

function crossedOf({ crossed }: ArmDeclaration<object>): ArmRow['crossed'] {
  return crossed === undefined ? undefined : [oneLine(crossed[0]), oneLine(crossed[1])];
}

function codeOf({ placed }: Arm, mixed: CodesByKind): Pick<ArmRow, 'code' | 'mixesCode'> {
  const finished = finishedOf(placed.map(({ record }) => record));
  const codes = new Map<string, Set<string>>();
  for (const { kind, codeHash } of finished) if (mixed.has(kind)) codes.set(kind, (codes.get(kind) ?? new Set<string>()).add(formatCode(codeHash)));
  const texts = [...codes].sort(([a], [b]) => byText(a, b)).map(([kind, hashes]) => `${oneLine(kind)} ${[...hashes].sort(byText).join(', ')}`);
  return { code: texts.length === 0 ? undefined : texts.join('; '), mixesCode: mixedCodes(finished).size > 0 };
}

const isExploratory = ({ replicates }: Arm, declared: readonly number[]): boolean => [...replicates.keys()].some(seed => !declared.includes(seed));

function armState(arm: Arm, wanted: number, exploratory: boolean): ArmState {
  if (arm.replicates.size >= wanted && !exploratory) return 'done';
  if (arm.replicates.size > 0) return 'partial';
  return arm.placed.some(p => p.record.state === 'failed') ? 'failed' : 'missing';
}

function measurement(values: Replicates): Measurement | undefined {
  const perSeed = [...values].map(([seed, r]) => ({ seed, value: r.value, standardError: r.standardError })).sort((a, b) => a.seed - b.seed);
  const first = perSeed[0];
  if (first === undefined) return undefined;
  const list = perSeed.map(s => s.value);
  const spread = list.length === 1 ? { kind: 'binomial' as const, value: first.standardError } : { kind: 'sample' as const, value: sampleStd(list) };
  return { n: list.length, mean: mean(list), spread, perSeed };
}

function publishedCell({ published }: ArmDeclaration<object>, reference: ArmDeclaration<object> | undefined, isDefault: boolean): PublishedCell | undefined {
  if (published === undefined) return undefined;
  const base = reference?.published;
  const elsewhere = base !== undefined && published.table !== base.table;
  return {
    value: published.value,
    table: oneLine(published.table),
    elsewhere,
    inferred: published.inferred === true,
    delta: isDefault || elsewhere || base === undefined ? undefined : publishedDifference(published.value, base.value),
    source: oneLine(published.source),
  };
}

/** Those that some arm has a number for, where records may lack it. */
const shownColumns = ({ report: { columns } }: Study, arms: readonly Arm[]): ReportColumn[] =>
  columns.filter(column => column.optional !== true || arms.some(({ placed }) => columnMean(placed, column) !== undefined));

function columnMean(placed: readonly Placed[], { role, metric, optional }: ReportColumn): number | undefined {
  const finished = placed.filter(p => p.role === role && p.record.state === 'done' && (optional !== true || p.record.result[metric] !== undefined));
  return finished.length === 0 ? undefined : mean(finished.map(p => resultNumber(p.record, metric)));
}

/** Highest and lowest arm, and where the default stands. */
function finding(rows: readonly ArmRow[], { unit, label }: Headline): string[] {
  const ranked = rows.filter(row => row.measured !== undefined).sort((a, b) => b.measured!.mean - a.measured!.mean || a.index - b.index);
  const best = ranked[0];
  const worst = ranked.at(-1);
  if (best === undefined || worst === undefined) return ['No arm is measured yet.'];
  const show = (row: ArmRow): string => `${row.label} (${formatValue(row.measured!.mean, unit)}${unit === 'fraction' ? '\u00a0%' : ''})`;
  if (ranked.length === 1) return [`Only ${show(best)} is measured.`];
  const place = ranked.findIndex(row => row.isDefault);
  const gap = best.measured!.mean - (ranked[place]?.measured?.mean ?? 0);
  const ofDefault =
    place < 0
      ? 'The default arm is not measured, so there are no differences to it.'
      : place === 0
        ? 'The default arm is the highest.'
        : `The default arm is number ${place + 1} of ${ranked.length}, ${formatDelta(-gap, unit)} from the highest.`;
  return [`Highest ${label}: ${show(best)}; lowest: ${show(worst)}.`, ofDefault];
}

function sharedStages(arms: readonly Arm[], ownRoles: readonly string[]): SharedStage[] {
  const shared = new Map<string, SharedStage>();
  for (const arm of arms) {
    const counted = new Set<string>();
    for (const { role, record } of arm.placed) {
      if (ownRoles.includes(role) || record.state !== 'done' || counted.has(record.key)) continue;
      counted.add(record.key);
      const { key, kind, seed, cost } = record;
      shared.set(key, { key, role, kind, seed, cost, arms: (shared.get(key)?.arms ?? 0) + 1 });
    }
  }
  return [...shared.values()];
}

function failures(arms: readonly Arm[]): Failure[] {
  const failed = new Map<string, Failure>();
  for (const arm of arms) {
    for (const { role, record } of arm.placed) {
      if (record.state !== 'failed') continue;
      const known = failed.get(record.key);
      const labels = known?.arms ?? [];
      failed.set(record.key, {
        key: record.key,
        kind: record.kind,
        role: known?.role ?? role,
        seed: record.seed,
        arms: labels.includes(arm.label) ? labels : [...labels, arm.label],
        reason: oneLine(record.reason ?? 'no reason recorded'),
      });
    }
  }
  return [...failed.values()];
}

/** The declaration's own footnotes, notes of its arms, arms that other tables share, and what the source left open about published cells. */
function footnotes(ablation: AblationDeclaration<object>): string[] {
  const ofArms = ablation.arms.flatMap(arm => (arm.note === undefined ? [] : [`${arm.label}: ${arm.note}`]));
  const shared = ablation.arms.flatMap(({ label, sameAs }) => (sameAs === undefined ? [] : [`${label} (${sameAs})`]));
  const ofShared = shared.length === 0 ? [] : [`The same runs as in other tables: ${shared.join('; ')}.`];
  const inferred = new Map<string, string[]>();
  for (const { label, published } of ablation.arms) {
    // Without a note of its own the sign in the table says all there is.
    if (published?.inferred !== true || published.note === undefined) continue;
    const note = published.note;
    inferred.set(note, [...(inferred.get(note) ?? []), label]);
  }
  const ofCells = [...inferred].map(([note, labels]) => `Row of the published value inferred (\u2020) for ${labels.join('; ')}: ${note}`);
  return [...(ablation.footnotes ?? []), ...ofArms, ...ofShared, ...ofCells].map(oneLine);
}
