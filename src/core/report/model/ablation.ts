/** One ablation of the report: its rows, and how their order relates to the paper's. */
import type { AblationDeclaration, Inconsistency, Published, ReferenceRow, ReportColumn, Study } from '../../ablation/declaration.ts';
import { headlineMeasure, measuresOf, noiseOf, publishedFor, type Measure } from '../../ablation/measures.ts';
import { armOf, buildRow, columnMean, isExploratory, measuredRow, type AblationInput, type Arm, type MeasureInput } from './arm-rows.ts';
import { breakdowns } from './breakdowns.ts';
import { comparePairs, countOrder, type ComparedArm } from '../statistics/compare.ts';
import { curveCharts } from './curves.ts';
import { notesOf } from './elsewhere.ts';
import { doubtfulWarnings } from './doubtful.ts';
import { tableImages } from './images.ts';
import { finishedOf, mixedCodes, mixedCodeText, type CodesByKind } from '../records/code.ts';
import { mixedEngines, type Engines } from '../records/engines.ts';
import { formatDelta, formatValue } from '../../text/format.ts';
import type { AblationReport, ArmRow, ExtraColumn, Failure, Reference, SharedStage } from './model.ts';
import type { ShownMeasure } from './measure.ts';
import { rankAgreement } from '../statistics/rank.ts';
import { pictureTables } from './pictures.ts';
import { oneLine } from '../../text/clean.ts';
import { teacherWarnings } from './teacher.ts';
import { metricSpec, placeRecords, shownMeasure } from './usage.ts';

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
  const [table, tables] = [buildFirst(byMeasure(first)), others.map(measure => buildOther(byMeasure(measure)))];
  // One numbering of them for all of its numbers, which stand side by side.
  const sources = notesOf([table, ...tables].flatMap(({ rows, headroom }) => [...rows, ...headroom].flatMap(({ elsewhere }) => elsewhere)));
  return { ...table, sources, others: tables.map(other => ({ ...other, others: [], sources })) };
}

/** As it is declared, by whichever number. */
const headOf = ({ name, title, table, question, expected, axis }: AblationDeclaration<object>) => ({
  name,
  title: oneLine(title),
  table: oneLine(table),
  question: oneLine(question),
  expected: oneLine(expected),
  axis: axis === undefined ? undefined : oneLine(axis),
});

/** What one of its numbers says of the arms. */
function compared(input: MeasureInput, arms: readonly Arm[], mixed: CodesByKind, columns: readonly ReportColumn[]) {
  const { study, ablation, measure, shown } = input;
  const rows = arms.map((arm, index) => buildRow(input, arms, arm, index, mixed, columns));
  const comparable = comparedArms(ablation, arms, measure.name === input.first ? '' : measure.name);
  const pairs = comparePairs(comparable, noiseOf(study, measure));
  return { measure: shown, finding: finding(rows, shown), rows, pairs, order: countOrder(pairs), rank: rankAgreement(comparable), references: references(input) };
}

/** By another number than the first, with all that is said of the whole left to that. */
function buildOther(input: MeasureInput): Omit<AblationReport, 'others' | 'sources'> {
  const { ablation, records, shown } = input;
  const placed = placeRecords(records, ablation.name);
  const arms = ablation.arms.map(declaration => armOf(input, declaration, placed));
  const finished = finishedOf(arms.flatMap(({ placed }) => placed.map(({ record }) => record)));
  return {
    ...headOf(ablation),
    title: `${oneLine(ablation.title)}, ${shown.label}`,
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

function buildFirst(input: MeasureInput): Omit<AblationReport, 'others' | 'sources'> {
  const { study, ablation, records, measure } = input;
  const placed = placeRecords(records, ablation.name);
  const arms = ablation.arms.map(declaration => armOf(input, declaration, placed));
  const headroom = headroomArms(input);
  const extra = shownColumns(study, arms);
  const columns: ExtraColumn[] = extra.map(column => {
    const spec = metricSpec(study, records, column.role, column.metric);
    return { role: column.role, label: oneLine(column.label), unit: spec?.unit ?? 'ratio' };
  });
  // With the stages of its other numbers.
  const whole = [...arms, ...headroom].map(arm => ({ ...arm, placed: arm.all })),
    ofArms = whole.slice(0, arms.length);
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
    ...headOf(ablation),
    ...numbers,
    rows: rows.map(row => ({ ...row, fewerImages: images.fewer.get(row.name) })),
    headroom: headroom.map(arm => ({ ...measuredRow({ study, declared: input.headroomSeeds, measure }, arm, mixed), name: `${study.headroom!.name}/${arm.declaration.name}`, index: -1, extra: [] })),
    headroomNote: headroom.length === 0 ? undefined : oneLine(study.headroom!.note),
    warnings: [
      ...teacherWarnings({ study, declared: input.declared, records, headline: shownMeasure(study, input.profile, records, headlineMeasure(study)), baselines: input.headroom.baselines }),
      ...doubtfulWarnings(study, ofArms),
    ],
    images: images.line,
    published: hasPublished(ablation),
    columns,
    claims: input.claims,
    inconsistencies: (ablation.inconsistencies ?? []).map(inconsistency),
    shared: sharedStages(ofArms, study.report.ownRoles),
    curves: curveCharts(study, ablation.name, ofArms),
    pictures: pictureTables(study, input.profile, ofArms, input.declared),
    breakdowns: breakdowns(study, input.profile, ablation.name, ofArms, input.declared),
    failures: failures(whole),
    recipes: input.recipes,
    mixedCode: mixedCodeText(finished),
    footnotes: [
      ...footnotes(ablation, arms),
      ...exploratoryNotes([...arms, ...headroom], [...input.declared, ...input.headroomSeeds]),
      ...(input.headroom.footnote === undefined ? [] : [input.headroom.footnote]),
      ...engineNotes(whole, input.engines),
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
  return arms.map(({ name, label, factors }) => armOf({ ...input, ablation: study.headroom!, declared: input.headroomSeeds }, { name, label, factors }, placed));
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

/** Those that some arm has a number for, where records may lack it. */
const shownColumns = ({ report: { columns } }: Study, arms: readonly Arm[]): ReportColumn[] =>
  columns.filter(column => column.optional !== true || arms.some(({ all }) => columnMean(all, column) !== undefined));

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
