/** Numbers that were not run here: taken into a report, kept whatever else is done with it, refused where they are not right. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseAdopted } from '../../src/core/report/records/adopted.ts';
import { editableStudy, type EditableStudy } from '../toy/editable.ts';

const HEADER = 'ablation,arm,seed,metric,value,note\n';
const COLLEAGUE = `${HEADER}cut,half,0,weight,40,a colleague\ncut,half,1,weight,42,a colleague\nvariety,elm,,weight,55.5,Appendix C\n`;
const OTHER = `${HEADER}cut,none,0,weight,33,"somebody else, elsewhere"\n`;

describe('ablate adopt', () => {
  let study: EditableStudy;
  const path = (file: string): string => join(study.folder, file);
  const read = (file: string): string => readFileSync(path(file), 'utf8');
  const file = (name: string, text: string): string => {
    writeFileSync(path(name), text);
    return name;
  };
  /** Every file of a report. */
  const bytes = (report = 'reports/quick'): Record<string, string> =>
    Object.fromEntries(
      readdirSync(path(report), { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile())
        .map(entry => join(entry.parentPath, entry.name))
        .map(each => [relative(path(report), each), readFileSync(each, 'utf8')]),
    );
  async function ablate(...[command, ...args]: [string, ...string[]]): Promise<string> {
    const { exitCode, all } = await study.ablate(command, ...args);
    if (exitCode !== 0) throw new Error(all);
    return all;
  }
  beforeEach(() => {
    study = editableStudy('quick');
    for (const name of ['trouble', 'side-by-side']) rmSync(path(`test/toy/experiments/ablations/${name}.ts`));
  });
  const sweep = (...args: string[]): Promise<string> => ablate('sweep', '--devices', 'inline', ...args);

  it('puts them beside what was run, and nothing that was run changes; check, rebuild and a further sweep keep them', async () => {
    await sweep();
    const before = bytes();
    expect(await ablate('adopt', file('their.csv', COLLEAGUE))).toMatch(/^3 numbers from elsewhere: 3 added\.\nReport written \(\d+ files changed\): /);
    const after = bytes();
    expect(Object.keys(after).filter(name => before[name] === undefined)).toEqual(['adopted.jsonl']);
    for (const name of Object.keys(before).filter(each => /jsonl|provenance|figures/.test(each))) expect([name, after[name]]).toEqual([name, before[name]]);
    expect(parseAdopted(after['adopted.jsonl']).map(({ arm, seed, value }) => [arm, seed, value])).toEqual([
      ['half', 0, 0.4],
      ['half', 1, 0.42],
      ['elm', null, 0.555],
    ]);
    expect(after['README.md']).toContain('| 41.00\u00b6 <sub>\u00b1\u00a01.41, n\u00a02</sub> |');
    expect(after['README.md']).toContain('\u00b6 not run here: a colleague (2 seeds)');
    expect(after['index.html']).toContain('not run here: Appendix C (without a seed)');
    expect(after['tables/cut.csv']).toContain(',a colleague,2,0.41,');
    expect(after['tables/cut.tex']).toContain('\\P{}');

    expect(await ablate('adopt', 'their.csv')).toContain('3 numbers from elsewhere: 0 added.\nReport up to date');
    expect((await study.ablate('report', '--check', '--all')).exitCode).toBe(0);
    expect(await ablate('report', '--rebuild')).toContain('Report up to date');
    expect(await ablate('report')).toMatch(/0 added; 3 numbers from elsewhere: 0 added\.\nReport up to date/);
    await sweep('--seeds', '1');
    expect(read('reports/quick/adopted.jsonl')).toBe(after['adopted.jsonl']);
    // Prune takes out records, and numbers from elsewhere by their note alone.
    await ablate('report', '--prune', '--yes', '--seeds', '0');
    expect(bytes()).toEqual(after);
    const { exitCode, all } = await study.ablate('report', '--verify', 'store');
    expect([exitCode, all]).toEqual([0, expect.stringContaining('3 numbers from elsewhere: no store has them, so they are not compared.') as string]);
  });

  it('may be first: a report of nothing but such numbers says that no arm is measured', async () => {
    await ablate('adopt', file('their.csv', COLLEAGUE));
    expect(read('reports/quick/README.md')).toContain('Nothing is run yet, and nothing is claimed.');
    expect((await study.ablate('report', '--check')).exitCode).toBe(0);
    await sweep();
    const both = bytes();
    rmSync(path('reports'), { recursive: true });
    await ablate('report');
    await ablate('adopt', 'their.csv');
    expect(bytes()).toEqual(both);
  });

  it('a digit that is changed in any file is found', async () => {
    await ablate('adopt', file('their.csv', COLLEAGUE));
    writeFileSync(path('reports/quick/adopted.jsonl'), read('reports/quick/adopted.jsonl').replace('0.555', '0.565'));
    const { exitCode, stderr } = await study.ablate('report', '--check');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('differs reports/quick/tables/variety.csv') as string]);
    rmSync(path('reports/quick/adopted.jsonl'));
    expect((await study.ablate('report', '--check')).exitCode).toBe(1);
  });

  it('merges in any order to the same bytes, from reports and as git unites lines', async () => {
    await sweep();
    const parts = { first: COLLEAGUE, second: OTHER };
    for (const [name, text] of Object.entries(parts)) {
      await ablate('report', '--reports', name);
      await ablate('adopt', file(`${name}.csv`, text), '--reports', name);
    }
    const merged: Record<string, string>[] = [];
    for (const order of [
      ['first', 'second'],
      ['second', 'first', 'second/quick'],
    ]) {
      rmSync(path('reports'), { recursive: true, force: true });
      expect(await ablate('report', '--from', ...order)).toContain('4 numbers from elsewhere');
      merged.push(bytes());
    }
    expect(merged[1]).toEqual(merged[0]);
    writeFileSync(path('first/quick/adopted.jsonl'), `${read('second/quick/adopted.jsonl')}${read('first/quick/adopted.jsonl')}`);
    await ablate('report', '--rebuild', '--reports', 'first');
    expect(bytes('first/quick')).toEqual(merged[0]);
  });

  it('two reports that disagree are not merged: which is right nobody knows', async () => {
    await ablate('adopt', file('a.csv', OTHER));
    await ablate('adopt', file('b.csv', OTHER.replace('33', '34')), '--reports', 'other');
    const before = bytes();
    const { exitCode, stderr } = await study.ablate('report', '--from', 'other');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Expected one value from elsewhere for weight of cut/none, seed 0, got 0.33 and 0.34') as string]);
    expect(bytes()).toEqual(before);
  });

  it('are taken out by their note, after they were shown', async () => {
    await sweep();
    const before = bytes();
    await ablate('adopt', file('a.csv', COLLEAGUE));
    const one = bytes();
    await ablate('adopt', file('b.csv', OTHER));
    const shown = await ablate('report', '--prune', '--adopted', 'somebody');
    expect(shown).toContain('Numbers from elsewhere: 1 of 4\n\n  weight of cut/none, seed 0  0.33  somebody else, elsewhere');
    expect(shown).toContain('Nothing was removed.');
    expect(await ablate('report', '--prune', '--adopted', 'somebody', '--yes')).toContain('Removed 1 number from elsewhere');
    expect(bytes()).toEqual(one);
    cpSync(path('reports'), path('before'), { recursive: true });
    await ablate('adopt', 'b.csv');
    expect(await ablate('report', '--baseline', './before')).toContain('Numbers from elsewhere, which decide nothing: 1 new.');
    await ablate('report', '--baseline', './before', '--out', 'review');
    expect(read('review/quick/adopted.jsonl')).toBe(read('reports/quick/adopted.jsonl'));
    expect(await ablate('report', '--prune', '--adopted', 'nobody')).toContain('No number from elsewhere in reports/quick has');
    await ablate('report', '--prune', '--adopted', '', '--yes');
    expect(bytes()).toEqual(before);
    expect(existsSync(path('reports/quick/adopted.jsonl'))).toBe(false);
    for (const args of [
      ['--adopted', 'x'],
      ['--prune', '--adopted', 'x', '--only', 'cut'],
      ['--prune', '--adopted', 'x', '--seeds', '0'],
    ])
      expect((await study.ablate('report', ...args)).exitCode).toBe(2);
  });

  it('stay where their arm is declared no more, which is said, and in no table', async () => {
    await ablate('adopt', file('a.csv', OTHER));
    study.edit('experiments/ablations/cut.ts', "    { name: 'none', label: 'None', factors: { cut: 0 } },\n", '');
    const told = '1 number from elsewhere is of arms or measures that are not declared, and in no table (weight of cut/none, seed 0). They stay until ablate report --prune --adopted.';
    expect(await ablate('report', '--rebuild')).toContain(told);
    const { exitCode, all } = await study.ablate('report', '--check');
    expect([exitCode, all]).toEqual([0, expect.stringContaining(told) as string]);
    expect(read('reports/quick/README.md')).not.toContain('Elsewhere');
    expect(parseAdopted(read('reports/quick/adopted.jsonl'))).toHaveLength(1);
  });

  it('says which stand in no table, as the profile shows no ablation of them until something of it is run', async () => {
    study.edit('experiments/profiles/quick.ts', 'steps: 5', "steps: 5, sweep: [{ ablations: ['cut'] }]");
    expect(await ablate('adopt', file('a.csv', COLLEAGUE))).toContain('warning 1 arm of a.csv is in no table of this report, and so are the numbers until one is: variety/elm');
    await sweep('--only', 'variety');
    expect(read('reports/quick/README.md')).toContain('not run here: Appendix C (without a seed)');
  });

  it('of a changed profile go to the report of that', async () => {
    await ablate('adopt', file('a.csv', OTHER), '--set', 'steps=3');
    expect(readdirSync(path('reports'))).toEqual(['quick+steps-3']);
    expect((await study.ablate('report', '--check', '--all')).exitCode).toBe(0);
  });

  it('refuses what is not right with its line and exit code 2, and writes nothing', async () => {
    const lines = {
      arm: 'cut,hal,0,weight,40,n',
      fraction: 'cut,half,0,weight,0.4,n',
      nan: 'cut,half,0,weight,NaN,n',
      control: 'cut,half,0,weight,40,a\u001b[31mb',
      other: 'cut,half,0,weight,41,a colleague',
    };
    const expected = {
      arm: "line 3: expected an arm of cut, got 'hal'; did you mean 'half'?",
      fraction: "line 3: value: expected weight in percent, as tables show it, got '0.4', which is doubtful. Write 40",
      nan: "got 'NaN'",
      control: 'got control characters',
      other: 'line 3: expected one value from one source for weight of cut/half, seed 0, got another than line 2 has',
    };
    const refuse = async (name: string, message: string): Promise<void> => {
      const { exitCode, stderr } = await study.ablate('adopt', name);
      expect([name, exitCode, stderr]).toEqual([name, 2, expect.stringContaining(message) as string]);
      expect(stderr).not.toContain('\u001b');
    };
    for (const name of Object.keys(lines) as (keyof typeof lines)[]) await refuse(file(`${name}.csv`, `${HEADER}cut,half,0,weight,40,a colleague\n${lines[name]}\n`), expected[name]);
    symlinkSync('nan.csv', path('link.csv'));
    await refuse('link.csv', 'got a symbolic link');
    await refuse('absent.csv', 'which does not exist');
    expect(existsSync(path('reports'))).toBe(false);

    await ablate('adopt', file('their.csv', COLLEAGUE));
    const before = bytes();
    await refuse(
      file('later.csv', `${HEADER}cut,half,5,weight,40,new\n${lines.other}\n`),
      'line 3: expected one value from one source for weight of cut/half, seed 0, got another than the report already has',
    );
    expect(bytes()).toEqual(before);
  });

  it('a file of such numbers that somebody has spoiled is refused by every command, and no link of it is followed', async () => {
    await sweep();
    await ablate('adopt', file('their.csv', COLLEAGUE));
    const own = path('reports/quick/adopted.jsonl');
    const commands: readonly [string, ...string[]][] = [
      ['report'],
      ['report', '--check'],
      ['report', '--rebuild'],
      ['report', '--prune', '--adopted', ''],
      ['adopt', 'their.csv'],
      ['sweep', '--devices', 'inline'],
    ];
    writeFileSync(own, read('reports/quick/adopted.jsonl').replace('0.4,', '"0.4",'));
    for (const [command, ...args] of commands) {
      const { exitCode, stderr } = await study.ablate(command, ...args);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Expected a number from elsewhere on line 1 of adopted.jsonl') as string]);
    }
    mkdirSync(path('victim'));
    writeFileSync(path('victim/own'), 'mine');
    rmSync(own);
    symlinkSync(path('victim/own'), own);
    for (const [command, ...args] of commands) {
      const { exitCode, stderr } = await study.ablate(command, ...args);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('got a symbolic link') as string]);
    }
    expect(read('victim/own')).toBe('mine');
  });
});
