/** The stage as a worker runs it: from an upstream folder to an output folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StageContext } from '../../../../src/core/ablation/kind.ts';
import { doubtfulNumbers } from '../../../../src/core/ablation/doubtful.ts';
import { isPermanent } from '../../../../src/core/ablation/errors.ts';
import { initEncoder } from '../../../../src/tinymim/nn/init.ts';
import { encoderSpec } from '../../../../src/tinymim/nn/spec.ts';
import { runDistill } from '../../../../src/tinymim/stages/distill.ts';
import { distillKind as distillKind } from '../../../../src/tinymim/stages/kinds.ts';
import { distillRecipe, type DistillRecipe, type VitRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import type { Weights } from '../../../../src/engine/formats/weights.ts';
import { distillFields, image } from '../../../helpers/distill-recipe.ts';
import { curveOf, leaveUpstream, runStage, type StageRun } from '../../../helpers/run-stage.ts';

const teacher: VitRecipe = { ...image, embed_dim: 16, depth: 2, num_heads: 4 };
const base = {
  ...distillFields,
  data: { ...distillFields.data, train: 64 },
  schedule: { ...distillFields.schedule, accumulation_steps: 2, base_lr: 0.1 },
};
const recipeOf = (fields: object): DistillRecipe => distillRecipe.parse({ ...base, ...fields });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'distill-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const upstreamOf = (recipe: object, weights: Weights) => leaveUpstream(folder, recipe, weights);
const run = (recipe: DistillRecipe, from: StageContext['upstream'][string]) => runStage(runDistill, recipe, { folder, upstream: { teacher: from } });

const fromMae = () => upstreamOf({ model: teacher }, initEncoder(teacher, 1));
const decoder = { embed_dim: 8, depth: 1, num_heads: 2, mlp_ratio: 2 };
const unaligned: VitRecipe = { ...image, embed_dim: 8, depth: 2, num_heads: 2 };

describe('the stage', () => {
  it.each<[string, object]>([
    ['relations', {}],
    ['features, with drop path of the teacher', { model: unaligned, target: { family: 'feature', feature: 'ffn', final_norm: false, class_token: true }, teacher_drop_path: 0.5 }],
    [
      'the class token of a masked image, with reconstruction',
      {
        model: unaligned,
        target: { family: 'class-token', loss: 'kl', temperature: 1, final_norm: false },
        mask_ratio: 0.75,
        reconstruction: { weight: 1, decoder, norm_pix_loss: true },
      },
    ],
    ['a masked student of a masked teacher', { mask_ratio: 0.5, teacher_input: 'visible' }],
  ])('leaves an encoder and finite metrics of its kind: %s', async (_, fields) => {
    const recipe = recipeOf(fields);
    const { result, weights } = await run(recipe, fromMae());
    expect(Object.keys(weights).sort()).toEqual(Object.keys(encoderSpec(recipe.model)).sort());
    expect(Object.keys(result).sort()).toEqual(Object.keys(distillKind.metrics).sort());
    for (const value of Object.values(result)) expect(Number.isFinite(value)).toBe(true);
    expect(result['val_loss_ratio']).toBeLessThan(1);
  });

  it('is repeatable to the bit, masks and drop path included', async () => {
    const recipe = recipeOf({ mask_ratio: 0.5, teacher_drop_path: 0.2 });
    const [a, b] = [await run(recipe, fromMae()), await run(recipe, fromMae())];
    expect(curveOf(a)).toEqual(curveOf(b));
    expect([a.result, a.weights]).toEqual([b.result, b.weights]);
  });

  it('records the parts of the loss', async () => {
    const whole = await run(recipeOf({ mask_ratio: 0.75, reconstruction: { weight: 0.5, decoder, norm_pix_loss: false } }), fromMae());
    const records = whole.records.filter(({ step }) => step > 0);
    for (const record of records) expect(record['loss']).toBeCloseTo(record['distillation']! + 0.5 * record['reconstruction']!, 5);
    for (const record of records) expect(record['distillation']).toBeCloseTo(record['qk']! + record['vv']!, 5);
    expect(records.length).toBeGreaterThan(0);
  });

  it('takes a distilled teacher, with the heads of its own last block', async () => {
    const first = recipeOf({});
    const { weights } = await run(first, fromMae());
    const distilled = () => upstreamOf(first, weights);
    const next = { ...image, embed_dim: 4, depth: 2, num_heads: 2 };
    await expect(run(recipeOf({ model: next }), distilled())).rejects.toThrow(/the teacher's 4 heads, got 2/);
    const { result } = await run(recipeOf({ model: { ...next, last_block_heads: 4 } }), distilled());
    expect(result['val_loss_ratio']).toBeLessThan(1);
  });

  it("splits the teacher's last block anew where the recipe says so: the same weights, other targets", async () => {
    const first = recipeOf({});
    const { weights } = await run(first, fromMae());
    const next = { ...image, embed_dim: 4, depth: 2, num_heads: 2 };
    const rebuilt = await run(recipeOf({ model: next, teacher_last_block_heads: 2 }), upstreamOf(first, weights));
    const model = { ...next, embed_dim: 8 };
    const as = await run(recipeOf({ model: next }), upstreamOf({ ...first, model }, weights)); // a teacher that never had other heads
    expect([rebuilt.result, rebuilt.weights]).toEqual([as.result, as.weights]);
    await expect(run(recipeOf({ model: { ...next, last_block_heads: 4 }, teacher_last_block_heads: 2 }), upstreamOf(first, weights))).rejects.toThrow(/the teacher's 2 heads, got 4/);
  });

  it('fails for good where the networks do not fit', async () => {
    const failed: unknown = await run(recipeOf({ model: unaligned }), fromMae()).catch((error: unknown) => error);
    expect(isPermanent(failed)).toBe(true);
    expect(failed).toMatchObject({ code: 'FEATURE', message: expect.stringContaining("the teacher's 4 heads") as string });
  });
});

/** A teacher whose class token never sees the patches: attention adds nothing to it. */
const blind = (): Weights => ({ ...initEncoder(teacher, 1), ...zeroed(['blocks.0.attn.proj.weight', 'blocks.1.attn.proj.weight']) });
/** One that sees no pixels: its tokens differ by their places alone. */
const blank = (): Weights => ({ ...initEncoder(teacher, 1), ...zeroed(['patch_embed.proj.weight']) });

function zeroed(names: readonly string[]): Weights {
  const weights = initEncoder(teacher, 1);
  return Object.fromEntries(names.map(name => [name, { ...weights[name]!, data: new Float32Array(weights[name]!.data.length) }]));
}

describe('the spread of the targets over images', () => {
  const short = { schedule: { ...base.schedule, epochs: 1 } };
  const classToken = { ...short, model: unaligned, target: { family: 'class-token', loss: 'kl', temperature: 1, final_norm: false } };
  const doubted = (result: StageRun['result']): string[] => doubtfulNumbers(distillKind, result).map(({ metric }) => metric);

  it('is known before the first step, begins the curve, and stands in result and log', async () => {
    const { records, result, log } = await run(recipeOf(short), fromMae());
    expect(records[0]).toEqual({ step: 0, epoch: 0, target_spread: result['target_spread'] });
    expect(records.filter(record => 'target_spread' in record)).toHaveLength(1);
    expect(log).toContain(`Targets vary over images by ${Number((result['target_spread'] as number).toPrecision(3))} of their size.`);
    expect(doubted(result)).toEqual([]);
  });

  it('tells a teacher whose target is the same for every image, which its loss does not', async () => {
    const { result } = await run(recipeOf(classToken), upstreamOf({ model: teacher }, blind()));
    expect(result['target_spread']).toBeLessThan(1e-6);
    expect(result['val_loss_ratio']).toBeLessThan(0.5);
    expect(doubted(result)).toEqual(['target_spread']);
  });

  it.each([
    ['whole', {}],
    ['visible', { teacher_input: 'visible' }],
  ])('does not take masks, which differ from image to image, for images: the teacher sees the %s image', async (_, fields) => {
    const { result } = await run(recipeOf({ ...short, mask_ratio: 0.5, ...fields }), upstreamOf({ model: teacher }, blank()));
    expect(result['target_spread']).toBeLessThan(1e-5);
  });

  it('is the same after an interruption, and nothing of it is recorded twice', async () => {
    const recipe = recipeOf({});
    const [whole, resumed] = [
      await runStage(runDistill, recipe, { folder, upstream: { teacher: fromMae() } }),
      await runStage(runDistill, recipe, { folder, upstream: { teacher: fromMae() }, interruptAt: 2 }),
    ];
    expect(resumed.result).toEqual(whole.result);
    expect(curveOf(resumed)).toEqual(curveOf(whole));
  });

  it('is not given for a batch of one image, in which nothing can vary', async () => {
    const { result, records } = await run(recipeOf({ data: { ...base.data, validation: 4 }, schedule: { ...short.schedule, batch_size: 4, accumulation_steps: 4 } }), fromMae());
    expect(Object.keys(result)).not.toContain('target_spread');
    expect(records.every(({ step }) => step > 0)).toBe(true);
  });
});

describe('the cost', () => {
  const cost = (fields: object): number => distillKind.cost(recipeOf(fields), { teacher: { model: teacher } }).flops;
  const masked = { mask_ratio: 0.75 };

  it('falls with the tokens and the blocks that are run', () => {
    expect(cost(masked)).toBeLessThan(cost({}));
    expect(cost({ ...masked, teacher_input: 'visible' })).toBeLessThan(cost(masked));
    expect(cost({ teacher_block: 1 })).toBeLessThan(cost({}));
  });

  it('counts the decoder', () => {
    expect(cost({ ...masked, reconstruction: { weight: 1, decoder, norm_pix_loss: true } })).toBeGreaterThan(cost(masked));
  });

  it('does not depend on what a raw student would do with a mask', () => {
    expect(cost({ teacher_input: 'visible' })).toBe(cost({}));
  });
});
