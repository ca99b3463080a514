/** Layers of maps `[B, H, W, C]`, with the parameters of mmsegmentation's modules by their names. */
import { batchNorm } from '../../engine/grad/batch-norm.ts';
import { convolve, rowsOf } from '../../engine/grad/convolution.ts';
import { linear } from '../../engine/grad/linear.ts';
import { relu } from '../../engine/grad/relu.ts';
import type { Params } from '../../engine/formats/weights.ts';
import * as tf from '../../engine/tf.ts';
import { keepScale } from './drop-path.ts';
import { param } from './params.ts';

/** `nn.BatchNorm2d`'s defaults. */
const BATCH_NORM_EPS = 1e-5;
const MOMENTUM = 0.1;

/**
 * What batch normalisation divides by. `running`: averages of the training, in a test. `set`: the moments of the batch, and `set` is told what the
 * running averages are after it, in tensors that it has to keep (`tf.keep`).
 */
export type Statistics = 'running' | { readonly set: (name: string, value: tf.Tensor) => void };

/** Batch normalisation with the parameters `<name>.weight`, `.bias`, `.running_mean` and `.running_var`, `[C]` each. */
export function batchNormalised(params: Params, name: string, x: tf.Tensor4D, statistics: Statistics): tf.Tensor4D {
  const [mean, variance] = ['running_mean', 'running_var'].map(which => param(params, `${name}.${which}`)) as [tf.Tensor, tf.Tensor];
  const affine = { weight: param(params, `${name}.weight`), bias: param(params, `${name}.bias`) };
  if (statistics === 'running') {
    const scale = tf.mul(affine.weight, tf.rsqrt(tf.add(variance, BATCH_NORM_EPS)));
    return tf.add(tf.mul(x, scale), tf.sub(affine.bias, tf.mul(mean, scale)));
  }
  const rows = rowsOf(x),
    count = rows.shape[0];
  const normal = batchNorm(rows, BATCH_NORM_EPS, affine, of => {
    statistics.set(`${name}.running_mean`, tf.add(tf.mul(mean, 1 - MOMENTUM), tf.mul(of.mean, MOMENTUM)));
    // PyTorch averages the unbiased variance.
    statistics.set(`${name}.running_var`, tf.add(tf.mul(variance, 1 - MOMENTUM), tf.mul(of.variance, (MOMENTUM * count) / (count - 1))));
  });
  return tf.reshape(normal, x.shape);
}

/** `ConvModule`: convolution, batch normalisation, ReLU. */
export function convModule(params: Params, name: string, x: tf.Tensor4D, statistics: Statistics): tf.Tensor4D {
  return relu(batchNormalised(params, `${name}.bn`, convolve(x, param(params, `${name}.conv.weight`)), statistics));
}

/** A convolution of 1 x 1 with bias: the classes of each pixel. */
export function classesOf(params: Params, name: string, x: tf.Tensor4D): tf.Tensor4D {
  const weight = param(params, `${name}.weight`),
    [classes, channels] = weight.shape as [number, number];
  const [batch, height, width] = x.shape;
  return tf.reshape(linear(rowsOf(x), tf.reshape(weight, [classes, channels]), param(params, `${name}.bias`)), [batch, height, width, classes]);
}

/** `nn.Dropout2d`: whole channels of an image. */
export interface ChannelDropout {
  readonly rate: number;
  /** Uniform numbers in [0, 1), `[B, C]`. */
  readonly uniforms: tf.Tensor;
}

export function dropChannels(x: tf.Tensor4D, dropout: ChannelDropout | undefined): tf.Tensor4D {
  if (dropout === undefined) return x;
  const [batch, , , channels] = x.shape;
  return tf.mul(x, tf.reshape(keepScale(dropout.uniforms, dropout.rate), [batch, 1, 1, channels]));
}
