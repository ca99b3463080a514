/** What one worker does, in the words that a running sweep and `ablate status` share. */
import type { Phase } from '../../core/ablation/kind.ts';
import { formatCount } from '../../core/text/format.ts';
import { duration } from './text.ts';

/** How far a stage is; what is absent is not known yet. */
export interface WorkerProgress {
  readonly phase?: Phase | undefined;
  readonly step?: number | undefined;
  /** 0 where the stage does not say. */
  readonly steps?: number | undefined;
  readonly imagesPerSecond?: number | undefined;
  /** Share of the time of its steps in which they waited for data. */
  readonly waiting?: number | undefined;
  readonly stepsPerSecond?: number | undefined;
  readonly secondsLeft?: number | undefined;
}

const PHASE: Readonly<Record<Phase, string>> = { load: 'loading', trace: 'tracing', step: 'training', evaluate: 'evaluating', save: 'saving' };

/** Of the members of a pack the one that is furthest behind: the others end with it. */
export function furthestBehind<T>(members: readonly T[], progressOf: (member: T) => WorkerProgress | undefined): T {
  const share = (member: T): number => {
    const { step = 0, steps = 0 } = progressOf(member) ?? {};
    return steps > 0 ? step / steps : 0;
  };
  return members.reduce((a, b) => (share(b) < share(a) ? b : a));
}

export function phaseText({ phase, step = 0, steps = 0 }: WorkerProgress): string {
  if (phase === undefined) return 'starting';
  return phase === 'step' && steps > 0 ? `step ${formatCount(step)}/${formatCount(steps)}` : PHASE[phase];
}

export function paceText({ imagesPerSecond, stepsPerSecond }: WorkerProgress): string {
  if (imagesPerSecond !== undefined) return `${formatCount(imagesPerSecond)} images/s`;
  return stepsPerSecond === undefined ? '' : `${Number(stepsPerSecond.toPrecision(3))} steps/s`;
}

/** How much of its time it waits for data. */
export const waitingText = ({ waiting }: WorkerProgress): string => (waiting === undefined ? '' : `${Math.round(100 * waiting)} % waiting`);

export const leftText = ({ secondsLeft }: WorkerProgress): string => (secondsLeft === undefined ? '' : `${duration(secondsLeft)} left`);

/** Where it works, and with how many threads where those are more than its own. */
export const placeText = ({ place, threads }: { readonly place: string; readonly threads?: number | undefined }): string => (threads === undefined ? place : `${place} with ${threads} threads`);
