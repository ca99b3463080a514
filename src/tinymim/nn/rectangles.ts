/** Rectangles of whole pixels within images, as a step is given them. */
import * as tf from '../../engine/tf.ts';

/** Half-open rows `[yl, yh)` and columns `[xl, xh)`. */
export type Rectangle = readonly [yl: number, yh: number, xl: number, xh: number];

/**
 * 1 within, 0 elsewhere.
 * @param rectangles `[N, 4]`, each as a `Rectangle`
 * @returns `[N, H, W]`
 */
export function insideRectangles(rectangles: tf.Tensor, height: number, width: number): tf.Tensor3D {
  const [yl, yh, xl, xh] = tf.split(tf.reshape(tf.cast(rectangles, 'float32'), [-1, 4, 1]), 4, 1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]; // [N, 1, 1]
  const rows = within(tf.reshape(countTo(height), [1, height, 1]), yl, yh),
    columns = within(tf.reshape(countTo(width), [1, 1, width]), xl, xh);
  return tf.mul(rows, columns);
}

const countTo = (n: number): tf.Tensor1D => tf.tensor1d(Float32Array.from({ length: n }, (_, i) => i));

const within = (at: tf.Tensor, from: tf.Tensor, to: tf.Tensor): tf.Tensor => tf.mul(tf.cast(tf.greaterEqual(at, from), 'float32'), tf.cast(tf.less(at, to), 'float32'));
