/** What the kinds' `check` has nothing against does run: whole stages of a few images, on recipes that fit or nearly fit. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../../src/core/ablation/errors.ts';
import type { JsonObject, JsonValue, UpstreamOutput } from '../../src/core/ablation/kind.ts';
import { objectionsTo } from '../../src/core/plan/objections.ts';
import { buildPlan, type Plan, type PlannedStage } from '../../src/core/plan/plan.ts';
import study from '../../src/tinymim/study.ts';
import { stageContext } from '../helpers/stage-context.ts';

const schedule = { epochs: 1, warmup_epochs: 0, batch_size: 8, accumulation_steps: 1, base_lr: 1e-3, min_lr: 0 };
const stage = { schedule, optimizer: { weight_decay: 0.05, betas: [0.9, 0.95] }, augment: { crop: null, flip: true } };
const base = {
  name: 'drawn',
  title: 'Drawn',
  seeds: [0],
  teacher_seed: 0,
  data: { name: 'procedural', classes: 4, image_size: [8, 8], channels: 1, train: 16, validation: 4, test: 6, seed: 1 },
  unlabelled_images: null,
  labelled_images: null,
  model: {
    image_size: [8, 8],
    patch_size: 4,
    in_chans: 1,
    mlp_ratio: 1,
    sizes: {
      T: { embed_dim: 4, depth: 1, num_heads: 2 },
      S: { embed_dim: 8, depth: 1, num_heads: 2 },
      B: { embed_dim: 8, depth: 2, num_heads: 4 },
      L: { embed_dim: 8, depth: 4, num_heads: 4 },
    },
  },
  pretrain: { ...stage, decoder: { embed_dim: 4, depth: 1, num_heads: 1, mlp_ratio: 1 }, mask_ratio: 0.5, norm_pix_loss: true },
  distill: { ...stage, jitter: { brightness: 0.4, contrast: 0.4 } },
  finetune: { ...stage, layer_decay: 0.9, drop_path: 0, label_smoothing: 0.1 },
  finetune_with_teacher: { epochs: 1, num_heads: 2, feature_dim: 6, alpha: 0.5, tau: 1 },
  supervise: { ...stage, drop_path: 0, label_smoothing: 0.1 },
  evaluate: { batch_size: 4 },
  segment: {
    data: {
      name: 'composed',
      source: { name: 'procedural', classes: 2, image_size: [6, 6], channels: 1, train: 6, validation: 1, test: 4, seed: 1 },
      canvas: [12, 12],
      items: [1, 2],
      scale: [0.5, 1.5],
      train: 8,
      test: 2,
      seed: 0,
    },
    crop: [8, 8],
    blocks: [1 / 3, 1 / 2, 2 / 3, 1],
    relative_position_bias: true,
    layer_scale: 1,
    head: { channels: 3, auxiliary_channels: 2, auxiliary_weight: 0.4, dropout: 0.1 },
    drop_path: 0,
    schedule: { steps: 2, warmup_steps: 1, warmup_ratio: 1e-6, batch_size: 4, accumulation_steps: 1, lr: 1e-3, min_lr: 0, power: 1 },
    optimizer: { weight_decay: 0.05, betas: [0.9, 0.999] },
    layer_decay: 0.9,
    augment: { resize: null, cat_max_ratio: 0.75, flip: true, photometric: true },
    evaluate: { stride: [5, 5], batch_size: 3 },
  },
  comparable: false,
};

type Change = readonly [path: string, value: JsonValue];
const changes: readonly (readonly [path: string, values: readonly JsonValue[]])[] = [
  ['data.classes', [1, 2, 3, 10]],
  [
    'data.image_size',
    [
      [4, 8],
      [6, 6],
      [8, 12],
      [1, 1],
    ],
  ],
  [
    'model.image_size',
    [
      [4, 8],
      [6, 6],
      [8, 12],
      [1, 1],
    ],
  ],
  ['data.channels', [2, 3, 4]],
  ['model.in_chans', [2, 3, 4]],
  ['data.train', [1, 3, 7, 9]],
  ['data.validation', [1, 20]],
  ['data.test', [1, 3]],
  ['unlabelled_images', [1, 7, 8, 15, 17]],
  ['labelled_images', [1, 3, 4, 8, 15, 17]],
  ['model.patch_size', [1, 2, 3, 8, 16]],
  ['model.mlp_ratio', [0.01, 0.125, 0.3, 2.7]],
  ...['T', 'S', 'B', 'L'].flatMap((size): [string, JsonValue[]][] => [
    [`model.sizes.${size}.embed_dim`, [4, 6, 12, 20]],
    [`model.sizes.${size}.depth`, [1, 3, 4]],
    [`model.sizes.${size}.num_heads`, [1, 3, 5, 8]],
    [`model.sizes.${size}.classifier_heads`, [1, 3, 4]],
  ]),
  ['pretrain.decoder.embed_dim', [2, 8, 12]],
  ['pretrain.decoder.num_heads', [2, 3, 4]],
  ['pretrain.decoder.mlp_ratio', [0.1, 0.5]],
  ['pretrain.mask_ratio', [0.01, 0.25, 0.76, 0.99]],
  ['pretrain.norm_pix_loss', [false]],
  ...['pretrain', 'distill', 'finetune', 'supervise'].flatMap((of): [string, JsonValue[]][] => [
    [`${of}.schedule.epochs`, [0.001, 0.2, 0.5, 1.5, 2]],
    [`${of}.schedule.warmup_epochs`, [0.5, 1, 3]],
    [`${of}.schedule.batch_size`, [1, 3, 5, 16, 17]],
    [`${of}.schedule.accumulation_steps`, [2, 3, 8]],
    [`${of}.schedule.base_lr`, [0, 0.1]],
    [`${of}.schedule.min_lr`, [1e-5, 1]],
    [
      `${of}.optimizer.betas`,
      [
        [0, 0],
        [0.99, 0.9],
      ],
    ],
    [`${of}.optimizer.weight_decay`, [0, 10]],
    [
      `${of}.augment.crop`,
      [
        { scale: [0.2, 1], ratio: [0.75, 1.25] },
        { scale: [1, 0.2], ratio: [1, 1] },
        { scale: [1e-6, 1e-6], ratio: [1, 1] },
        { scale: [0.5, 1], ratio: [50, 60] },
      ],
    ],
  ]),
  [
    'distill.jitter',
    [
      { brightness: 0, contrast: 0, saturation: 0 },
      { brightness: 0.9, contrast: 0, saturation: 0.5 },
    ],
  ],
  ['finetune.layer_decay', [1, 0.001]],
  ['finetune.drop_path', [0.3, 0.99]],
  ['supervise.drop_path', [0.3, 0.99]],
  ['finetune.label_smoothing', [0, 0.9]],
  ['finetune.sizes.B', [{ batch_size: 5, epochs: 0.4 }, { drop_path: 0.1 }]],
  ['finetune_with_teacher.num_heads', [1, 3, 4]],
  ['finetune_with_teacher.feature_dim', [null, 1, 40]],
  ['finetune_with_teacher.alpha', [0, 1]],
  ['finetune_with_teacher.tau', [0.1, 20]],
  ['evaluate.batch_size', [1, 6, 50]],
  ['evaluate.crop', [{ resize: 8 }, { resize: 4 }]],
  ['robustness.imagenet_a.images', [1, 4, 5, 20]],
  ['robustness.imagenet_c.images', [2, 4, 20]],
  ['robustness.imagenet_c', [{ name: 'imagenet-c' }]],
  ['finetune.augment.random_erase', [0.25, 1]],
  ['finetune.augment.rand_augment', ['rand-m9-mstd0.5-inc1', 'rand-m9', 'rand-m10-n3-p1-inc1']],
  ['supervise.augment.repeats', [3, 50]],
  [
    'supervise.augment.mixing',
    [
      { mixup: 0.8, cutmix: 1, switch_prob: 0.5 },
      { mixup: 0, cutmix: 1, switch_prob: 0.5 },
      { mixup: 0.1, cutmix: 0, switch_prob: 0 },
      { mixup: 0, cutmix: 0, switch_prob: 0 },
    ],
  ],
  [
    'segment.crop',
    [
      [4, 4],
      [12, 8],
      [16, 16],
      [6, 6],
    ],
  ],
  ['segment.data.source.channels', [3]],
  ['segment.head.dropout', [0, 0.9]],
  ['segment.relative_position_bias', [false]],
  ['segment.layer_scale', [null, 1e-4]],
  ['segment.drop_path', [0.3]],
  ['segment.schedule.batch_size', [1, 2, 8, 9]],
  ['segment.schedule.accumulation_steps', [2, 3, 4]],
  ['segment.schedule.warmup_steps', [0, 5]],
  [
    'segment.augment.resize',
    [
      { within: [12, 12], ratio: [0.3, 2] },
      { within: [12, 12], ratio: [2, 0.3] },
    ],
  ],
  [
    'segment.evaluate.stride',
    [
      [8, 8],
      [1, 9],
    ],
  ],
  ['engine.mode', ['eager']],
  ['engine.precision', ['bfloat16']],
];
const change: fc.Arbitrary<Change> = fc.constantFrom(...changes).chain(([path, values]) => fc.constantFrom(...values).map((value): Change => [path, value]));

const factors: fc.Arbitrary<JsonObject> = fc.constantFrom<JsonObject>(
  {},
  { student: 'T' },
  { student: 'S', teachers: ['L', 'B'] },
  { relations: ['qq', 'kk', 'vv'], softmax: false, headAlignment: false },
  { target: 'feature', feature: 'output' },
  { target: 'feature', feature: 'ffn', teacherDropPath: 0.2 },
  { target: 'class-token', maskRatio: 0.75 },
  { target: 'class-token', maskRatio: 0.25, reconstruction: 1 },
  { maskRatio: 0.5, teacherInput: 'visible', reconstruction: 0.5 },
  { student: 'S', finetuneTeacher: 'L' },
  { student: 'S', teachers: ['L', 'B'], finetuneTeacher: 'B', finetuneDistillation: 'soft' },
  { method: 'mae' },
  { method: 'scratch' },
);

function changed(value: JsonValue, [name, ...rest]: readonly string[], to: JsonValue): JsonValue {
  if (name === undefined) return to;
  const fields = (value ?? {}) as JsonObject;
  return { ...fields, [name]: changed(fields[name] ?? {}, rest, to) };
}

/** The arm's plan, or undefined where schemas or the study refuse it. */
function planOf(arm: JsonObject, list: readonly Change[]): Plan | undefined {
  const profile = study.profile.safeParse(list.reduce<JsonValue>((value, [path, to]) => changed(value, path.split('.'), to), base as unknown as JsonObject));
  if (!profile.success) return undefined;
  const one = { name: 'arm', label: 'x', factors: study.factors.parse(arm) };
  const declaration = { name: 't', title: 't', table: 'ours', question: 'q', expected: 'e', measures: ['accuracy', ...Object.keys(study.report.measures!)], base: {}, default: 'arm', arms: [one] };
  try {
    return buildPlan({ study, profile: profile.data, ablations: [{ declaration, arms: [{ ablation: 't', ...one }] }], seeds: [0] });
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ablate-check-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const kindOf = ({ kind }: { readonly kind: string }) => study.kinds.find(({ name }) => name === kind)!;

/** Runs a stage on inputs as initialised. */
async function run(plan: Plan, planned: PlannedStage): Promise<Record<string, number | string>> {
  const upstream: Record<string, UpstreamOutput> = {};
  for (const [slot, key] of Object.entries(planned.upstream)) {
    const { kind, recipe } = plan.stages.get(key)!,
      output = mkdtempSync(join(folder, 'input-'));
    await (
      await kindOf({ kind }).loadUntrained!()
    )(recipe, output);
    upstream[slot] = { key, kind, recipe, result: {}, output };
  }
  const output = mkdtempSync(join(folder, 'stage-'));
  mkdirSync(output, { recursive: true });
  const runner = await kindOf(planned).load();
  return runner(stageContext({ recipe: planned.recipe, seed: planned.seed, upstream, output }, { threads: 1, dataDir: folder, progress: () => undefined }));
}

const drawn = fc.record({ arm: factors, list: fc.array(change, { maxLength: 3 }), place: fc.nat({ max: 13 }) });

/** @returns how many recipes were accepted by kind */
async function tryRecipes(numRuns: number): Promise<Record<string, number>> {
  const accepted: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(drawn, async ({ arm, list, place }) => {
      const plan = planOf(arm, list);
      fc.pre(plan !== undefined && objectionsTo(study.kinds, plan).every(({ weight }) => weight === 'doubtful'));
      const planned = [...plan.stages.values()][place % plan.stages.size]!;
      const result = await run(plan, planned).catch((error: unknown) => {
        // A reference that makes no error on a handful of images is known by running it alone.
        fc.pre((error as { code?: unknown }).code !== 'NO_ERRORS');
        throw error;
      });
      for (const value of Object.values(result)) expect(typeof value === 'string' || Number.isFinite(value)).toBe(true);
      accepted[planned.kind] = (accepted[planned.kind] ?? 0) + 1;
    }),
    { numRuns, maxSkipsPerRun: 1000 },
  );
  return accepted;
}

/** Paths of all numbers. */
const numbers = (value: unknown, path: string): string[] =>
  typeof value === 'number'
    ? [path]
    : typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).flatMap(([name, inner]) => numbers(inner, path === '' ? name : `${path}.${name}`))
      : [];

test('whatever numbers a profile has, its plan is made or refused, and judged', () => {
  const absurd = fc.constantFrom(0, -1, 1e-308, 1e-9, 0.5, 0.999999, 1, 3, 1e6, 2 ** 32, 2 ** 53 - 1, 1e300, 1.7e308);
  const fields = fc.constantFrom(...numbers(base, '').filter(path => path !== 'seeds'));
  let judged = 0;
  fc.assert(
    fc.property(factors, fc.array(fc.tuple(fields, absurd), { minLength: 1, maxLength: 3 }), (arm, list) => {
      const plan = planOf(arm, list);
      if (plan === undefined) return;
      judged += 1;
      for (const { kinds, expected, got } of objectionsTo(study.kinds, plan)) {
        expect(kinds.length).toBeGreaterThan(0);
        expect(expected).not.toMatch(/NaN|undefined/);
        expect(got).not.toBe('nothing');
      }
    }),
    { numRuns: 300 },
  );
  expect(judged).toBeGreaterThan(20);
});

describe('a recipe that check has nothing against', () => {
  test('runs to its end', async () => {
    expect(Object.keys(await tryRecipes(12)).length).toBeGreaterThan(1);
  });

  test('runs to its end, whatever is drawn', { tags: 'long', timeout: 1_200_000 }, async () => {
    const all = study.kinds.map(({ name }) => name).filter(name => name !== 'checkpoint'); // which starts from a file
    expect(Object.keys(await tryRecipes(400)).sort()).toEqual(all.sort());
  });
});
