/**
 * Random erasing in pixel mode (Zhong et al. 2017): a rectangle of an image becomes standard normal noise of what a model is given, that is
 * after normalisation, where no byte can have a value of its own. So bytes within the rectangle are noise in units of 1/32, which
 * a step reads with other numbers than pixels (`stages/images.ts`). Beyond +-3.98 noise is cut off, which happens to one value in 15,000.
 * Source: huggingface/pytorch-image-models, timm/data/random_erasing.py (versions 0.3.2 to 1.0.31).
 */
import type { Stream } from '../../engine/random/rng.ts';
import { roundHalfEven } from './augment.ts';
import type { Box, Pixels } from './resize.ts';

const AREA = [0.02, 1 / 3] as const;
const LOG_RATIO = [Math.log(0.3), Math.log(1 / 0.3)] as const;
const TRIES = 10;

/** Noise is `(byte - NOISE_ZERO) / NOISE_SCALE`. */
export const NOISE_SCALE = 32;
export const NOISE_ZERO = 127.5;

const between = (draws: Stream, [low, high]: readonly [number, number]): number => low + (high - low) * draws.uniform();

/**
 * The rectangle of one image, or undefined: area and ratio height / width as they come, at most ten times until it fits. A uniform
 * says whether there is one; each try draws area and ratio, the last also row and column.
 */
export function drawErased(draws: Stream, probability: number, height: number, width: number): Box | undefined {
  if (draws.uniform() > probability) return undefined;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const area = between(draws, AREA) * (height * width),
      ratio = Math.exp(between(draws, LOG_RATIO));
    const h = roundHalfEven(Math.sqrt(area * ratio)),
      w = roundHalfEven(Math.sqrt(area / ratio));
    if (w < width && h < height) return { top: draws.integer(height - h + 1), left: draws.integer(width - w + 1), height: h, width: w };
  }
  return undefined;
}

/** Fills the rectangle with noise: a normal for each value. */
export function erase({ data, offset, width, channels }: Pixels, box: Box, draws: Stream): void {
  for (let y = box.top; y < box.top + box.height; y++) {
    const start = offset + (y * width + box.left) * channels;
    for (let i = start; i < start + box.width * channels; i++) data[i] = noiseByte(draws.normal());
  }
}

function noiseByte(noise: number): number {
  const value = Math.floor(noise * NOISE_SCALE) + NOISE_ZERO + 0.5;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
