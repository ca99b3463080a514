/** Numbers and tables for the terminal. */
import { stripVTControlCharacters } from 'node:util';
import { formatCount, listed } from '../../core/text/format.ts';
import { pc } from './colours.ts';
import { note } from './output.ts';

/** Columns padded to their widest cell; the first is left-aligned, the others right-aligned unless named in `left`. */
export function textTable(rows: readonly (readonly string[])[], left: readonly number[] = [0]): string {
  const widths = rows.reduce<number[]>((w, row) => row.map((cell, i) => Math.max(w[i] ?? 0, visibleLength(cell))), []);
  const pad = (cell: string, i: number): string => {
    const space = ' '.repeat(widths[i]! - visibleLength(cell));
    return left.includes(i) ? cell + space : space + cell;
  };
  return rows.map(row => `  ${row.map(pad).join('  ')}`.trimEnd()).join('\n');
}

/** The escape sequences of colours take no room on the screen. */
const visibleLength = (text: string): number => stripVTControlCharacters(text).length;

/** For what goes on all the same. */
export const warn = (line: string): void => note(`${pc.yellow('warning')} ${line}\n`);

/** For what is wrong. @param what it is: a word in front */
export const complain = (what: string, line: string): void => note(`${pc.red(what)} ${line}\n`);

export const heading = (text: string): string => pc.bold(text);

/** `1 h 05 min`, `4 min 10 s`, `12 s`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
}

/** The first few, and how many more: `a, b and 12 more`. */
export const firstOf = (items: readonly string[], limit: number): string =>
  items.length <= limit ? listed(items) : `${items.slice(0, limit).join(', ')} and ${formatCount(items.length - limit)} more`;

/** `2026-11-24 06:45`, in local time. */
export function when(iso: string): string {
  const date = new Date(iso);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Columns of the terminal; a pipe is read like a wide one. */
export function columns({ isTTY, columns: asked }: { readonly isTTY: boolean; readonly columns: number } = process.stdout): number {
  if (!isTTY) return 100;
  return Math.max(NARROWEST, asked || 80); // some terminals say 0
}
/** In less a sentence would be a column of words: the terminal breaks the lines itself. */
const NARROWEST = 40;

/** Lines of at most `width` characters, all but the first indented; words longer than that stay whole. */
export function wrap(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const start = lines.length === 0 ? '' : indent;
    if (line !== '' && visibleLength(start) + visibleLength(line) + 1 + visibleLength(word) > width) {
      lines.push(start + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, (lines.length === 0 ? '' : indent) + line].join('\n');
}
