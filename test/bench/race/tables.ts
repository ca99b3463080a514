/** Results as rows of text, for the terminal and for Markdown. */
import { AUTOCAST, REFERENCE } from './contenders.ts';
import { sweepRatios, type Goal, type SweepBound } from './goals.ts';
import { speedRatio, summarise, type Summary } from './statistics.ts';
import type { CaseResult } from './steps.ts';
import type { SweepResult } from './sweep.ts';

/** A table: the first row is its head. */
export type Rows = readonly (readonly string[])[];

/** `1.31 (1.28 to 1.35)`: the median between the quartiles. */
export const spread = ({ median, low, high }: Summary, digits = 2): string => `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
const NONE = '-';

/** One row for each contender of a race of steps. */
export function stepTable({ results }: CaseResult): Rows {
  const timesOf = (name: string) => results.find(({ contender, skipped }) => contender.name === name && skipped === undefined)?.secondsPerStep;
  const ratio = (seconds: readonly number[], name: string): string => {
    const reference = timesOf(name);
    return reference ? spread(speedRatio(seconds, reference)) : NONE;
  };
  return [
    ['', 'ms a step', 'times pytorch', 'times autocast', 'start-up', 'peak memory', 'loss differs by'],
    ...results.map(({ contender, skipped, secondsPerStep, startSeconds, peakBytes, deviation }) =>
      skipped === undefined
        ? [
            contender.name,
            spread(summarise(secondsPerStep.map(s => 1e3 * s)), 0),
            ratio(secondsPerStep, REFERENCE),
            ratio(secondsPerStep, AUTOCAST),
            `${startSeconds.toFixed(1)} s`,
            gigabytes(peakBytes),
            contender.name === REFERENCE ? NONE : deviation.toExponential(1),
          ]
        : [contender.name, `left out: ${skipped}`, NONE, NONE, NONE, NONE, NONE],
    ),
  ];
}

/** One row for each contender of the sweep. */
export function sweepTable(results: readonly SweepResult[], bounds: readonly SweepBound[]): Rows {
  const ratios = sweepRatios(results);
  return [
    ['', 'seconds', 'start-up', 'times pytorch', 'bound', 'peak memory of a process', 'mean accuracy'],
    ...results.map(({ contender, runs }) => {
      const ratio = ratios.find(r => r.contender.name === contender.name)?.ratio;
      const bound = bounds.find(b => b.contender.name === contender.name)?.bound;
      const arms = Object.values(runs[0]!.arms);
      return [
        contender.name,
        spread(summarise(runs.map(run => run.seconds)), 1),
        `${summarise(runs.map(run => run.startSeconds)).median.toFixed(1)} s`,
        ratio ? spread(ratio) : NONE,
        bound === undefined ? NONE : bound.toFixed(2),
        gigabytes(Math.max(...runs.map(run => run.peakBytes))),
        `${((100 * arms.reduce((sum, { accuracy }) => sum + accuracy, 0)) / arms.length).toFixed(1)} %`,
      ];
    }),
  ];
}

export const goalTable = (goals: readonly Goal[]): Rows => [
  ['goal', 'at least', 'got', 'by', ''],
  ...goals.map(({ what, least, ratio, by, reached }) => [what, least.toFixed(2), spread(ratio), by, reached ? 'reached' : 'not reached']),
];
