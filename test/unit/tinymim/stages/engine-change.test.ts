/** A training that goes on elsewhere: refused, or allowed and recorded. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineChanges, engineRecord, type EngineRecord } from '../../../../src/tinymim/stages/engine-record.ts';
import { superviseRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { runSupervise } from '../../../../src/tinymim/stages/supervise.ts';
import { StageInFolder } from '../../../helpers/run-stage.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'engine-change-'));
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
  engine: { mode: 'eager' },
});

/** A stage that was stopped after its first step, on an engine that differs in some fields. */
async function interrupted(fields: Readonly<Record<string, string>> = {}) {
  const stage = new StageInFolder(folder, recipe);
  await stage.interruptAt(runSupervise, 1);
  const file = join(stage.latest!.dir, 'progress.json');
  const progress = JSON.parse(readFileSync(file, 'utf8')) as { engine: Record<string, string> };
  writeFileSync(file, JSON.stringify({ ...progress, engine: { ...progress.engine, ...fields } }));
  return { stage, before: progress.engine };
}

const resume = (stage: StageInFolder<typeof recipe>, acceptEngineChange = false) => runSupervise(stage.context({ acceptEngineChange }));

const gpu = { card: 'NVIDIA A10', driver: '570.86.15', cuda: '12.9.79', cublas: '12.9.3.13', cudnn: '9.28.0.42', computeCapability: 8.6 };
const onGpu = (changes: Partial<typeof gpu> = {}): EngineRecord =>
  engineRecord(
    { name: 'tensorflow', libraryVersion: '2.21.0', tfjsVersion: '4.22.0', device: 'gpu', threads: 1, cpu: 'A', why: '', gpu: { ...gpu, ...changes } },
    { mode: 'eager', precision: 'float32' },
  );

describe('the record of a GPU', () => {
  it('names card, driver and libraries, and a change of each of them', () => {
    expect(onGpu()).toMatchObject({ device: 'gpu', card: 'NVIDIA A10', driver: '570.86.15', cuda: '12.9.79', cublas: '12.9.3.13', cudnn: '9.28.0.42' });
    for (const name of ['card', 'driver', 'cuda', 'cublas', 'cudnn'] as const) {
      expect(engineChanges(onGpu({ [name]: 'another' }), onGpu())).toEqual([`${name} another, now ${gpu[name]}`]);
    }
    expect(engineChanges(onGpu(), onGpu())).toEqual([]);
  });

  it('of a CPU has none of these, and one that goes on elsewhere says all of them', () => {
    const onCpu = engineRecord({ name: 'tensorflow', libraryVersion: '2.21.0', tfjsVersion: '4.22.0', device: 'cpu', threads: 1, cpu: 'A', why: '' }, { mode: 'eager', precision: 'float32' });
    expect(Object.keys(onCpu)).toEqual(['engine', 'library', 'device', 'mode', 'precision', 'cpu']);
    expect(engineChanges(onCpu, onGpu()).slice(0, 2)).toEqual(['device cpu, now gpu', 'card unknown, now NVIDIA A10']);
    expect(engineChanges(onGpu(), onCpu)).toEqual(['device gpu, now cpu']);
  });
});

describe('a checkpoint', () => {
  it('records what its numbers depend on', async () => {
    const { before } = await interrupted();
    expect(before).toEqual({ engine: 'tensorflow', library: expect.stringMatching(/^\d+\.\d+/) as string, device: 'cpu', mode: 'eager', precision: 'float32', cpu: expect.any(String) as string });
  });

  it.each(['library', 'cpu', 'engine', 'mode', 'precision'])('of another %s is refused, and nothing is trained', async field => {
    const { stage, before } = await interrupted({ [field]: 'another' });
    await expect(resume(stage)).rejects.toMatchObject({ code: 'CHECKPOINT_ENGINE', message: expect.stringContaining(`${field} another, now ${before[field]}`) as string });
    expect(stage.records.at(-1)!.step).toBe(1);
  });

  it('of another engine is continued where that is allowed, which stands in the log and the provenance', async () => {
    const { stage } = await interrupted({ library: '2.9.1' });
    await resume(stage, true);
    expect(stage.facts['engine_changed']).toBe(true);
    expect(stage.log.join('\n')).toMatch(/Warning: on another engine than before, as allowed: library 2\.9\.1, now/);
  });

  it('is remembered to mix engines when it is continued once more', async () => {
    const { stage } = await interrupted({ library: '2.9.1' });
    await stage.interruptAt(context => runSupervise({ ...context, execution: { ...context.execution, acceptEngineChange: true } }), 2);
    Reflect.deleteProperty(stage.facts, 'engine_changed');
    await resume(stage);
    expect(stage.facts['engine_changed']).toBe(true);
  });

  it('of the same engine leaves no such mark', async () => {
    const { stage } = await interrupted();
    await resume(stage);
    expect(stage.facts).not.toHaveProperty('engine_changed');
  });
});
