/**
 * What `ablate export` writes and prints, taken as it is by timm in a virtual environment: strictly, with equal blocks and logits. Where pip
 * reaches timm and PyTorch. Values of it that always run: test/parity/timm.test.ts.
 * @module-tag long
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../src/engine/formats/safetensors.ts';
import { readWeights } from '../../src/engine/formats/weights.ts';
import { stream } from '../../src/engine/random/rng.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { fromDialect } from '../../src/tinymim/nn/foreign-names.ts';
import { vitRecipe } from '../../src/tinymim/stages/recipes.ts';
import { startEngine } from '../helpers/parity/fixtures.ts';
import { findTimm, timmValues } from '../helpers/timm/python.ts';
import { expectAsTimm } from '../helpers/timm/ours.ts';
import { command } from '../toy/commands.ts';

const EXPERIMENTS = fileURLToPath(new URL('experiments', import.meta.url));
let folder: string;
let timm: Awaited<ReturnType<typeof findTimm>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ablate-timm-'));
  timm = await findTimm(line => {
    console.error(line);
  });
  if ('missing' in timm) return;
  await startEngine();
  const arms = 'tiny,factors/chain,factors/class-token-mse';
  const { exitCode, all } = await command(['sweep', '--experiments', EXPERIMENTS, '--profile', 'grid', '--only', arms, '--store', 'store', '--no-report', '--devices', 'cpu:2x1'], { cwd: folder });
  expect(exitCode, all).toBe(0);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('timm takes', () => {
  it.for([
    ['a classifier from scratch', 'tiny/scratch', 'supervise'],
    ['a fine-tuned MAE', 'tiny/mae', 'finetune'],
    ['a fine-tuned student', 'tiny/relation', 'finetune'],
    ['a student of relations, whose last block has more heads', 'tiny/relation', 'distill'],
    ['a student of the class token', 'factors/class-token-mse', 'distill'],
    ['a teacher in the middle', 'factors/chain', 'teacher-2'],
    ['the MAE that they begin with', 'tiny/relation', 'teacher'],
  ] as const)('%s', async ([, arm, role], context) => {
    if ('missing' in timm) return context.skip(timm.missing);
    const own = mkdtempSync(join(folder, 'case-'));
    const { exitCode, stdout, stderr } = await command(
      ['export', arm, '--role', role, '--to', 'timm', '--out', join(own, 'model.safetensors'), '--experiments', EXPERIMENTS, '--profile', 'grid', '--store', 'store'],
      { cwd: folder },
    );
    expect(exitCode, stderr).toBe(0);
    const { stage } = readSafetensors(join(own, 'model.safetensors')).metadata;
    const store = openStoreReadOnly(join(folder, 'store'));
    const config = vitRecipe.parse(store.stage(stage!)!.recipe['model']);
    const shape = [4, config.in_chans, ...config.image_size];
    const images = { shape, data: stream(5, 'images', 0).normals(shape.reduce((a, b) => a * b)) };
    const values = await timmValues(timm, { folder: own, code: stdout, file: join(own, 'model.safetensors'), images });
    const trained = readWeights(join(store.output(stage!)!, 'model.safetensors'));
    const exported = fromDialect(readWeights(join(own, 'model.safetensors')), 'timm').weights;
    for (const [name, tensor] of Object.entries(exported)) expect(tensor, name).toEqual(trained[name]);
    expectAsTimm(exported, config, values);
  });
});
