/**
 * A whole grid for tests of the report, generated: many ablations whose arms differ in everything that a report shows.
 * Nothing here was measured.
 */
import type { AblationDeclaration, ArmDeclaration, Claim, Published, Study } from '../../../src/core/ablation/declaration.ts';
import type { ReportInput } from '../../../src/core/report/model/build.ts';
import { cutCurve, type CurvePoint, type ReportRecord } from '../../../src/core/report/records/records.ts';
import { stream } from '../../../src/engine/random/rng.ts';
import { sampleKey, sampleStudy } from './sample.ts';

export const GRID_ABLATIONS = 15;
/** Arms of each ablation in turn: 80 in all with the two long ones. */
const SIZES = [3, 7, 6, 4, 5, 5, 8, 9, 15, 6, 4, 2, 2, 2, 2] as const;
export const GRID_ARMS = SIZES.reduce((sum, size) => sum + size, 0);
const TEST_IMAGES = 10_000;

const published = (value: number, table: string): Published => ({
  value: Number(value.toFixed(1)),
  unit: '% top-1 ImageNet-1K',
  table,
  row: 'sample',
  column: 'Top-1',
  source: `sample ${table}`,
  quote: '',
});

/** What an arm's accuracy would be with endless seeds: neighbours lie between a tenth and one and a half points apart. */
const trueAccuracy = (ablation: number, arm: number): number => 0.82 + 0.0015 * arm * (1 + (ablation % 5)) + 0.001 * stream(ablation, 'grid/effect', arm).normal();

const armName = (arm: number): string => `arm-${arm}`;

function gridAblation(index: number): AblationDeclaration<object> {
  const table = index < 11 ? `Table ${index + 2}` : 'ours';
  const arms = Array.from({ length: SIZES[index]! }, (_, arm): ArmDeclaration<object> => ({
    name: armName(arm),
    label: `${['Class token', 'Feature before the residual', 'Relations Q-K, V-V with softmax', 'MAE baseline', 'From scratch'][arm % 5]!}, reading ${arm + 1}`,
    ...(index > 0 && arm === 0 ? { sameAs: `ablation-${index - 1}/${armName(1)}` } : { factors: {} }),
    // The fourth arm is the one where the paper's order is not the measured one.
    ...(table === 'ours' ? {} : { published: published(83 + (arm === 3 ? -0.4 : 0.3 * arm), table) }),
  }));
  return {
    name: `ablation-${index}`,
    title: `Ablation ${index + 1}, what the student learns from`,
    table,
    question: 'Does the choice of this factor change what the student learns, and by how much?',
    expected: 'Each arm is above the one before it by a few tenths of a point.',
    base: {},
    default: armName(arms.length - 1),
    arms,
    claims: gridClaims(index, arms.length),
    ...(index === 7 ? { references: gridReferences(20) } : index === 1 ? { references: gridReferences(3) } : {}),
    ...(index % 5 === 2
      ? { inconsistencies: [{ text: 'The text names the 18th block as the best for classification.', table: 'The 21st block has 84.8, the 18th 84.6.', source: 'section 4.2 against Table 10' }] }
      : {}),
    footnotes: ['The paper leaves the ratio of this arm open.'],
  };
}

function gridClaims(index: number, arms: number): Claim[] {
  const last = armName(arms - 1);
  const claims: Claim[] = [
    { name: 'last-above-first', sentence: 'The default arm is clearly above the baseline of the same table.', source: 'section 4.2', parts: [{ type: 'greater', arm: last, than: armName(0) }] },
    {
      name: 'first-above-last',
      sentence: 'The baseline stays above the default arm, which the measurement should deny.',
      source: 'section 4.3',
      parts: [{ type: 'greater', arm: armName(0), than: last }],
    },
  ];
  if (arms > 3) {
    claims.push(
      {
        name: 'monotone',
        sentence: 'Every further choice adds to the accuracy of the arm before it.',
        source: 'section 4.2, text',
        parts: [{ type: 'monotone', arms: Array.from({ length: 4 }, (_, i) => armName(i)) }],
      },
      { name: 'not-worse', sentence: 'The cheaper of two neighbours is not worse.', source: 'Table 7', margin: 0.3, parts: [{ type: 'not-worse', arm: armName(1), than: armName(2) }] },
      {
        name: 'best',
        sentence: 'The default is the best of its table.',
        source: 'Table 7',
        note: 'The text says so of another task.',
        parts: [{ type: 'best', arm: last, of: Array.from({ length: arms - 1 }, (_, i) => armName(i)) }],
      },
    );
  }
  if (index === 3)
    claims.push({ name: 'elsewhere', sentence: 'It is above an arm that this report does not hold.', source: 'section 5', parts: [{ type: 'greater', arm: last, than: 'segmentation/upernet' }] });
  return claims;
}

const gridReferences = (count: number): NonNullable<AblationDeclaration<object>['references']> =>
  Array.from({ length: count }, (_, i) => ({
    label: `Method ${i + 1} (ViT-${'TSB'.charAt(i % 3)}, ${300 + 100 * (i % 6)} epochs)`,
    published: published(72 + 0.7 * i, 'Table 3'),
    ...(i % 4 === 0 ? { note: 'Pre-trained on other data as well.' } : {}),
  }));

function decay(name: string, seed: number, epochs: number, start: number, end: number): CurvePoint[] {
  const steps = 120;
  const noise = stream(seed, `grid/${name}`, 0).normals(steps);
  return cutCurve(
    Array.from({ length: steps }, (_, i): CurvePoint => {
      const t = (i + 1) / steps;
      return [t * epochs, end + (start - end) * (Math.exp(-6 * t) + 0.01 * noise[i]!)];
    }),
  );
}

function armRecords(ablation: number, arm: number, seed: number): ReportRecord[] {
  const name = `ablation-${ablation}/${armName(arm)}`;
  const accuracy = Math.round(TEST_IMAGES * (trueAccuracy(ablation, arm) + 0.002 * stream(seed, `grid/${name}`, 1).normal())) / TEST_IMAGES;
  const loss = 0.05 * (1 + (arm % 4)) * (arm % 2 === 0 ? 1 : 20);
  const uses = (role: string): ReportRecord['uses'] => [
    { ablation: `ablation-${ablation}`, arm: armName(arm), seed, role },
    ...(arm === 1 && ablation + 1 < GRID_ABLATIONS ? [{ ablation: `ablation-${ablation + 1}`, arm: armName(0), seed, role }] : []),
  ];
  const make = (kind: string, fields: Pick<ReportRecord, 'result' | 'cost' | 'curves'>): ReportRecord => {
    const key = sampleKey('grid', name, kind, seed);
    return { key, kind, seed, state: 'done', uses: uses(kind), ...fields, resultSha256: sampleKey(key, 'result') };
  };
  return [
    make('distill', {
      result: { loss, val_loss: loss, val_loss_untrained: 3 * loss, val_loss_ratio: 1 / 3 },
      cost: { labelledImages: 0, unlabelledImages: 400_000, flops: 6e12 },
      curves: { loss: decay(`${name}/loss`, seed, 7, 3 * loss, loss) },
    }),
    make('finetune', {
      result: { loss: 0.6, val_accuracy: accuracy },
      cost: { labelledImages: 40_960, unlabelledImages: 0, flops: 1.4e11 },
      curves: { val_accuracy: decay(`${name}/accuracy`, seed, 10, 0.45, accuracy) },
    }),
    make('evaluate', { result: { accuracy, accuracy_se: Math.sqrt((accuracy * (1 - accuracy)) / TEST_IMAGES) }, cost: { labelledImages: 0, unlabelledImages: 0, flops: 3.4e9 }, curves: {} }),
  ];
}

/** The first arm of every ablation but the first is the second of the one before: its records have both uses. */
function gridRecords(seeds: readonly number[]): ReportRecord[] {
  const records = SIZES.flatMap((size, ablation) =>
    Array.from({ length: size }, (_, arm) => arm).flatMap(arm => (arm === 0 && ablation > 0 ? [] : seeds.flatMap(seed => armRecords(ablation, arm, seed)))),
  );
  const owners = records.filter(record => record.kind === 'distill');
  const teacher: ReportRecord = {
    key: sampleKey('grid', 'teacher'),
    kind: 'pretrain',
    seed: 0,
    state: 'done',
    uses: owners.flatMap(record => record.uses.map(use => ({ ...use, role: 'teacher' }))),
    result: { loss: 0.52 },
    cost: { labelledImages: 0, unlabelledImages: 480_000, flops: 3e13 },
    curves: {},
  };
  return [teacher, ...records];
}

const study: Study = {
  ...sampleStudy,
  report: {
    ...sampleStudy.report,
    assumptions: () => [
      { field: 'distill.schedule.warmup_epochs', value: '5', reason: 'The paper gives 15 of 300 epochs and nothing for 100: the same share of the schedule.' },
      { field: 'finetune.drop_path', value: '0.1', reason: 'Not stated for ViT-S and ViT-T; as for ViT-B.' },
    ],
  },
};

/** All arms but two, one of which failed and one of which never ran. */
export function gridInput(seeds: readonly number[] = [0, 1, 2, 3, 4]): ReportInput {
  const missing = sampleKey('grid', 'ablation-6/arm-2', 'evaluate', 0);
  const records = gridRecords(seeds).flatMap((record): ReportRecord[] => {
    const of = (ablation: string, arm: string): boolean => record.kind !== 'pretrain' && record.uses.some(use => use.ablation === ablation && use.arm === arm);
    if (of('ablation-6', 'arm-2') && record.key !== missing) return [];
    if (!of('ablation-9', 'arm-3') || record.kind === 'distill') return [record];
    return record.kind === 'finetune' && record.seed === 0 ? [{ ...record, state: 'failed', reason: 'loss is not finite at step 120', result: {}, curves: {} }] : [];
  });
  return {
    study,
    profile: { name: 'grid', seeds: [...seeds], verdicts: { margin: 0.16, source: 'invented for the test' } },
    ablations: SIZES.map((_, i) => gridAblation(i)),
    records,
    overrides: ['distill.schedule.epochs=7'],
  };
}
