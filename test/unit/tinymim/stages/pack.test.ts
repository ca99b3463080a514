/** A student in a pack has the bytes of a student alone, whoever is beside it and whatever becomes of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Interrupted } from '../../../../src/core/ablation/errors.ts';
import { buildIndex } from '../../../../src/tinymim/data/folder/build.ts';
import { rememberFolder } from '../../../../src/tinymim/data/folder/known.ts';
import { LOADERS } from '../../../../src/tinymim/data/loaders.ts';
import { initEncoder } from '../../../../src/tinymim/nn/init.ts';
import { runDistill, runDistillPack } from '../../../../src/tinymim/stages/distill.ts';
import { distillKind as distillKind } from '../../../../src/tinymim/stages/kinds.ts';
import { distillRecipe, type DistillRecipe, type VitRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { distillFields as base, image } from '../../../helpers/distill-recipe.ts';
import { imagenetForm } from '../../../helpers/imagenet-form.ts';
import { curveOf, leaveUpstream, runPack, StageInFolder, type StageRun } from '../../../helpers/run-stage.ts';

vi.setConfig({ testTimeout: 120_000 }); // whole trainings, several in each test
beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

let folder: string, upstream: { teacher: ReturnType<typeof leaveUpstream> };
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pack-'));
  upstream = { teacher: leaveUpstream(folder, { model: teacher }, initEncoder(teacher, 1)) };
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const teacher: VitRecipe = { ...image, embed_dim: 16, depth: 3, num_heads: 4 };
const model: VitRecipe = { ...image, embed_dim: 8, depth: 2, num_heads: 2 };
const aligned: VitRecipe = base.model;

type Fields = Readonly<Record<string, unknown>>;
const recipeOf = (...fields: Fields[]): DistillRecipe => distillRecipe.parse(Object.assign({}, base, ...fields));
const stageOf = (recipe: DistillRecipe) => new StageInFolder(folder, recipe, upstream);
const keyOf = (recipe: DistillRecipe) => distillKind.packing!.key({ recipe: recipe, seed: 5, upstream: { teacher: 'k' } });

const feature = (name: string): Fields => ({ model, target: { family: 'feature', feature: name, final_norm: false, class_token: true } });
const STUDENTS: Readonly<Record<string, Fields>> = {
  relations: {},
  'the same relations at other rates': { schedule: { ...base.schedule, base_lr: 0.02, warmup_epochs: 1 }, optimizer: { weight_decay: 0, betas: [0.9, 0.99] }, drop_path: 0 },
  'relations of another block by another model': { model: { ...aligned, embed_dim: 12, depth: 3 }, teacher_block: 1 },
  'the output of the last block': { ...feature('block'), teacher_block: 3 },
  'a feature of the block that relations stop in': { ...feature('attention'), teacher_block: 2 },
  'the class token of a longer training': { model, target: { family: 'class-token', loss: 'mse', temperature: 1, final_norm: true }, teacher_block: 3, schedule: { ...base.schedule, epochs: 3 } },
  'an average of the weights, of a shorter training': { optimizer: { ...base.optimizer, ema_decay: 0.8 }, schedule: { ...base.schedule, epochs: 1 } },
  'masked, with reconstruction': { mask_ratio: 0.5, reconstruction: { weight: 0.5, decoder: { embed_dim: 8, depth: 1, num_heads: 2, mlp_ratio: 2 }, norm_pix_loss: true } },
  'masked at another ratio': { mask_ratio: 0.75 },
};

const outcomeOf = (run: StageRun): unknown => ({ weights: run.weights, result: run.result, curve: curveOf(run) });

/** Each recipe runs alone once. */
const known = new Map<string, Promise<unknown>>();
function alone(recipe: DistillRecipe): Promise<unknown> {
  const key = JSON.stringify(recipe);
  const outcome = known.get(key) ?? runPack(runDistillPack, [stageOf(recipe)]).then(([run]) => outcomeOf(run!));
  known.set(key, outcome);
  return outcome;
}

/** All of them, in one pack and alone. */
async function expectEqual(recipes: readonly DistillRecipe[]): Promise<void> {
  for (const recipe of recipes) expect(keyOf(recipe)).toEqual(keyOf(recipes[0]!));
  const packed = await runPack(runDistillPack, recipes.map(stageOf));
  for (const [i, recipe] of recipes.entries()) expect(outcomeOf(packed[i]!), `student ${i}`).toEqual(await alone(recipe));
}

const all = (...fields: Fields[]): DistillRecipe[] =>
  Object.values(STUDENTS).map(student =>
    recipeOf(student, ...fields, ...fields.filter(({ schedule }) => schedule).map(({ schedule }) => ({ schedule: { ...base.schedule, ...(student['schedule'] as object), ...(schedule as object) } }))),
  );

describe('students in one pack equal students alone to the bit', () => {
  it('in mode graph', async () => {
    await expectEqual(all());
  });

  it('in mode eager', { tags: 'long' }, async () => {
    await expectEqual(all({ engine: distillRecipe.shape.engine.parse({ mode: 'eager' }) }));
  });

  it('in bfloat16', { tags: 'long' }, async () => {
    await expectEqual(all({ engine: { mode: 'graph', precision: 'bfloat16' } }).slice(0, 4));
  });

  it.each(['eager', 'graph'])('in micro-batches, in mode %s', { tags: 'long' }, async mode => {
    await expectEqual(all({ schedule: { accumulation_steps: 2 }, engine: { mode, precision: 'float32' } }).slice(0, 5));
  });

  it('with drop path of the teacher', { tags: 'long' }, async () => {
    await expectEqual(all({ teacher_drop_path: 0.3 }).slice(0, 4));
  });

  it('of a teacher that sees no more than they', { tags: 'long' }, async () => {
    await expectEqual(['relations', 'the output of the last block'].map(name => recipeOf(STUDENTS[name]!, { mask_ratio: 0.5, teacher_input: 'visible' })));
  });

  it('whatever their order', async () => {
    const recipes = all().slice(0, 3);
    const [forward, backward] = [await runPack(runDistillPack, recipes.map(stageOf)), await runPack(runDistillPack, recipes.toReversed().map(stageOf))];
    expect(backward.toReversed().map(outcomeOf)).toEqual(forward.map(outcomeOf));
  });
});

describe('students of images in files', () => {
  it('have the same bytes in one pack and alone, after an interruption, and with any number of threads that load', async () => {
    const root = join(folder, 'photos');
    imagenetForm(root, { classes: 4, train: 12, val: 6 });
    await buildIndex(root, folder, {}, () => undefined);
    rememberFolder('photos', root, folder);
    const inColour = { ...teacher, in_chans: 3 },
      upstream = { teacher: leaveUpstream(folder, { model: inColour }, initEncoder(inColour, 1)) };
    const fields = {
      data: { name: 'folder', folder: 'photos', classes: 4, train: 48, validation: 0, test: 24 },
      augment: { crop: { scale: [0.2, 1], ratio: [3 / 4, 4 / 3] }, flip: true },
      student_jitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4 },
    };
    const stages = (): StageInFolder<DistillRecipe>[] =>
      ['relations', 'relations of another block by another model', 'masked, with reconstruction'].map(name => {
        const recipe = recipeOf(STUDENTS[name]!, fields, { engine: { mode: 'graph' } });
        return new StageInFolder(folder, { ...recipe, model: { ...recipe.model, in_chans: 3 } }, upstream);
      });
    vi.stubEnv(LOADERS, '3');
    const packed = (await runPack(runDistillPack, stages())).map(outcomeOf);
    vi.stubEnv(LOADERS, '1');
    const [first, second, third] = stages();
    await second!.interruptAt(runDistill, 3);
    const alone = [];
    for (const stage of [first!, second!, third!]) alone.push(...(await runPack(runDistillPack, [stage])).map(outcomeOf));
    vi.unstubAllEnvs();
    expect(packed).toEqual(alone);
  });
});

describe.each(['eager', 'graph'])('a student that was interrupted, in mode %s', mode => {
  const recipes = all({ engine: distillRecipe.shape.engine.parse({ mode }) }).slice(0, 3);

  it('continues alone or in another pack, and joins when its step is reached', async () => {
    const [first, second, third] = recipes.map(stageOf);
    const stop = new AbortController();
    const stopped = await runDistillPack([
      first!.context({
        signal: stop.signal,
        onStep: step => {
          if (step === 2) stop.abort();
        },
      }),
      second!.context({ signal: stop.signal }),
    ]);
    for (const outcome of stopped) expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(Interrupted) as Interrupted });
    expect([first!.latest!.step, second!.latest!.step]).toEqual([2, 2]);

    const [continued] = await runPack(runDistillPack, [first!]);
    const joined = await runPack(runDistillPack, [third!, second!]);
    expect(outcomeOf(continued!)).toEqual(await alone(recipes[0]!));
    expect(joined.map(outcomeOf)).toEqual([await alone(recipes[2]!), await alone(recipes[1]!)]);
  });

  it('before its turn has nothing to save', async () => {
    const [late, early] = recipes.map(stageOf);
    await late!.interruptAt(runDistill, 4);
    const { latest } = late!,
      stop = new AbortController();
    const outcomes = await runDistillPack([
      late!.context({ signal: stop.signal }),
      early!.context({
        signal: stop.signal,
        onStep: step => {
          if (step === 2) stop.abort();
        },
      }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(late!.latest).toBe(latest);
    expect(early!.latest!.step).toBe(2);
  });
});

describe('a student that fails', () => {
  const failing: Readonly<Record<string, [() => ReturnType<typeof stageOf>, object]>> = {
    'by its loss': [() => stageOf(recipeOf({ schedule: { ...base.schedule, base_lr: 1e30 } })), { code: 'NON_FINITE_LOSS' }],
    'by its recipe': [() => stageOf(recipeOf({ model })), { code: 'FEATURE' }],
    'by a full disk': [() => Object.assign(stageOf(recipeOf()), { diskIsFull: true }), { message: 'ENOSPC: no space left on device' }],
    'by its checkpoint': [() => Object.assign(stageOf(recipeOf()), { latest: { step: 1, dir: '/nowhere' } }), { code: 'ENOENT' }],
  };

  it.each(Object.keys(failing))('%s leaves alone, and the others go on to the bit', async name => {
    const [make, reason] = failing[name]!;
    const beside = [recipeOf(STUDENTS['the output of the last block']!), recipeOf(STUDENTS['relations of another block by another model']!)];
    const [first, second] = beside.map(stageOf);
    const [before, failed, after] = await runDistillPack([first!, make(), second!].map(stage => stage.context()));
    expect(failed).toMatchObject({ status: 'rejected', reason });
    const results = [before, after].map((outcome, i) => (outcome!.status === 'fulfilled' ? outcomeOf([first, second][i]!.run(outcome!.value)) : outcome));
    expect(results).toEqual([await alone(beside[0]!), await alone(beside[1]!)]);
  });

  it('with all others leaves nothing to do', async () => {
    const outcomes = await runDistillPack([recipeOf({ model }), recipeOf({ model })].map(recipe => stageOf(recipe).context()));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});

describe('a pack', () => {
  it('leaves no tensor behind, whatever happens in it', async () => {
    const run = async (): Promise<void> => {
      await runDistillPack([...all(), recipeOf({ schedule: { ...base.schedule, base_lr: 1e30 } })].map(recipe => stageOf(recipe).context()));
    };
    await run();
    const before = tf.memory().numTensors;
    await run();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('tells shares of its time: images over rates, added up over its students, are no more than it took', async () => {
    const stages = all().slice(0, 4).map(stageOf);
    const began = performance.now();
    const runs = await runPack(runDistillPack, stages);
    const wall = (performance.now() - began) / 1e3;
    const shares = runs.map(({ facts }) => (48 * 2) / (facts['images_per_second'] as number));
    expect(shares.reduce((a, b) => a + b)).toBeLessThan(wall);
    for (const share of shares) expect(share).toBeGreaterThan(0);
  });

  it('holds students of one teacher and one series of batches only', () => {
    const key = JSON.stringify(keyOf(recipeOf()));
    const others: Fields[] = [
      { images: 32 },
      { schedule: { ...base.schedule, batch_size: 8 } },
      { schedule: { ...base.schedule, accumulation_steps: 2 } },
      { augment: { crop: null, flip: false } },
      { student_jitter: null },
      { teacher_drop_path: 0.1 },
      { teacher_last_block_heads: 2 },
      { mask_ratio: 0.5, teacher_input: 'visible' },
      { engine: { mode: 'eager', precision: 'float32' } },
      { data: { ...base.data, seed: 2 } },
    ];
    for (const fields of others) expect(JSON.stringify(keyOf(recipeOf(fields))), JSON.stringify(fields)).not.toBe(key);
    const { packing } = distillKind;
    const recipe = recipeOf() as never;
    expect(JSON.stringify(packing!.key({ recipe, seed: 6, upstream: { teacher: 'k' } }))).not.toBe(key);
    expect(JSON.stringify(packing!.key({ recipe, seed: 5, upstream: { teacher: 'l' } }))).not.toBe(key);
  });
});

describe('the teacher of a pack', () => {
  const upstreamRecipes = { teacher: { model: teacher } } as never;
  const flops = (fields: Fields) => {
    const recipe = recipeOf(fields) as never;
    return { shared: distillKind.packing!.sharedFlops(recipe, upstreamRecipes), whole: distillKind.cost(recipe, upstreamRecipes).flops };
  };

  it('costs what a student of it costs beside its own training', () => {
    const { shared, whole } = flops({}),
      deeper = flops({ teacher_block: 3 });
    expect(deeper.shared).toBeGreaterThan(shared);
    expect(deeper.whole - deeper.shared).toBe(whole - shared);
  });
});

describe('the memory of a pack', () => {
  const memory = (fields: Fields) => distillKind.memory!(recipeOf(fields), { teacher: { model: teacher } }, 1);

  it('grows with the batch in what is shared, with the model in what is own, and is less in micro-batches', () => {
    const one = memory({}),
      batch = memory({ schedule: { ...base.schedule, batch_size: 64 } }),
      parts = memory({ schedule: { ...base.schedule, batch_size: 64, accumulation_steps: 4 } });
    expect(batch.shared).toBeGreaterThan(one.shared);
    expect(parts.shared).toBe(one.shared);
    expect(batch.own).toBe(one.own);
    expect(memory({ model: { ...aligned, embed_dim: 64 } }).own).toBeGreaterThan(one.own);
  });
});
