/** Number formats of all renderers: fixed, independent of locale. A true minus sign lines figures up with the plus. */
import type { MetricSpec } from '../ablation/kind.ts';

export type Unit = MetricSpec['unit'];

const minus = (text: string): string => text.replace('-', '\u2212');
/** Without this, a delta of -0.001 would print as minus zero. */
const unsignZero = (text: string): string => (/^-[0.]+$/.test(text) ? text.slice(1) : text);

const fixed = (value: number, digits: number): string => unsignZero(value.toFixed(digits));

/** Digits after the point for values of a unit; losses use significant digits instead. */
const DIGITS: Readonly<Record<Exclude<Unit, 'loss'>, number>> = { fraction: 2, ratio: 3, count: 0 };

/** Fractions are printed in percent. */
export const scale = (value: number, unit: Unit): number => (unit === 'fraction' ? 100 * value : value);

/** A value of a metric, e.g. `85.32` (percent) or `0.01234` (loss, four significant digits). */
export function formatValue(value: number, unit: Unit): string {
  if (unit === 'loss') return minus(significant(value));
  if (unit === 'count') return minus(formatCount(value));
  // A ratio that is small and not 0 does not read as 0.
  if (unit === 'ratio' && value !== 0 && Math.abs(value) < 5e-4) return minus(value.toExponential(1));
  return minus(fixed(scale(value, unit), DIGITS[unit]));
}

/** A difference with its sign, in points where the unit is a percentage. */
export function formatDelta(value: number, unit: Unit): string {
  const text = unit === 'loss' ? significant(value) : fixed(scale(value, unit), DIGITS[unit]);
  return Number(text) > 0 ? `+${text}` : minus(text);
}

/** A published number as the paper prints it: one decimal, more only where the paper has more. */
export const formatPublished = (value: number): string => minus(Number.isInteger(value * 10) ? value.toFixed(1) : String(value));

/** Difference of two published numbers, rounded to the digits that they have. */
export function formatPublishedDelta(value: number): string {
  const text = unsignZero(value.toFixed(1));
  return Number(text) > 0 ? `+${text}` : minus(text);
}

function significant(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2);
  return size >= 1e4 ? value.toFixed(0) : value.toPrecision(4);
}

/** 1234567 -> `1,234,567`. */
export const formatCount = (value: number): string =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'] as const;

/** A number of at most three digits before the point, and its SI prefix, such that three significant digits do not round it up to four. */
function withPrefix(value: number): [scaled: number, prefix: string] {
  let power = value > 0 ? Math.max(0, Math.min(PREFIXES.length - 1, Math.floor(Math.log10(value) / 3))) : 0;
  if (Number((value / 1000 ** power).toPrecision(3)) >= 1000 && power < PREFIXES.length - 1) power += 1;
  return [value / 1000 ** power, PREFIXES[power]!];
}

/** Floating-point operations with an SI prefix and three significant digits: `1.20 TFLOP`. */
export function formatFlops(flops: number): string {
  if (flops === 0) return 'unknown';
  const [scaled, prefix] = withPrefix(flops);
  return `${scaled.toPrecision(3)} ${prefix}FLOP`;
}

/** An amount as short as three significant digits allow: `1.2 TFLOP`, `3 GB`. */
export function formatAmount(amount: number, unit: 'FLOP' | 'B'): string {
  const [scaled, prefix] = withPrefix(amount);
  return `${Number(scaled.toPrecision(3))} ${prefix}${unit}`;
}

/** Probability of a test: three decimals, below that only that it is smaller. */
export const formatPValue = (p: number): string => (p < 0.001 ? '< 0.001' : p.toFixed(3));

/** Rank correlation with its sign. */
export function formatTau(tau: number): string {
  const text = fixed(tau, 2);
  return Number(text) > 0 ? `+${text}` : minus(text);
}

/** `1 arm`, `2 arms`. */
export const plural = (count: number, one: string, many = `${one}s`): string => `${formatCount(count)} ${count === 1 ? one : many}`;

/** The hash of a kind's code as it is shown to people. */
export const formatCode = (hash: string | undefined): string => hash?.slice(0, 12) ?? 'unknown';

/** `a, b and c`. */
export const listed = (items: readonly string[]): string => (items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)!}`);

/** As it stands at the start of a line. A word with capitals of its own, such as mIoU, keeps them. */
export const capitalised = (text: string): string => (/^\p{Ll}\p{Lu}/u.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1));
