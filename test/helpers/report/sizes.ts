/** Two model sizes, two strategies and an ablation over an axis, for the charts that put arms in an order. Nothing here was measured. */
import type { AblationDeclaration, Published, Study } from '../../../src/core/ablation/declaration.ts';
import type { ReportInput } from '../../../src/core/report/model/build.ts';
import type { ReportRecord } from '../../../src/core/report/records/records.ts';
import { sampleKey, sampleStudy } from './sample.ts';

const TEST_IMAGES = 10_000;

const published = (value: number): Published => ({ value, unit: '% top-1', table: 'Table 1', row: 'sample', column: 'Top-1', source: 'sample', quote: 'sample' });

const sizes: AblationDeclaration<object> = {
  name: 'sizes',
  title: 'Two sizes',
  table: 'Table 1',
  question: 'Does it help at both sizes?',
  expected: 'Yes.',
  base: {},
  default: 'distilled-large',
  arms: [
    { name: 'scratch-small', label: 'Small, from scratch', group: 'Small', factors: {}, published: published(78) },
    { name: 'distilled-small', label: 'Small, distilled', group: 'Small', factors: {}, published: published(79.5) },
    { name: 'scratch-large', label: 'Large, from scratch', group: 'Large', factors: {}, published: published(80) },
    { name: 'distilled-large', label: 'Large, distilled', group: 'Large', factors: {}, published: published(82.5) },
  ],
};

const depth: AblationDeclaration<object> = {
  name: 'depth',
  title: 'Which block',
  table: 'Table 1',
  question: 'Which block is the best?',
  expected: 'One in the middle.',
  axis: 'block of the teacher',
  base: {},
  default: 'nine',
  arms: [
    { name: 'twelve', label: 'Block 12', at: 12, group: 'Without norm', factors: {}, published: published(82.5) },
    { name: 'six', label: 'Block 6', at: 6, group: 'Without norm', factors: {}, published: published(81) },
    { name: 'nine', label: 'Block 9', at: 9, group: 'Without norm', factors: {}, published: published(83) },
    { name: 'nine-norm', label: 'Block 9 after its norm', at: 9, group: 'With norm', factors: {} },
  ],
};

const MEASURED: Readonly<Record<string, number>> = {
  'sizes/scratch-small': 0.7,
  'sizes/distilled-small': 0.715,
  'sizes/scratch-large': 0.72,
  'depth/six': 0.71,
  'depth/nine': 0.73,
  'depth/twelve': 0.72,
  'depth/nine-norm': 0.725,
};

const records = Object.entries(MEASURED).map(([name, accuracy]): ReportRecord => {
  const [ablation = '', arm = ''] = name.split('/');
  return {
    key: sampleKey('sizes', name),
    kind: 'evaluate',
    seed: 0,
    state: 'done',
    uses: [{ ablation, arm, seed: 0, role: 'evaluate' }],
    result: { accuracy, accuracy_se: Math.sqrt((accuracy * (1 - accuracy)) / TEST_IMAGES) },
    cost: { labelledImages: 0, unlabelledImages: 0, flops: 1e9 },
    curves: {},
    resultSha256: sampleKey('sizes', name, 'result'),
  };
});

const study: Study = {
  ...sampleStudy,
  report: {
    ...sampleStudy.report,
    overview: {
      title: 'Accuracy over model size',
      x: { label: 'model size', values: ['Small', 'Large'] },
      series: [
        { label: 'From scratch', arms: ['sizes/scratch-small', 'sizes/scratch-large'] },
        { label: 'Distilled', arms: ['sizes/distilled-small', 'sizes/distilled-large'] },
        { label: 'Elsewhere', arms: [null, 'other/arm'] },
      ],
    },
  },
};

/** Every arm but the large distilled one is measured; one series is of ablations that the report does not hold. */
export const sizesInput = (): ReportInput => ({ study, profile: { name: 'sizes', seeds: [0] }, ablations: [sizes, depth], records });
