/** What was to be reached, and whether it was. */
import { AUTOCAST, REFERENCE, type Precision } from './contenders.ts';
import { speedRatio, type Summary } from './statistics.ts';
import type { CaseResult, ContenderResult } from './steps.ts';
import type { SweepResult } from './sweep.ts';

/** Goals were set for two cores. */
export const GOAL_THREADS = 2;

export interface Goal {
  readonly what: string;
  readonly least: number;
  /** The fastest mode of this package in the goal's precision. */
  readonly by: string;
  readonly ratio: Summary;
  readonly reached: boolean;
}

const STEP_GOALS: readonly { readonly precision: Precision; readonly against: string; readonly least: number }[] = [
  { precision: 'float32', against: REFERENCE, least: 1.25 },
  { precision: 'bfloat16', against: REFERENCE, least: 1.75 },
  { precision: 'bfloat16', against: AUTOCAST, least: 1.2 },
];

/** Goals of a race of steps that apply here: of distillation, on two cores; of bfloat16, where the processor multiplies it itself. */
export function stepGoals({ step, results }: CaseResult, { threads, bfloat16 }: { readonly threads: number; readonly bfloat16: boolean }): Goal[] {
  if (step.kind !== 'distill' || threads !== GOAL_THREADS) return [];
  return STEP_GOALS.filter(({ precision }) => precision === 'float32' || bfloat16).flatMap(({ precision, against, least }) => {
    const reference = results.find(({ contender, skipped }) => contender.name === against && skipped === undefined);
    const ours = results.filter(({ contender, skipped }) => contender.side === 'ours' && contender.precision === precision && skipped === undefined);
    if (reference === undefined || ours.length === 0) return [];
    const { contender, ratio } = fastest(ours, reference);
    return [{ what: `${step.name}, ${precision} against ${against}`, least, by: contender.name, ratio, reached: ratio.median >= least }];
  });
}

function fastest(results: readonly ContenderResult[], reference: ContenderResult): { contender: ContenderResult['contender']; ratio: Summary } {
  const ratios = results.map(({ contender, secondsPerStep }) => ({ contender, ratio: speedRatio(secondsPerStep, reference.secondsPerStep) }));
  return ratios.reduce((best, other) => (other.ratio.median > best.ratio.median ? other : best));
}

const SWEEP_GOALS = { float32: 2, fastest: 3, shareOfBound: 0.8 } as const;

/**
 * Speed of a whole sweep that perfect sharing of the teacher would allow against PyTorch: how much faster a distillation step
 * alone is, times how much work sharing saves.
 */
export interface SweepBound {
  readonly contender: SweepResult['contender'];
  readonly step: Summary;
  readonly sharing: number;
  readonly bound: number;
}

export function sweepBounds(results: readonly SweepResult[], step: CaseResult | undefined, sharing: number): SweepBound[] {
  const reference = step?.results.find(({ contender }) => contender.name === REFERENCE);
  return results
    .filter(({ contender }) => contender.side === 'ours')
    .flatMap(({ contender }) => {
      const own = step?.results.find(({ contender: { name } }) => name === contender.name);
      if (own === undefined || reference === undefined) return [];
      const ratio = speedRatio(own.secondsPerStep, reference.secondsPerStep);
      return [{ contender, step: ratio, sharing, bound: ratio.median * sharing }];
    });
}

/** Speed of each of our sweeps, without start-up, against PyTorch's of the same round. */
export function sweepRatios(results: readonly SweepResult[]): { readonly contender: SweepResult['contender']; readonly ratio: Summary }[] {
  const seconds = ({ runs }: SweepResult): number[] => runs.map(run => run.seconds);
  const reference = results.find(({ contender }) => contender.name === REFERENCE)!;
  return results.filter(({ contender }) => contender.side === 'ours').map(result => ({ contender: result.contender, ratio: speedRatio(seconds(result), seconds(reference)) }));
}

/** Goals of the sweep that apply here. */
export function sweepGoals(results: readonly SweepResult[], bounds: readonly SweepBound[], { cores, bfloat16 }: { readonly cores: number; readonly bfloat16: boolean }): Goal[] {
  if (cores !== GOAL_THREADS) return [];
  const ratios = sweepRatios(results).filter(({ contender: { precision } }) => precision === 'float32' || bfloat16);
  const best = (candidates: typeof ratios) => candidates.reduce((a, b) => (b.ratio.median > a.ratio.median ? b : a));
  const goal = (what: string, least: number, { contender, ratio }: (typeof ratios)[number]): Goal => ({ what, least, by: contender.name, ratio, reached: ratio.median >= least });
  const fastestSweep = best(ratios);
  const bound = bounds.find(({ contender }) => contender.name === fastestSweep.contender.name);
  return [
    goal('sweep, float32 against pytorch', SWEEP_GOALS.float32, best(ratios.filter(({ contender }) => contender.precision === 'float32'))),
    ...(bfloat16 ? [goal('sweep, fastest mode against pytorch', SWEEP_GOALS.fastest, fastestSweep)] : []),
    ...(bound
      ? [
          goal(`sweep, share of the bound ${bound.bound.toFixed(2)}`, SWEEP_GOALS.shareOfBound, {
            contender: fastestSweep.contender,
            ratio: { median: fastestSweep.ratio.median / bound.bound, low: fastestSweep.ratio.low / bound.bound, high: fastestSweep.ratio.high / bound.bound },
          }),
        ]
      : []),
  ];
}
