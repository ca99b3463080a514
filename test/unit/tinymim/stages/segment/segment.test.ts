/** Whole stages of segmentation: both modes, resumed, in micro-batches, from every kind of weights, to a score. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject, UpstreamOutput } from '../../../../../src/core/ablation/kind.ts';
import { loadEngine } from '../../../../../src/engine/backend.ts';
import type { Weights } from '../../../../../src/engine/formats/weights.ts';
import * as tf from '../../../../../src/engine/tf.ts';
import { initClassifier, initEncoder } from '../../../../../src/tinymim/nn/init.ts';
import { segmenterSpec, isRunningStatistic } from '../../../../../src/tinymim/nn/upernet-spec.ts';
import { kinds } from '../../../../../src/tinymim/stages/kinds.ts';
import { segmenterParameters } from '../../../../../src/tinymim/stages/segment/cost.ts';
import { runSegmentEvaluate } from '../../../../../src/tinymim/stages/segment/evaluate.ts';
import { headWidths, onEncoder, segmenterConfig } from '../../../../../src/tinymim/stages/segment/model.ts';
import { segmentEvaluateRecipe, segmentRecipe } from '../../../../../src/tinymim/stages/segment/recipes.ts';
import { runSegment } from '../../../../../src/tinymim/stages/segment/segment.ts';
import { curveOf, leaveUpstream, runStage, SEED, StageInFolder, type StageRun } from '../../../../helpers/run-stage.ts';
import { encoderModel, segmentEvaluateFields, segmentFields } from '../../../../helpers/segmentation.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'segment-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const recipeOf = (fields: object = {}) => segmentRecipe.parse({ ...segmentFields, ...fields });
const recipe = recipeOf();
const encoder = () => leaveUpstream(folder, { model: encoderModel }, initEncoder(encoderModel, 1));
const trained = (fields: object, interruptAt?: number): Promise<StageRun> =>
  runStage(runSegment, recipeOf(fields), { folder, upstream: { weights: encoder() }, ...(interruptAt !== undefined && { interruptAt }) });

/** Biases before a normalisation, and those of keys: their true gradient is 0, and Adam makes steps of rounding. */
const IDLE = /^fpn1\.[03]\.bias$|^fpn2\.0\.bias$|attn\.qkv\.bias$/;

function distance(actual: Weights, expected: Weights): number {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  let difference = 0,
    total = 0;
  for (const [name, { data }] of Object.entries(expected)) {
    if (IDLE.test(name)) continue;
    data.forEach((value, i) => {
      difference += (actual[name]!.data[i]! - value) ** 2;
      total += value ** 2;
    });
  }
  return Math.sqrt(difference / total);
}

describe('a segmenter in training', () => {
  it('is the same in both modes but for rounding, and after a resume to the bit', async () => {
    const before = tf.memory().numTensors;
    const [eager, graph, resumed] = [await trained({ engine: { mode: 'eager' } }), await trained({}), await trained({}, 2)];
    expect(tf.memory().numTensors).toBe(before);
    expect(distance(graph.weights, eager.weights)).toBeLessThan(1e-4);
    expect((graph.result['loss'] as number) / (eager.result['loss'] as number)).toBeCloseTo(1, 4);
    expect(resumed.weights).toEqual(graph.weights);
    expect(resumed.result).toEqual(graph.result);
    expect(curveOf(resumed).at(-1)).toEqual(curveOf(graph).at(-1));
  });

  it('in micro-batches keeps the averages of its normalisations through all of them, and resumes to the bit', async () => {
    const parts = { schedule: { ...segmentFields.schedule, accumulation_steps: 2 } };
    const [whole, graph, resumed] = [await trained({}), await trained(parts), await trained(parts, 3)];
    expect(resumed.weights).toEqual(graph.weights);
    // Two updates a step where there was one: further from the initial 0 and 1.
    const running = (run: StageRun) => run.weights['decode_head.bottleneck.bn.running_var']!.data.map(value => Math.abs(value - 1)).reduce((a, b) => a + b);
    expect(running(graph)).toBeGreaterThan(1.3 * running(whole));
  });

  it('moves what lies deeper by less, the head in full', async () => {
    const start = onEncoder(recipe, SEED, { config: encoderModel, weights: initEncoder(encoderModel, 1) }).weights;
    const moved = ({ weights }: StageRun, name: string) => Math.max(...weights[name]!.data.map((value, i) => Math.abs(value - start[name]!.data[i]!)));
    const [even, decayed] = [await trained({ layer_decay: 1 }), await trained({ layer_decay: 0.1 })];
    // Two blocks below the head: of the patches the third power. Steps of Adam have the size of the rate, whatever the gradients are.
    for (const [name, share] of [
      ['patch_embed.proj.weight', 1e-3],
      ['blocks.0.mlp.fc1.weight', 1e-2],
      ['blocks.1.gamma_2', 0.1],
      ['decode_head.conv_seg.weight', 1],
    ] as const)
      // prettier-ignore
      expect(Math.abs(Math.log10(moved(decayed, name) / moved(even, name) / share)), name).toBeLessThan(0.3);
  });

  it('learns: its loss falls, and its mIoU rises above that of one class alone', async () => {
    const long = recipeOf({
      schedule: { ...segmentFields.schedule, steps: 60, warmup_steps: 5, lr: 3e-2 },
      layer_decay: 1,
      drop_path: 0,
      head: { ...segmentFields.head, dropout: 0 },
      augment: { resize: null, cat_max_ratio: 1, flip: true, photometric: false },
    });
    const stage = new StageInFolder(folder, long, { weights: encoder() });
    const { records } = stage.run(await runSegment(stage.context()));
    const losses = records.map(record => record['decode']).filter(loss => loss !== undefined);
    expect(losses.at(-1)!).toBeLessThan(0.75 * losses[0]!);
    const scores = await evaluated({ key: 'k', kind: 'segment', recipe: long, result: {}, output: stage.output });
    const { miou, macc, aacc, miou_se, scenes } = scores as Record<string, number>;
    expect(scenes).toBe(5);
    expect(miou).toBeGreaterThan(0.22); // background throughout has 0.13, and 0.25 of the classes
    expect(macc).toBeGreaterThan(0.3);
    expect(aacc).toBeGreaterThan(miou!);
    expect(miou_se).toBeGreaterThan(0);
  });
});

const evaluated = (weights: UpstreamOutput, fields: object = {}) =>
  runSegmentEvaluate(new StageInFolder(folder, segmentEvaluateRecipe.parse({ ...segmentEvaluateFields, ...fields }), { weights }).context());

describe('a test of a segmenter', () => {
  const segmenter = (): UpstreamOutput => {
    const { weights } = onEncoder(recipe, 3, { config: encoderModel, weights: initEncoder(encoderModel, 1) });
    return { ...leaveUpstream(folder, recipe, weights), kind: 'segment' };
  };

  it('has the same scores in both modes, whatever the batch of windows', async () => {
    const weights = segmenter();
    const [graph, eager, others] = [await evaluated(weights), await evaluated(weights, { engine: { mode: 'eager' } }), await evaluated(weights, { batch_size: 7 })];
    expect(others).toEqual(graph);
    for (const [name, value] of Object.entries(graph)) if (typeof value === 'number') expect(eager[name]).toBeCloseTo(value, 2);
  });

  it('of scenes that are resized has the score of their own maps, of all their pixels', async () => {
    const weights = segmenter();
    const [own, same, larger] = [await evaluated(weights), await evaluated(weights, { resize: [14, 12] }), await evaluated(weights, { resize: [28, 24] })];
    expect(same).toEqual(own);
    expect(larger['miou']).not.toBe(own['miou']);
    expect(larger['truth_1']).toBe(own['truth_1']);
    await expect(evaluated(weights, { resize: [7, 6] })).rejects.toThrow('Expected scenes of at least 8 x 12, the window of the test, got 6 x 7');
  });

  it('leaves pictures of its first scenes, with what they show in words', async () => {
    const scores = await evaluated(segmenter());
    for (const row of ['1', '2', '3', '4']) {
      for (const what of ['image', 'truth', 'prediction']) expect(scores[`${what}_${row}`]).toMatch(/^data:image\/png;base64,/);
      expect(scores[`about_${row}`]).toMatch(/^(?:background alone|(?:disc|square|triangle)(?:, (?:square|triangle))*)$/);
    }
    expect(scores).not.toHaveProperty('image_5');
  });

  it('ends where it is when it is asked to stop', async () => {
    const stop = new AbortController();
    stop.abort();
    const stage = new StageInFolder(folder, segmentEvaluateRecipe.parse(segmentEvaluateFields), { weights: segmenter() });
    await expect(runSegmentEvaluate(stage.context({ signal: stop.signal }))).rejects.toMatchObject({ name: 'Interrupted' });
  });
});

describe('where it starts', () => {
  const upstream = {
    encoder: initEncoder(encoderModel, 1),
    classifier: initClassifier(encoderModel, 3, 1),
    'classifier by the class token': initClassifier({ ...encoderModel, pool: 'class_token' }, 3, 1),
  };

  it.each(Object.entries(upstream))('on the weights of an %s: blocks and patches are its own, positions are resized, all else is new', (_, weights) => {
    const { weights: start, loaded, unused } = onEncoder(recipe, 3, { config: encoderModel, weights });
    for (const name of ['cls_token', 'patch_embed.proj.weight', 'blocks.1.mlp.fc2.bias']) expect(start[name]).toEqual(weights[name]);
    expect(start['pos_embed']!.shape).toEqual([1, 1 + 4 * 6, 8]);
    expect(start['pos_embed']!.data.subarray(0, 8)).toEqual(weights['pos_embed']!.data.subarray(0, 8));
    expect(loaded).toHaveLength(4 + 12 * encoderModel.depth);
    expect(unused.every(name => /norm|head/.test(name))).toBe(true);
    expect(start['blocks.0.gamma_1']!.data.every(value => value === 1)).toBe(true);
    expect(start['blocks.0.attn.relative_position_bias_table']!.data.every(value => value === 0)).toBe(true);
  });

  it('on a classifier with a distillation token leaves out its position', () => {
    const config = { ...encoderModel, pool: 'class_token', dist_token: true } as const;
    const { weights: start } = onEncoder(recipeOf({ model: encoderModel }), 3, { config, weights: initClassifier(config, 3, 1) });
    const table = initClassifier(config, 3, 1)['pos_embed']!.data;
    expect(start['pos_embed']!.data).toEqual(Float32Array.from([...table.subarray(0, 8), ...table.subarray(16)]));
  });

  it('at the size of its encoder has its positions to the bit', () => {
    const same = recipeOf({ model: encoderModel, data: { ...segmentFields.data, canvas: [12, 14] } });
    const weights = initEncoder(encoderModel, 1);
    expect(onEncoder(same, 3, { config: encoderModel, weights }).weights['pos_embed']).toEqual(weights['pos_embed']);
  });
});

describe('the kinds', () => {
  const kind = (name: string) => kinds.find(one => one.name === name)!;
  const json = recipe as unknown as JsonObject;

  it.each([
    ['whole', {}],
    ['without bias and scale', { relative_position_bias: false, layer_scale: null }],
    ['wider', { head: { ...segmentFields.head, channels: 11 }, model: { ...segmentFields.model, embed_dim: 16 } }],
  ])('count the parameters of a segmenter, %s', (_, fields) => {
    const other = recipeOf(fields);
    const sizes = Object.entries(segmenterSpec(segmenterConfig(other), headWidths(other), other)).map(([name, { shape }]) => [name, shape.reduce((a, b) => a * b, 1)] as const);
    const count = (entries: readonly (readonly [string, number])[]) => entries.reduce((sum, [, size]) => sum + size, 0);
    expect(segmenterParameters(other)).toEqual({ all: count(sizes), trained: count(sizes.filter(([name]) => !isRunningStatistic(name))) });
  });

  it('leave as much as they say, and untrained weights stand in for trained ones', async () => {
    const output = mkdtempSync(join(folder, 'untrained-'));
    await (
      await kind('segment').loadUntrained!()
    )(json, output);
    const bytes = statSync(join(output, 'model.safetensors')).size,
      { output: said, checkpoint } = kind('segment').disk!(json, {});
    expect(bytes).toBeGreaterThan(said);
    expect(bytes - said).toBeLessThan(20_000);
    expect(checkpoint).toBeGreaterThan(2.5 * said);
    expect(
      Object.keys(await evaluated({ key: 'k', kind: 'segment', recipe: json, result: {}, output }))
        .filter(name => !/_\d$/.test(name))
        .sort(),
    ).toEqual(Object.keys(kind('segment-evaluate').metrics).sort());
  });

  it('are not divided for want of memory, since the normalisation would have other moments', () => {
    expect(kind('segment')).not.toHaveProperty('canSplit');
  });

  it('take the time and memory that windows and steps take', () => {
    const cost = (fields: object) => kind('segment').cost(recipeOf(fields), {});
    expect(cost({ schedule: { ...segmentFields.schedule, steps: 8 } }).flops).toBe(2 * cost({}).flops);
    expect(cost({}).labelledImages).toBe(32);
    const test = (fields: object) => kind('segment-evaluate').cost(segmentEvaluateRecipe.parse({ ...segmentEvaluateFields, ...fields }), { weights: json });
    expect(test({ stride: [8, 12] }).flops).toBe(test({}).flops); // two windows each way in both
    expect(test({ stride: [1, 12] }).flops).toBe((5 / 2) * test({}).flops);
    const shared = (fields: object) => kind('segment').memory!(recipeOf(fields), {}, 1).shared;
    expect(shared({ schedule: { ...segmentFields.schedule, batch_size: 16 } })).toBeGreaterThan(shared({}));
    expect(kind('segment').shape!(json, {})).toEqual(
      kind('segment').shape!(recipeOf({ schedule: { ...segmentFields.schedule, steps: 99, lr: 1 }, layer_decay: 1, drop_path: 0.3 }) as unknown as JsonObject, {}),
    );
  });

  it.each<[string, object, string]>([
    ['model.in_chans', { model: { ...segmentFields.model, in_chans: 3 } }, '1, the channels of Scenes of Procedural images (seed 1), 12 x 14'],
    ['model.image_size', { model: { ...segmentFields.model, image_size: [16, 12] } }, 'at most [12, 14], the size of the scenes'],
    ['model.image_size', { model: { ...segmentFields.model, image_size: [2, 12] } }, 'at least two patches down and across'],
    ['model.embed_dim', { model: { ...segmentFields.model, embed_dim: 12 } }, '8, as of the weights that it starts from'],
    ['feature_blocks.3', { feature_blocks: [1, 1, 2, 3] }, 'at most 2, the depth of the model'],
    ['schedule.accumulation_steps', { schedule: { ...segmentFields.schedule, accumulation_steps: 3 } }, 'a divisor of batch_size 8'],
    ['schedule.batch_size', { schedule: { ...segmentFields.schedule, accumulation_steps: 8 } }, 'at least two scenes at a time'],
    ['schedule.batch_size', { schedule: { ...segmentFields.schedule, batch_size: 32 } }, 'at most 16, the scenes that it trains on'],
    ['augment.resize.ratio', { augment: { ...segmentFields.augment, resize: { within: [14, 12], ratio: [2, 1] } } }, 'a range, the smaller bound first'],
  ])('refuse %s that does not fit', (field, fields, expected) => {
    const found = kind('segment').check!(recipeOf(fields), { weights: { model: encoderModel } });
    expect(found).toContainEqual({ weight: 'impossible', field, expected: expect.stringContaining(expected) as string });
  });

  it('have nothing against a recipe that runs', () => {
    expect(kind('segment').check!(json, { weights: { model: encoderModel } })).toEqual([]);
    expect(kind('segment-evaluate').check!(segmentEvaluateRecipe.parse(segmentEvaluateFields) as unknown as JsonObject, { weights: json })).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['stride.0', { stride: [9, 8] }, 'at most 8, the window'],
    ['data', { data: { ...segmentFields.data, canvas: [14, 14] } }, 'scenes of those that the model was trained for'],
  ])('refuse %s of a test that does not fit', (field, fields, expected) => {
    const found = kind('segment-evaluate').check!(segmentEvaluateRecipe.parse({ ...segmentEvaluateFields, ...fields }), { weights: json });
    expect(found).toContainEqual({ weight: 'impossible', field, expected: expect.stringContaining(expected) as string });
  });
});
