/** Numbers that were not run here, as they stand beside an arm: of each source by itself, since nothing says that two may be averaged. */
import type { AdoptedNumber } from '../records/adopted.ts';
import { oneLine } from '../../text/clean.ts';
import { byText } from '../records/records.ts';
import { mean, sampleStd } from '../statistics/statistics.ts';

/** What one source says of an arm. */
export interface Elsewhere {
  readonly note: string;
  /** Ascending; none: one number without a seed. */
  readonly seeds: readonly number[];
  readonly mean: number;
  /** Sample standard deviation over seeds; undefined with fewer than two. */
  readonly deviation: number | undefined;
}

/** By note; of one source what has no seed first. */
export function elsewhereOf(numbers: readonly AdoptedNumber[], of: Pick<AdoptedNumber, 'ablation' | 'arm' | 'metric'>): Elsewhere[] {
  const own = numbers.filter(({ ablation, arm, metric }) => ablation === of.ablation && arm === of.arm && metric === of.metric);
  return notesOf(own).flatMap(note => {
    const ofNote = own.filter(number => number.note === note);
    return [ofNote.filter(({ seed }) => seed === null), ofNote.filter(({ seed }) => seed !== null)].flatMap((group): Elsewhere[] => {
      if (group.length === 0) return [];
      const values = group.map(({ value }) => value);
      return [{ note: oneLine(note), seeds: group.flatMap(({ seed }) => seed ?? []), mean: mean(values), deviation: values.length < 2 ? undefined : sampleStd(values) }];
    });
  });
}

/** Each once, in their order. */
export const notesOf = (numbers: readonly Pick<AdoptedNumber, 'note'>[]): string[] => [...new Set(numbers.map(({ note }) => note))].sort(byText);
