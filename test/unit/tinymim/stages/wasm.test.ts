/** Stages on the engine without native code: what they record of it, and which checkpoints they take. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { superviseRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { runSupervise } from '../../../../src/tinymim/stages/supervise.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { targetSpread } from '../../../../src/tinymim/stages/target-spread.ts';
import * as tf from '../../../../src/engine/tf.ts';
import study from '../../../../src/tinymim/study.ts';
import { profile } from '../../../../src/tinymim/profile.ts';
import mini from '../../../grid/profiles/mini.ts';
import { curveOf, runStage, StageInFolder } from '../../../helpers/run-stage.ts';

let folder: string;
beforeAll(() => {
  process.env['ENGINE'] = 'wasm';
  folder = mkdtempSync(join(tmpdir(), 'wasm-stages-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const recipe = superviseRecipe.parse({
  data: { name: 'procedural', classes: 4, image_size: [8, 8], channels: 1, train: 64, validation: 8, test: 8, seed: 1 },
  images: null,
  model: { image_size: [8, 8], patch_size: 4, in_chans: 1, mlp_ratio: 2, embed_dim: 8, depth: 1, num_heads: 2 },
  drop_path: 0,
  label_smoothing: 0,
  schedule: { epochs: 1, warmup_epochs: 0, batch_size: 16, accumulation_steps: 1, base_lr: 0.02, min_lr: 0 },
  optimizer: { weight_decay: 0, betas: [0.9, 0.95] },
  augment: { crop: null, flip: true },
  engine: {},
});

const deit = {
  ...recipe,
  init: 'trunc_normal' as const,
  pos_embed: 'learned' as const,
  model: { ...recipe.model, pool: 'class_token' as const },
  optimizer: { ...recipe.optimizer, ema_decay: 0.7 },
};

const HERE = { engine: 'wasm', library: tf.version_core, device: 'cpu', mode: 'eager', precision: 'float32' };

/** Stopped after its first step, its checkpoint rewritten as if other engines had written it. */
async function interrupted(fields: Readonly<Record<string, string>> = {}) {
  const stage = new StageInFolder(folder, recipe);
  await stage.interruptAt(runSupervise, 1);
  const file = join(stage.latest!.dir, 'progress.json');
  const progress = JSON.parse(readFileSync(file, 'utf8')) as { engine: Record<string, string> };
  writeFileSync(file, JSON.stringify({ ...progress, engine: { ...progress.engine, ...fields } }));
  return { stage, before: progress.engine };
}

describe('the spread of targets over images', () => {
  it('is computed there as well: by hand sqrt(0.5) for two opposite entries beside two equal ones', async () => {
    await loadEngine({ device: 'cpu', threads: 1 });
    const token = tf.tensor2d([1, 1, 1, -1], [2, 2]);
    expect(targetSpread({ family: 'class-token', loss: 'mse', temperature: 1, final_norm: false }, { class_token: token }, recipe.engine)).toBeCloseTo(Math.SQRT1_2, 6);
    const kl = targetSpread({ family: 'class-token', loss: 'kl', temperature: 1, final_norm: false }, { class_token: token }, recipe.engine);
    const p = 1 / (1 + Math.exp(-2)); // softmax of (1, -1); that of (1, 1) is (1/2, 1/2)
    expect(kl).toBeCloseTo(Math.sqrt((p - 0.5) ** 2 / (p ** 2 + (1 - p) ** 2 + 0.5)), 6);
    token.dispose();
  });
});

describe('a stage of the mode graph', () => {
  it('says and records that it ran op by op on WebAssembly', async () => {
    expect(recipe.engine.mode).toBe('graph');
    const { facts, log } = await runStage(runSupervise, recipe, { folder });
    expect(facts['engine']).toMatchObject({ name: 'wasm', libraryVersion: tf.version_core, mode: 'eager', precision: 'float32' });
    expect(log[0]).toMatch(/^Engine: wasm .* with 1 thread .*, mode eager \(graph needs native TensorFlow\), float32\.$/);
  });

  it.each([
    ['as MAE starts and pools', recipe],
    ['as DeiT, with an average of the weights', deit],
  ])('has the same bytes after an interruption, %s', async (_, of) => {
    const whole = await runStage(runSupervise, of, { folder });
    const resumed = await runStage(runSupervise, of, { folder, interruptAt: 2 });
    expect(resumed.result).toEqual(whole.result);
    expect(resumed.weights).toEqual(whole.weights);
    expect(curveOf(resumed).at(-1)).toEqual(curveOf(whole).at(-1));
  });

  it('goes on from its own checkpoint, which names the engine', async () => {
    const { stage, before } = await interrupted();
    expect(before).toEqual({ ...HERE, cpu: expect.any(String) as string });
    await runSupervise(stage.context());
    expect(stage.facts).not.toHaveProperty('engine_changed');
  });

  const native = { engine: 'tensorflow', library: '2.21.0', mode: 'graph' };

  it('refuses the checkpoint of native TensorFlow', async () => {
    const { stage } = await interrupted(native);
    await expect(runSupervise(stage.context())).rejects.toMatchObject({ code: 'CHECKPOINT_ENGINE', message: expect.stringContaining('engine tensorflow, now wasm') as string });
  });

  it('continues it where that is allowed, which its provenance says', async () => {
    const { stage } = await interrupted(native);
    await runSupervise(stage.context({ acceptEngineChange: true }));
    expect(stage.facts['engine_changed']).toBe(true);
  });
});

describe.each(['bfloat16', 'tf32'] as const)('%s', precision => {
  it('is refused before anything is trained', async () => {
    const stage = new StageInFolder(folder, { ...recipe, engine: { mode: 'graph' as const, precision } });
    await expect(runSupervise(stage.context())).rejects.toMatchObject({ name: 'PermanentError', code: 'ENGINE_PRECISION', message: expect.stringContaining('ENGINE=native') as string });
    expect(stage.records).toEqual([]);
  });

  it('is refused in planning', () => {
    const parsed = profile.parse({ ...mini, engine: { mode: 'graph', precision } });
    expect(study.notRunnable!(parsed)).toContain(`got ${precision}`);
    expect(study.notRunnable!(profile.parse(mini))).toBeUndefined();
  });
});
