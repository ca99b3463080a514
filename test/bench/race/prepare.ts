/** Weights and inputs of a case, written once and read by both sides. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { patchCount } from '../../../src/tinymim/nn/config.ts';
import { initClassifier, initEncoder, initialise, initMae } from '../../../src/tinymim/nn/init.ts';
import { maskingIndices } from '../../../src/tinymim/nn/masking.ts';
import { softTargets } from '../../../src/tinymim/nn/mixup.ts';
import { projectionSpec } from '../../../src/tinymim/distill/target.ts';
import { encoderSpec } from '../../../src/tinymim/nn/spec.ts';
import { stream } from '../../../src/engine/random/rng.ts';
import { writeSafetensors, type StoredTensor } from '../../../src/engine/formats/safetensors.ts';
import { writeWeights, type Weights } from '../../../src/engine/formats/weights.ts';
import type { StepCase } from './cases.ts';

/** Batches that are used in turn, so that a step cannot learn one by heart. */
export const BATCHES = 4;
const SEED = 0;
const LABEL_SMOOTHING = 0.1;

export interface CaseFiles {
  readonly weights: string;
  readonly inputs: string;
  readonly teacher?: string;
}

/** @param folder is made, where it does not exist */
export function prepareCase(step: StepCase, folder: string): CaseFiles {
  mkdirSync(folder, { recursive: true });
  const file = (name: string): string => join(folder, `${name}.safetensors`);
  writeWeights(file('weights'), initialWeights(step));
  writeSafetensors(file('inputs'), inputsOf(step));
  if (step.kind !== 'distill') return { weights: file('weights'), inputs: file('inputs') };
  writeWeights(file('teacher'), initEncoder(step.teacher, SEED + 1));
  return { weights: file('weights'), inputs: file('inputs'), teacher: file('teacher') };
}

function initialWeights(step: StepCase): Weights {
  switch (step.kind) {
    case 'pretrain':
      return initMae(step.model, step.decoder, SEED);
    case 'finetune':
      return initClassifier(step.model, step.classes, SEED);
    case 'distill':
      return initialise({ ...encoderSpec(step.model), ...projectionSpec(step.target, step.model, step.teacher) }, SEED);
  }
}

/** Every input is stacked: `[BATCHES, ...]`. */
function inputsOf(step: StepCase): Map<string, StoredTensor> {
  const { batch, model } = step;
  const [height, width] = model.image_size;
  const draws = stream(SEED, 'bench/inputs', 0);
  const bytes = Uint8Array.from({ length: BATCHES * batch * height * width * model.in_chans }, () => draws.integer(256));
  const images: StoredTensor = { dtype: 'U8', shape: [BATCHES, batch, height, width, model.in_chans], data: bytes };
  switch (step.kind) {
    case 'distill':
      return new Map([['images', images]]);
    case 'pretrain': {
      const patches = patchCount(model);
      const { kept, idsKeep, idsRestore, mask } = maskingIndices(draws.uniforms(BATCHES * batch * patches), patches, step.mask_ratio);
      return new Map<string, StoredTensor>([
        ['images', images],
        ['ids_keep', { dtype: 'I32', shape: [BATCHES, batch, kept], data: idsKeep }],
        ['ids_restore', { dtype: 'I32', shape: [BATCHES, batch, patches], data: idsRestore }],
        ['mask', { dtype: 'F32', shape: [BATCHES, batch, patches], data: mask }],
      ]);
    }
    case 'finetune': {
      const labels = Array.from({ length: BATCHES * batch }, () => draws.integer(step.classes));
      const targets: StoredTensor = { dtype: 'F32', shape: [BATCHES, batch, step.classes], data: softTargets(labels, step.classes, LABEL_SMOOTHING) };
      return new Map<string, StoredTensor>([
        ['images', images],
        ['targets', targets],
      ]);
    }
  }
}
