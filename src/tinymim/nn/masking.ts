/** MAE's random masking (`random_masking` in `models_mae.py`), from given noise and outside the engine. */
import { ModelError } from './errors.ts';

export interface MaskingIndices {
  readonly batch: number;
  /** Patches L. */
  readonly patches: number;
  /** Visible patches K = floor(L * (1 - mask ratio)). */
  readonly kept: number;
  /** `[B, K]` visible patches, in shuffled order: the order of the encoder's tokens. */
  readonly idsKeep: Int32Array;
  /** `[B, L]` place of each patch in the shuffled order; K and above are removed. */
  readonly idsRestore: Int32Array;
  /** `[B, L]` 1 = removed, 0 = visible. */
  readonly mask: Float32Array;
}

/** Number of visible patches. */
export function keptPatches(patches: number, maskRatio: number): number {
  return Math.floor(patches * (1 - maskRatio));
}

/**
 * Patches with the smallest noise stay visible, in the order of their noise.
 * @param noise `[B, L]`
 */
export function maskingIndices(noise: Float32Array, patches: number, maskRatio: number): MaskingIndices {
  const batch = noise.length / patches;
  const kept = keptPatches(patches, maskRatio);
  if (!Number.isInteger(batch)) throw new ModelError('INPUT', `Expected noise for whole images of ${patches} patches, got ${noise.length} values.`);
  if (kept < 1 || kept >= patches) throw new ModelError('INPUT', `Expected a mask ratio that leaves 1 to ${patches - 1} of ${patches} patches visible, got ${maskRatio}, which leaves ${kept}.`);
  const idsKeep = new Int32Array(batch * kept);
  const idsRestore = new Int32Array(batch * patches);
  const mask = new Float32Array(batch * patches);
  for (let sample = 0; sample < batch; sample++) {
    const start = sample * patches;
    const shuffled = argsort(noise.subarray(start, start + patches));
    shuffled.forEach((patch, place) => {
      idsRestore[start + patch] = place;
      mask[start + patch] = place < kept ? 0 : 1;
    });
    idsKeep.set(shuffled.subarray(0, kept), sample * kept);
  }
  return { batch, patches, kept, idsKeep, idsRestore, mask };
}

/** Indices that sort the values in ascending order; equal values keep their order. */
function argsort(values: Float32Array): Int32Array {
  return Int32Array.from(values, (_, i) => i).sort((a, b) => values[a]! - values[b]! || a - b);
}
