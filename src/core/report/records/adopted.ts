/**
 * Numbers that were not run here, beside the records that a report is made of: `adopted.jsonl`, one number a line in a fixed order, so that branches
 * merge line by line. No key stands behind them: who gave a number stands in its note, and they decide nothing.
 */
import { z } from 'zod';
import { oneLine } from '../../text/clean.ts';
import { byText, RecordError } from './records.ts';

/** Characters of the longest note. */
export const LONGEST_NOTE = 300;

const shape = z.strictObject({
  ablation: z.string().min(1),
  arm: z.string().min(1),
  /** Name of the measure. */
  metric: z.string().min(1),
  /** Null: one number without a seed, as in the appendix of a paper. */
  seed: z.int().min(0).nullable(),
  /** In the unit of results: fractions, not percent. */
  value: z.number(),
  /** Who, where from. Numbers with the same note are of one source. */
  note: z
    .string()
    .min(1)
    .max(LONGEST_NOTE)
    .refine(note => oneLine(note) === note, 'expected one line without control characters'),
});

export type AdoptedNumber = Readonly<z.infer<typeof shape>>;

/** Of which arm, number, seed and source it is, as text to compare: there is one value for each. */
export const adoptedPlace = ({ ablation, arm, metric, seed, note }: AdoptedNumber): string => JSON.stringify([ablation, arm, metric, seed, note]);

/** The number in words: `accuracy of relation/mae, seed 0`. */
export const adoptedText = ({ ablation, arm, metric, seed }: AdoptedNumber): string => oneLine(`${metric} of ${ablation}/${arm}, ${seed === null ? 'without a seed' : `seed ${seed}`}`);

const inOrder = (a: AdoptedNumber, b: AdoptedNumber): number =>
  byText(a.ablation, b.ablation) || byText(a.arm, b.arm) || byText(a.metric, b.metric) || byText(a.note, b.note) || (a.seed ?? -1) - (b.seed ?? -1);

/**
 * Numbers of several reports as one list in its one order, each once: in whichever order they are given.
 * @throws RecordError where one source has two values for one seed of an arm
 */
export function joinAdopted(...lists: readonly (readonly AdoptedNumber[])[]): AdoptedNumber[] {
  const known = new Map<string, AdoptedNumber>();
  for (const number of lists.flat()) {
    const place = adoptedPlace(number);
    const other = known.get(place);
    if (other !== undefined && other.value !== number.value) {
      const [low, high] = [other.value, number.value].sort((a, b) => a - b);
      throw new RecordError(
        'ADOPTED_DISAGREE',
        `Expected one value from elsewhere for ${adoptedText(number)}, got ${low} and ${high} with the same note: ${number.note}. Keep the one that you trust: remove the other's line from adopted.jsonl, or, where they are of two reports, first all of that note from one of them with ablate report --prune --adopted.`,
      );
    }
    if (other === undefined) known.set(place, number);
  }
  return [...known.values()].sort(inOrder);
}

/** `adopted.jsonl`; undefined where there are none. */
export function serializeAdopted(numbers: readonly AdoptedNumber[]): string | undefined {
  if (numbers.length === 0) return undefined;
  const line = ({ ablation, arm, metric, seed, value, note }: AdoptedNumber): string => `${JSON.stringify({ ablation, arm, metric, seed, value, note })}\n`;
  return joinAdopted(numbers).map(line).join('');
}

/**
 * Reads `adopted.jsonl`, also as a merge of git left it.
 * @param text undefined where there is no such file
 * @throws RecordError with the number of the line that is not such a number, and as `joinAdopted`
 */
export const parseAdopted = (text: string | undefined): AdoptedNumber[] => joinAdopted((text ?? '').split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [parseLine(line, i + 1)])));

const MEND = 'Remove the line, or take it from the commit that made it.';

function parseLine(line: string, number: number): AdoptedNumber {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw new RecordError('ADOPTED_NOT_JSON', `Expected a JSON object on line ${number} of adopted.jsonl, got text that does not parse. ${MEND}`, { cause });
  }
  const parsed = shape.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new RecordError('ADOPTED_SHAPE', `Expected a number from elsewhere on line ${number} of adopted.jsonl: ${z.prettifyError(parsed.error)}\n${MEND}`);
}
