/** Training as one graph equals training op by op: every stage that trains, every target of distillation. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { StageRunner } from '../../../../src/core/ablation/kind.ts';
import { proceduralSet } from '../../../../src/tinymim/data/procedural.ts';
import { initClassifier, initEncoder, initialise } from '../../../../src/tinymim/nn/init.ts';
import { initAdamW } from '../../../../src/tinymim/optim/adamw.ts';
import { pretrainGroups } from '../../../../src/tinymim/optim/groups.ts';
import { studentLoss, studentSpec, type DistillLoss } from '../../../../src/tinymim/stages/distill-objective.ts';
import { runDistill } from '../../../../src/tinymim/stages/distill.ts';
import { runEvaluate } from '../../../../src/tinymim/stages/evaluate.ts';
import { runFinetune } from '../../../../src/tinymim/stages/finetune.ts';
import { maskInputs } from '../../../../src/tinymim/stages/mask-inputs.ts';
import { runPretrain } from '../../../../src/tinymim/stages/pretrain.ts';
import { distillRecipe, evaluateRecipe, finetuneRecipe, pretrainRecipe, superviseRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { createScorer } from '../../../../src/tinymim/stages/score.ts';
import { runSupervise } from '../../../../src/tinymim/stages/supervise.ts';
import { graphSignature } from '../../../../src/tinymim/stages/signature.ts';
import { createTeacher } from '../../../../src/tinymim/stages/teacher.ts';
import { createTrainer, type TrainState } from '../../../../src/tinymim/stages/trainer.ts';
import { slice, upload, type BatchArray, type HostInputs } from '../../../../src/tinymim/stages/train-step.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import type { Mode } from '../../../../src/engine/compile/mode.ts';
import type { Precision } from '../../../../src/engine/compile/rewrite.ts';
import { stream } from '../../../../src/engine/random/rng.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { fromTensors, toTensors, type Weights } from '../../../../src/engine/formats/weights.ts';
import { BATCH, lossOf, normalisation, PATCHES, reconstruction, TARGETS, teacher, teacherParams } from '../../../helpers/distill-model.ts';
import { leaveUpstream, runStage, StageInFolder } from '../../../helpers/run-stage.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'graph-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/**
 * Norm of the difference over the norm, over all weights but the key biases: their true gradient is 0, and Adam makes steps
 * of rounding noise.
 */
function distance(actual: Weights, expected: Weights): number {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  let difference = 0,
    total = 0;
  for (const [name, { data }] of Object.entries(expected)) {
    const isKeyBias = (i: number): boolean => name.endsWith('attn.qkv.bias') && i >= data.length / 3 && i < (2 * data.length) / 3;
    data.forEach((value, i) => {
      if (isKeyBias(i)) return;
      difference += (actual[name]!.data[i]! - value) ** 2;
      total += value ** 2;
    });
  }
  return Math.sqrt(difference / total);
}
const TOLERANCE = 1e-4;

describe('three steps of distillation', () => {
  const RATES = [0, 2e-3, 1e-3];
  const rates = { drop_path: 0.5, teacher_drop_path: 0.3 } as const,
    masked = { mask_ratio: 0.5 } as const;
  const CASES: Readonly<Record<string, DistillLoss>> = {
    ...Object.fromEntries(Object.entries(TARGETS).map(([name, target]) => [name, lossOf(target)])),
    'with drop path of both': lossOf(TARGETS['feature, block']!, rates),
    'masked student, whole teacher': lossOf(TARGETS['relation, kl']!, masked),
    'masked student, visible teacher': lossOf(TARGETS['relation, kl']!, { ...masked, teacher_input: 'visible' }),
    'reconstruction beside the class token': lossOf(TARGETS['class token, kl']!, { ...masked, ...rates, reconstruction }),
  };

  const batchOf = (recipe: DistillLoss, step: number, batch: number): HostInputs => {
    const uniforms = (name: string, depth: number): BatchArray => ({ data: stream(1, name, step).uniforms(depth * 2 * batch), shape: [depth, 2, batch], batchAxis: 2 });
    const images = (name: string): BatchArray => ({
      data: stream(1, name, step)
        .uniforms(batch * 24)
        .map(x => Math.floor(256 * x)),
      shape: [batch, 4, 6, 1],
    });
    return {
      images: images('images'),
      student_images: images('jittered'),
      ...(recipe.drop_path > 0 && { drop_path: uniforms('drop', recipe.model.depth) }),
      ...(recipe.teacher_drop_path > 0 && { teacher_drop_path: uniforms('teacher', teacher.depth) }),
      ...(recipe.mask_ratio > 0 && maskInputs(stream(1, 'mask', step).uniforms(batch * PATCHES), PATCHES, recipe.mask_ratio)),
    };
  };

  function train(mode: Mode, recipe: DistillLoss, microBatches = 1, precision: Precision = 'float32') {
    const frozen = tf.tidy(() => teacherParams());
    const engine = { mode, precision },
      blockTarget = { target: recipe.target, block: recipe.teacher_block };
    const network = createTeacher({ config: teacher, params: frozen, normalisation, dropPath: recipe.teacher_drop_path, engine, targets: [blockTarget] });
    const weights = initialise(studentSpec(recipe, teacher), 1);
    const params = toTensors(weights);
    const groups = pretrainGroups(weights, 0.05);
    const state: TrainState = { params, optimizer: initAdamW(Object.fromEntries(Object.keys(groups).map(name => [name, params[name]!]))) };
    const trainer = createTrainer(state, {
      loss: studentLoss(recipe, normalisation),
      groups,
      betas: [0.9, 0.95],
      microBatches,
      engine,
      signature: graphSignature('test', { recipe, microBatches }),
    });
    const losses = RATES.flatMap((lr, step) =>
      Array.from({ length: microBatches }, (_, index) => {
        const { images, student_images, teacher_drop_path, drop_path, ...masks } = upload(slice(batchOf(recipe, step, BATCH * microBatches), index, microBatches));
        const visible = recipe.teacher_input === 'visible';
        const pass = network.pass({ images: images!, dropPath: teacher_drop_path, visible: visible ? masks['ids_keep'] : undefined });
        const targets = pass.targets(blockTarget, visible ? undefined : masks['ids_keep']);
        const values = trainer.feed({ images: student_images!, ...(drop_path && { drop_path }), ...masks, ...targets }, lr)?.read();
        pass.dispose();
        tf.dispose([images, student_images, teacher_drop_path, drop_path, masks, targets]);
        return values;
      }),
    ).filter(values => values !== undefined);
    const trained = trainer.finish();
    const result = { losses, weights: fromTensors(trained), initial: weights };
    network.dispose();
    tf.dispose([trained, frozen]);
    return result;
  }

  function compare(recipe: DistillLoss, microBatches: number): void {
    const eager = train('eager', recipe, microBatches),
      graph = train('graph', recipe, microBatches);
    expect(distance(graph.weights, eager.weights)).toBeLessThan(TOLERANCE);
    expect(distance(eager.weights, eager.initial)).toBeGreaterThan(10 * TOLERANCE); // it has moved
    graph.losses.forEach((values, step) => {
      expect(Object.keys(values).sort()).toEqual(Object.keys(eager.losses[step]!).sort());
      for (const [name, value] of Object.entries(values)) expect(Math.abs(value / eager.losses[step]![name]! - 1), `${name} of step ${step}`).toBeLessThan(1e-4);
    });
  }

  /** One of each family; the others differ in what is compared, not in how a graph is made. */
  const FAMILIES = ['relation, kl', 'feature, block with final norm', 'class token, kl', 'with drop path of both', 'masked student, visible teacher', 'reconstruction beside the class token'];

  it.each(FAMILIES)('%s', name => {
    compare(CASES[name]!, 1);
  });

  it.each(Object.keys(CASES).filter(name => !FAMILIES.includes(name)))('%s', { tags: 'long' }, name => {
    compare(CASES[name]!, 1);
  });

  it('in micro-batches', () => {
    compare(CASES['reconstruction beside the class token']!, 3);
  });

  it.each(['relation, kl', 'feature, ffn', 'class token, kl'])('in bfloat16 have losses within a hundredth of those in float32: %s', name => {
    const exact = train('graph', CASES[name]!),
      rounded = train('graph', CASES[name]!, 1, 'bfloat16');
    rounded.losses.forEach(({ loss }, step) => {
      expect(Math.abs(loss! / exact.losses[step]!['loss']! - 1)).toBeLessThan(1e-2);
    });
    expect(rounded.losses).not.toEqual(exact.losses);
  });

  it('leaves no tensor behind', () => {
    train('graph', CASES['relation, kl']!, 2);
    const before = tf.memory().numTensors;
    train('graph', CASES['relation, kl']!, 2);
    train('graph', CASES['feature, qkv']!);
    train('eager', CASES['relation, kl']!, 2);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('scores of a classifier', () => {
  const config = { image_size: [8, 8], patch_size: 2, in_chans: 1, mlp_ratio: 2, embed_dim: 8, depth: 2, num_heads: 2 } as const;
  const set = proceduralSet({ name: 'procedural', classes: 4, image_size: [8, 8], channels: 1, train: 1, validation: 25, test: 1, seed: 1 }, 'validation');

  function scores(mode: Mode) {
    const scorer = createScorer({ mode, precision: 'float32' }, config, normalisation, 10); // 10, 10 and 5
    const results = [1, 2].map(seed => {
      const params = toTensors(initClassifier(config, 4, seed));
      const score = scorer.score(params, set);
      tf.dispose(params);
      return score;
    });
    scorer.dispose();
    return results;
  }

  it('are the same in both modes, follow the parameters, and leave no tensor behind', () => {
    const before = tf.memory().numTensors;
    const eager = scores('eager'),
      graph = scores('graph');
    expect(tf.memory().numTensors).toBe(before);
    graph.forEach(({ right, correct, count, loss }, i) => {
      expect([right, correct, count]).toEqual([eager[i]!.right, eager[i]!.correct, 25]);
      expect(loss).toBeCloseTo(eager[i]!.loss, 6);
    });
    expect(graph[0]!.loss).not.toBe(graph[1]!.loss);
  });

  it('tell of each image whether its largest logit is that of its label, and count them', () => {
    const weights = initClassifier(config, 4, 1);
    const params = toTensors({ ...weights, 'head.weight': { shape: [4, 8], data: new Float32Array(32) }, 'head.bias': { shape: [4], data: Float32Array.of(0, 0, 1, 0) } });
    const scorer = createScorer({ mode: 'graph', precision: 'float32' }, config, normalisation, 10);
    const { right, correct } = scorer.score(params, set);
    expect(right).toEqual(Array.from(set.labels, label => label === 2));
    expect(correct).toBe(set.labels.filter(label => label === 2).length);
    scorer.dispose();
    tf.dispose(params);
  });
});

describe('whole stages', () => {
  const image = { image_size: [8, 8] as [number, number], patch_size: 2, in_chans: 1, mlp_ratio: 2 };
  const decoder = { embed_dim: 8, depth: 1, num_heads: 2, mlp_ratio: 2 };
  const teacherModel = { ...image, embed_dim: 16, depth: 2, num_heads: 4 };
  const model = { ...image, embed_dim: 8, depth: 2, num_heads: 2 };
  const shared = {
    data: { name: 'procedural', classes: 4, image_size: [8, 8], channels: 1, train: 64, validation: 24, test: 8, seed: 1 },
    images: null,
    schedule: { epochs: 2, warmup_epochs: 0.5, batch_size: 32, accumulation_steps: 1, base_lr: 0.02, min_lr: 0 },
    optimizer: { weight_decay: 0.05, betas: [0.9, 0.95] },
    augment: { crop: null, flip: true },
  };
  const classifier = { ...shared, model, drop_path: 0.1, label_smoothing: 0.1 };
  const averaged = { optimizer: { ...shared.optimizer, ema_decay: 0.7 } };
  const byClassToken = { ...averaged, model: { ...model, pool: 'class_token' } };
  const deit = { ...classifier, ...byClassToken, init: 'trunc_normal', pos_embed: 'learned' };
  const distillation = {
    ...shared,
    model: { ...model, last_block_heads: 4 },
    target: { family: 'relation', pairs: ['qk', 'vv'], loss: 'kl', heads: 'aligned' },
    teacher_block: 2,
    drop_path: 0.1,
    teacher_drop_path: 0,
    mask_ratio: 0,
    teacher_input: 'whole',
    reconstruction: null,
    student_jitter: null,
  };
  const upstream = () => leaveUpstream(folder, { model: teacherModel }, initEncoder(teacherModel, 1));
  const start = () => leaveUpstream(folder, { model }, initEncoder(model, 2));

  const STAGES: Readonly<Record<string, (mode: Mode, interruptAt?: number) => ReturnType<typeof runStage>>> = Object.fromEntries(
    (
      [
        ['pretrain', runPretrain, { ...shared, model, decoder, mask_ratio: 0.75, norm_pix_loss: true }, pretrainRecipe, () => ({})],
        ['distill', runDistill, distillation, distillRecipe, () => ({ teacher: upstream() })],
        ['distill in micro-batches', runDistill, { ...distillation, schedule: { ...shared.schedule, accumulation_steps: 2 } }, distillRecipe, () => ({ teacher: upstream() })],
        ['finetune', runFinetune, { ...classifier, layer_decay: 0.75 }, finetuneRecipe, () => ({ weights: start() })],
        ['supervise', runSupervise, classifier, superviseRecipe, () => ({})],
        ['supervise as DeiT', runSupervise, deit, superviseRecipe, () => ({})],
        ['finetune by the class token, averaged', runFinetune, { ...classifier, ...byClassToken, layer_decay: 0.75 }, finetuneRecipe, () => ({ weights: start() })],
        ['distill to an average', runDistill, { ...distillation, ...averaged }, distillRecipe, () => ({ teacher: upstream() })],
      ] as [string, StageRunner<object>, object, z.ZodType<object>, () => object][]
    ).map(([name, runner, recipe, schema, inputs]) => [
      name,
      (mode: Mode, interruptAt?: number) => runStage(runner, schema.parse({ ...recipe, engine: { mode } }), { folder, upstream: inputs() as never, ...(interruptAt !== undefined && { interruptAt }) }),
    ]),
  );

  async function expectSame(name: string): Promise<void> {
    const [eager, graph, resumed] = [await STAGES[name]!('eager'), await STAGES[name]!('graph'), await STAGES[name]!('graph', 2)];
    expect([eager.facts, graph.facts].map(facts => (facts['engine'] as { mode: string }).mode)).toEqual(['eager', 'graph']);
    expect(distance(graph.weights, eager.weights)).toBeLessThan(TOLERANCE);
    expect(Object.keys(graph.result)).toEqual(Object.keys(eager.result));
    expect((graph.result['loss'] as number) / (eager.result['loss'] as number)).toBeCloseTo(1, 4);
    expect(resumed.weights).toEqual(graph.weights);
    expect(resumed.result).toEqual(graph.result);
  }

  /** The average and the class token, of which a training from scratch has both. */
  const BREADTH = ['finetune by the class token, averaged', 'distill to an average'];

  it.each(Object.keys(STAGES).filter(name => !BREADTH.includes(name)))('give the same weights and metrics in both modes, and resume to the bit: %s', expectSame);

  it.each(BREADTH)('give the same weights and metrics in both modes, and resume to the bit: %s', { tags: 'long' }, expectSame);

  it('evaluate to the same number of correct images in both modes', async () => {
    const weights = leaveUpstream(folder, { model }, initClassifier(model, 4, 3));
    const [eager, graph] = await Promise.all(
      (['eager', 'graph'] as const).map(mode =>
        runEvaluate(new StageInFolder(folder, evaluateRecipe.parse({ data: shared.data, split: 'test', batch_size: 5, engine: { mode } }), { weights }).context()),
      ),
    );
    expect(graph!['correct']).toBe(eager!['correct']);
    expect(graph!['loss'] as number).toBeCloseTo(eager!['loss'] as number, 6);
  });

  it.each([
    ['graph', 'bfloat16', true],
    ['graph', 'tf32', true],
    ['eager', 'bfloat16', false],
    ['eager', 'tf32', false],
    ['fast', 'float32', false],
  ])('with mode %s and precision %s can be planned: %s', (mode, precision, valid) => {
    const { success, error } = superviseRecipe.safeParse({ ...classifier, engine: { mode, precision } });
    expect(success).toBe(valid);
    if (mode === 'eager') expect(error!.issues[0]!.message).toMatch(new RegExp(`expected float32 with the mode 'eager'.*got ${precision}; set the mode to 'graph' or 'hybrid'`));
  });
});
