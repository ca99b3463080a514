/** Position tables of a file at the size of a model. */
import { toFloat32, type TensorSource } from '../../engine/formats/safetensors.ts';
import { patchGrid, type Grid, type ViTConfig } from '../nn/config.ts';
import { interpolatePosEmbed } from '../nn/pos-embed.ts';

const TABLE = 'pos_embed';

/**
 * The grid of a table with so many places, which no file tells: that of the model where it has as many, else a square.
 * @returns undefined where it is neither
 */
export function gridOf(patches: number, model: ViTConfig): Grid | undefined {
  const [rows, columns] = patchGrid(model),
    side = Math.sqrt(patches);
  if (rows * columns === patches) return [rows, columns];
  return Number.isInteger(side) ? [side, side] : undefined;
}

/** How its places become those of the model, e.g. `are interpolated from 14 x 14 to 4 x 4`; undefined: they are the same. */
export function positionsText(patches: number, model: ViTConfig): string | undefined {
  const from = gridOf(patches, model),
    to = patchGrid(model);
  return from?.join() === to.join() ? undefined : `are interpolated from ${from?.join(' x ') ?? patches} to ${to.join(' x ')}`;
}

/** The tensors of an encoder with the position table resized (`interpolatePosEmbed`) where the model has other places. */
export function withPositions(tensors: ReadonlyMap<string, TensorSource>, model: ViTConfig): ReadonlyMap<string, TensorSource> {
  const table = tensors.get(TABLE);
  const [, places = 0, dim = 0] = table?.shape ?? [];
  const from = gridOf(places - 1, model),
    to = patchGrid(model);
  if (table === undefined || from === undefined || from.join() === to.join()) return tensors;
  const shape = [1, 1 + to[0] * to[1], dim];
  const resized: TensorSource = { dtype: 'F32', shape, read: () => ({ dtype: 'F32', shape, data: interpolatePosEmbed(toFloat32(table.read()), dim, from, to) }) };
  return new Map([...tensors, [TABLE, resized]]);
}
