/** Whether arms of a table rest on numbers that their kinds declare to be doubtful. */
import type { Study } from '../../ablation/declaration.ts';
import { doubtfulNumbers, shortNumber, type DoubtfulNumber } from '../../ablation/doubtful.ts';
import { oneLine } from '../../text/clean.ts';
import type { Placed } from './usage.ts';

interface MeasuredArm {
  readonly label: string;
  readonly placed: readonly Placed[];
}

/** A sentence for each metric, with the arms that are concerned and their numbers. */
export function doubtfulWarnings({ kinds }: Pick<Study, 'kinds'>, arms: readonly MeasuredArm[]): string[] {
  const byMetric = new Map<string, { readonly first: DoubtfulNumber; readonly arms: string[] }>();
  for (const { label, placed } of arms) {
    const found = placed.flatMap(({ record }) => {
      const kind = record.state === 'done' ? kinds.find(({ name }) => name === record.kind) : undefined;
      return kind === undefined ? [] : doubtfulNumbers(kind, record.result).map(number => ({ ...number, name: `${kind.name} ${number.metric}` }));
    });
    for (const name of new Set(found.map(number => number.name))) {
      const ofMetric = found.filter(number => number.name === name);
      const known = byMetric.get(name) ?? { first: ofMetric[0]!, arms: [] };
      known.arms.push(`${label} (${rangeText(ofMetric.map(({ value }) => value))})`);
      byMetric.set(name, known);
    }
  }
  return [...byMetric.values()].map(({ first: { label, below, why }, arms: concerned }) => oneLine(`Expected a ${label} of at least ${below}, got less in ${concerned.join('; ')}: ${why}.`));
}

/** Of several seeds the least and the most. */
function rangeText(values: readonly number[]): string {
  const ends = [...new Set([Math.min(...values), Math.max(...values)].map(shortNumber))];
  return ends.join(' to ');
}
