/** A number that its kind declares to be doubtful is said while the stage runs, once, and by whoever shows what rests on it: the real program on a copy of the toy study. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { editableStudy } from '../toy/editable.ts';

const WHY = 'a graft without a scion grows from its root alone';
const SAID = `vigour: expected at least 0.25, got 0: ${WHY}`;

interface StageLine {
  readonly key: string;
  readonly label: string;
  readonly state: string;
  readonly doubtful?: readonly object[];
}

describe('a doubtful number', () => {
  const study = editableStudy('quick');
  const sweep = (only: string) => study.start('sweep', '--no-report', '--devices', 'cpu:2x1', '--only', only);
  const stages = async (): Promise<StageLine[]> => (JSON.parse((await study.ablate('status', '--json', '--only', 'cut')).stdout) as { stages: StageLine[] }).stages;
  const none = (all: readonly StageLine[]): StageLine => all.find(({ label }) => label.startsWith('tree of cut/none'))!;
  const times = (text: string, words: string): number => text.split(words).length - 1;

  it('is said while its stage runs: by the sweep and in the log once, and by status; of other arms nothing is said', async () => {
    // A record of an older version, without the number.
    expect((await sweep('cut/whole')).exitCode).toBe(0);
    study.edit(
      'kinds/graft.ts',
      "help: 'Height after the last step' }",
      `help: 'Height after the last step' }, vigour: { label: 'vigour', unit: 'ratio', better: 'none', help: 'Share', doubtful: { below: 0.25, why: '${WHY}' } }`,
    );
    study.edit(
      'kinds/graft.ts',
      'const stock = JSON',
      `context.metric({ step: 0, epoch: 0, vigour: cut });\n  while (cut === 0 && !existsSync('seen')) await new Promise(resolve => setTimeout(resolve, 20));\n  const stock = JSON`,
    );
    study.edit('kinds/graft.ts', 'import { readFile', "import { existsSync } from 'node:fs';\nimport { readFile");
    study.edit('kinds/graft.ts', 'return { height };', 'return { height, vigour: cut };');
    study.edit('experiments/study.ts', "label: 'weight' }]", "label: 'weight' }, { role: 'tree', metric: 'vigour', label: 'vigour', optional: true }]");

    const running = sweep('cut');
    let told = '';
    running.stdout.on('data', (text: Buffer) => (told += text.toString()));
    for (const deadline = Date.now() + 300_000; !told.includes('doubtful') && Date.now() < deadline;) await sleep(20);
    const look = none(await stages());
    expect(look.doubtful).toEqual([{ metric: 'vigour', value: 0, below: 0.25 }]);
    expect(look.state).toBe('running');
    writeFileSync(join(study.folder, 'seen'), '');
    const { stdout, exitCode } = await running;
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`doubtful tree of cut/none seed 0  ${SAID}\n`);
    expect(times(stdout, 'doubtful')).toBe(1);
    expect(times(readFileSync(openStoreReadOnly(join(study.folder, 'store')).logFile(look.key, 1), 'utf8'), `Warning: ${SAID}.`)).toBe(1);
  });

  it('is said by status and report after that, with the arms concerned; records without it still read', async () => {
    const all = await stages();
    expect(all.filter(({ doubtful }) => doubtful !== undefined).map(({ label }) => label)).toEqual(['tree of cut/none seed 0']);
    const { stdout } = await study.ablate('status', '--only', 'cut');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(`doubtful vigour: expected at least 0.25, got less: ${WHY} 0 tree of cut/none seed 0`);
    expect((await study.ablate('report')).exitCode).toBe(0);
    const read = (file: string): string => readFileSync(join(study.folder, 'reports/quick', file), 'utf8');
    for (const file of ['README.md', 'index.html']) expect(times(read(file), `Expected a vigour of at least 0.25, got less in None (0): ${WHY}.`)).toBe(1);
    const [head, ...rows] = read('tables/cut.csv')
      .trim()
      .split('\n')
      .map(line => line.split(','));
    const column = head!.indexOf('tree: vigour');
    expect(Object.fromEntries(rows.map(cells => [cells[0], cells[column]]))).toEqual({ whole: '', half: '0.5', none: '0' });
  });
});
