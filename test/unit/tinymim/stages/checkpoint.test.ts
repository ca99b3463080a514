/** The stage that takes over an imported encoder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { PermanentError } from '../../../../src/core/ablation/errors.ts';
import { importCheckpoint } from '../../../../src/tinymim/checkpoints/import.ts';
import { encoderFile } from '../../../../src/tinymim/checkpoints/imported.ts';
import { interpolatePosEmbed } from '../../../../src/tinymim/nn/pos-embed.ts';
import { runCheckpoint } from '../../../../src/tinymim/stages/checkpoint.ts';
import type { CheckpointRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { runStage } from '../../../helpers/run-stage.ts';
import { encoderOf, tinyMae, TINY_MAE, TINY_MAE_SHA256 } from '../../../helpers/tiny-mae.ts';

const folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** A folder of data in which the small MAE is imported. */
async function dataWithTeacher(): Promise<string> {
  const dataDir = mkdtempSync(join(folder, 'data-')),
    scratch = join(dataDir, 'scratch');
  mkdirSync(scratch);
  await importCheckpoint(TINY_MAE, { dataDir, scratch });
  return dataDir;
}

const recipe = (change: Partial<CheckpointRecipe['model']> = {}, sha256: CheckpointRecipe['sha256'] = TINY_MAE_SHA256): CheckpointRecipe => ({
  model: { image_size: [24, 24], patch_size: 4, in_chans: 3, embed_dim: 16, depth: 4, num_heads: 2, mlp_ratio: 2, ...change },
  sha256,
});

const encoder = encoderOf(tinyMae());

test('leaves the encoder as it was imported', async () => {
  const { weights, result, log } = await runStage(runCheckpoint, recipe(), { folder: await dataWithTeacher() });
  expect(weights).toEqual(encoder);
  expect(result).toEqual({ parameters: Object.values(encoder).reduce((sum, { data }) => sum + data.length, 0) });
  expect(log).toEqual([]);
});

test.each([
  ['fewer', [16, 16], 'from 6 x 6 to 4 x 4'],
  ['more, and no square', [32, 24], 'from 6 x 6 to 8 x 6'],
  ['the same number in another form', [16, 36], undefined],
] as const)('resizes positions to those of the model, and says so: %s', async (_, size, text) => {
  const { weights, log } = await runStage(runCheckpoint, recipe({ image_size: [...size] }), { folder: await dataWithTeacher() });
  const grid = [size[0] / 4, size[1] / 4] as const;
  const data = text === undefined ? encoder['pos_embed']!.data : interpolatePosEmbed(encoder['pos_embed']!.data, 16, [6, 6], grid);
  expect(weights).toEqual({ ...encoder, pos_embed: { shape: [1, 1 + grid[0] * grid[1], 16], data } });
  expect(log).toEqual(text === undefined ? [] : [`Positions of the checkpoint are interpolated ${text}.`]);
});

test('fails for good where the encoder is not there, is damaged, or is not of the model', async () => {
  const failure = async (wanted: CheckpointRecipe, dataDir: string): Promise<unknown> => runStage(runCheckpoint, wanted, { folder: dataDir }).catch((error: unknown) => error);
  const dataDir = await dataWithTeacher();
  for (const [wanted, message] of [
    [recipe({}, { not_imported: 'mae-tiny' }), /got only its name, mae-tiny\. Import it/],
    [recipe({}, 'f'.repeat(64)), /Expected the encoder with the SHA-256 f{64} in .*, got none/],
    [recipe({ depth: 5 }), /Expected "blocks\.4\.norm1\.weight" of the checkpoint to have the shape \[16\] of the model, got none/],
    [recipe({ mlp_ratio: 4 }), /Expected "blocks\.0\.mlp\.fc1\.weight" .* \[64, 16\] of the model, got \[32, 16\]/],
  ] as const) {
    const error = await failure(wanted, dataDir);
    expect(error).toBeInstanceOf(PermanentError);
    expect((error as Error).message).toMatch(message);
  }
  writeFileSync(encoderFile(dataDir, TINY_MAE_SHA256), 'damaged');
  const error = await failure(recipe(), dataDir);
  expect(error).toBeInstanceOf(PermanentError);
  expect((error as Error).message).toMatch(/to have the SHA-256 of its name, got [0-9a-f]{64}\. Remove it and import/);
});
