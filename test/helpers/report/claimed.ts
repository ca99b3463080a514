/** The sample with claims of every kind, and a study of many arms with a claim on each. Nothing here was measured. */
import type { Claim } from '../../../src/core/ablation/declaration.ts';
import type { ReportInput } from '../../../src/core/report/model/build.ts';
import type { ReportRecord } from '../../../src/core/report/records/records.ts';
import { accuracyRecords } from './claims.ts';
import { sampleAblation, sampleInput, sampleKey } from './sample.ts';

const claim = (name: string, sentence: string, parts: Claim['parts']): Claim => ({ name, sentence, source: 'section 1', parts });

const CLAIMS: readonly Claim[] = [
  claim('above-mae', 'Distilling relations with softmax is better than MAE pre-training of the same model, at this size and at this length of training.', [
    { type: 'greater', arm: 'qk-vv-softmax', than: 'mae' },
  ]),
  claim('below-mae', 'MAE is better than relations with softmax.', [{ type: 'greater', arm: 'mae', than: 'qk-vv-softmax' }]),
  claim('not-worse', 'Q-K, V-V is not worse than Q-Q, K-K, V-V.', [{ type: 'not-worse', arm: 'qk-vv', than: 'qq-kk-vv' }]),
  claim('same', 'Softmax makes no difference.', [{ type: 'same', arm: 'qk-vv-softmax', than: 'qq-kk-vv-softmax' }]),
  claim('best', 'Q-K, V-V with softmax is the best.', [{ type: 'best', arm: 'qk-vv-softmax', of: ['mae', 'qk-vv', 'qq-kk-vv-softmax'] }]),
  claim('elsewhere', 'It is above an arm that is not here.', [{ type: 'greater', arm: 'qk-vv-softmax', than: 'other/arm' }]),
];

/** Claims that three seeds reproduce, contradict and leave undecided, and one that is not run. */
export function claimedInput(seeds: readonly number[] = [0, 1, 2], declared = seeds, claims = CLAIMS): ReportInput {
  const input = sampleInput(seeds);
  const profile = { name: 'sample', seeds: [...declared], verdicts: { margin: 0.2, source: 'assumed for the test' } };
  return { ...input, profile, ablations: [{ ...sampleAblation, claims: [...claims] }] };
}

/** Arms whose accuracies go from 50 % to 80 %, each claimed to be above the first. */
export function manyArmsInput(count: number): ReportInput {
  const name = (i: number): string => `arm-${i}`;
  const label = (i: number): string => `Rate of the student, number ${i}`;
  const arms = Array.from({ length: count }, (_, i) => ({ name: name(i), label: label(i), factors: {} }));
  const claims = arms.slice(1).map((arm, i) => claim(arm.name, `${label(i + 1)} is better than the lowest of all the rates of this table.`, [{ type: 'greater', arm: arm.name, than: name(0) }]));
  const accuracies = Object.fromEntries(arms.map((arm, i) => [`relation/${arm.name}`, [0.5 + (0.3 * i) / count]]));
  const curves = accuracyRecords(accuracies).map((record): ReportRecord => ({
    ...record,
    key: sampleKey(record.key, 'finetune'),
    kind: 'finetune',
    uses: record.uses.map(use => ({ ...use, role: 'finetune' })),
    result: record.result,
    curves: {
      val_accuracy: [
        [1, 0.1],
        [2, record.result['accuracy'] as number],
      ],
    },
  }));
  return { ...claimedInput([0]), ablations: [{ ...sampleAblation, arms, default: name(0), claims }], records: [...accuracyRecords(accuracies), ...curves] };
}
