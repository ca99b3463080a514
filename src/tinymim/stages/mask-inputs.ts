/** MAE's random masks as inputs of a step: drawn on the host, so that they are a function of the seed. */
import { maskingIndices } from '../nn/masking.ts';
import type { HostInputs } from './train-step.ts';

/**
 * `MaskTensors` for a batch.
 * @param noise `[B, L]`; the patches with the smallest stay visible
 */
export function maskInputs(noise: Float32Array, patches: number, maskRatio: number): HostInputs {
  const { batch, kept, idsKeep, idsRestore, mask } = maskingIndices(noise, patches, maskRatio);
  // Places of up to 256 patches are bytes: beside small images they would weigh as much as those.
  const places = (ids: Int32Array): Int32Array | Uint8Array => (patches <= 256 ? new Uint8Array(ids) : ids);
  return {
    ids_keep: { data: places(idsKeep), shape: [batch, kept] },
    ids_restore: { data: places(idsRestore), shape: [batch, patches] },
    mask: { data: new Uint8Array(mask), shape: [batch, patches] },
  };
}
