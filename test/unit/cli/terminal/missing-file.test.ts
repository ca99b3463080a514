import { describe, expect, it } from 'vitest';
import { missingFileTexts } from '../../../../src/cli/terminal/missing-file.ts';
import type { PlannedFile } from '../../../../src/core/plan/files.ts';
import type { Plan } from '../../../../src/core/plan/plan.ts';

const stages = [
  ['a', {}],
  ['b', {}],
  ['c', { weights: 'b' }],
  ['d', {}],
] as const;
const plan = { stages: new Map(stages.map(([key, upstream]) => [key, { key, upstream }])) } as unknown as Pick<Plan, 'stages'>;
const file = (key: string, text: string, missing = true): PlannedFile =>
  ({ stage: { key }, file: { text, ...(missing && { missing: { mend: ['setup', '--data', 'photos=/path'] } }) } }) as unknown as PlannedFile;

describe('files that are missing', () => {
  it('are told once each, with all stages that wait for them', () => {
    const texts = missingFileTexts(plan, [file('a', 'Expected the folder of photos'), file('b', 'Expected the folder of photos'), file('d', 'another', false)]);
    expect(texts).toHaveLength(1);
    expect(texts[0]).toMatch(/Expected the folder of photos.*; 3 stages cannot run without it\. To mend it: .*setup --data photos=\/path/);
  });
});
