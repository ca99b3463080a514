/** Small inputs for claims: arms given by their accuracies per seed, in the sample study. */
import type { AblationDeclaration, Claim, Published } from '../../../src/core/ablation/declaration.ts';
import type { ClaimInput } from '../../../src/core/report/model/claims.ts';
import type { ReportRecord } from '../../../src/core/report/records/records.ts';
import { sampleKey, sampleStudy } from './sample.ts';

/** Binomial standard error of a result, as for some 10,000 images at 85 %. */
const TEST_ERROR = 0.0036;

/** By `ablation/arm`: accuracies of the seeds 0, 1, ...; null: that seed has not run. */
export type Accuracies = Readonly<Record<string, readonly (number | null)[]>>;

export function accuracyRecords(accuracies: Accuracies): ReportRecord[] {
  return Object.entries(accuracies).flatMap(([name, values]) => {
    const [ablation, arm] = name.split('/') as [string, string];
    return values.flatMap((accuracy, seed): ReportRecord[] => {
      if (accuracy === null) return [];
      const key = sampleKey(name, seed);
      const cost = { labelledImages: 0, unlabelledImages: 0, flops: 0 };
      const uses = [{ ablation, arm, seed, role: 'evaluate' }];
      return [{ key, kind: 'evaluate', seed, state: 'done', uses, result: { accuracy, accuracy_se: TEST_ERROR }, cost, curves: {} }];
    });
  });
}

export const cell = (value: number, unit = '% top-1 ImageNet-1K'): Published => ({
  value,
  unit,
  table: 'Table 1',
  row: 'sample',
  column: 'Top-1',
  source: 'invented for the test',
  quote: '',
});

/** An ablation with these arms and claims; published values by arm. */
export function claimAblation(name: string, arms: readonly string[], claims: readonly Claim[], published: Readonly<Record<string, Published>> = {}): AblationDeclaration<object> {
  return {
    name,
    title: name,
    table: 'Table 1',
    question: 'sample',
    expected: 'sample',
    base: {},
    default: arms[0]!,
    claims,
    arms: arms.map(arm => ({ name: arm, label: arm.toUpperCase(), factors: {}, ...(published[arm] === undefined ? {} : { published: published[arm] }) })),
  };
}

export const claim = (parts: Claim['parts'], rest: Partial<Claim> = {}): Claim => ({ name: 'c', sentence: 'A sentence.', source: 'section 1', parts, ...rest });

export const claimInput = (ablations: readonly AblationDeclaration<object>[], accuracies: Accuracies): ClaimInput => ({
  study: sampleStudy,
  profile: { name: 'sample', seeds: [0, 1, 2], verdicts: { margin: 0.16, source: 'invented for the test' } },
  ablations,
  records: accuracyRecords(accuracies),
});
