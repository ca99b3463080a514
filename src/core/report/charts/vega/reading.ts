/** What is told about a place of a chart, and the names by which the page finds its way in a compiled drawing. */
import type { Format } from './chart.ts';
import { formatShown } from './numbers.ts';

/** What a pointer can land on: marks whose names begin with this carry a {@link ReadDatum} in each datum. */
export const READ = 'read';

/** The variable that lists the series or rows to leave out. */
export const HIDDEN = 'hidden';

/** A heading and lines under it. */
export type TooltipText = readonly [string, ...string[]];

interface Grouped {
  /** Readings of one group follow each other; a series or row that can be left out. */
  readonly group: number;
}

export interface TooltipDatum extends Grouped {
  readonly tip: TooltipText;
}

/** A point of a line, whose words are made when they are asked for: there may be thousands. */
interface PointDatum extends Grouped {
  readonly label: string;
  /** Title of the axis, where its places are numbers. */
  readonly over?: string;
  readonly x: number | string;
  readonly y: number;
  readonly error?: number | null;
  readonly format: Format;
  readonly signed?: boolean;
}

export type ReadDatum = TooltipDatum | PointDatum;

export function tooltipOf(datum: ReadDatum): TooltipText {
  if ('tip' in datum) return datum.tip;
  const { label, over, x, y, error, format, signed } = datum;
  const place = typeof x === 'number' ? `${over ?? ''} ${Number(x.toFixed(2))}` : x;
  const bar = error === undefined || error === null ? '' : ` \u00b1 ${formatShown(error, format)}`;
  return [label, `${place}: ${formatShown(y, format, signed)}${bar}`];
}
