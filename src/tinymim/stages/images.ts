/** Images on their way into a model. */
import { NOISE_SCALE, NOISE_ZERO } from '../data/erase.ts';
import type { ImageSet } from '../data/image-set.ts';
import { insideRectangles } from '../nn/rectangles.ts';
import * as tf from '../../engine/tf.ts';
import type { BatchArray } from './train-step.ts';

/** Per channel, of pixels scaled to [0, 1]. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * Pixels as they are stored, `[B, H, W, C]` bytes; normalising them is part of the step.
 * @param set gives their height, width and channels
 */
export function pixels(images: Uint8Array, { height, width, channels }: Pick<ImageSet, 'height' | 'width' | 'channels'>): BatchArray {
  return { data: images, shape: [images.length / (height * width * channels), height, width, channels] };
}

/**
 * `(x / 255 - mean) / std` by channel; within an erased rectangle the noise that its bytes stand for (`data/erase.ts`).
 * @param images `[B, H, W, C]`, values 0 to 255
 * @param erased `[B, 4]`, of each image a `Rectangle`
 * @returns `[B, C, H, W]`
 */
export function normalise(images: tf.Tensor, { mean, std }: Normalisation, erased?: tf.Tensor): tf.Tensor4D {
  const scale = tf.tensor1d(std.map(s => 1 / (255 * s)));
  const shift = tf.tensor1d(mean.map((m, i) => m / std[i]!));
  const levels = tf.cast(images as tf.Tensor4D, 'float32'),
    normalised = tf.sub<tf.Tensor4D>(tf.mul(levels, scale), shift),
    normal = erased ? withNoise(normalised, levels, erased) : normalised;
  const [batch, height, width, channels] = normal.shape;
  return channels === 1 ? tf.reshape(normal, [batch, 1, height, width]) : tf.transpose(normal, [0, 3, 1, 2]);
}

function withNoise(normal: tf.Tensor4D, levels: tf.Tensor4D, erased: tf.Tensor): tf.Tensor4D {
  const [batch, height, width] = normal.shape;
  const inside = tf.reshape(insideRectangles(erased, height, width), [batch, height, width, 1]);
  const noise = tf.mul(tf.sub(levels, NOISE_ZERO), 1 / NOISE_SCALE);
  return tf.add(tf.mul(normal, tf.sub(1, inside)), tf.mul(noise, inside)); // exact: factors are 0 and 1
}
