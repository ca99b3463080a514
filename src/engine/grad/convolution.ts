/**
 * Convolutions of feature maps `[B, H, W, C]` as sums of matrix products, one for each place of the kernel: products have kernels on every
 * engine, and the same bytes with any number of threads. Weights are in PyTorch's layouts.
 */
import { shapeError } from '../shape.ts';
import * as tf from '../tf.ts';
import { linear } from './linear.ts';
import { withGradient } from './with-gradient.ts';

type Size = readonly [batch: number, height: number, width: number];

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
      value: sumOfProducts(x, placesOf(weight)),
      gradient: (dy, [x, weight]) => [sumOfProducts(dy, mirrored(weight!)), weightGradient(x as tf.Tensor4D, dy, kernel)],
    };
  });
}

/** Of each place of the kernel, row by row, the matrix `[O, C]`. */
function placesOf(weight: tf.Tensor): tf.Tensor2D[] {
  const [out, channels, kernel] = weight.shape as [number, number, number, number];
  return tf.unstack(tf.reshape(tf.transpose(weight, [2, 3, 0, 1]), [kernel ** 2, out, channels])) as tf.Tensor2D[];
}

/** The kernel of the gradient: turned by half, from output to input. */
function mirrored(weight: tf.Tensor): tf.Tensor2D[] {
  return placesOf(tf.transpose(weight, [1, 0, 2, 3])).reverse();
}

/** @param places `[O, C]` each; their number is a square */
function sumOfProducts(x: tf.Tensor4D, places: readonly tf.Tensor2D[]): tf.Tensor4D {
  const [batch, height, width] = x.shape;
  const products = shifted(x, Math.sqrt(places.length)).map((rows, i) => tf.matMul(rows, places[i]!, false, true));
  return tf.reshape(
    products.reduce((sum, product) => tf.add(sum, product)),
    [batch, height, width, places[0]!.shape[0]],
  );
}

/** For each place of a kernel the map as that place sees it, `[B * H * W, C]`. */
function shifted(x: tf.Tensor4D, kernel: number): tf.Tensor2D[] {
  const [batch, height, width, channels] = x.shape,
    size: Size = [batch, height, width];
  if (kernel === 1) return [rowsOf(x)];
  const margin = (kernel - 1) / 2;
  const padded = tf.pad(x, [
    [0, 0],
    [margin, margin],
    [margin, margin],
    [0, 0],
  ]);
  return Array.from({ length: kernel ** 2 }, (_, place) => rowsOf(tf.slice(padded, [0, Math.floor(place / kernel), place % kernel, 0], [...size, channels])));
}

function weightGradient(x: tf.Tensor4D, dy: tf.Tensor4D, kernel: number): tf.Tensor {
  const gradient = rowsOf(dy);
  const places = shifted(x, kernel).map(rows => tf.matMul(gradient, rows, true, false));
  const stacked = tf.reshape(tf.stack(places), [kernel, kernel, dy.shape[3], x.shape[3]]);
  return tf.transpose(stacked, [2, 3, 0, 1]);
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
