/** Learning-rate schedule of MAE and TinyMIM. Source: facebookresearch/mae, util/lr_sched.py and the main scripts. */

export interface Schedule {
  /** Peak rate, already scaled for the batch (see `scaledLearningRate`). */
  readonly lr: number;
  readonly minLr: number;
  /** Both in epochs; may be fractional. */
  readonly warmupEpochs: number;
  readonly epochs: number;
}

/**
 * The rate at a moment of training: linear warm-up from 0, then half a cosine down to `minLr`. A group's `lrScale` multiplies
 * the result, `minLr` included.
 * @param epoch fractional epochs done, (iteration / iterations per epoch): the first iteration has rate 0 if there is a warm-up
 */
export function learningRate({ lr, minLr, warmupEpochs, epochs }: Schedule, epoch: number): number {
  if (epoch < warmupEpochs) return (lr * epoch) / warmupEpochs;
  return minLr + (lr - minLr) * 0.5 * (1 + Math.cos((Math.PI * (epoch - warmupEpochs)) / (epochs - warmupEpochs)));
}

/**
 * The linear scaling rule: base rates are given for 256 images.
 * @param effectiveBatch images per optimizer step, over all micro-batches
 */
export function scaledLearningRate(baseLr: number, effectiveBatch: number): number {
  return (baseLr * effectiveBatch) / 256;
}

/** mmsegmentation's schedule, in steps. */
export interface PolynomialSchedule {
  readonly lr: number;
  readonly min_lr: number;
  readonly power: number;
  readonly steps: number;
  readonly warmup_steps: number;
  /** Share of the rate that the warm-up begins with. */
  readonly warmup_ratio: number;
}

/**
 * The rate of a step, counted from 0: `(lr - min_lr) (1 - step / steps)^power + min_lr`, which a linear warm-up multiplies.
 * Source: open-mmlab/mmcv 1.x, mmcv/runner/hooks/lr_updater.py, PolyLrUpdaterHook with linear warm-up.
 */
export function polynomialRate({ lr, min_lr, power, steps, warmup_steps, warmup_ratio }: PolynomialSchedule, step: number): number {
  const regular = (lr - min_lr) * (1 - step / steps) ** power + min_lr;
  return step < warmup_steps ? regular * (1 - (1 - step / warmup_steps) * (1 - warmup_ratio)) : regular;
}
