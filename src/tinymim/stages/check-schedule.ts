/** Lengths, batches and rates that do not go together. */
import type { Objection } from '../../core/ablation/kind.ts';
import { scaledLearningRate } from '../optim/schedule.ts';
import { totalSteps } from './cost.ts';
import { canSplit } from './micro-batches.ts';
import type { ScheduleRecipe } from './recipes.ts';
import { doubtful, impossible, objectIf } from './rules.ts';

/** Random numbers are counted by steps of 32 bits; see `engine/random/rng.ts`. */
const MOST_STEPS = 2 ** 32;

/** A peak rate above this moves every weight by more than 1 a step, whatever its gradient. */
const MOST_RATE = 1;

/** @param images that one epoch goes through */
export function checkSchedule(schedule: ScheduleRecipe, images: number): Objection[] {
  const { batch_size, epochs } = schedule;
  const perEpoch = Math.floor(images / batch_size);
  const steps = totalSteps(images, schedule);
  const parts = objectIf(!canSplit({ schedule }, 1), impossible('schedule.accumulation_steps', `a divisor of batch_size ${batch_size}`));
  if (perEpoch === 0) return [impossible('schedule.batch_size', `at most ${images}, the images that it trains on`), ...parts];
  if (steps === 0) return [impossible('schedule.epochs', `at least ${Number((1 / perEpoch).toPrecision(3))}, one step of ${batch_size} of ${images} images`), ...parts];
  return [
    ...parts,
    ...objectIf(steps > MOST_STEPS, impossible('schedule.epochs', `at most ${MOST_STEPS} steps, of which ${perEpoch} are an epoch`)),
    ...checkWarmup(schedule, steps),
    ...checkRates(schedule, epochs),
  ];
}

function checkWarmup({ warmup_epochs, epochs }: ScheduleRecipe, steps: number): Objection[] {
  if (warmup_epochs >= epochs) return [doubtful('schedule.warmup_epochs', `fewer than the ${epochs} epochs of the training, which else never reaches its rate`)];
  return objectIf(warmup_epochs > 0 && steps === 1, doubtful('schedule.warmup_epochs', '0 for a training of one step, which else has the rate 0'));
}

function checkRates({ base_lr, min_lr, batch_size }: ScheduleRecipe, epochs: number): Objection[] {
  const rate = scaledLearningRate(base_lr, batch_size);
  return [
    ...objectIf(Math.max(rate, min_lr) === 0, doubtful('schedule.base_lr', `a rate above 0: nothing is learned in ${epochs} epochs`)),
    ...objectIf(rate > MOST_RATE, doubtful('schedule.base_lr', `a rate of at most ${MOST_RATE}, which for batches of ${batch_size} is a base_lr of ${(MOST_RATE * 256) / batch_size}`)),
    ...objectIf(min_lr > rate, doubtful('schedule.min_lr', `at most the rate that it falls from, ${rate} for batches of ${batch_size}`)),
  ];
}
