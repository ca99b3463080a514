import * as tf from '../../src/engine/tf.ts';
import type { MaskTensors } from '../../src/tinymim/nn/mae.ts';
import type { MaskingIndices } from '../../src/tinymim/nn/masking.ts';

/** Uploads what was drawn, as a step of training does with its inputs. */
export function maskTensors({ batch, patches, kept, idsKeep, idsRestore, mask }: MaskingIndices): MaskTensors {
  return {
    ids_keep: tf.tensor2d(idsKeep, [batch, kept], 'int32'),
    ids_restore: tf.tensor2d(idsRestore, [batch, patches], 'int32'),
    mask: tf.tensor2d(mask, [batch, patches]),
  };
}
