/** A profile that says what a sweep runs, in parts: the first is reported while the others run, and stands after Ctrl-C. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseRecords } from '../../src/core/report/records/records.ts';
import { editableStudy } from '../toy/editable.ts';

const study = editableStudy('parts');
const profile = join(study.folder, 'test/toy/experiments/profiles/parts.ts');
const file = (name: string): string => readFileSync(join(study.folder, 'reports/parts', name), 'utf8');
const tested = (): string[] => parseRecords(file('results.jsonl')).flatMap(({ uses }) => uses.flatMap(({ role, ablation, arm, seed }) => (role === 'weigh' ? [`${ablation}/${arm} ${seed}`] : [])));
const words = (text: string): string => text.replaceAll(/\s+/g, ' ');

beforeAll(() => {
  const declared = { name: 'parts', seeds: [3, 4, 5], sweep: [{ ablations: ['variety'] }, { ablations: ['cut'], seeds: [9] }], steps: 10, milliseconds: 5 };
  writeFileSync(profile, `export default ${JSON.stringify(declared)};`);
  study.edit(
    'experiments/ablations/variety.ts',
    "  default: 'oak',",
    "  default: 'oak',\n  claims: [{ name: 'oak', sentence: 'Oak is above elm.', parts: [{ type: 'greater', arm: 'oak', than: 'elm' }] }],",
  );
  study.edit(
    'experiments/ablations/cut.ts',
    "  default: 'whole',",
    "  default: 'whole',\n  claims: [{ name: 'whole', sentence: 'Whole is above none.', parts: [{ type: 'greater', arm: 'whole', than: 'none' }] }],",
  );
});

describe('a profile that says what a sweep runs', () => {
  it('is told part by part, with its seeds, by plan', async () => {
    const { stdout } = await study.ablate('plan');
    expect(stdout).toMatch(/variety .* 3 arms {2}3 seeds\n {2}cut .* 3 arms {3}1 seed\n/);
    expect(stdout).not.toContain('trouble');
    expect(words(stdout)).toContain('Power 3 seeds show a true difference of');
    expect(words(stdout)).toContain('no verdicts on cut, for which the profile declares fewer than 3 seeds');
    expect(words((await study.ablate('plan', '--only', 'cut', '--seeds', '3')).stdout)).toContain('Seeds 3 is beyond those that the profile declares (9): exploratory');
  });

  it('has a report of the first part before the others are done, which stands after Ctrl-C', async () => {
    // Longer than a report takes.
    study.edit('experiments/profiles/parts.ts', '"seeds":[9]', `"seeds":${JSON.stringify(Array.from({ length: 40 }, (_, i) => 9 + i))}`);
    const sweep = study.start('sweep', '--devices', 'cpu:1x1');
    let told = '',
      stopped = false;
    sweep.all.on('data', (chunk: Buffer) => {
      told += chunk.toString();
      if (!stopped && /^report .*variety/m.test(told)) stopped = sweep.kill('SIGINT');
    });
    const { exitCode, all } = await sweep;
    expect(all).toMatch(/report {2}variety: .*reports\/parts\/index\.html/);
    expect(exitCode).toBe(130);
    const whole = ['elm', 'oak', 'own-root'].flatMap(arm => [3, 4, 5].map(seed => `variety/${arm} ${seed}`));
    expect(tested()).toEqual(expect.arrayContaining(whole));
    expect(tested()).not.toContain('cut/none 48');
    expect(file('README.md')).toMatch(/is (supported|refuted|undecided)/);
    study.edit('experiments/profiles/parts.ts', /"seeds":\[9,[\d,]*\]/.exec(readFileSync(profile, 'utf8'))![0], '"seeds":[9]');
  }, 180_000);

  it('ends with the report of all parts, and shows no other ablation', async () => {
    expect((await study.ablate('sweep', '--devices', 'cpu:2x1')).exitCode).toBe(0);
    expect(tested()).toContain('cut/none 9');
    const page = file('README.md');
    expect(page).not.toContain('What can go wrong');
    expect(words(page)).toContain('For cut the profile declares 1 seed (9); a verdict needs 3, so none is given there.');
    expect(page).toMatch(/seeds 3, 4, 5, 9\)/);
  });

  it('shows another ablation once something of it is run', async () => {
    expect((await study.ablate('sweep', '--devices', 'cpu:1x1', '--only', 'side-by-side/tall', '--seeds', '3')).exitCode).toBe(0);
    expect(file('README.md')).toContain('Many grafts in one bed');
    expect(existsSync(join(study.folder, 'reports/parts/index.html'))).toBe(true);
  });

  it('is refused where it names what is not declared, or twice the same', async () => {
    study.edit('experiments/profiles/parts.ts', '"cut"', '"cat"');
    const refused = await study.ablate('plan');
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("sweep[1].ablations[0]: no ablation 'cat'; did you mean 'cut'?");
    study.edit('experiments/profiles/parts.ts', '"cat"', '"variety"');
    expect((await study.ablate('plan')).stderr).toContain("sweep[1].ablations[0]: 'variety' is already taken by sweep[0].ablations[0]");
  });
});
