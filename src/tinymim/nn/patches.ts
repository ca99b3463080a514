/** Images as rows of patch values; patches are in row-major order. */
import * as tf from '../../engine/tf.ts';
import type { ViTConfig } from './config.ts';
import { patchDim, patchGrid } from './config.ts';
import { ModelError } from './errors.ts';

/**
 * Order of the values within a patch: the weight of the patch projection has the channel first (`[D, C, p, p]`), MAE's
 * reconstruction target has it last (`patchify` in `models_mae.py`).
 */
export type PatchLayout = 'channel-row-column' | 'row-column-channel';

// Axes of [B, C, rows, p, columns, p].
const ORDER = { 'channel-row-column': [0, 2, 4, 1, 3, 5], 'row-column-channel': [0, 2, 4, 3, 5, 1] } as const;

/**
 * @param images `[B, C, H, W]`
 * @returns `[B * L, p * p * C]`
 */
export function patchify(images: tf.Tensor, config: ViTConfig, layout: PatchLayout): tf.Tensor2D {
  const { in_chans, patch_size, image_size } = config;
  const batch = images.shape[0] ?? 0;
  if (!tf.util.arraysEqual(images.shape, [batch, in_chans, ...image_size])) {
    throw new ModelError('INPUT', `Expected images [B, ${[in_chans, ...image_size].join(', ')}] (channels, height, width), got [${images.shape.join(', ')}].`);
  }
  const [rows, columns] = patchGrid(config);
  const split = tf.reshape(images, [batch, in_chans, rows, patch_size, columns, patch_size]);
  return tf.reshape(tf.transpose(split, [...ORDER[layout]]), [batch * rows * columns, patchDim(config)]);
}
