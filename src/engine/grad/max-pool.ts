import * as tf from '../tf.ts';
import { withGradient } from './with-gradient.ts';

/**
 * The largest of each 2 x 2 pixels; a last row or column without a partner is left out (`nn.MaxPool2d(2)`). Of equal ones the first, row by row, has
 * the gradient.
 * @param x `[B, H, W, C]`
 * @returns `[B, floor(H / 2), floor(W / 2), C]`
 */
export function maxPool(x: tf.Tensor4D): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape,
    rows = Math.floor(height / 2),
    columns = Math.floor(width / 2);
  const even = height % 2 === 0 && width % 2 === 0 ? x : tf.slice(x, [0, 0, 0, 0], [batch, 2 * rows, 2 * columns, channels]);
  return withGradient<tf.Tensor4D>([even], save => {
    const corners = cornersOf(even, [batch * rows, columns, channels]);
    const largest = corners.reduce((a, b) => tf.maximum(a, b));
    save([even, largest]);
    return {
      value: tf.reshape(largest, [batch, rows, columns, channels]),
      gradient: (dy, [even, largest]) => {
        let left: tf.Tensor = tf.reshape(dy, largest!.shape);
        const shares = cornersOf(even as tf.Tensor4D, [batch * rows, columns, channels]).map(corner => {
          const share = tf.mul(left, tf.cast(tf.equal(corner, largest!), 'float32'));
          left = tf.sub(left, share);
          return share;
        });
        const [upper, lower] = [shares.slice(0, 2), shares.slice(2)].map(pair => tf.concat(pair, 3));
        return [tf.reshape(tf.concat([upper!, lower!], 1), even!.shape)];
      },
    };
  });
}

/** Each 2 x 2 pixels, apart: upper left and right, lower left and right, `[B * rows, 1, columns, 1, C]` each. */
function cornersOf(x: tf.Tensor4D, [rows, columns, channels]: readonly [rows: number, columns: number, channels: number]): tf.Tensor[] {
  const paired = tf.reshape(x, [rows, 2, columns, 2, channels]);
  return tf.split(paired, 2, 1).flatMap(row => tf.split(row, 2, 3));
}
