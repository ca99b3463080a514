/**
 * Soft targets, mix-up (Zhang et al. 2018) and cut-mix (Yun et al. 2019) of a batch with its reverse, given what was drawn
 * (timm 0.3.2, `data/mixup.py`). Mixing is one formula with a weight per pixel, so one compiled step serves both.
 */
import * as tf from '../../engine/tf.ts';
import { ModelError } from './errors.ts';

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

/** `lambda * targets + (1 - lambda) * reversed targets`, `[B, C]`. @internal */
export function mixTargets(targets: Float32Array, classes: number, lambda: number): Float32Array {
  const rows = targets.length / classes;
  return targets.map((value, i) => {
    const row = Math.floor(i / classes);
    return lambda * value + (1 - lambda) * targets[(rows - 1 - row) * classes + (i % classes)]!;
  });
}

/** Half-open rows `[yl, yh)` and columns `[xl, xh)`. @internal */
export type CutmixBox = readonly [yl: number, yh: number, xl: number, xh: number];

/** Share of the image that cut-mix leaves as it was. @internal */
export function cutmixLambda([yl, yh, xl, xh]: CutmixBox, [height, width]: readonly [number, number]): number {
  return 1 - ((yh - yl) * (xh - xl)) / (height * width);
}

/** Weights of cut-mix: 0 within the box, 1 elsewhere, `[H, W]`. @internal */
export function cutmixWeight([yl, yh, xl, xh]: CutmixBox, [height, width]: readonly [number, number]): Float32Array {
  const weight = new Float32Array(height * width).fill(1);
  for (let y = yl; y < yh; y++) weight.fill(0, y * width + xl, y * width + xh);
  return weight;
}

/**
 * `weight * images + (1 - weight) * images in reverse order`.
 * @param images `[B, C, H, W]`
 * @param weight scalar lambda (mix-up) or `[H, W]` (cut-mix)
 * @internal
 */
export function mixImages(images: tf.Tensor4D, weight: tf.Tensor): tf.Tensor4D {
  return tf.add(tf.mul(images, weight), tf.mul(tf.reverse(images, 0), tf.sub(1, weight)));
}
