/** The report's tables as text cells, shared by HTML and Markdown: a number is formatted in one place. */
import type { Agreement, Difference, TestSetError } from '../statistics/compare.ts';
import { formatCount, formatDelta, formatFlops, formatPublished, formatPublishedDelta, formatValue, plural, type Unit } from '../../text/format.ts';
import type { AblationReport, ArmRow, Report } from '../model/model.ts';
import { seedsText } from '../model/wording.ts';

export type Tone = 'agree' | 'disagree' | 'muted' | 'strong' | 'plain';

export interface Cell {
  readonly text: string;
  /** Reference to a note; hangs in the margin so that figures stay aligned. */
  readonly sign?: string;
  /** Less important: an error, an interval. */
  readonly detail?: string;
  readonly tone?: Tone;
}

export interface TableColumn {
  readonly label: string;
  readonly align: 'left' | 'right';
}

export interface TableRow {
  readonly header: string;
  /** Small, below the header. */
  readonly detail?: string;
  /** Anchor of this row, and the one that its header links to. */
  readonly id?: string;
  readonly href?: string;
  /** Heads the rows below it, and has no cells. */
  readonly group?: boolean;
  /** One of several that make up the row above. */
  readonly part?: boolean;
  /** Set off from the others: the default arm. */
  readonly marked?: boolean;
  /** Beside the others and none of them: in grey. */
  readonly aside?: boolean;
  readonly cells: readonly Cell[];
}

export interface Table {
  /** What the caption leaves out where the heading above says it. */
  readonly subject: string;
  readonly caption: string;
  /** Of the row headers. */
  readonly corner: string;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly TableRow[];
  /** What signs in the cells mean. */
  readonly notes: readonly string[];
}

export const NONE: Cell = { text: '\u2013', tone: 'muted' };
export const left = (label: string): TableColumn => ({ label, align: 'left' });
export const right = (label: string): TableColumn => ({ label, align: 'right' });
const capital = (label: string): string => label.charAt(0).toUpperCase() + label.slice(1);
const percent = (label: string, unit: Unit): string => (unit === 'fraction' ? `${label} (%)` : label);

const AGREEMENT: Readonly<Record<Agreement, Cell>> = {
  'same sign': { text: '\u2713 same sign', tone: 'agree' },
  'opposite sign': { text: '\u2715 opposite sign', tone: 'disagree' },
  'within noise': { text: '\u2248 within noise', tone: 'muted' },
  'one seed': { text: 'one seed', tone: 'muted' },
  'published gap within seed noise': { text: '\u00b7 published within noise', tone: 'muted' },
};

/** Measured beside published, one row per arm. */
export function resultTable(report: Report, ablation: AblationReport): Table {
  const { label, unit } = report.headline;
  const mixed = new Set([...ablation.rows, ...ablation.headroom].flatMap(row => (row.measured === undefined ? [] : [row.measured.spread.kind]))).size > 1;
  return {
    subject: ablation.title,
    caption: 'Measured and published',
    corner: 'Arm',
    columns: [
      right('n'),
      right(percent(capital(label), unit)),
      right('\u0394\u00a0to\u00a0default'),
      right('Published'),
      right('Published\u00a0\u0394'),
      left('Order'),
      ...(report.comparable ? [right('Measured \u2212 published')] : []),
      right('Images'),
      right('Operations'),
    ],
    rows: [
      ...ablation.rows.map(row => ({ header: row.label, marked: row.isDefault, cells: resultCells(row, report, mixed) })),
      ...ablation.headroom.map(row => ({ header: row.label, aside: true, cells: headroomCells(row, report, mixed) })),
    ],
    notes: [...(ablation.headroomNote === undefined ? [] : [ablation.headroomNote]), ...resultNotes(ablation, mixed)],
  };
}

function resultCells(row: ArmRow, { headline: { unit }, comparable }: Report, mixed: boolean): Cell[] {
  return [
    { text: row.measured === undefined ? '0' : String(row.measured.n), ...(row.state === 'partial' ? { detail: `of ${row.wanted}` } : {}) },
    measuredCell(row, unit, mixed),
    deltaCell(row.delta, row.isDefault, unit),
    publishedCell(row),
    row.published?.delta === undefined ? (row.isDefault ? { text: 'default', tone: 'muted' } : NONE) : { text: formatPublishedDelta(row.published.delta) },
    row.agreement === undefined ? NONE : AGREEMENT[row.agreement],
    ...(comparable ? [row.valueGap === undefined ? NONE : { text: formatDelta(row.valueGap, unit) }] : []),
    ...(row.cost === undefined ? [NONE, NONE] : [{ text: formatCount(row.cost.labelledImages + row.cost.unlabelledImages) }, { text: formatFlops(row.cost.flops) }]),
  ];
}

const MISSING: ArmRow['state'] = 'missing';

/** A number among others, not one of the results; what failed still stands out. */
function headroomCells(row: ArmRow, report: Report, mixed: boolean): Cell[] {
  return resultCells(row, report, mixed).map(cell => {
    if (cell.text === MISSING) return { ...cell, text: 'not run' };
    return cell.tone === 'strong' ? { ...cell, tone: 'muted' } : cell;
  });
}

function measuredCell({ measured, earlier, mixesCode, state }: ArmRow, unit: Unit, mixed: boolean): Cell {
  if (measured === undefined) return { text: state, tone: state === 'failed' ? 'disagree' : 'muted' };
  const suffix = mixed ? (measured.spread.kind === 'binomial' ? ' s.e.' : ' s.d.') : '';
  return {
    text: formatValue(measured.mean, unit),
    ...(earlier === undefined && !mixesCode ? {} : { sign: OTHER_CODE_SIGN }),
    detail: `\u00b1 ${formatValue(measured.spread.value, unit)}${suffix}`,
    tone: 'strong',
  };
}

function deltaCell(delta: Difference | undefined, isDefault: boolean, unit: Unit): Cell {
  if (isDefault) return { text: 'default', tone: 'muted' };
  if (delta === undefined) return NONE;
  const { interval } = delta;
  const error = interval === undefined ? `\u00b1 ${formatValue(delta.standardError, unit)}` : `[${formatDelta(interval.low, unit)}, ${formatDelta(interval.high, unit)}]`;
  return { text: formatDelta(delta.value, unit), detail: error };
}

function publishedCell({ published }: ArmRow): Cell {
  if (published === undefined) return NONE;
  const sign = `${published.elsewhere ? '*' : ''}${published.inferred ? '\u2020' : ''}`;
  return { text: formatPublished(published.value), ...(sign === '' ? {} : { sign }) };
}

const OTHER_CODE_SIGN = '\u00a7';

/** Where numbers of different states of the code stand in one table. */
function codeNotes({ rows, mixedCode }: AblationReport): string[] {
  const within = rows.filter(({ mixesCode, measured }) => mixesCode && measured !== undefined).map(({ label }) => label);
  const earlier = earlierNotes(rows, within.length === 0);
  if (mixedCode === undefined) return earlier;
  return [
    ...earlier,
    ...(within.length === 0 ? [] : [`${OTHER_CODE_SIGN} Measured with different code, whose numbers are averaged: ${within.join('; ')}.`]),
    `This table mixes numbers of different code of a kind, as its files were edited between the runs: ${mixedCode}. ablate explain says which seed has which.`,
  ];
}

/** Revisions with which arms were measured, where the code has changed since. @param allSigns whether the sign says nothing else */
function earlierNotes(rows: readonly ArmRow[], allSigns: boolean): string[] {
  const labels = new Map<string, string[]>();
  for (const { earlier, label, measured } of rows) if (earlier !== undefined && measured !== undefined) labels.set(earlier, [...(labels.get(earlier) ?? []), label]);
  if (labels.size === 0) return [];
  // The sign says which rows; which revision of which row must be said only where there are several.
  const texts = [...labels].map(([text, of]) => (labels.size === 1 && allSigns ? text : `${text} for ${of.join('; ')}`));
  return [`${OTHER_CODE_SIGN} Measured with an earlier revision of the code, until a rerun replaces it: ${texts.join('. ')}.`];
}

export const COST_NOTE = 'Images seen in training and operations spent: of the arm\u2019s own stages, one seed.';

const ONE_SEED: Readonly<Record<TestSetError['of'], string>> = {
  images: '\u0394 with one seed: of these two trained models \u00b1 its standard error from the test images on which they differ; it does not cover the spread over seeds and decides nothing.',
  binomial: '\u0394 with one seed: of these two trained models \u00b1 its binomial standard error, both values taken as independent; it does not cover the spread over seeds and decides nothing.',
};

function resultNotes(ablation: AblationReport, mixed: boolean): string[] {
  const rows = [...ablation.rows, ...ablation.headroom];
  const has = (kind: 'sample' | 'binomial'): boolean => rows.some(row => row.measured?.spread.kind === kind);
  const deltas = rows.flatMap(row => (row.delta === undefined ? [] : [row.delta]));
  const elsewhere = [...new Set(rows.flatMap(row => (row.published?.elsewhere === true ? [row.published.table] : [])))];
  const interval = deltas.some(delta => delta.interval !== undefined);
  return [
    has('binomial') ? `\u00b1${mixed ? ' s.e.' : ''}: one seed, so the binomial standard error that the finite test set gives; it does not cover the spread over seeds.` : '',
    has('sample') ? `\u00b1${mixed ? ' s.d.' : ''}: sample standard deviation over seeds.` : '',
    ...new Set(deltas.flatMap(({ error }) => (error === 'paired' ? [] : [ONE_SEED[error]]))),
    deltas.some(delta => delta.error === 'paired')
      ? `\u0394 with more seeds: mean of the differences per seed${interval ? ', in brackets its 95 % t interval' : ' \u00b1 its standard error; below three seeds no interval is given'}.`
      : '',
    elsewhere.length > 0 ? `* From ${elsewhere.join(', ')} of the paper: no difference is taken between tables.` : '',
    rows.some(row => row.published?.inferred === true) ? '\u2020 The source leaves open which of two rows this value belongs to; the row is inferred.' : '',
    ...codeNotes(ablation),
    rows.some(row => row.cost !== undefined) ? COST_NOTE : '',
  ].filter(Boolean);
}

/** What an arm costs, and the study's further numbers. */
export function costTable(ablation: AblationReport): Table {
  return {
    subject: ablation.title,
    caption: 'Images, operations and further numbers',
    corner: 'Arm',
    columns: [right('Labelled images'), right('Unlabelled images'), right('Operations'), ...ablation.columns.map(column => right(percent(capital(column.label), column.unit)))],
    rows: [
      ...ablation.rows.map(row => ({
        header: row.label,
        marked: row.isDefault,
        cells: [...costCells(row.cost), ...row.extra.map((value, i): Cell => (value === undefined ? NONE : { text: formatValue(value, ablation.columns[i]!.unit) }))],
      })),
      ...ablation.shared.map(stage => ({
        header: `Shared ${stage.role}, seed ${stage.seed} (${plural(stage.arms, 'arm')})`,
        cells: [...costCells(stage.cost), ...ablation.columns.map(() => NONE)],
      })),
    ],
    notes: [
      'Images seen in training by the arm\u2019s own stages, every epoch counted, for one seed; operations of all its stages, a multiply-add as two.',
      ...(ablation.shared.length > 0 ? ['Shared stages run once and are charged to no arm.'] : []),
      ...(ablation.columns.some(column => column.unit === 'loss') ? ['Losses compare between arms only where the arms minimise the same loss.'] : []),
    ],
  };
}

function costCells(cost: ArmRow['cost']): Cell[] {
  if (cost === undefined) return [NONE, NONE, NONE];
  return [{ text: formatCount(cost.labelledImages) }, { text: formatCount(cost.unlabelledImages) }, { text: formatFlops(cost.flops) }];
}

/** Stages that failed, with their reasons; undefined when none did. */
export function failureTable(ablation: AblationReport): Table | undefined {
  if (ablation.failures.length === 0) return undefined;
  return {
    subject: ablation.title,
    caption: 'Failed stages',
    corner: 'Stage',
    columns: [left('Arms'), right('Seed'), left('Reason'), left('Key')],
    rows: ablation.failures.map(failure => ({
      header: failure.role,
      cells: [{ text: failure.arms.join('; ') }, { text: String(failure.seed) }, { text: failure.reason, tone: 'disagree' }, { text: failure.key.slice(0, 12), tone: 'muted' }],
    })),
    notes: [],
  };
}

export function factTable(report: Report): Table {
  return {
    subject: 'How it was run',
    caption: `Profile ${report.profile}`,
    corner: 'Setting',
    columns: [left('Value')],
    rows: [
      ...report.facts.map(fact => ({ header: fact.label, cells: [{ text: fact.value }] })),
      ...report.overrides.map(change => ({ header: 'Changed for this report', marked: true, cells: [{ text: change }] })),
      { header: 'Seeds', cells: [seedsText(report)] },
    ],
    notes: [],
  };
}
