/**
 * Convolutions of feature maps `[B, H, W, C]` as one matrix product with all that a kernel sees of each pixel: products have kernels on every
 * engine, and the same bytes with any number of threads. Weights are in PyTorch's layouts.
 */
import { shapeError } from '../shape.ts';
import * as tf from '../tf.ts';
import { linear } from './linear.ts';
import { withGradient } from './with-gradient.ts';

/**
 * `nn.Conv2d` of stride 1 without bias, padded with zeros so that the map keeps its size.
 * @param x `[B, H, W, C]`
 * @param weight `[O, C, k, k]`, k odd
 * @returns `[B, H, W, O]`
 */
export function convolve(x: tf.Tensor4D, weight: tf.Tensor): tf.Tensor4D {
  const [out, channels, kernel] = weight.shape as [number, number, number, number];
  if (channels !== x.shape[3] || kernel % 2 === 0 || weight.shape[3] !== kernel) {
    throw shapeError('weight', [out, x.shape[3], 3, 3], weight.shape, 'Give a weight for the channels of the map, of a kernel with a middle.');
  }
  return withGradient<tf.Tensor4D>([x, weight], save => {
    save([x, weight]);
    return {
      value: product(x, tf.transpose(weight, [0, 2, 3, 1])),
      gradient: (dy, [x, weight]) => [
        product(dy, tf.reverse(tf.transpose(weight!, [1, 2, 3, 0]), [1, 2])), // the kernel turned by half, from output to input
        weightGradient(x as tf.Tensor4D, dy, kernel),
      ],
    };
  });
}

/** @param weight `[O, k, k, C]` */
function product(x: tf.Tensor4D, weight: tf.Tensor): tf.Tensor4D {
  const [batch, height, width] = x.shape,
    [out, kernel] = weight.shape as [number, number];
  return tf.reshape(tf.matMul(seen(x, kernel), tf.reshape(weight, [out, -1]), false, true), [batch, height, width, out]);
}

/** What a kernel sees of each pixel, place by place, row after row: `[B * H * W, k * k * C]`. */
function seen(x: tf.Tensor4D, kernel: number): tf.Tensor2D {
  if (kernel === 1) return rowsOf(x);
  const [batch, height, width, channels] = x.shape,
    margin = (kernel - 1) / 2;
  const padded = tf.pad(x, [
    [0, 0],
    [margin, margin],
    [margin, margin],
    [0, 0],
  ]);
  const places = Array.from({ length: kernel ** 2 }, (_, place) => tf.slice(padded, [0, Math.floor(place / kernel), place % kernel, 0], [batch, height, width, channels]));
  return rowsOf(tf.concat(places, 3));
}

function weightGradient(x: tf.Tensor4D, dy: tf.Tensor4D, kernel: number): tf.Tensor {
  const matrix = tf.matMul(rowsOf(dy), seen(x, kernel), true, false);
  return tf.transpose(tf.reshape(matrix, [dy.shape[3], kernel, kernel, x.shape[3]]), [0, 3, 1, 2]);
}

/** `[B, H, W, C]` as `[B * H * W, C]`. */
export function rowsOf(x: tf.Tensor4D): tf.Tensor2D {
  return tf.reshape(x, [-1, x.shape[3]]);
}

/**
 * `nn.ConvTranspose2d` of kernel and stride 2: each pixel becomes four.
 * @param x `[B, H, W, C]`
 * @param weight `[C, O, 2, 2]`
 * @param bias `[O]`
 * @returns `[B, 2 H, 2 W, O]`
 */
export function convolveUp(x: tf.Tensor4D, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape,
    out = weight.shape[1]!;
  if (!tf.util.arraysEqual(weight.shape, [channels, out, 2, 2])) throw shapeError('weight', [channels, out, 2, 2], weight.shape, 'Give a weight for the channels of the map.');
  const matrix = tf.reshape(tf.transpose(weight, [2, 3, 1, 0]), [4 * out, channels]);
  const four = linear(rowsOf(x), matrix, tf.concat([bias, bias, bias, bias]));
  const apart = tf.transpose(tf.reshape(four, [batch, height, width, 2, 2, out]), [0, 1, 3, 2, 4, 5]);
  return tf.reshape(apart, [batch, 2 * height, 2 * width, out]);
}
