/** The table of an ablation as a paper prints it: arm, measured, published. What explains the numbers stands in the table of results. */
import type { AblationReport, ArmRow, Report } from '../model/model.ts';
import { formatPublished, formatValue, type Unit } from '../../text/format.ts';
import { seedShare } from '../model/wording.ts';
import { bestMean, bestOf, NONE, right, type Cell, type Table, type TableColumn } from './results.ts';

interface PlainColumn extends TableColumn {
  /** What stands in bold where it is the best. */
  readonly value: (row: ArmRow) => string | undefined;
  /** What stands beside it. */
  readonly spread?: (row: ArmRow) => string | undefined;
  readonly best?: string | undefined;
}

/** One row per arm, the teachers last; a column in which there is nothing is left out. Its notes are for whoever pastes it. */
export function plainTable({ headline, profile }: Report, { title, table, rows: arms, headroom }: AblationReport): Table {
  const { label, unit } = headline;
  const rows = [...arms, ...headroom];
  const measured = (row: ArmRow): string | undefined => row.measured && formatValue(row.measured.mean, unit);
  const ofTable = ({ published }: ArmRow): number | undefined => (published?.elsewhere === true ? undefined : published?.value);
  const published = (row: ArmRow): string | undefined => (ofTable(row) === undefined ? undefined : formatPublished(ofTable(row)!));
  const columns: readonly PlainColumn[] = [
    ...(countsOf(rows).size > 1 ? [{ ...right('Seeds'), value: (row: ArmRow) => row.measured && String(row.measured.n) }] : []),
    { ...right('Measured'), value: measured, spread: (row: ArmRow) => deviation(row, unit), best: bestMean(arms, headline) },
    { ...right('Published'), value: published, best: bestOf(arms.map(ofTable), headline.better, formatPublished) },
  ].filter(({ value }) => rows.some(row => value(row) !== undefined));
  return {
    subject: title,
    caption: `${title} (${table}): ${label}${unit === 'fraction' ? ' (%)' : ''}, ${seedsOf(rows)}, profile ${profile}`,
    corner: 'Arm',
    columns,
    rows: [
      ...arms.map(row => ({ header: row.label, marked: row.isDefault, cells: columns.map(column => cellOf(column, row)) })),
      ...headroom.map(row => ({ header: row.label, aside: true, cells: columns.map(column => cellOf({ ...column, best: undefined }, row)) })),
    ],
    notes: [
      ...about(
        'Published in another table, so left out',
        rows.filter(row => row.published?.elsewhere === true),
      ),
      ...about(
        'Published value of an inferred row',
        rows.filter(row => ofTable(row) !== undefined && row.published?.inferred === true),
      ),
    ],
  };
}

const about = (what: string, rows: readonly ArmRow[]): string[] => (rows.length === 0 ? [] : [`${what}: ${rows.map(row => row.label).join('; ')}.`]);

function cellOf({ value, spread, best }: PlainColumn, row: ArmRow): Cell {
  const text = value(row);
  if (text === undefined) return NONE;
  const detail = spread?.(row);
  return { text, ...(detail === undefined ? {} : { detail }), ...(text === best ? { tone: 'strong' } : {}) };
}

/** Of one seed there is none: what a test set alone would give is no deviation. */
const deviation = ({ measured }: ArmRow, unit: Unit): string | undefined => (measured?.spread.kind === 'sample' ? `\u00b1 ${formatValue(measured.spread.value, unit)}` : undefined);

const countsOf = (rows: readonly ArmRow[]): ReadonlySet<number> => new Set(rows.flatMap(({ measured }) => measured?.n ?? []));

function seedsOf(rows: readonly ArmRow[]): string {
  const [n, ...others] = countsOf(rows);
  if (n === undefined) return 'not measured';
  const spread = rows.some(({ measured }) => measured?.spread.kind === 'sample') ? 'mean \u00b1 standard deviation, ' : '';
  return `${spread}${others.length > 0 ? 'seeds as given' : seedShare(n, rows[0]!.wanted)}`;
}
