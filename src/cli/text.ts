/** Numbers and tables for the terminal. */
import pc from 'picocolors';

/** Columns padded to their widest cell; the first is left-aligned, the others right-aligned unless named in `left`. */
export function table(rows: readonly (readonly string[])[], left: readonly number[] = [0]): string {
  const widths = rows.reduce<number[]>((w, row) => row.map((cell, i) => Math.max(w[i] ?? 0, visibleLength(cell))), []);
  const pad = (cell: string, i: number): string => {
    const space = ' '.repeat(widths[i]! - visibleLength(cell));
    return left.includes(i) ? cell + space : space + cell;
  };
  return rows.map(row => `  ${row.map(pad).join('  ')}`.trimEnd()).join('\n');
}

// eslint-disable-next-line no-control-regex -- the escape sequences of colours take no room on the screen
const COLOUR = /\u001b\[[0-9;]*m/g;
const visibleLength = (text: string): number => text.replace(COLOUR, '').length;

export const heading = (text: string): string => pc.bold(text);

/** `1 h 05 min`, `4 min 10 s`, `12 s`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
}

/** `60,000`. */
export const count = (n: number): string => Math.round(n).toLocaleString('en-US');

/** `3.1 TFLOP`, with three significant digits. */
export function flops(n: number): string {
  const units = ['', 'K', 'M', 'G', 'T', 'P', 'E'];
  const power = n > 0 ? Math.min(units.length - 1, Math.floor(Math.log10(n) / 3)) : 0;
  return `${Number((n / 1000 ** power).toPrecision(3))} ${units[power]}FLOP`;
}

export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;
