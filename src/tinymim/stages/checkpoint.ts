/** The kind `checkpoint`: the encoder in a file becomes the output of a stage, so that students and classifiers start from it as from any other. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PermanentError } from '../../core/ablation/errors.ts';
import type { StageRunner } from '../../core/ablation/kind.ts';
import { writeSafetensors } from '../../engine/formats/safetensors.ts';
import { encoderFile } from '../checkpoints/imported.ts';
import { positionsText, withPositions } from '../checkpoints/positions.ts';
import { fileHash, readEncoder, withEncoder } from '../checkpoints/read.ts';
import { encoderSpec } from '../nn/spec.ts';
import { encoderParameters } from './parameters.ts';
import type { CheckpointRecipe, VitRecipe } from './recipes.ts';
import { WEIGHTS } from './stage-io.ts';

export const runCheckpoint: StageRunner<CheckpointRecipe> = async context => {
  const { model, sha256 } = context.recipe;
  context.progress({ phase: 'load', step: 0, steps: 0 });
  if (typeof sha256 !== 'string') throw new PermanentError('NOT_IMPORTED', `Expected an imported checkpoint, got only its name, ${sha256.not_imported}. Import it (ablate import) and sweep again.`);
  const { dataDir, inputFile } = context.execution;
  if (inputFile !== undefined) expectEncoder(inputFile, sha256);
  const file = inputFile ?? (await importedEncoder(dataDir, sha256));
  copyEncoder(file, join(context.output, WEIGHTS), model, line => {
    context.log(line);
  });
  return { parameters: encoderParameters(model) };
};

async function importedEncoder(dataDir: string, sha256: string): Promise<string> {
  const file = encoderFile(dataDir, sha256);
  if (!existsSync(file)) throw new PermanentError('NOT_IMPORTED', `Expected the encoder with the SHA-256 ${sha256} in ${file}, got none. Import it there (ablate import).`);
  const found = await fileHash(file);
  if (found !== sha256) throw new PermanentError('CHECKPOINT_DAMAGED', `Expected ${file} to have the SHA-256 of its name, got ${found}. Remove it and import the checkpoint again.`);
  return file;
}

/** A plan has looked as well, but the file may have changed since. */
function expectEncoder(file: string, sha256: string): void {
  const found = readEncoder(file).sha256;
  if (found !== sha256) throw new PermanentError('OTHER_ENCODER', `Expected ${file} to hold the encoder with the SHA-256 ${sha256}, got ${found}. Restore the file and sweep again.`);
}

/** Tensor by tensor; positions are resized where the model has others. */
function copyEncoder(from: string, to: string, model: VitRecipe, log: (line: string) => void): void {
  withEncoder(from, ({ tensors, shape: { patches } }) => {
    const text = positionsText(patches, model);
    if (text !== undefined) log(`Positions of the checkpoint ${text}.`);
    const fitting = withPositions(tensors, model);
    for (const [name, { shape }] of Object.entries(encoderSpec(model))) {
      const got = fitting.get(name)?.shape;
      if (got?.join() === shape.join()) continue;
      throw new PermanentError('CHECKPOINT_SHAPE', `Expected "${name}" of the checkpoint to have the shape [${shape.join(', ')}] of the model, got ${got ? `[${got.join(', ')}]` : 'none'}.`);
    }
    writeSafetensors(to, fitting);
  });
}
