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

/** Whether a mask leaves patches to see and removes some. */
export function leavesSome(patches: number, maskRatio: number): boolean {
  const kept = keptPatches(patches, maskRatio);
  return kept >= 1 && kept < patches;
}

/**
 * Patches with the smallest noise stay visible, in the order of their noise.
 * @param noise `[B, L]`
 */
export function maskingIndices(noise: Float32Array, patches: number, maskRatio: number): MaskingIndices {
  const batch = noise.length / patches;
  const kept = keptPatches(patches, maskRatio);
  if (!Number.isInteger(batch)) throw new ModelError('INPUT', `Expected noise for whole images of ${patches} patches, got ${noise.length} values.`);
  if (!leavesSome(patches, maskRatio)) throw new ModelError('INPUT', `Expected a mask ratio that leaves 1 to ${patches - 1} of ${patches} patches visible, got ${maskRatio}, which leaves ${kept}.`);
  const idsKeep = new Int32Array(batch * kept);
  const idsRestore = new Int32Array(batch * patches);
  const mask = new Float32Array(batch * patches);
  const keys = new Float64Array(patches),
    shuffled = new Int32Array(patches);
  for (let sample = 0; sample < batch; sample++) {
    const start = sample * patches;
    argsort(noise.subarray(start, start + patches), keys, shuffled);
    for (let place = 0; place < patches; place++) {
      const patch = start + shuffled[place]!;
      idsRestore[patch] = place;
      mask[patch] = place < kept ? 0 : 1;
    }
    idsKeep.set(shuffled.subarray(0, kept), sample * kept);
  }
  return { batch, patches, kept, idsKeep, idsRestore, mask };
}

/**
 * Fills `order` with the indices that sort the values in ascending order; equal values keep their order. Each value becomes the
 * upper bits of a double in the same order, with its index in the lower ones: a sort with a function that compares takes thrice the time.
 */
function argsort(values: Float32Array, keys: Float64Array, order: Int32Array): void {
  const { length } = values,
    bits = new Uint32Array(values.buffer, values.byteOffset, length),
    words = new Uint32Array(keys.buffer);
  for (let i = 0; i < length; i++) {
    const b = values[i] === 0 ? 0 : bits[i]!; // -0 is 0
    const rank = b >= 2 ** 31 ? ~b : b | (2 ** 31);
    words[2 * i + HIGH] = rank >>> 1; // the highest bit would be the sign
    words[2 * i + 1 - HIGH] = (rank << 31) | i;
  }
  keys.sort();
  for (let i = 0; i < length; i++) order[i] = words[2 * i + 1 - HIGH]! & (2 ** 31 - 1);
}

/** Place of the upper half of a double among its words. */
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0]!;
