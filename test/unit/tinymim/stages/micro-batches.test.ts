/** A batch in more micro-batches than its recipe says: nothing changes beyond rounding, and it is recorded. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { StageContext, StageRunner } from '../../../../src/core/ablation/kind.ts';
import { initEncoder } from '../../../../src/tinymim/nn/init.ts';
import { runDistill } from '../../../../src/tinymim/stages/distill.ts';
import { kinds, superviseKind as superviseKind } from '../../../../src/tinymim/stages/kinds.ts';
import { distillRecipe, superviseRecipe, type VitRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { runSupervise } from '../../../../src/tinymim/stages/supervise.ts';
import { slice, type HostInputs } from '../../../../src/tinymim/stages/train-step.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { curveOf, leaveUpstream, StageInFolder, type StageRun } from '../../../helpers/run-stage.ts';

vi.setConfig({ testTimeout: 120_000 }); // whole trainings, several in each test
let folder: string;
beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'micro-batches-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const image = { image_size: [8, 8] as [number, number], patch_size: 4, in_chans: 1, mlp_ratio: 2 };
const model: VitRecipe = { ...image, embed_dim: 8, depth: 2, num_heads: 2 };
const data = { name: 'procedural', classes: 4, image_size: [8, 8], channels: 1, train: 48, validation: 24, test: 8, seed: 1 };
const schedule = { epochs: 2, warmup_epochs: 0, batch_size: 16, accumulation_steps: 1, base_lr: 0.02, min_lr: 0 };
const optimizer = { weight_decay: 0.05, betas: [0.9, 0.95] };
const augment = { crop: null, flip: true };

const supervised = (mode: string) => superviseRecipe.parse({ data, images: null, model, drop_path: 0.2, label_smoothing: 0.1, schedule, optimizer, augment, engine: { mode } });
const distilled = (mode: string) =>
  distillRecipe.parse({
    data,
    images: null,
    model,
    target: { family: 'feature', feature: 'block', final_norm: false, class_token: true },
    teacher_block: 2,
    drop_path: 0.1,
    teacher_drop_path: 0.1,
    mask_ratio: 0.5,
    teacher_input: 'whole',
    student_jitter: { brightness: 0.4, contrast: 0.4 },
    reconstruction: { weight: 0.5, decoder: { embed_dim: 8, depth: 1, num_heads: 2, mlp_ratio: 2 }, norm_pix_loss: true },
    schedule,
    optimizer,
    augment,
    engine: { mode },
  });

type AnyRunner = StageRunner<object>;
const stages = (mode: string): [string, AnyRunner, () => StageInFolder][] => [
  ['supervise', runSupervise as AnyRunner, () => new StageInFolder(folder, supervised(mode))],
  ['distill', runDistill as AnyRunner, () => new StageInFolder(folder, distilled(mode), { teacher: leaveUpstream(folder, { model }, initEncoder(model, 1)) })],
];

const split = (context: StageContext<object>, microBatches: number): StageContext<object> => ({ ...context, execution: { ...context.execution, microBatches } });
const runSplit = async (runner: AnyRunner, stage: StageInFolder, microBatches: number): Promise<StageRun> => stage.run(await runner(split(stage.context(), microBatches)));

/**
 * Largest difference of two parameters. Those of key biases do not count: attention does not depend on them, so that their
 * gradients are rounding errors alone, which Adam makes steps of the usual size of.
 */
function furthest(a: StageRun, b: StageRun): number {
  return Math.max(
    ...Object.entries(a.weights).map(([name, { data: values }]) => {
      const other = b.weights[name]!.data,
        third = values.length / 3;
      const isKeyBias = (i: number): boolean => name.endsWith('attn.qkv.bias') && i >= third && i < 2 * third;
      return values.reduce((most, v, i) => (isKeyBias(i) ? most : Math.max(most, Math.abs(v - other[i]!))), 0);
    }),
  );
}

/** Every number of the curve, but for speeds. */
const numbersOf = (run: StageRun): number[] => curveOf(run).flatMap(point => Object.values(point).filter(v => v !== undefined) as number[]);

describe.each(['eager', 'graph'])('in mode %s', mode => {
  describe.each(stages(mode))('%s', (_, runner, newStage) => {
    it('comes to the same numbers but for rounding, on the same batches', { tags: mode === 'eager' ? [] : ['long'] }, async () => {
      const whole = await runSplit(runner, newStage(), 1);
      for (const microBatches of mode === 'eager' ? [2, 4] : [2]) {
        const parts = await runSplit(runner, newStage(), microBatches);
        expect(furthest(whole, parts)).toBeLessThan(1e-5);
        for (const [name, value] of Object.entries(whole.result)) expect(parts.result[name]).toBeCloseTo(value as number, 5);
        const [curve, wholeCurve] = [numbersOf(parts), numbersOf(whole)];
        expect(wholeCurve.length).toBeGreaterThan(0);
        expect(curve).toHaveLength(wholeCurve.length);
        curve.forEach((v, i) => expect(v).toBeCloseTo(wholeCurve[i]!, 5));
        expect(parts.facts['micro_batches']).toBe(microBatches);
      }
      expect(whole.facts).not.toHaveProperty('micro_batches');
    });

    it('goes on from a checkpoint of other micro-batches, and remembers the most of them', async () => {
      const whole = await runSplit(runner, newStage(), 1);
      const stage = newStage();
      await stage.interruptAt(runner, 2);
      await stage.interruptAt(context => runner(split(context, 2)), 4);
      Reflect.deleteProperty(stage.facts, 'micro_batches');
      const resumed = await runSplit(runner, stage, 1);
      expect(furthest(whole, resumed)).toBeLessThan(1e-5);
      expect(resumed.facts['micro_batches']).toBe(2);
    });
  });
});

describe('a batch that is mixed', () => {
  const strong = { ...augment, rand_augment: 'rand-m9-mstd0.5-inc1', random_erase: 0.5, repeats: 2, mixing: { mixup: 0.8, cutmix: 1, switch_prob: 0.5 } };
  const mixed = (mode: string) => superviseRecipe.parse({ ...supervised(mode), augment: strong });

  it.each(['eager', 'graph'])('is mixed as a whole, however it is divided (%s)', async mode => {
    const [whole, parts] = [await runSplit(runSupervise as AnyRunner, new StageInFolder(folder, mixed(mode)), 1), await runSplit(runSupervise as AnyRunner, new StageInFolder(folder, mixed(mode)), 4)];
    expect(furthest(whole, parts)).toBeLessThan(1e-5);
    const plain = await runSplit(runSupervise as AnyRunner, new StageInFolder(folder, supervised(mode)), 1);
    expect(furthest(whole, plain)).toBeGreaterThan(1e-3);
  });

  it('is the same after a resume, to the bit', async () => {
    const runner = runSupervise as AnyRunner;
    const [whole, stage] = [await runSplit(runner, new StageInFolder(folder, mixed('eager')), 1), new StageInFolder(folder, mixed('eager'))];
    await stage.interruptAt(runner, 2);
    expect((await runSplit(runner, stage, 1)).weights).toEqual(whole.weights);
  });

  it('is divided into pairs: an image and its counterpart stay together, with what is drawn for them', () => {
    const whole: HostInputs = {
      images: { data: Uint8Array.from({ length: 12 }, (_, i) => i), shape: [12, 1] },
      rates: { data: Float32Array.from({ length: 24 }, (_, i) => i), shape: [2, 12], batchAxis: 1 },
      box: { data: Int32Array.of(1, 2), shape: [2], batchAxis: null },
    };
    const parts = [0, 1, 2].map(index => slice(whole, index, 3, true));
    expect(parts.map(({ images }) => [...images!.data])).toEqual([
      [0, 1, 10, 11],
      [2, 3, 8, 9],
      [4, 5, 6, 7],
    ]);
    expect(parts.map(({ rates }) => [[...rates!.data], rates!.shape])[1]).toEqual([
      [2, 3, 8, 9, 14, 15, 20, 21],
      [2, 4],
    ]);
    expect(parts.every(({ box }) => box === whole['box'])).toBe(true);
    expect(() => slice(whole, 0, 4, true)).toThrow('Expected a batch that 8 parts divide, got 12');
    expect([...slice(whole, 1, 3)['images']!.data]).toEqual([4, 5, 6, 7]);
  });

  it('can be divided as long as its parts are even', () => {
    const recipe = mixed('eager');
    expect([1, 2, 4, 8, 16].map(n => superviseKind.canSplit!(recipe, n))).toEqual([true, true, true, true, false]);
  });
});

it('refuses, for good, what does not divide the batch', async () => {
  await expect(runSupervise(split(new StageInFolder(folder, supervised('eager')).context(), 3) as StageContext<ReturnType<typeof supervised>>)).rejects.toMatchObject({
    code: 'MICRO_BATCHES',
    message: expect.stringContaining('got a batch of 16 and accumulation_steps 1 times 3') as string,
  });
});

describe('canSplit', () => {
  const recipe = JSON.parse(JSON.stringify({ ...supervised('eager'), schedule: { ...schedule, accumulation_steps: 4 } })) as Parameters<NonNullable<typeof superviseKind.canSplit>>[0];

  it("of what trains says what divides the batch after the recipe's own steps", () => {
    expect([1, 2, 4, 8].map(n => superviseKind.canSplit!(recipe, n))).toEqual([true, true, true, false]);
  });

  it('is for all kinds that train, and for those alone; but not for segmentation, whose normalisation has the moments of a micro-batch', () => {
    expect(kinds.filter(kind => 'canSplit' in kind).map(kind => kind.name)).toEqual(['pretrain', 'distill', 'finetune', 'supervise']);
  });
});
