/** Fine-tuning with a classifier as teacher: whole stages at toy size. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StageRunner } from '../../../../src/core/ablation/kind.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import type { Mode } from '../../../../src/engine/compile/mode.ts';
import { toTensors, type Weights } from '../../../../src/engine/formats/weights.ts';
import { stream } from '../../../../src/engine/random/rng.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { classify } from '../../../../src/tinymim/nn/classifier.ts';
import { initClassifier, initEncoder } from '../../../../src/tinymim/nn/init.ts';
import { mixImages } from '../../../../src/tinymim/nn/mixup.ts';
import { createClassifierTeacher } from '../../../../src/tinymim/stages/classifier-teacher.ts';
import { runEvaluate } from '../../../../src/tinymim/stages/evaluate.ts';
import { runFinetune } from '../../../../src/tinymim/stages/finetune.ts';
import { normalise } from '../../../../src/tinymim/stages/images.ts';
import { evaluateRecipe, finetuneRecipe, type FinetuneRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { distillFields, image } from '../../../helpers/distill-recipe.ts';
import { expectClose } from '../../../helpers/parity/fixtures.ts';
import { curveOf, leaveUpstream, runStage, StageInFolder, type StageRun } from '../../../helpers/run-stage.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'finetune-teacher-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const encoder = { ...image, embed_dim: 8, depth: 2, num_heads: 2 };
const model = { ...encoder, num_heads: 4, pool: 'class_token', dist_token: true, feature_dim: 12 } as const;
const teacherModel = { ...image, embed_dim: 16, depth: 2, num_heads: 4 };
const mixing = { mixup: 0.8, cutmix: 1, switch_prob: 0.5 };
const strong = { crop: null, flip: true, random_erase: 0.5, mixing };

const recipe = (changes: object = {}): FinetuneRecipe =>
  finetuneRecipe.parse({
    data: distillFields.data,
    images: null,
    model,
    drop_path: 0.1,
    label_smoothing: 0.1,
    schedule: distillFields.schedule,
    optimizer: distillFields.optimizer,
    augment: strong,
    engine: {},
    layer_decay: 0.75,
    distillation: { type: 'soft', alpha: 0.5, tau: 2 },
    ...changes,
  });
/** A teacher that is sure of what it says: heads begin near zero, and would say nothing. */
const sure = (weights: Weights): Weights =>
  Object.fromEntries(Object.entries(weights).map(([name, { shape, data }]) => [name, name.startsWith('head') ? { shape, data: stream(3, name, 0).normals(data.length) } : { shape, data }]));
const teacherWeights = sure(initClassifier(teacherModel, 4, 9));
const upstream = () => ({
  weights: leaveUpstream(folder, { model: encoder }, initEncoder(encoder, 2)),
  teacher: leaveUpstream(folder, { model: teacherModel, data: distillFields.data }, teacherWeights),
});
const train = (changes: object = {}, options: { interruptAt?: number } = {}): Promise<StageRun> => runStage(runFinetune, recipe(changes), { folder, upstream: upstream(), ...options });
const inMode = (mode: Mode): object => ({ engine: { mode } });

/** Largest difference of two parameters, but for key biases, whose gradients are rounding errors alone. */
const furthest = (a: StageRun, b: StageRun): number =>
  Math.max(
    ...Object.entries(a.weights)
      .filter(([name]) => !name.endsWith('attn.qkv.bias'))
      .map(([name, { data }]) => data.reduce((most, v, i) => Math.max(most, Math.abs(v - b.weights[name]!.data[i]!)), 0)),
  );

describe('fine-tuning with a teacher', () => {
  it('gives the same weights in both modes, resumes to the bit, and leaves no tensor behind', async () => {
    const eager = await train(inMode('eager'));
    const before = tf.memory().numTensors;
    const [graph, resumed] = [await train(), await train({}, { interruptAt: 3 })];
    expect(tf.memory().numTensors).toBe(before);
    expect(furthest(eager, graph)).toBeLessThan(1e-4);
    expect((graph.result['loss'] as number) / (eager.result['loss'] as number)).toBeCloseTo(1, 4);
    expect([resumed.weights, resumed.result]).toEqual([graph.weights, graph.result]);
    expect(Object.keys(graph.weights)).toEqual(expect.arrayContaining(['dist_token', 'head.weight', 'head_dist.weight', 'conv1x1.1.weight']));
    const last = curveOf(graph).at(-1) as Record<string, number>;
    expect(last['loss']).toBeCloseTo((last['classification']! + last['distillation']!) / 2, 5);
  });

  it.each(['eager', 'graph'] as const)('comes to the same in micro-batches, whose images are mixed within them (%s)', async mode => {
    const runner: StageRunner<FinetuneRecipe> = runFinetune;
    const stage = () => new StageInFolder(folder, recipe(inMode(mode)), upstream());
    const [one, four] = [stage(), stage()];
    const whole = one.run(await runner(one.context()));
    const context = four.context();
    const parts = four.run(await runner({ ...context, execution: { ...context.execution, microBatches: 4 } }));
    expect(furthest(whole, parts)).toBeLessThan(1e-5);
    expect(parts.facts['micro_batches']).toBe(4);
  });

  it('starts from its encoder, to which token, second head and features are new', async () => {
    const { log } = await train({ schedule: { ...distillFields.schedule, epochs: 1 } });
    expect(log).toContainEqual(
      expect.stringMatching(
        /^Starting from \d+ pre-trained parameters; new: dist_token, conv1x1\.0\.weight, conv1x1\.0\.bias, conv1x1\.1\.weight, conv1x1\.1\.bias, head\.weight, head\.bias, head_dist\.weight, head_dist\.bias\.$/,
      ),
    );
    const { weights } = await train({ schedule: { ...distillFields.schedule, base_lr: 0 } });
    const start = initEncoder(encoder, 2);
    expect(weights['blocks.1.attn.qkv.weight']).toEqual(start['blocks.1.attn.qkv.weight']);
    expect([...weights['pos_embed']!.data.subarray(16)]).toEqual([...start['pos_embed']!.data.subarray(8)]);
  });

  it('learns what its teacher says, by its class or by its distribution', async () => {
    const without = { drop_path: 0, augment: { crop: null, flip: false }, schedule: { ...distillFields.schedule, epochs: 20, base_lr: 0.4 } };
    const [hard, soft] = [await train({ ...without, distillation: { type: 'hard', alpha: 0.9 } }), await train({ ...without, distillation: { type: 'soft', alpha: 0.9, tau: 1 } })];
    for (const { records } of [hard, soft]) {
      const losses = records.flatMap(({ distillation }) => (distillation === undefined ? [] : [distillation]));
      expect(losses.at(-1)!).toBeLessThan(0.75 * losses[0]!);
    }
    expect(furthest(hard, soft)).toBeGreaterThan(1e-2);
  });

  it('is evaluated by the mean of both heads', async () => {
    const weights = sure(initClassifier(model, 4, 3));
    const evaluate = async (changed: Weights) => {
      const stage = new StageInFolder(folder, evaluateRecipe.parse({ data: distillFields.data, split: 'validation', batch_size: 24, engine: {} }), {
        weights: leaveUpstream(folder, { model }, changed),
      });
      return (await runEvaluate(stage.context()))['loss'] as number;
    };
    const [first, second] = ['head', 'head_dist'].map(name => ({ weight: weights[`${name}.weight`]!, bias: weights[`${name}.bias`]! }));
    const swapped = { ...weights, 'head.weight': second!.weight, 'head.bias': second!.bias, 'head_dist.weight': first!.weight, 'head_dist.bias': first!.bias };
    const silenced = { ...weights, 'head_dist.weight': { ...second!.weight, data: second!.weight.data.map(() => 0) } };
    const loss = await evaluate(weights);
    for (const other of [swapped, silenced]) expect(await evaluate(other)).not.toBeCloseTo(loss, 2);
  });
});

describe('the teacher', () => {
  const normalisation = { mean: [0.4], std: [0.3] };
  const images = (): tf.Tensor =>
    tf.tensor(
      stream(1, 'images', 0)
        .uniforms(256)
        .map(v => Math.floor(256 * v)),
      [4, 8, 8, 1],
      'int32',
    );

  it.each(['eager', 'graph'] as const)('sees the images as the student does, erased and mixed, and has no drop path (%s)', mode => {
    const teacher = createClassifierTeacher({ config: teacherModel, weights: teacherWeights, normalisation, engine: { mode, precision: 'float32' } });
    const said = (inputs: Record<string, tf.Tensor>): tf.Tensor => teacher.of({ images: images(), targets: tf.zeros([4, 4]), drop_path: tf.zeros([2, 2, 4]), ...inputs })['teacher']!;
    const params = toTensors(teacherWeights);
    const direct = (seen: tf.Tensor): tf.Tensor => classify(params, seen, teacherModel);
    const erased = tf.tensor2d([[1, 4, 2, 6], ...Array<number[]>(3).fill([0, 0, 0, 0])], [4, 4], 'int32'),
      box = tf.tensor2d([[2, 7, 1, 5]], [1, 4], 'int32'),
      share = tf.scalar(0.3);
    const plain = said({}),
      strongly = said({ erased, mix_box: box, mix_share: share });
    expectClose(plain, direct(normalise(images(), normalisation)), 1e-5);
    expectClose(strongly, direct(mixImages(normalise(images(), normalisation, erased), { box, share })), 1e-5);
    expect(tf.max(tf.abs(tf.sub(strongly, plain))).dataSync()[0]).toBeGreaterThan(0.01);
    teacher.dispose();
  });

  it('with two heads says their mean', () => {
    const weights = sure(initClassifier(model, 4, 3));
    const teacher = createClassifierTeacher({ config: model, weights, normalisation, engine: { mode: 'graph', precision: 'float32' } });
    expectClose(teacher.of({ images: images() })['teacher']!, classify(toTensors(weights), normalise(images(), normalisation), model), 1e-5);
    teacher.dispose();
  });
});
