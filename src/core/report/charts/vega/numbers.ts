/** Numbers of charts are those that the tables print: drawn, embedded and told with the same digits. */
import { formatDelta, formatPublished, formatPublishedDelta, formatValue, scale, type Unit } from '../../../text/format.ts';
import type { Format } from './chart.ts';

/** The number that {@link formatValue} prints, in the printed unit. */
export const shownNumber = (value: number, unit: Unit): number => Number(formatValue(value, unit).replace('\u2212', '-').replaceAll(',', ''));

/** Prints a number that {@link shownNumber} gave. @param signed a difference, with its sign */
export function formatShown(value: number, format: Format, signed = false): string {
  if (format === 'published') return (signed ? formatPublishedDelta : formatPublished)(value);
  return (signed ? formatDelta : formatValue)(value / scale(1, format), format);
}

/** Of every decade; the denser ones for values that span less than one. */
const DIGITS = [
  [1, 2, 5],
  [1, 1.5, 2, 3, 5, 7],
] as const;
const FEWEST_TICKS = 3;

/** 1, 2 and 5 of every decade that the values span, or some more where they are close together; Vega's own choice draws a line for each digit. */
export function logTicks(values: readonly number[]): number[] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const first = Math.floor(Math.log10(low));
  const decades = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, i) => first + i);
  const [few, more] = DIGITS.map(digits => decades.flatMap(power => digits.map(digit => Number(`${digit}e${power}`))).filter(tick => tick >= low && tick <= high)) as [number[], number[]];
  return few.length < FEWEST_TICKS ? more : few;
}
