/**
 * What a chart shows, as plain data. The drawing on paper and the one that answers the pointer come from the same data by the
 * same specification: compiled once, drawn in Node for the file, and in the browser when a reader turns to the chart.
 */
import type { Unit } from '../../../text/format.ts';

/** How the numbers of a panel are printed; `published`: as the paper prints them. */
export type Format = Unit | 'published';

/** Whose numbers a panel shows. */
export type MarkTone = 'measured' | 'published';

/** Values over an axis, one panel for each source of numbers, all over the same axis. */
export interface LineChart {
  readonly kind: 'lines';
  readonly x: {
    readonly title: string;
    /** Names of the places 0, 1, ... of an axis without numbers. */
    readonly labels?: readonly string[];
    /** Marked places; absent: Vega's choice. */
    readonly ticks?: readonly number[];
  };
  readonly series: readonly Series[];
  /** Places of the points; lines name theirs by number, as most share them. */
  readonly grids: readonly (readonly number[])[];
  readonly panels: readonly LinePanel[];
  /** Drawn on a logarithmic axis at first. */
  readonly log: boolean;
}

interface Series {
  readonly label: string;
  /** Fixes colour and dash. */
  readonly style: number;
}

export interface LinePanel {
  readonly title: string;
  readonly tone?: MarkTone;
  readonly format: Format;
  /** Of differences, which have a sign and a line at zero. */
  readonly signed?: boolean;
  readonly lines: readonly Line[];
}

/** Numbers are those that the tables print, in their unit (percent for fractions). */
export interface Line {
  readonly series: number;
  /** Where a series has several lines. */
  readonly name?: string;
  /** Where it is not that of the panel. */
  readonly format?: Format;
  /** Drawn with marks that are not filled, as published numbers are. */
  readonly hollow?: boolean;
  readonly grid: number;
  /** Null: missing. */
  readonly y: readonly (number | null)[];
  /** Half the length of each error bar. */
  readonly error?: readonly (number | null)[];
}

/** A row for each comparison, all over one axis: measured as a filled mark with its interval, published as a hollow one. */
export interface ForestChart {
  readonly kind: 'forest';
  /** What the numbers are. */
  readonly axis: string;
  /** What the two directions mean; absent where the numbers are no differences, which have no zero to stand on either side of. */
  readonly sides?: { readonly left: string; readonly right: string };
  readonly rows: readonly ForestRow[];
  /** Heads of the texts beside the rows. */
  readonly columns: readonly ForestColumn[];
  /** Whether a reader may leave out rows. */
  readonly choose: boolean;
}

interface ForestColumn {
  readonly label: string;
  readonly align: 'left' | 'right';
  /** Whether it goes where there is no room. */
  readonly wideOnly?: boolean;
  /** Whether its texts have the colours of verdicts. */
  readonly coloured?: boolean;
}

/** Numbers are those that the tables print, in their unit. */
export interface ForestRow {
  readonly label: string;
  /** Rows of one group stand together under its name. */
  readonly group?: string;
  /** What others are compared with. */
  readonly isDefault?: boolean;
  readonly measured?: Measured;
  /** Where the published mark stands, and what is told there. */
  readonly published?: { readonly value: number; readonly notes: readonly string[] };
  /** Half the width of the band around zero. */
  readonly margin?: number;
  /** One for each column. */
  readonly texts: readonly string[];
  /** Of a claim: a verdict alone has a shape and a colour of its own. */
  readonly verdict?: 'reproduced' | 'contradicted' | 'none';
}

interface Measured {
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
  readonly seeds?: readonly number[];
  /** Told to who points at it. */
  readonly notes: readonly string[];
}

/** Rows of cells: how far from its published place each arm of a table was measured, or numbers of arms. */
export interface MatrixChart<C extends MatrixCell = MatrixCell> {
  readonly kind: 'matrix';
  readonly title: string;
  /** What cells that stand below each other have in common, if anything. */
  readonly columns?: readonly string[];
  readonly rows: readonly MatrixRow<C>[];
}

export interface MatrixRow<C extends MatrixCell = MatrixCell> {
  readonly label: string;
  /** Whether its cells have colours: one seed decides nothing, and has none. */
  readonly coloured: boolean;
  readonly cells: readonly C[];
  /** Beside the cells. */
  readonly text: string;
}

/** An arm without a result, and one with a result but no other arm that the paper sets apart from it. */
type NoPlace = 'not measured' | 'nothing to compare';

interface CellBase {
  readonly name: string;
  readonly notes: readonly string[];
}

export interface PlaceCell extends CellBase {
  /** Places above (+) or below the published one, or why there is no such number. */
  readonly off: number | NoPlace;
}

/** A number, as it is printed, and where it stands between the lowest (0) and the highest (1). */
interface NumberCell extends CellBase {
  readonly text: string;
  readonly share: number;
}

export type MatrixCell = PlaceCell | NumberCell;

export type Chart = LineChart | ForestChart | MatrixChart;

/** Room that a drawing has: `file` for a page of its own width with its legend inside, else a wide or a narrow page that brings the legend. */
export type Layout = 'file' | 'wide' | 'narrow';

/** How a chart is looked at. */
export interface ChartView {
  readonly layout: Layout;
  /** Series of a line chart or rows of a forest plot that are left out. */
  readonly hidden: ReadonlySet<number>;
  readonly log: boolean;
}

/** The first look at a chart, which the file shows. */
export const firstView = (chart: Chart, layout: Layout): ChartView => ({ layout, hidden: new Set(), log: chart.kind === 'lines' && chart.log });

/** What a reader may leave out of a chart, in the order of `hidden`. */
export function choices(chart: Chart): readonly string[] {
  const labels = chart.kind === 'lines' ? chart.series.map(series => series.label) : chart.kind === 'forest' && chart.choose ? chart.rows.map(row => row.label) : [];
  return labels.length > 1 ? labels : [];
}

/** Whether a logarithmic axis is possible. */
export const canBeLogarithmic = (chart: Chart): boolean =>
  chart.kind === 'lines' && chart.panels.every(panel => panel.format === 'loss' && panel.lines.every(line => line.y.every(y => y === null || y > 0)));

/** Whether a narrow page wants a drawing of its own. */
export const hasNarrowLayout = (chart: Chart): boolean => chart.kind !== 'lines' || chart.panels.length > 1 || chart.panels[0]!.signed === true;
