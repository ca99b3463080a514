/** The table of an ablation as a paper prints it: arm, measured, published, for each of its numbers. What explains them stands in the tables of results. */
import type { AblationReport, ArmRow, Report } from '../model/model.ts';
import type { ShownMeasure } from '../model/measure.ts';
import { tablesOf } from '../model/tables-of.ts';
import { formatPublished, formatValue, type Unit } from '../../text/format.ts';
import { seedShare } from '../model/wording.ts';
import { ELSEWHERE, elsewhereCell, elsewhereNotes } from './elsewhere.ts';
import { bestMean, bestOf, metricLabel, NONE, right, type Cell, type Table, type TableColumn } from './results.ts';

interface PlainColumn extends TableColumn {
  /** Of the arms in their order, those of the headroom last. */
  readonly rows: readonly ArmRow[];
  /** What stands in bold where it is the best. */
  readonly value: (row: ArmRow) => string | undefined;
  /** What stands beside it. */
  readonly spread?: (row: ArmRow) => string | undefined;
  /** What hangs at its end. */
  readonly sign?: (row: ArmRow) => string | undefined;
  readonly best?: string | undefined;
}

/** One row per arm, the teachers last; a column in which there is nothing is left out. Its notes are for whoever pastes it. */
export function plainTable({ profile }: Report, ablation: AblationReport): Table {
  const { title, table, rows: arms, headroom, others, measure } = ablation;
  const tables = tablesOf(ablation);
  const columns = tables.flatMap(each => columnsOf(each, others.length === 0 ? 'Measured' : `${metricLabel(each.measure)}${DIRECTIONS[each.measure.better]}`));
  const all = tables.flatMap(rowsOf);
  const by = others.length === 0 ? `: ${measure.label}${measure.unit === 'fraction' ? ' (%)' : ''}` : '';
  return {
    subject: title,
    caption: `${title} (${table})${by}, ${seedsOf(all)}, profile ${profile}`,
    corner: 'Arm',
    columns,
    rows: [
      ...arms.map((row, i) => ({ header: row.label, marked: row.isDefault, cells: columns.map(column => cellOf(column, i)) })),
      ...headroom.map((row, i) => ({ header: row.label, aside: true, cells: columns.map(column => cellOf({ ...column, best: undefined }, arms.length + i)) })),
    ],
    notes: [
      ...about(
        'Published in another table, so left out',
        all.filter(row => row.published?.elsewhere === true),
      ),
      ...about(
        'Published value of an inferred row',
        all.filter(row => ofTable(row) !== undefined && row.published?.inferred === true),
      ),
      ...elsewhereNotes(tables),
    ],
  };
}

/** The same with half the columns: what is published stands below what was measured. */
export function foldedTable(table: Table): Table {
  const { columns, rows } = table;
  const kept = [...columns.keys()].filter(i => columns[i]!.label !== PUBLISHED);
  const foldedCell = (cells: readonly Cell[], i: number): Cell => {
    const cell = cells[i]!,
      published = columns[i + 1]?.label === PUBLISHED ? cells[i + 1]! : NONE;
    return published === NONE ? cell : { ...cell, detail: [...(cell.detail === undefined ? [] : [cell.detail]), `published ${published.text}`].join(', ') };
  };
  return { ...table, columns: kept.map(i => columns[i]!), rows: rows.map(row => ({ ...row, cells: row.group === true ? row.cells : kept.map(i => foldedCell(row.cells, i)) })) };
}

const PUBLISHED = 'Published';

/** Beside the name of one of several numbers. */
const DIRECTIONS: Readonly<Record<ShownMeasure['better'], string>> = { higher: ' \u2191', lower: ' \u2193', none: '' };

const rowsOf = ({ rows, headroom }: AblationReport): ArmRow[] => [...rows, ...headroom];

/** Only what the paper has in the table of the default arm. */
const ofTable = ({ published }: ArmRow): number | undefined => (published?.elsewhere === true ? undefined : published?.value);

function columnsOf(table: AblationReport, label: string): PlainColumn[] {
  const { rows: arms, measure, sources } = table;
  const rows = rowsOf(table);
  const measured = (row: ArmRow): string | undefined => row.measured && formatValue(row.measured.mean, measure.unit);
  const published = (row: ArmRow): string | undefined => (ofTable(row) === undefined ? undefined : formatPublished(ofTable(row)!));
  const elsewhere = (row: ArmRow): ReturnType<typeof elsewhereCell> => elsewhereCell(row, measure.unit, sources);
  return [
    ...(countsOf(rows).size > 1 ? [{ ...right('Seeds'), rows, value: (row: ArmRow) => row.measured && String(row.measured.n) }] : []),
    { ...right(label), rows, value: measured, spread: (row: ArmRow) => deviation(row, measure.unit), best: bestMean(arms, measure) },
    { ...right(PUBLISHED), rows, value: published, best: bestOf(arms.map(ofTable), measure.better, formatPublished) },
    { ...right(ELSEWHERE), rows, value: (row: ArmRow) => elsewhere(row)?.text, spread: (row: ArmRow) => elsewhere(row)?.detail, sign: (row: ArmRow) => elsewhere(row)?.sign },
  ].filter(({ value }) => rows.some(row => value(row) !== undefined));
}

const about = (what: string, rows: readonly ArmRow[]): string[] => (rows.length === 0 ? [] : [`${what}: ${[...new Set(rows.map(row => row.label))].join('; ')}.`]);

/** @param place of the arm */
function cellOf({ rows, value, spread, sign, best }: PlainColumn, place: number): Cell {
  const row = rows[place];
  const text = row && value(row);
  if (text === undefined) return NONE;
  const [detail, signs] = [spread?.(row!), sign?.(row!)];
  return { text, ...(signs === undefined ? {} : { sign: signs }), ...(detail === undefined ? {} : { detail }), ...(text === best ? { tone: 'strong' } : {}) };
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
