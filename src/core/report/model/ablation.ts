/** One ablation of the report: its rows, and how their order relates to the paper's. */
import type { AblationDeclaration, ArmDeclaration, Inconsistency, ProfileBase, Published, ReferenceRow, ReportColumn, Study } from '../../ablation/declaration.ts';
import { headlineMeasure, measuresOf, publishedFor, type Measure } from '../../ablation/measures.ts';
import { breakdowns } from './breakdowns.ts';
import type { ClaimResult } from './claims.ts';
import { agreement, comparePairs, countOrder, difference, publishedDifference, type ComparedArm, type Replicate, type Replicates } from '../statistics/compare.ts';
import { curveCharts } from './curves.ts';
import { doubtfulWarnings } from './doubtful.ts';
import type { TableHeadroom } from './headroom.ts';
import { tableImages } from './images.ts';
import { finishedOf, mixedCodes, mixedCodeText, type CodesByKind } from '../records/code.ts';
import { mixedEngines, type Engines } from '../records/engines.ts';
import { formatCode, formatDelta, formatValue, scale } from '../../text/format.ts';
import type { AblationReport, ArmRow, ArmState, ExtraColumn, Failure, Measurement, PublishedCell, Reference, SharedStage } from './model.ts';
import type { ShownMeasure } from './measure.ts';
import { rankAgreement } from '../statistics/rank.ts';
import { pictureTables } from './pictures.ts';
import type { ArmRecipe } from './recipes.ts';
import { retraining } from './retraining.ts';
import { byText, type ReportRecord } from '../records/records.ts';
import { mean, sampleStd } from '../statistics/statistics.ts';
import { oneLine } from '../../text/clean.ts';
import { declaredOf } from '../statistics/verdict.ts';
import { teacherWarnings } from './teacher.ts';
import { earlierText, metricSpec, placeRecords, replicateCost, replicates, resultNumber, shownMeasure, type Placed } from './usage.ts';

export interface AblationInput {
  readonly study: Study;
  readonly profile: ProfileBase;
  readonly ablation: AblationDeclaration<object>;
  /** Sorted. */
  readonly records: readonly ReportRecord[];
  /** Seeds that the profile declares for it, and for the headroom in its table. */
  readonly declared: readonly number[];
  readonly headroomSeeds: readonly number[];
  readonly comparable: boolean;
  readonly engines: Engines;
  /** The claims that this ablation declares. */
  readonly claims: readonly ClaimResult[];
  readonly recipes: readonly ArmRecipe[] | undefined;
  readonly headroom: TableHeadroom;
}

/** An ablation by one of its numbers. */
interface MeasureInput extends AblationInput {
  readonly measure: Measure;
  readonly shown: ShownMeasure;
  /** The ablation's first measure. */
  readonly first: string;
  /** Roles of stages that arms have for its other numbers alone. */
  readonly otherRoles: ReadonlySet<string>;
}

/** An arm with its records, before rows are made. */
interface Arm {
  readonly declaration: ArmDeclaration<object>;
  readonly label: string;
  readonly published: Published | undefined;
  /** Of all its stages. */
  readonly all: readonly Placed[];
  /** Without those of other numbers. */
  readonly placed: readonly Placed[];
  /** Those that count. */
  readonly replicates: Replicates;
  readonly extraSeeds: ArmRow['extraSeeds'];
}

function armOf(
  { declared, measure, first, otherRoles }: Pick<MeasureInput, 'declared' | 'measure' | 'first' | 'otherRoles'>,
  declaration: ArmDeclaration<object>,
  placed: ReadonlyMap<string, readonly Placed[]>,
): Arm {
  const all = placed.get(declaration.name) ?? [];
  const ofMeasure = all.filter(({ role }) => !otherRoles.has(role));
  const measured = replicates(ofMeasure, measure);
  const counted = new Set(declaredOf([...measured.keys()], declared));
  const ofSeeds = (isCounted: boolean): [number, Replicate][] => [...measured].filter(([seed]) => counted.has(seed) === isCounted);
  return {
    declaration,
    label: oneLine(declaration.label),
    published: publishedFor(declaration.published, measure.name, first),
    all,
    placed: ofMeasure,
    replicates: new Map(ofSeeds(true)),
    extraSeeds: ofSeeds(false).map(([seed, { value }]) => ({ seed, value })),
  };
}

/** Whether there is anything of a paper in it. */
const hasPublished = ({ arms, references = [] }: AblationDeclaration<object>): boolean => references.length > 0 || arms.some(({ published }) => published !== undefined);

export function buildAblation(input: AblationInput): AblationReport {
  const { study, profile, ablation, records } = input;
  const [first, ...others] = measuresOf(study, ablation);
  const byMeasure = (measure: Measure): MeasureInput => ({
    ...input,
    measure,
    shown: shownMeasure(study, profile, records, measure),
    first: first.name,
    otherRoles: new Set([first, ...others].filter(({ role }) => role !== measure.role).flatMap(({ name, role }) => [role, ...(study.report.measures?.[name]?.roles ?? [])])),
  });
  return { ...buildFirst(byMeasure(first)), others: others.map(measure => buildOther(byMeasure(measure))) };
}

/** What one of its numbers says of the arms. */
function compared(input: MeasureInput, arms: readonly Arm[], mixed: CodesByKind, columns: readonly ReportColumn[]) {
  const { study, ablation, measure, shown } = input;
  const rows = arms.map((arm, index) => buildRow(input, arms, arm, index, mixed, columns));
  const comparable = comparedArms(ablation, arms, measure.name === input.first ? '' : measure.name);
  const pairs = comparePairs(comparable, measure.name === headlineMeasure(study).name ? (study.report.publishedNoise?.value ?? 0) : 0);
  return { measure: shown, finding: finding(rows, shown), rows, pairs, order: countOrder(pairs), rank: rankAgreement(comparable), references: references(input) };
}

/** By another number than the first, with all that is said of the whole left to that. */
function buildOther(input: MeasureInput): AblationReport {
  const { ablation, records, shown } = input;
  const placed = placeRecords(records, ablation.name);
  const arms = ablation.arms.map(declaration => armOf(input, declaration, placed));
  const finished = finishedOf(arms.flatMap(({ placed }) => placed.map(({ record }) => record)));
  return {
    name: ablation.name,
    others: [],
    title: `${oneLine(ablation.title)}, ${shown.label}`,
    table: oneLine(ablation.table),
    question: oneLine(ablation.question),
    expected: oneLine(ablation.expected),
    axis: ablation.axis === undefined ? undefined : oneLine(ablation.axis),
    ...compared(input, arms, mixedCodes(finished), []),
    headroom: [],
    headroomNote: undefined,
    warnings: [],
    images: undefined,
    published: arms.some(({ published }) => published !== undefined),
    columns: [],
    claims: [],
    inconsistencies: [],
    shared: [],
    curves: [],
    pictures: [],
    breakdowns: [],
    failures: [],
    recipes: undefined,
    mixedCode: mixedCodeText(finished),
    footnotes: [],
  };
}

function buildFirst(input: MeasureInput): Omit<AblationReport, 'others'> {
  const { study, ablation, records, measure } = input;
  const placed = placeRecords(records, ablation.name);
  const arms = ablation.arms.map(declaration => armOf(input, declaration, placed));
  const headroom = headroomArms(input);
  const extra = shownColumns(study, arms);
  const columns: ExtraColumn[] = extra.map(column => {
    const spec = metricSpec(study, records, column.role, column.metric);
    return { role: column.role, label: oneLine(column.label), unit: spec?.unit ?? 'ratio' };
  });
  const whole = [...arms, ...headroom].map(arm => ({ ...arm, placed: arm.all }));
  const finished = finishedOf(whole.flatMap(({ placed }) => placed.map(({ record }) => record)));
  const mixed = mixedCodes(finished);
  const images = tableImages({
    study,
    role: measure.role,
    ablation,
    arms: arms.map(({ declaration: { name }, label, placed: ofArm }) => ({ name, label, placed: ofArm })),
    claims: input.claims,
    baselines: input.headroom.baselines,
    records,
  });
  const { rows, ...numbers } = compared(input, arms, mixed, extra);
  return {
    name: ablation.name,
    title: oneLine(ablation.title),
    table: oneLine(ablation.table),
    question: oneLine(ablation.question),
    expected: oneLine(ablation.expected),
    axis: ablation.axis === undefined ? undefined : oneLine(ablation.axis),
    ...numbers,
    rows: rows.map(row => ({ ...row, fewerImages: images.fewer.get(row.name) })),
    headroom: headroom.map(arm => ({ ...measuredRow({ study, declared: input.headroomSeeds, measure }, arm, mixed), name: `${study.headroom!.name}/${arm.declaration.name}`, index: -1, extra: [] })),
    headroomNote: headroom.length === 0 ? undefined : oneLine(study.headroom!.note),
    warnings: [
      ...teacherWarnings({ study, declared: input.declared, records, headline: shownMeasure(study, input.profile, records, headlineMeasure(study)), baselines: input.headroom.baselines }),
      ...doubtfulWarnings(study, arms),
    ],
    images: images.line,
    published: hasPublished(ablation),
    columns,
    claims: input.claims,
    inconsistencies: (ablation.inconsistencies ?? []).map(inconsistency),
    shared: sharedStages(whole.slice(0, arms.length), study.report.ownRoles),
    curves: curveCharts(study, ablation.name, whole.slice(0, arms.length)),
    pictures: pictureTables(study, input.profile, whole.slice(0, arms.length), input.declared),
    breakdowns: breakdowns(study, input.profile, ablation.name, whole.slice(0, arms.length), input.declared),
    failures: failures(whole),
    recipes: input.recipes,
    mixedCode: mixedCodeText(finished),
    footnotes: [
      ...footnotes(ablation, arms),
      ...exploratoryNotes([...arms, ...headroom], [...input.declared, ...input.headroomSeeds]),
      ...(input.headroom.footnote === undefined ? [] : [input.headroom.footnote]),
      ...engineNotes([...arms, ...headroom], input.engines),
    ],
  };
}

/** Recorded under the name of the headroom, whichever table shows them. */
function headroomArms(input: MeasureInput): Arm[] {
  const { study, records, headroom } = input;
  const { arms } = headroom;
  // They are tested for the headline alone.
  if (arms.length === 0 || input.measure.name !== headlineMeasure(study).name) return [];
  const placed = placeRecords(records, study.headroom!.name);
  return arms.map(({ name, label, factors }) => armOf({ ...input, declared: input.headroomSeeds }, { name, label, factors }, placed));
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

/** Rows that have a value of this number. */
const references = ({ ablation, measure, first }: MeasureInput): Reference[] =>
  (ablation.references ?? []).flatMap(row => {
    const published = publishedFor(row.published, measure.name, first);
    return published === undefined ? [] : [reference(row, published)];
  });

const reference = ({ label, note }: ReferenceRow, published: Published): Reference => ({
  label: oneLine(label),
  value: published.value,
  unit: oneLine(published.unit),
  table: oneLine(published.table),
  source: oneLine(published.source),
  inferred: published.inferred === true,
  note: note === undefined ? undefined : oneLine(note),
});

const inconsistency = ({ text, table, source }: Inconsistency): Inconsistency => ({ text: oneLine(text), table: oneLine(table), source: oneLine(source) });

/**
 * Arms whose published values compare with each other: those of the default arm's table.
 * @param by name of the number, where it is not the ablation's first
 */
function comparedArms(ablation: AblationDeclaration<object>, arms: readonly Arm[], by: string): ComparedArm[] {
  const table = arms.find(arm => arm.declaration.name === ablation.default)?.published?.table;
  return arms.flatMap(({ declaration, published, replicates: measured }) => {
    if (published === undefined || published.table !== table) return [];
    return [{ what: `${declaration.sameAs ?? `${ablation.name}/${declaration.name}`} ${published.table}${by === '' ? '' : ` ${by}`}`, published: published.value, replicates: measured }];
  });
}

/** What an arm came to by itself. @param mixed kinds whose code the table mixes */
function measuredRow({ study, declared, measure }: Pick<MeasureInput, 'study' | 'declared' | 'measure'>, arm: Arm, mixed: CodesByKind) {
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
    cost: replicateCost(arm.placed, measure.role, role => study.report.ownRoles.includes(role)),
  };
}

function buildRow(input: MeasureInput, arms: readonly Arm[], arm: Arm, index: number, mixed: CodesByKind, columns: readonly ReportColumn[]): ArmRow {
  const { study, ablation, measure, shown, comparable } = input;
  const ofHeadline = measure.name === headlineMeasure(study).name;
  const isDefault = arm.declaration.name === ablation.default;
  const reference = arms.find(other => other.declaration.name === ablation.default);
  const row = measuredRow(input, arm, mixed);
  const { measured } = row;
  const delta = isDefault || reference === undefined ? undefined : difference(arm.replicates, reference.replicates);
  const published = publishedCell(arm, reference, isDefault);
  const valueGap = comparable && measured !== undefined && published !== undefined ? measured.mean - published.value / scale(1, shown.unit) : undefined;
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
    agreement: delta === undefined || published?.delta === undefined ? undefined : agreement(delta, published.delta, ofHeadline ? (study.report.publishedNoise?.value ?? 0) : 0),
    valueGap,
    retraining: valueGap === undefined || !ofHeadline || study.report.retraining === undefined ? undefined : retraining(scale(valueGap, shown.unit), measured!.n, study.report.retraining),
    extra: columns.map(column => columnMean(arm.all, column)),
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

function publishedCell({ published }: Arm, reference: Arm | undefined, isDefault: boolean): PublishedCell | undefined {
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
  columns.filter(column => column.optional !== true || arms.some(({ all }) => columnMean(all, column) !== undefined));

function columnMean(placed: readonly Placed[], { role, metric, optional }: ReportColumn): number | undefined {
  const finished = placed.filter(p => p.role === role && p.record.state === 'done' && (optional !== true || p.record.result[metric] !== undefined));
  return finished.length === 0 ? undefined : mean(finished.map(p => resultNumber(p.record, metric)));
}

/** Highest and lowest arm, and where the default stands. */
function finding(rows: readonly ArmRow[], { unit, label }: ShownMeasure): string[] {
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
function footnotes(ablation: AblationDeclaration<object>, arms: readonly Arm[]): string[] {
  const ofArms = ablation.arms.flatMap(arm => (arm.note === undefined ? [] : [`${arm.label}: ${arm.note}`]));
  const shared = ablation.arms.flatMap(({ label, sameAs }) => (sameAs === undefined ? [] : [`${label} (${sameAs})`]));
  const ofShared = shared.length === 0 ? [] : [`The same runs as in other tables: ${shared.join('; ')}.`];
  const inferred = new Map<string, string[]>();
  for (const {
    declaration: { label },
    published,
  } of arms) {
    // Without a note of its own the sign in the table says all there is.
    if (published?.inferred !== true || published.note === undefined) continue;
    const note = published.note;
    inferred.set(note, [...(inferred.get(note) ?? []), label]);
  }
  const ofCells = [...inferred].map(([note, labels]) => `Row of the published value inferred (\u2020) for ${labels.join('; ')}: ${note}`);
  return [...(ablation.footnotes ?? []), ...ofArms, ...ofShared, ...ofCells].map(oneLine);
}
