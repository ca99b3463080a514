/** Colours and styles. Text is always painted: whoever writes it (`output.ts`) takes the paint off where none is wanted, and measures go without it. */
import picocolors from 'picocolors';

const { bold, dim, red, green, yellow, cyan } = picocolors.createColors(true);

/** Nothing stays nothing, lest a line ends in paint without text. */
const unlessEmpty =
  (paint: (text: string) => string) =>
  (text: string): string =>
    text === '' ? '' : paint(text);

export const pc = { bold: unlessEmpty(bold), dim: unlessEmpty(dim), red: unlessEmpty(red), green: unlessEmpty(green), yellow: unlessEmpty(yellow), cyan: unlessEmpty(cyan) };

/** The sequences of bold, dim, red, green, yellow and cyan, and of their ends: no others are written. */
// eslint-disable-next-line no-control-regex
export const PAINT = /(\u001b\[(?:1|2|22|31|32|33|36|39)m)/;

/** What a decision about colours and cursor needs to know of a stream. */
export type Screen = Pick<NodeJS.WriteStream, 'isTTY'>;

/** `NO_COLOR` and `FORCE_COLOR` (0 and false: none) decide, in this order, else whether it is a terminal that knows colours. Empty means not set. */
export function hasColours({ isTTY }: Screen, { NO_COLOR = '', FORCE_COLOR = '', TERM }: NodeJS.ProcessEnv = process.env): boolean {
  if (NO_COLOR !== '') return false;
  if (FORCE_COLOR !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return isTTY && TERM !== 'dumb';
}

/** Whether what was written can be written over. */
export const hasCursor = ({ isTTY }: Screen, { TERM }: NodeJS.ProcessEnv = process.env): boolean => isTTY && TERM !== 'dumb';
