/** In how many parts a batch is processed: as its recipe says, or in more where memory does not suffice for that. Light: planning asks. */
import { PermanentError } from '../../core/ablation/errors.ts';
import type { Execution } from '../../core/ablation/kind.ts';
import type { ScheduleRecipe } from './recipes.ts';

type Batch = Pick<ScheduleRecipe, 'batch_size' | 'accumulation_steps'>;

/** For `canSplit` of kinds that train. */
export const canSplit = ({ schedule: { batch_size, accumulation_steps } }: { readonly schedule: Batch }, microBatches: number): boolean => batch_size % (accumulation_steps * microBatches) === 0;

/** The same for classifiers: a batch that is mixed is divided into pairs. */
export const canSplitPairs = ({ schedule, augment }: { readonly schedule: Batch; readonly augment: { readonly mixing: unknown } }, microBatches: number): boolean =>
  canSplit({ schedule }, augment.mixing === null ? microBatches : 2 * microBatches);

/** @throws PermanentError `MICRO_BATCHES` when they do not divide the batch */
export function microBatchesOf(schedule: Batch, { microBatches = 1 }: Pick<Execution, 'microBatches'>): number {
  const { batch_size, accumulation_steps } = schedule;
  if (canSplit({ schedule }, microBatches)) return accumulation_steps * microBatches;
  const asked = microBatches === 1 ? '' : ` times ${microBatches}, for want of memory`;
  throw new PermanentError(
    'MICRO_BATCHES',
    `Expected a batch that its micro-batches divide, got a batch of ${batch_size} and accumulation_steps ${accumulation_steps}${asked}. Change schedule.accumulation_steps or schedule.batch_size.`,
  );
}
