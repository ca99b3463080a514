/** Mix-up or cut-mix of a whole batch: what is drawn for it. What is done with it: `nn/mixup.ts`. */
import { drawBeta } from '../../engine/random/beta.ts';
import type { Stream } from '../../engine/random/rng.ts';
import { cutmixLambda } from '../nn/mixup.ts';
import type { Rectangle } from '../nn/rectangles.ts';
import type { MixingRecipe } from './recipes.ts';

export interface Mixing {
  /** Share of each target that stays. */
  readonly lambda: number;
  /** Where images are mixed, and the share of each that stays there. */
  readonly box: Rectangle;
  readonly share: number;
}

/**
 * Where both are wanted, a uniform, which takes cut-mix below `switch_prob`; then the share, of the distribution Beta(alpha, alpha); for cut-mix row and column of the
 * box's centre. What the image cuts off of the box counts as not mixed.
 * Source: huggingface/pytorch-image-models, timm/data/mixup.py, `Mixup` in mode `batch` (versions 0.3.2 to 1.0.31).
 * @param betaOf draws the share
 */
export function drawMixing(draws: Stream, { mixup, cutmix, switch_prob }: MixingRecipe, size: readonly [height: number, width: number], betaOf = drawBeta): Mixing {
  const [height, width] = size;
  const cuts = cutmix > 0 && (mixup === 0 || draws.uniform() < switch_prob);
  const alpha = cuts ? cutmix : mixup,
    lambda = betaOf(draws, alpha, alpha);
  if (!cuts) return { lambda, box: [0, height, 0, width], share: lambda };
  const box = cutmixBox(lambda, size, draws.integer(height), draws.integer(width));
  return { lambda: cutmixLambda(box, size), box, share: 0 };
}

function cutmixBox(lambda: number, [height, width]: readonly [number, number], row: number, column: number): Rectangle {
  const ratio = Math.sqrt(1 - lambda);
  return [...span(Math.trunc(height * ratio), row, height), ...span(Math.trunc(width * ratio), column, width)];
}

/** `length` pixels around `centre`, cut off at the image's edges. */
function span(length: number, centre: number, end: number): [from: number, to: number] {
  const within = (at: number): number => Math.min(Math.max(at, 0), end);
  return [within(centre - Math.floor(length / 2)), within(centre + Math.floor((length + 1) / 2))];
}
