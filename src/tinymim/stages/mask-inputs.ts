/** MAE's random masks as inputs of a step: drawn on the host, so that they are a function of the seed. */
import { maskingIndices } from '../nn/masking.ts';
import type { HostInputs } from './train-step.ts';

/**
 * `MaskTensors` for a batch.
 * @param noise `[B, L]`; the patches with the smallest stay visible
 */
export function maskInputs(noise: Float32Array, patches: number, maskRatio: number): HostInputs {
  const { batch, kept, idsKeep, idsRestore, mask } = maskingIndices(noise, patches, maskRatio);
  return {
    ids_keep: { data: idsKeep, shape: [batch, kept] },
    ids_restore: { data: idsRestore, shape: [batch, patches] },
    mask: { data: mask, shape: [batch, patches] },
  };
}
