/** The signature of a step holds all that decides its graph: a field may be left out only where two values give the same bytes. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { initClassifier, initialise, initMae } from '../../../../src/tinymim/nn/init.ts';
import { maeLoss, type MaskTensors } from '../../../../src/tinymim/nn/mae.ts';
import { adamwRates, initAdamW } from '../../../../src/tinymim/optim/adamw.ts';
import { finetuneGroups, pretrainGroups, type ParamGroups } from '../../../../src/tinymim/optim/groups.ts';
import { classifierLoss } from '../../../../src/tinymim/stages/classifier-objective.ts';
import { studentLoss, studentSpec } from '../../../../src/tinymim/stages/distill-objective.ts';
import { normalise } from '../../../../src/tinymim/stages/images.ts';
import { maskInputs } from '../../../../src/tinymim/stages/mask-inputs.ts';
import { distillRecipe, finetuneRecipe, pretrainRecipe, type DistillRecipe, type FinetuneRecipe, type PretrainRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { NOT_IN_GRAPH, trainingSignature } from '../../../../src/tinymim/stages/signature.ts';
import { stepFunctions, stepState, uploadRates } from '../../../../src/tinymim/stages/trainer.ts';
import { upload, type HostInputs, type Inputs, type LossFunction } from '../../../../src/tinymim/stages/train-step.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { typesOf } from '../../../../src/engine/compile/checks.ts';
import { emitFunction } from '../../../../src/engine/compile/emit.ts';
import { graphDef } from '../../../../src/engine/compile/protobuf.ts';
import { rewrite } from '../../../../src/engine/compile/rewrite.ts';
import { traceStep } from '../../../../src/engine/compile/step.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { toTensors, type Weights } from '../../../../src/engine/formats/weights.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

const image = { image_size: [8, 8] as [number, number], patch_size: 4, in_chans: 1, mlp_ratio: 2 };
const teacher = { ...image, embed_dim: 8, depth: 2, num_heads: 2 };
const decoder = { embed_dim: 8, depth: 1, num_heads: 2, mlp_ratio: 2 };
const PATCHES = 4;
const common = {
  data: { name: 'procedural', classes: 4, image_size: [8, 8], channels: 1, train: 48, validation: 24, test: 8, seed: 1 },
  images: null,
  model: { ...image, embed_dim: 8, depth: 2, num_heads: 2 }, // two blocks: the last has no drop path
  schedule: { epochs: 2, warmup_epochs: 0, batch_size: 4, accumulation_steps: 1, base_lr: 0.05, min_lr: 0 },
  optimizer: { weight_decay: 0.05, betas: [0.9, 0.95] },
  augment: { crop: null, flip: true },
  engine: {},
};

interface Step {
  readonly weights: Weights;
  readonly groups: ParamGroups;
  readonly loss: LossFunction;
  readonly inputs: Inputs;
}

const pixels = (batch: number): HostInputs => ({ images: { data: new Float32Array(batch * 64).fill(9), shape: [batch, 8, 8, 1] } });
const noise = (batch: number): Float32Array => Float32Array.from({ length: batch * PATCHES }, (_, i) => (i * 7) % 5);
const micro = ({ batch_size, accumulation_steps }: { batch_size: number; accumulation_steps: number }): number => batch_size / accumulation_steps;

/** The statistics are those of the images. */
const normalisation = ({ data }: { data: { name: string } }) => ({ mean: [0.2 + JSON.stringify(data).length / 1e3], std: [0.3] });

/** What each kind of stage trains: as its own code puts it together. */
const KINDS = {
  pretrain: {
    recipe: pretrainRecipe.parse({ ...common, decoder, mask_ratio: 0.5, norm_pix_loss: true }) as object,
    step: (recipe: PretrainRecipe): Step => {
      const { model, mask_ratio, norm_pix_loss, optimizer, schedule } = recipe,
        weights = initMae(model, recipe.decoder, 1),
        batch = micro(schedule);
      return {
        weights,
        groups: pretrainGroups(weights, optimizer.weight_decay),
        loss: (params, { images, ...masks }) => ({
          loss: maeLoss(params, normalise(images!, normalisation(recipe)), { encoder: model, decoder: recipe.decoder, norm_pix_loss }, masks as unknown as MaskTensors),
        }),
        inputs: upload({ ...pixels(batch), ...maskInputs(noise(batch), PATCHES, mask_ratio) }),
      };
    },
  },
  distill: {
    recipe: distillRecipe.parse({
      ...common,
      target: { family: 'feature', feature: 'block', final_norm: false, class_token: true },
      teacher_block: 1,
      drop_path: 0.1,
      teacher_last_block_heads: 1,
      teacher_drop_path: 0,
      mask_ratio: 0.5,
      teacher_input: 'whole',
      reconstruction: { weight: 0.5, decoder, norm_pix_loss: true },
      student_jitter: null,
    }) as object,
    step: (recipe: DistillRecipe): Step => {
      const weights = initialise(studentSpec(recipe, teacher), 1),
        batch = micro(recipe.schedule);
      const masks = maskInputs(noise(batch), PATCHES, recipe.mask_ratio),
        kept = masks['ids_keep']!.shape[1]!;
      return {
        weights,
        groups: pretrainGroups(weights, recipe.optimizer.weight_decay),
        loss: studentLoss(recipe, normalisation(recipe)),
        inputs: {
          ...upload({ ...pixels(batch), ...masks, drop_path: { data: new Float32Array(recipe.model.depth * 2 * batch), shape: [recipe.model.depth, 2, batch] } }),
          block: tf.ones([batch, 1 + kept, teacher.embed_dim]),
        },
      };
    },
  },
  classifier: {
    recipe: finetuneRecipe.parse({
      ...common,
      model: { ...common.model, pool: 'class_token', dist_token: true, feature_dim: 12 },
      drop_path: 0.1,
      label_smoothing: 0,
      layer_decay: 0.75,
      distillation: { type: 'soft', alpha: 0.5, tau: 2 },
    }) as object,
    step: (recipe: FinetuneRecipe): Step => {
      const { model, optimizer, layer_decay, schedule } = recipe,
        weights = initClassifier(model, 4, 1),
        batch = micro(schedule);
      return {
        weights,
        groups: finetuneGroups(weights, { depth: model.depth, weightDecay: optimizer.weight_decay, layerDecay: layer_decay }),
        loss: classifierLoss(recipe, normalisation(recipe)),
        inputs: { ...upload(pixels(batch)), targets: tf.ones([batch, 4]), teacher: tf.ones([batch, 4]), drop_path: tf.zeros([model.depth, 2, batch]) },
      };
    },
  },
} as const;
type Kind = keyof typeof KINDS;

/** The graph of one optimizer step. */
function graphOf(kind: Kind, recipe: object): string {
  const bytes = tf.tidy(() => {
    const { weights, groups, loss, inputs } = KINDS[kind].step(recipe as never);
    const {
      optimizer: { betas },
      schedule: { accumulation_steps: microBatches },
      engine,
    } = recipe as PretrainRecipe;
    const params = toTensors(weights);
    const state = stepState({ params, optimizer: initAdamW(Object.fromEntries(Object.keys(groups).map(name => [name, params[name]!]))) }, microBatches);
    const { accumulate, step } = stepFunctions({ loss, groups, betas, microBatches });
    const rates = uploadRates(adamwRates({ lr: 1e-3, step: 1, betas }));
    const trace = (fn: typeof step, given: Inputs) => emitFunction(rewrite(traceStep(fn, { state: typesOf(state), inputs: typesOf(given) }), engine.precision));
    const functions = [trace(step, { ...inputs, ...rates }), ...(microBatches > 1 ? [trace(accumulate, inputs)] : [])];
    return [functions.map(({ nodes }) => Buffer.from(graphDef(nodes)).toString('base64')).join(' ')];
  });
  return bytes[0]!;
}

function withField(value: object, [name, ...rest]: readonly string[], field: unknown): object {
  return { ...value, [name!]: rest.length === 0 ? field : withField((value as Record<string, object>)[name!]!, rest, field) };
}

/** Another value for each field that is left out. */
const OTHERS: Readonly<Record<string, unknown>> = {
  images: 32,
  augment: { crop: { scale: [0.5, 1], ratio: [1, 1] }, flip: false },
  'schedule.epochs': 7,
  'schedule.warmup_epochs': 1,
  'schedule.base_lr': 0.3,
  'schedule.min_lr': 0.01,
  student_jitter: { brightness: 0.4, contrast: 0.4, saturation: 0 },
  teacher_block: 2,
  teacher_drop_path: 0.5,
  teacher_last_block_heads: 2,
  teacher_input: 'visible',
  label_smoothing: 0.1,
};

const cases = (Object.keys(KINDS) as Kind[]).flatMap(kind => NOT_IN_GRAPH[kind].map(field => [kind, field] as const));

describe('a field that is not in the signature', () => {
  it.each(cases)('decides no bit of the graph: %s, %s', (kind, field) => {
    const { recipe } = KINDS[kind],
      path = field.split('.');
    expect(OTHERS).toHaveProperty([field]);
    const other = withField(recipe, path, OTHERS[field]);
    expect(other).not.toEqual(recipe);
    expect(trainingSignature(kind, other)).toBe(trainingSignature(kind, recipe));
    expect(graphOf(kind, other)).toBe(graphOf(kind, recipe));
  });
});

describe('every other field', () => {
  const leaves = (value: unknown, path: readonly string[] = []): string[] =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name])) : [path.join('.')];

  it.each(Object.keys(KINDS) as Kind[])('changes the signature: %s', kind => {
    const { recipe } = KINDS[kind];
    const schema = { pretrain: pretrainRecipe, distill: distillRecipe, classifier: finetuneRecipe }[kind] as z.ZodObject;
    expect(Object.keys(recipe).sort()).toEqual(Object.keys(schema.shape).sort());
    const kept = leaves(recipe).filter(field => !NOT_IN_GRAPH[kind].some(left => field === left || field.startsWith(`${left}.`)));
    for (const field of kept) expect(trainingSignature(kind, withField(recipe, field.split('.'), 'another')), field).not.toBe(trainingSignature(kind, recipe));
    expect(kept).toContain('optimizer.weight_decay');
  });

  it.each<[Kind, string, unknown]>([
    ['pretrain', 'norm_pix_loss', false],
    ['pretrain', 'optimizer.weight_decay', 0.1],
    ['pretrain', 'optimizer.betas', [0.9, 0.99]],
    ['pretrain', 'engine.precision', 'bfloat16'],
    ['pretrain', 'data.classes', 10],
    ['pretrain', 'schedule.accumulation_steps', 2],
    ['distill', 'drop_path', 0.2],
    ['distill', 'reconstruction.weight', 1],
    ['classifier', 'layer_decay', 0.5],
    ['classifier', 'drop_path', 0.2],
    ['classifier', 'distillation.alpha', 0.3],
    ['classifier', 'distillation', { type: 'hard', alpha: 0.5 }],
    ['classifier', 'model.feature_dim', 8],
  ])('may change the graph, as %s: %s does', (kind, field, value) => {
    expect(graphOf(kind, withField(KINDS[kind].recipe, field.split('.'), value))).not.toBe(graphOf(kind, KINDS[kind].recipe));
  });
});
