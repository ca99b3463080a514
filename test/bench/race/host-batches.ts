/** The batches of `prepare.ts` as the stages have them: bytes of images, and what was drawn for a step. */
import type { HostInputs } from '../../../src/tinymim/stages/train-step.ts';
import { readSafetensors, type StoredTensor } from '../../../src/engine/formats/safetensors.ts';
import type { StepCase } from './cases.ts';
import { BATCHES } from './prepare.ts';

export interface HostBatch {
  /** `[B, H, W, C]` */
  readonly images: Uint8Array;
  readonly others: HostInputs;
}

export function hostBatches({ inputs }: Pick<StepCase, 'inputs'>, file: string): HostBatch[] {
  const { tensors } = readSafetensors(file);
  const stacked = (name: string): StoredTensor => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`Expected '${name}' in ${file}, got ${[...tensors.keys()].join(', ')}.`);
    return tensor;
  };
  return Array.from({ length: BATCHES }, (_, index) => ({
    images: part(stacked('images'), index).data as Uint8Array,
    others: Object.fromEntries(
      inputs.map(name => {
        const { data, shape } = part(stacked(name), index);
        return [name, { data: data as Float32Array | Int32Array, shape }];
      }),
    ),
  }));
}

function part({ data, shape }: StoredTensor, index: number): Pick<StoredTensor, 'data' | 'shape'> {
  const size = data.length / BATCHES;
  return { data: data.slice(index * size, (index + 1) * size), shape: shape.slice(1) };
}
