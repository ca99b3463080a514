/** The report's tables as text cells, shared by HTML and Markdown: a number is formatted in one place. */
import { ELSEWHERE, ELSEWHERE_RULE, elsewhereCell, elsewhereNotes, hasElsewhere } from './elsewhere.ts';
import type { TestSetError } from '../statistics/compare.ts';
import { capitalised, formatDelta, formatPublished, formatPublishedDelta, formatValue, type Unit } from '../../text/format.ts';
import type { AblationReport, ArmRow, Measurement, PublishedCell, Report } from '../model/model.ts';
import type { ShownMeasure } from '../model/measure.ts';
import { seedShare } from '../model/wording.ts';

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
/** Where the default arm has no number because it is what others are compared with. */
const DEFAULT: Cell = { text: 'default', tone: 'muted' };
export const left = (label: string): TableColumn => ({ label, align: 'left' });
export const right = (label: string): TableColumn => ({ label, align: 'right' });
/** Heads a column of values of the metric. */
export const metricLabel = ({ label, unit }: { readonly label: string; readonly unit: Unit }): string => `${capitalised(label)}${unit === 'fraction' ? ' (%)' : ''}`;

const says = (cell: Cell | undefined): boolean => cell !== undefined && cell !== DEFAULT && (cell.text !== NONE.text || cell.detail !== undefined);

/** The same table without the columns in which no row says anything. */
export function withoutEmptyColumns(table: Table): Table {
  const kept = table.columns.map((_, i) => table.rows.some(({ group, cells }) => group !== true && says(cells[i])));
  const only = <T>(of: readonly T[]): T[] => of.filter((_, i) => kept[i]);
  return { ...table, columns: only(table.columns), rows: table.rows.map(row => ({ ...row, cells: only(row.cells) })) };
}

/** Measured beside published, one row per arm. Columns in which there may be nothing are part of it. */
export function resultTable(ablation: AblationReport): Table {
  const { rows, headroom, measure } = ablation;
  const shown = { ...describe(ablation), unit: measure.unit, best: bestMean(rows, measure), sources: hasElsewhere(ablation) ? ablation.sources : undefined };
  return {
    subject: ablation.title,
    caption: resultCaption(ablation),
    corner: 'Arm',
    columns: [
      right('Seeds'),
      right(metricLabel(measure)),
      right('\u0394 to default'),
      right('Published'),
      right('Published \u0394'),
      right('Measured \u2212 published'),
      ...(shown.sources === undefined ? [] : [right(ELSEWHERE)]),
    ],
    rows: [
      ...rows.map(row => ({ header: row.label, marked: row.isDefault, cells: resultCells(row, shown) })),
      ...headroom.map(row => ({ header: row.label, aside: true, cells: headroomCells(row, shown) })),
    ],
    notes: resultNotes(ablation),
  };
}

/** What the arms of a table have in common. */
interface Described {
  /** Of every measured arm; undefined where they differ, or where none is. */
  readonly seeds: number | undefined;
  /** Errors over seeds and errors of the test set stand in one table. */
  readonly mixed: boolean;
}

interface Shown extends Described {
  readonly unit: Unit;
  /** As printed: arms that read alike are level. */
  readonly best: string | undefined;
  /** Of numbers from elsewhere; undefined where no arm has one. */
  readonly sources: readonly string[] | undefined;
}

const measurementsOf = ({ rows, headroom }: Pick<AblationReport, 'rows' | 'headroom'>): Measurement[] => [...rows, ...headroom].flatMap(({ measured }) => measured ?? []);

function describe(ablation: AblationReport): Described {
  const measured = measurementsOf(ablation);
  const seeds = new Set(measured.map(({ n }) => n));
  return { seeds: seeds.size === 1 ? measured[0]!.n : undefined, mixed: new Set(measured.map(({ spread }) => spread.kind)).size > 1 };
}

/** The best of these numbers as printed, so that those that read alike are level; undefined where there is nothing to be better than. */
export function bestOf(values: readonly (number | undefined)[], better: ShownMeasure['better'], format: (value: number) => string): string | undefined {
  const known = values.filter(value => value !== undefined);
  return known.length < 2 ? undefined : format(better === 'lower' ? Math.min(...known) : Math.max(...known));
}

/** The best mean of these arms, as printed. */
export const bestMean = (rows: readonly (ArmRow | undefined)[], { unit, better }: ShownMeasure): string | undefined =>
  bestOf(
    rows.map(row => row?.measured?.mean),
    better,
    value => formatValue(value, unit),
  );

/** `Measured with one seed`, `Measured with 1 of 5 seeds`; with no number where arms differ in it. */
export function measuredWith(ablation: AblationReport): string {
  const { seeds } = describe(ablation);
  return seeds === undefined ? 'Measured' : `Measured with ${seedShare(seeds, ablation.rows[0]!.wanted)}`;
}

function resultCaption(ablation: AblationReport): string {
  const { seeds, mixed } = describe(ablation);
  const beside = ablation.rows.some(row => row.published !== undefined) ? ', and published' : '';
  const over = 'standard deviation over seeds';
  const error = seeds === undefined ? (mixed ? `\u00b1 s.d.: ${over}; \u00b1 s.e.: standard error of the test set, of one seed` : over) : seeds === 1 ? 'standard error of the test set' : over;
  return `${measuredWith(ablation)}${beside}${measurementsOf(ablation).length === 0 ? '' : `. ${mixed ? '' : '\u00b1: '}${error}`}`;
}

const resultCells = (row: ArmRow, shown: Shown): Cell[] => [
  row.measured === undefined || shown.seeds !== undefined ? NONE : { text: String(row.measured.n), ...(row.state === 'partial' ? { detail: `of ${row.wanted}` } : {}) },
  measuredCell(row, shown),
  deltaCell(row, shown.unit),
  publishedCell(row),
  row.published?.delta === undefined ? NONE : { text: formatPublishedDelta(row.published.delta) },
  row.valueGap === undefined ? NONE : { text: formatDelta(row.valueGap, shown.unit), ...(row.retraining === undefined ? {} : { detail: `${row.retraining} the retraining tolerance` }) },
  ...(shown.sources === undefined ? [] : [elsewhereCell(row, shown.unit, shown.sources) ?? NONE]),
];

const MISSING: ArmRow['state'] = 'missing';

/** A number among others, not one of the results; what failed still stands out. */
const headroomCells = (row: ArmRow, shown: Shown): Cell[] => resultCells(row, { ...shown, best: undefined }).map(cell => (cell.text === MISSING ? { ...cell, text: 'not run' } : cell));

function measuredCell(row: ArmRow, { unit, mixed, best }: Shown): Cell {
  const { measured, state } = row;
  if (measured === undefined) return { text: state, tone: state === 'failed' ? 'disagree' : 'muted' };
  const { kind, value } = measured.spread;
  const signs = measuredSigns(row);
  const text = formatValue(measured.mean, unit);
  return {
    text,
    ...(signs === '' ? {} : { sign: signs }),
    detail: `\u00b1\u00a0${formatValue(value, unit)}${mixed ? (kind === 'binomial' ? ' s.e.' : ' s.d.') : ''}`,
    ...(text === best ? { tone: 'strong' } : {}),
  };
}

function deltaCell({ delta, isDefault }: ArmRow, unit: Unit): Cell {
  if (isDefault) return DEFAULT;
  if (delta === undefined) return NONE;
  const { interval } = delta;
  const error = interval === undefined ? `\u00b1\u00a0${formatValue(delta.standardError, unit)}` : `[${formatDelta(interval.low, unit)}, ${formatDelta(interval.high, unit)}]`;
  return { text: formatDelta(delta.value, unit), detail: error };
}

function publishedCell({ published }: ArmRow): Cell {
  if (published === undefined) return NONE;
  const sign = publishedSigns(published);
  return { text: formatPublished(published.value), ...(sign === '' ? {} : { sign }) };
}

/** Of a published value: what the notes of the table say of it. */
export const publishedSigns = ({ elsewhere, inferred }: PublishedCell): string => `${elsewhere ? '*' : ''}${inferred ? '\u2020' : ''}`;

/** Of a measured value. */
export const measuredSigns = ({ earlier, mixesCode, fewerImages }: ArmRow): string =>
  `${fewerImages === undefined ? '' : FEWER_IMAGES_SIGN}${earlier === undefined && !mixesCode ? '' : OTHER_CODE_SIGN}`;

const OTHER_CODE_SIGN = '\u00a7';
const FEWER_IMAGES_SIGN = '\u2021';

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

const ONE_SEED: Readonly<Record<TestSetError['of'], string>> = {
  images: '\u0394 with one seed: of these two trained models \u00b1 its standard error from the test images on which they differ; it does not cover the spread over seeds and decides nothing.',
  binomial: '\u0394 with one seed: of these two trained models \u00b1 its binomial standard error, both values taken as independent; it does not cover the spread over seeds and decides nothing.',
};

/** How to read the columns of all tables of results: what is said once for the report. */
export function resultRules({ ablations }: Pick<Report, 'ablations'>): string[] {
  const has = (kind: Measurement['spread']['kind']): boolean => ablations.some(ablation => measurementsOf(ablation).some(({ spread }) => spread.kind === kind));
  const deltas = ablations.flatMap(({ rows }) => rows.flatMap(({ delta }) => delta ?? []));
  const interval = deltas.some(delta => delta.interval !== undefined);
  return [
    has('binomial') ? '\u00b1 with one seed: the binomial standard error that the finite test set gives; it does not cover the spread over seeds.' : '',
    has('sample') ? '\u00b1 with more seeds: sample standard deviation over seeds.' : '',
    ...new Set(deltas.flatMap(({ error }) => (error === 'paired' ? [] : [ONE_SEED[error]]))),
    deltas.some(delta => delta.error === 'paired')
      ? `\u0394 with more seeds: mean of the differences per seed${interval ? ', in brackets its 95 % t interval' : ' \u00b1 its standard error; below three seeds no interval is given'}.`
      : '',
    ...new Set(ablations.flatMap(({ headroomNote }) => headroomNote ?? [])),
    ablations.some(({ sources }) => sources.length > 0) ? ELSEWHERE_RULE : '',
  ].filter(Boolean);
}

/** What signs mean, and what holds for this table alone. */
export function resultNotes(ablation: AblationReport): string[] {
  const rows = [...ablation.rows, ...ablation.headroom];
  const elsewhere = [...new Set(rows.flatMap(row => (row.published?.elsewhere === true ? [row.published.table] : [])))];
  return [
    elsewhere.length > 0 ? `* From ${elsewhere.join(', ')} of the paper: no difference is taken between tables.` : '',
    rows.some(row => row.published?.inferred === true) ? '\u2020 The source leaves open which of two rows this value belongs to; the row is inferred.' : '',
    ...new Set(ablation.rows.flatMap(({ fewerImages }) => (fewerImages === undefined ? [] : [`${FEWER_IMAGES_SIGN} ${fewerImages}`]))),
    ...codeNotes(ablation),
    ...elsewhereNotes([ablation]),
  ].filter(Boolean);
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
