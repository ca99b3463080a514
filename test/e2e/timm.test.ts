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
import { classifierVitRecipe } from '../../src/tinymim/stages/recipes.ts';
import { startEngine } from '../helpers/parity/fixtures.ts';
import { findTimm, timmValues, type Timm } from '../helpers/timm/python.ts';
import { expectAsTimm } from '../helpers/timm/ours.ts';
import { TINY_MAE, TINY_MAE_SIZE } from '../helpers/tiny-mae.ts';
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
  await ablate('sweep', ...STUDY, '--only', 'tiny,factors/chain,factors/class-token-mse', '--no-report', '--devices', 'cpu:2x1');
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const STUDY = ['--experiments', EXPERIMENTS, '--profile', 'grid', '--store', 'store'];

let env: Record<string, string> = {};

async function ablate(...args: string[]): Promise<string> {
  const { exitCode, stdout, all } = await command(args, { cwd: folder, env });
  expect(exitCode, all).toBe(0);
  return stdout;
}

/** That timm loads what is exported, as printed, and computes with it what we do. */
async function expectTaken(taker: Timm, ...stage: string[]): Promise<void> {
  const own = mkdtempSync(join(folder, 'case-')),
    file = join(own, 'model.safetensors');
  const code = await ablate('export', ...stage, '--to', 'timm', '--out', file, ...STUDY);
  const { stage: key } = readSafetensors(file).metadata;
  const store = openStoreReadOnly(join(folder, 'store'));
  const config = classifierVitRecipe.parse(store.stage(key!)!.recipe['model']);
  const shape = [4, config.in_chans, ...config.image_size];
  const images = { shape, data: stream(5, 'images', 0).normals(shape.reduce((a, b) => a * b)) };
  const values = await timmValues(taker, { folder: own, code, file, images });
  const trained = readWeights(join(store.output(key!)!, 'model.safetensors'));
  const exported = fromDialect(readWeights(file), 'timm').weights;
  for (const [name, tensor] of Object.entries(exported)) expect(tensor, name).toEqual(trained[name]);
  expectAsTimm(exported, config, values);
}

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
    await expectTaken(timm, arm, '--role', role);
  });

  it("a student whose teacher is a file of PyTorch with MAE's names, before and after fine-tuning", async context => {
    if ('missing' in timm) return context.skip(timm.missing);
    // What is imported must not stay in the cache of this machine, beside its engine: so with another, which needs no set-up.
    env = { TINYMIM_CACHE: join(folder, 'cache'), ENGINE: 'wasm' };
    await ablate('import', TINY_MAE, '--as', 'mae-tiny');
    const taught = ['--only', 'tiny/relation', '--set', TINY_MAE_SIZE, '--set', 'teachers.L={"checkpoint":"mae-tiny"}'];
    await ablate('sweep', ...STUDY, ...taught, '--no-report', '--devices', 'cpu:1x1');
    for (const role of ['distill', 'finetune']) await expectTaken(timm, 'tiny/relation', '--role', role, ...taught.slice(2));
  });
});
