/**
 * Relative position bias of the attention (BEiT): what is added to the similarity of two tokens depends on how far apart their patches are, and
 * is learned for each head. Source: OliverRensu/TinyMIM, Segmentation/TinyMIMstar-T/backbone/mae.py, after microsoft/unilm, beit.
 */
import type { Params } from '../../engine/formats/weights.ts';
import * as tf from '../../engine/tf.ts';
import { relativePositions, type Grid } from './config.ts';
import { param } from './params.ts';
import { gatherRows } from './vit.ts';

/** Row of the table for each pair of tokens, `[N, N]` row-major, N = 1 + patches. */
function relativeIndex([rows, columns]: Grid): Int32Array {
  const tokens = 1 + rows * columns,
    last = relativePositions([rows, columns]) - 1;
  const index = new Int32Array(tokens ** 2);
  for (let to = 0; to < tokens; to++) {
    for (let from = 0; from < tokens; from++) index[to * tokens + from] = to === 0 ? (from === 0 ? last : last - 2) : from === 0 ? last - 1 : distance(to - 1, from - 1, [rows, columns]);
  }
  return index;
}

function distance(a: number, b: number, [rows, columns]: Grid): number {
  const down = Math.floor(a / columns) - Math.floor(b / columns) + rows - 1,
    right = (a % columns) - (b % columns) + columns - 1;
  return down * (2 * columns - 1) + right;
}

/** Biases of the blocks, from the parameters `<prefix>.attn.relative_position_bias_table`, `[positions, H]`. @returns `[1, H, N, N]` */
export function relativeBias(params: Params, grid: Grid): (prefix: string) => tf.Tensor4D {
  const tokens = 1 + grid[0] * grid[1],
    index = tf.tensor1d(relativeIndex(grid), 'int32');
  return prefix => {
    const table = param(params, `${prefix}.attn.relative_position_bias_table`) as tf.Tensor2D;
    const biases = tf.reshape(gatherRows(table, index), [1, tokens, tokens, table.shape[1]]);
    return tf.transpose<tf.Tensor4D>(biases as tf.Tensor4D, [0, 3, 1, 2]);
  };
}
