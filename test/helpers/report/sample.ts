/**
 * Sample data for tests of the report: the shape of a Table 7 run with invented numbers. Nothing here was measured.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { defineAblation, defineKind, defineStudy } from '../../../src/core/ablation/define.ts';
import type { AblationDeclaration, ArmDeclaration, ProfileBase, Published, Study } from '../../../src/core/ablation/declaration.ts';
import type { MetricSpec, StageCost } from '../../../src/core/ablation/kind.ts';
import { cutCurve, type CurvePoint, type ReportRecord } from '../../../src/core/report/records/records.ts';
import type { ReportInput } from '../../../src/core/report/model/build.ts';
import { stream } from '../../../src/engine/random/rng.ts';

const loss = (label: string): MetricSpec => ({ label, unit: 'loss', better: 'lower', help: 'sample' });
const accuracy = (label: string): MetricSpec => ({ label, unit: 'fraction', better: 'higher', help: 'sample' });
const free: StageCost = { labelledImages: 0, unlabelledImages: 0, flops: 0 };

const kind = (name: string, metrics: Record<string, MetricSpec>) =>
  defineKind({
    name,
    revision: 1,
    recipe: z.record(z.string(), z.json()),
    upstream: {},
    metrics,
    cost: () => free,
    load: () => Promise.reject(new Error('Sample stages do not run.')),
  });

export const sampleStudy: Study = defineStudy<object, ProfileBase>({
  name: 'Sample study',
  factors: z.object({}),
  profile: z.object({ name: z.string(), seeds: z.array(z.int()) }),
  kinds: [
    kind('pretrain', { loss: loss('reconstruction loss') }),
    kind('distill', {
      loss: loss('distillation loss'),
      val_loss: loss('held-out loss'),
      val_loss_untrained: loss('held-out loss, untrained'),
      val_loss_ratio: { label: 'ratio', unit: 'ratio', better: 'lower', help: 'sample' },
    }),
    kind('finetune', { loss: loss('training loss'), val_accuracy: accuracy('validation accuracy') }),
    kind('supervise', { loss: loss('training loss'), val_accuracy: accuracy('validation accuracy') }),
    kind('evaluate', { accuracy: accuracy('test accuracy'), accuracy_se: accuracy('binomial standard error') }),
  ],
  realise: () => {
    throw new Error('Sample arms are not realised.');
  },
  report: {
    headline: { role: 'evaluate', metric: 'accuracy', standardError: 'accuracy_se' },
    columns: [
      { role: 'distill', metric: 'val_loss', label: 'held-out distillation loss' },
      { role: 'distill', metric: 'val_loss_untrained', label: 'untrained student' },
      { role: 'distill', metric: 'val_loss_ratio', label: 'ratio' },
    ],
    curves: [
      { role: 'distill', metric: 'loss', title: 'Distillation loss' },
      { role: 'pretrain', metric: 'loss', title: 'MAE reconstruction loss' },
      { role: 'finetune', metric: 'val_accuracy', title: 'Validation accuracy in fine-tuning' },
      { role: 'supervise', metric: 'val_accuracy', title: 'Validation accuracy from scratch' },
    ],
    ownRoles: ['pretrain', 'distill', 'finetune', 'supervise', 'evaluate'],
    notes: () => ['Sample data, invented to show the layout: nothing on this page was measured.'],
    comparable: () => false,
    publishedNoise: { value: 0.16, source: 'twice the standard deviation of 0.08 points over four seeds published for MAE ViT-B' },
    facts: () => [
      { label: 'Data', value: 'Fashion-MNIST (28 x 28, 10 classes)' },
      { label: 'Images', value: '60,000 without labels, 4,096 with, 10,000 for the test' },
      { label: 'ViT-L', value: 'width 128, depth 8, heads 8' },
      { label: 'ViT-B', value: 'width 64, depth 4, heads 4' },
      { label: 'Distillation', value: '1 epochs, batch 256, base rate 0.003 per 256 images' },
    ],
  },
});

const published = (value: number, table = 'Table 7', inferred = false): Published => ({
  value,
  unit: '% top-1 ImageNet-1K',
  table,
  row: 'sample',
  column: 'Top-1',
  source: `CVPR 2023 camera-ready ${table}`,
  quote: '',
  ...(inferred ? { inferred, note: 'two rows share one check mark' } : {}),
});

interface SampleArm {
  readonly name: string;
  readonly declaration: ArmDeclaration<object>;
  readonly method: 'scratch' | 'mae' | 'distill';
  readonly accuracy: number;
  readonly loss: number;
}

const arm = (name: string, label: string, method: SampleArm['method'], accuracyOfArm: number, lossOfArm: number, cell: Published): SampleArm => ({
  name,
  declaration: {
    name,
    label,
    factors: {},
    published: cell,
    ...(cell.table === 'Table 7' ? {} : { note: 'Not a row of Table 7: its published value is that of Table 8.' }),
  },
  method,
  accuracy: accuracyOfArm,
  loss: lossOfArm,
});

const arms: readonly SampleArm[] = [
  arm('scratch', 'From scratch (no pre-training)', 'scratch', 0.8312, 0, published(81.2, 'Table 8')),
  arm('mae', 'MAE baseline', 'mae', 0.8507, 0.61, published(83.6)),
  arm('qq-kk-vv', 'Q-Q, K-K, V-V', 'distill', 0.8662, 0.082, published(84.4, 'Table 7', true)),
  arm('qq-kk-vv-softmax', 'Q-Q, K-K, V-V with softmax', 'distill', 0.8731, 1.93, published(84.5, 'Table 7', true)),
  arm('qk-vv', 'Q-K, V-V', 'distill', 0.8689, 0.041, published(84.4, 'Table 7', true)),
  arm('qk-vv-softmax', 'Q-K, V-V with softmax (default)', 'distill', 0.8718, 1.21, published(84.6, 'Table 7', true)),
];

export const sampleAblation: AblationDeclaration<object> = defineAblation<object>({
  name: 'relation',
  title: 'Which relations to distill',
  table: 'Table 7',
  question: 'Does it matter which token relations the student learns, and whether they pass through a softmax?',
  expected: 'Every kind of relation beats the MAE baseline clearly; Q-K and V-V with softmax is best by a little.',
  base: {},
  default: 'qk-vv-softmax',
  arms: arms.map(a => a.declaration),
  footnotes: ['The paper defines no loss for relations without softmax; here it is the mean squared error of the scaled products over all elements.'],
});

export const sampleKey = (...parts: readonly (string | number)[]): string => createHash('sha256').update(parts.join('/')).digest('hex').slice(0, 32);

/** A noisy decay from `start` to `end`. */
function decay(name: string, seed: number, steps: number, epochs: number, start: number, end: number, noise: number): CurvePoint[] {
  const random = stream(seed, `sample/${name}`, 0).normals(steps);
  return Array.from({ length: steps }, (_, i) => {
    const t = (i + 1) / steps;
    return [t * epochs, end + (start - end) * Math.exp(-6 * t) + noise * random[i]! * Math.abs(start - end)];
  });
}

const TEST_IMAGES = 10_000;
const TEACHER_COST: StageCost = { labelledImages: 0, unlabelledImages: 119_808, flops: 3.1e12 };

function stage(kindName: string, role: string, a: SampleArm, seed: number, fields: Partial<ReportRecord>): ReportRecord {
  const key = sampleKey(a.name, kindName, seed);
  return {
    key,
    kind: kindName,
    seed,
    state: 'done',
    uses: [{ ablation: 'relation', arm: a.name, seed, role }],
    result: {},
    cost: free,
    curves: {},
    resultSha256: createHash('sha256').update(key).digest('hex'),
    ...fields,
  };
}

function armRecords(a: SampleArm, seed: number): ReportRecord[] {
  const p = a.accuracy + 0.0025 * stream(seed, `sample/${a.name}/accuracy`, 0).normal();
  const training = { labelledImages: 40_960, unlabelledImages: 0, flops: 1.4e11 };
  const classify = (kindName: 'finetune' | 'supervise'): ReportRecord =>
    stage(kindName, kindName, a, seed, {
      cost: kindName === 'finetune' ? training : { ...training, labelledImages: 122_880, flops: 4.2e11 },
      result: { loss: 0.61, val_accuracy: p },
      curves: { val_accuracy: cutCurve(decay(`${a.name}/acc`, seed, kindName === 'finetune' ? 10 : 30, kindName === 'finetune' ? 10 : 30, 0.45, p, 0.006)) },
    });
  const evaluate = stage('evaluate', 'evaluate', a, seed, {
    cost: { labelledImages: 0, unlabelledImages: 0, flops: 3.4e9 },
    result: { accuracy: p, accuracy_se: Math.sqrt((p * (1 - p)) / TEST_IMAGES) },
  });
  if (a.method === 'scratch') return [classify('supervise'), evaluate];
  const images = { labelledImages: 0, unlabelledImages: 59_904, flops: 6.2e11 };
  const first =
    a.method === 'mae'
      ? stage('pretrain', 'pretrain', a, seed, { cost: images, result: { loss: a.loss }, curves: { loss: cutCurve(decay('mae', seed, 468, 2, 1, a.loss, 0.03)) } })
      : stage('distill', 'distill', a, seed, {
          cost: images,
          result: { loss: a.loss, val_loss: a.loss * 0.97, val_loss_untrained: a.loss * 3.4, val_loss_ratio: 0.97 / 3.4 },
          curves: { loss: cutCurve(decay(a.name, seed, 234, 1, 3.2 * a.loss, a.loss, 0.02)) },
        });
  return [first, classify('finetune'), evaluate];
}

/** Every stage of a complete run, the shared teacher once. */
export function sampleRecords(seeds: readonly number[] = [0]): ReportRecord[] {
  const distilled = arms.filter(a => a.method === 'distill');
  const teacher = stage('pretrain', 'teacher', distilled[0]!, 0, {
    key: sampleKey('teacher'),
    cost: TEACHER_COST,
    result: { loss: 0.52 },
    uses: distilled.flatMap(a => seeds.map(seed => ({ ablation: 'relation', arm: a.name, seed, role: 'teacher' }))),
    curves: { loss: cutCurve(decay('teacher', 0, 468, 2, 1, 0.52, 0.03)) },
  });
  return [teacher, ...arms.flatMap(a => seeds.flatMap(seed => armRecords(a, seed)))];
}

export function sampleInput(seeds: readonly number[] = [0]): ReportInput {
  return { study: sampleStudy, profile: { name: 'sample', seeds: [...seeds] }, ablations: [sampleAblation], records: sampleRecords(seeds) };
}
