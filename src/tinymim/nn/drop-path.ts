/** Stochastic depth (timm 0.3.2): per sample, a branch is dropped with probability `rate`, else scaled by `1 / (1 - rate)`. */
import * as tf from '../../engine/tf.ts';
import { ModelError } from './errors.ts';

export interface DropPath {
  /** Rate of each block. */
  readonly rates: readonly number[];
  /** Uniform numbers in [0, 1), `[depth, 2, B]`: for the attention branch and the MLP branch of each block. */
  readonly uniforms: tf.Tensor;
}

/** Rates of TinyMIM's pre-training: the same in all blocks but the last, which has none (`models_tinymim.py`). */
export function constantRates(rate: number, depth: number): number[] {
  return Array.from({ length: depth }, (_, i) => (i === depth - 1 ? 0 : rate));
}

/** Rates of fine-tuning: from 0 in the first block to `rate` in the last (timm's `linspace`). */
export function linearRates(rate: number, depth: number): number[] {
  return Array.from({ length: depth }, (_, i) => (depth === 1 ? 0 : (rate * i) / (depth - 1)));
}

/** Factor of each sample, `floor(1 - rate + u) / (1 - rate)`: 0 or `1 / (1 - rate)`. Any shape. */
export function keepScale(uniforms: tf.Tensor, rate: number): tf.Tensor {
  return tf.div(tf.floor(tf.add(uniforms, 1 - rate)), 1 - rate);
}

/** Factors of the two branches of a block, `[B * N, 1]` each, or undefined where nothing is dropped. */
export interface BlockScales {
  readonly attention: tf.Tensor;
  readonly mlp: tf.Tensor;
}

/** @returns one entry per block, `undefined` at rate 0 */
export function blockScales(dropPath: DropPath, batch: number, tokens: number): (BlockScales | undefined)[] {
  return dropPath.rates.map((_, i) => blockScale(dropPath, i + 1, batch, tokens));
}

/** @param block counted from 1 @returns `undefined` at rate 0 */
export function blockScale({ rates, uniforms }: DropPath, block: number, batch: number, tokens: number): BlockScales | undefined {
  if (!tf.util.arraysEqual(uniforms.shape, [rates.length, 2, batch])) {
    throw new ModelError('INPUT', `Expected drop-path uniforms [${rates.length}, 2, ${batch}] (blocks, branches, samples), got [${uniforms.shape.join(', ')}].`);
  }
  const rate = rates[block - 1]!;
  if (rate === 0) return undefined;
  const drawn = tf.reshape(tf.slice(uniforms, [block - 1, 0, 0], [1, 2, batch]), [2, batch, 1]);
  const perToken = tf.reshape(tf.tile(keepScale(drawn, rate), [1, 1, tokens]), [2, batch * tokens, 1]);
  const [attention, mlp] = tf.unstack(perToken);
  return { attention: attention!, mlp: mlp! };
}
