/** A training that goes on elsewhere: refused, or allowed and recorded. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
