/**
 * Soft targets, mix-up (Zhang et al. 2018) and cut-mix (Yun et al. 2019) of a batch with its reverse, given what was drawn
 * (timm 0.3.2, `data/mixup.py`). Mixing is one formula with a weight per pixel, so one compiled step serves both.
 */
import * as tf from '../../engine/tf.ts';
import { ModelError } from './errors.ts';
import { insideRectangles, type Rectangle } from './rectangles.ts';

/**
 * Smoothed one-hot rows: `1 - s + s / C` at the label, `s / C` elsewhere. Cross entropy with them is cross entropy with
 * label smoothing.
 * @returns `[B, C]`
 */
export function softTargets(labels: ArrayLike<number>, classes: number, smoothing: number): Float32Array {
  const off = smoothing / classes;
  const targets = new Float32Array(labels.length * classes).fill(off);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes) throw new ModelError('INPUT', `Expected labels from 0 to ${classes - 1}, got ${label}.`);
    targets[i * classes + label] = 1 - smoothing + off;
  }
  return targets;
}

/** `lambda * targets + (1 - lambda) * reversed targets`, `[B, C]`. */
export function mixTargets(targets: Float32Array, classes: number, lambda: number): Float32Array {
  const rows = targets.length / classes;
  return targets.map((value, i) => {
    const row = Math.floor(i / classes);
    return lambda * value + (1 - lambda) * targets[(rows - 1 - row) * classes + (i % classes)]!;
  });
}

/** Share of the image that cut-mix leaves as it was. */
export function cutmixLambda([yl, yh, xl, xh]: Rectangle, [height, width]: readonly [number, number]): number {
  return 1 - ((yh - yl) * (xh - xl)) / (height * width);
}

/** Where a batch is mixed, and how much of each image stays there: the whole image and lambda (mix-up), or a box and 0 (cut-mix). */
export interface ImageMix {
  /** `[1, 4]`, a `Rectangle` */
  readonly box: tf.Tensor;
  /** scalar */
  readonly share: tf.Tensor;
}

/**
 * Within the box `share * images + (1 - share) * images in reverse order`, elsewhere the images.
 * @param images `[B, C, H, W]`
 */
export function mixImages(images: tf.Tensor4D, { box, share }: ImageMix): tf.Tensor4D {
  const inside = insideRectangles(box, images.shape[2], images.shape[3]);
  const weight = tf.add(tf.mul(inside, share), tf.sub(1, inside)); // [1, H, W]
  return tf.add(tf.mul(images, weight), tf.mul(tf.reverse(images, 0), tf.sub(1, weight)));
}
