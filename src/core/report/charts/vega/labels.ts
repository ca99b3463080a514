/** Labels where there is little room: on several lines, or cut such that they still tell their owners apart. */
import { shorten } from '../../../text/clean.ts';
import { FONT_SIZE, textWidth } from './text-width.ts';

/** Longer texts are no labels. */
const MOST_LINES = 6;

/** A text as lines of at most `width` px, about equally long. A word that is wider is broken; what {@link MOST_LINES} lines do not hold is left out. */
export function wrap(text: string, width: number, bold = false): string[] {
  const lines = filled(text, width, bold);
  if (lines.length > MOST_LINES) return [...lines.slice(0, MOST_LINES - 1), `${broken(lines[MOST_LINES - 1]!, part => textWidth(`${part}\u2026`, FONT_SIZE, bold) <= width)[0]!}\u2026`];
  let balanced = lines;
  for (let less = width - STEP; less >= width / 2; less -= STEP) {
    const tighter = filled(text, less, bold);
    if (tighter.length > lines.length) break;
    balanced = tighter;
  }
  return balanced;
}

const STEP = 10;

/** As much as fits on each line. */
function filled(text: string, width: number, bold: boolean): string[] {
  const fits = (line: string): boolean => textWidth(line, FONT_SIZE, bold) <= width;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (fits(longer)) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const parts = broken(word, fits);
    lines.push(...parts.slice(0, -1));
    line = parts.at(-1)!;
  }
  return [...lines, line];
}

/** A word in parts that fit, a character each at the least. */
function broken(word: string, fits: (part: string) => boolean): string[] {
  const parts = [''];
  for (const character of word) {
    const longer = parts.at(-1)! + character;
    if (parts.at(-1) === '' || fits(longer)) parts[parts.length - 1] = longer;
    else parts.push(character);
  }
  return parts;
}

/** Labels of at most `limit` characters: cut at their ends, in the middle where their ends tell them apart, and numbered where nothing does. */
export function shortLabels(labels: readonly string[], limit: number): string[] {
  const ends = labels.map(label => shorten(label, limit));
  const middles = labels.map((label, i) => (alone(ends, i) ? ends[i]! : shortenMiddle(label, limit)));
  return middles.map((label, i) => (alone(middles, i) ? label : `${shorten(label, limit - 4)} (${i + 1})`));
}

const alone = (labels: readonly string[], i: number): boolean => labels.every((label, j) => j === i || label !== labels[i]);

function shortenMiddle(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const tail = Math.floor((limit - 1) / 2);
  return `${text.slice(0, limit - 1 - tail)}\u2026${text.slice(-tail)}`;
}
