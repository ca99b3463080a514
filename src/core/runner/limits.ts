/**
 * How long a worker may be silent before it counts as hung. A training thread cannot send a heartbeat during a step, so what a
 * worker announced last says how long the next word may take.
 */
import type { Phase } from '../ablation/kind.ts';

/** Milliseconds without a word. */
export interface Limits extends Readonly<Record<Exclude<Phase, 'step'>, number>> {
  readonly step: StepLimit;
}

interface StepLimit {
  /** Of the usual time of a step, the median of the stage's last ones. */
  readonly times: number;
  /** What a step may take in any case. */
  readonly floor: number;
  /** As long as no usual time is known. */
  readonly unknown: number;
}

const MINUTE = 60_000;

/** Generous: a hang is to be found within the hour, and a slow disk or a busy machine must never look like one. */
export const LIMITS: Limits = {
  /** From the start of the process; engine, images, upstream weights, a checkpoint. */
  load: 30 * MINUTE,
  /** With the first step, where graphs are compiled. */
  trace: 30 * MINUTE,
  step: { times: 30, floor: 5 * MINUTE, unknown: 30 * MINUTE },
  /** A whole split may be one call into the engine. */
  evaluate: 60 * MINUTE,
  save: 30 * MINUTE,
};

/** @param usual milliseconds that a step takes, where that is known */
export function limitOf(phase: Phase, usual: number | undefined, limits: Limits): number {
  if (phase !== 'step') return limits[phase];
  const { times, floor, unknown } = limits.step;
  return usual === undefined ? unknown : Math.max(floor, times * usual);
}
