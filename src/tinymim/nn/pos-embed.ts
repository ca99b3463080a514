/** Position tables, computed outside the engine in double precision. Row 0 is the class token; a distillation token has the next one. */
import type { HostTensor } from '../../engine/formats/weights.ts';
import type { Grid } from './config.ts';
import { ModelError } from './errors.ts';

/**
 * 2-D sine-cosine table as in MAE (`util/pos_embed.py`), for grids that need not be square. The first half of the channels
 * encodes the column, the second half the row; each half is `[sin(p w_i), cos(p w_i)]`, `w_i = 10000^(-i / (D/4))`.
 * @param before tokens that have no place in the grid
 * @returns `[before + rows * columns, D]`, the first rows zero
 */
export function sincosPosEmbed(dim: number, [rows, columns]: Grid, before = 1): Float32Array {
  if (dim % 4 !== 0) throw new ModelError('CONFIG', `Expected a width that 4 divides, got ${dim}.`);
  const table = new Float32Array((before + rows * columns) * dim);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const start = (before + row * columns + column) * dim;
      encodePosition(table, start, dim / 2, column);
      encodePosition(table, start + dim / 2, dim / 2, row);
    }
  }
  return table;
}

function encodePosition(table: Float32Array, start: number, channels: number, position: number): void {
  const frequencies = channels / 2;
  for (let i = 0; i < frequencies; i++) {
    const angle = position / 10_000 ** (i / frequencies);
    table[start + i] = Math.sin(angle);
    table[start + frequencies + i] = Math.cos(angle);
  }
}

/**
 * Resizes a position table to another grid, as MAE does for another resolution (`interpolate_pos_embed`): PyTorch's
 * bicubic, i.e. cubic convolution with a = -0.75, `align_corners=False`, no antialias, borders clamped.
 * @param table `[1 + rows * columns, D]`; its class row is kept
 * @returns `[1 + rows' * columns', D]`
 */
export function interpolatePosEmbed(table: Float32Array, dim: number, from: Grid, to: Grid): Float32Array {
  const expected = (1 + from[0] * from[1]) * dim;
  if (table.length !== expected) {
    throw new ModelError('PARAMETER_SHAPE', `Expected a position table of ${expected} values for grid ${from.join(' x ')} and width ${dim}, got ${table.length}.`);
  }
  const rowTaps = bicubicTaps(from[0], to[0]);
  const columnTaps = bicubicTaps(from[1], to[1]);
  const result = new Float32Array((1 + to[0] * to[1]) * dim);
  result.set(table.subarray(0, dim));
  const sum = new Float64Array(dim);
  rowTaps.forEach((vertical, row) =>
    columnTaps.forEach((horizontal, column) => {
      sum.fill(0);
      for (const v of vertical) {
        for (const h of horizontal) {
          const start = (1 + v.index * from[1] + h.index) * dim;
          const weight = v.weight * h.weight;
          for (let d = 0; d < dim; d++) sum[d]! += weight * table[start + d]!;
        }
      }
      result.set(sum, (1 + row * to[1] + column) * dim);
    }),
  );
  return result;
}

interface Tap {
  readonly index: number;
  readonly weight: number;
}

/** For each target position, the four source positions and their weights. */
function bicubicTaps(from: number, to: number): Tap[][] {
  return Array.from({ length: to }, (_, target) => {
    const source = (target + 0.5) * (from / to) - 0.5;
    const floor = Math.floor(source);
    return [-1, 0, 1, 2].map(offset => ({
      index: Math.min(Math.max(floor + offset, 0), from - 1),
      weight: cubicConvolution(Math.abs(source - (floor + offset))),
    }));
  });
}

/** Keys' kernel with a = -0.75, for distances 0 to 2. */
function cubicConvolution(x: number): number {
  const a = -0.75;
  return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

/**
 * The table of an encoder for the same model with a distillation token: its row, the second, is as initialised, as no pre-training has one.
 * @param initial `[1, 2 + patches, D]`
 * @param table `[1, 1 + patches, D]`
 */
export function withDistPosition(initial: HostTensor, table: HostTensor): HostTensor {
  const dim = initial.shape[2]!;
  const data = Float32Array.from(initial.data);
  data.set(table.data.subarray(0, dim));
  data.set(table.data.subarray(dim), 2 * dim);
  return { shape: initial.shape, data };
}
