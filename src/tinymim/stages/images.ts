/** Images on their way into a model. */
import type { ImageSet } from '../data/image-set.ts';
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
 * `(x / 255 - mean) / std` by channel.
 * @param images `[B, H, W, C]`, values 0 to 255
 * @returns `[B, C, H, W]`
 */
export function normalise(images: tf.Tensor, { mean, std }: Normalisation): tf.Tensor4D {
  const scale = tf.tensor1d(std.map(s => 1 / (255 * s)));
  const shift = tf.tensor1d(mean.map((m, i) => m / std[i]!));
  const normal = tf.sub<tf.Tensor4D>(tf.mul(tf.cast(images, 'float32'), scale), shift);
  const [batch, height, width, channels] = normal.shape;
  return channels === 1 ? tf.reshape(normal, [batch, 1, height, width]) : tf.transpose(normal, [0, 3, 1, 2]);
}
