import * as tf from '../../engine/tf.ts';
import { gatherRows, rowOffsets } from './vit.ts';

/**
 * The class token and the given patches of every sample, in the given order: what is left of tokens that a masked network
 * does not see.
 * @param x `[B, N, D]`, or `[B, H, N, D / H]` by heads; class token first
 * @param patches `[B, K]` int32
 * @returns like x, with 1 + K tokens
 */
export function gatherTokens(x: tf.Tensor, patches: tf.Tensor2D): tf.Tensor {
  const [batch, kept] = patches.shape;
  const tokens = x.shape.at(-2)!,
    dim = x.shape.at(-1)!;
  const groups = x.size / (batch * tokens * dim);
  const places = tf.pad(tf.add(patches, tf.scalar(1, 'int32')), [
    [0, 0],
    [1, 0],
  ]); // the class token is in place 0
  const starts = tf.reshape(rowOffsets(batch * groups, tokens), [batch, groups, 1]);
  const rows = tf.add(tf.reshape(places, [batch, 1, 1 + kept]), starts);
  return tf.reshape(gatherRows(tf.reshape(x, [-1, dim]), rows), [...x.shape.slice(0, -2), 1 + kept, dim]);
}
