/** Results are only ever added to a report: whichever store, clone, selection or revision they came from, until somebody prunes it. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseRecords, serializeRecords, type ReportRecord } from '../../src/core/report/records/records.ts';
import { editableStudy, type EditableStudy } from '../toy/editable.ts';

const DEVICES = ['--devices', 'inline'];

/** Without the arms that go wrong. */
function soundStudy(): EditableStudy {
  const study = editableStudy('quick');
  for (const name of ['trouble', 'side-by-side']) rmSync(join(study.folder, `test/toy/experiments/ablations/${name}.ts`));
  return study;
}

const pathOf = (study: EditableStudy, file: string, report = 'reports/quick'): string => join(study.folder, report, file);
const read = (study: EditableStudy, file: string, report?: string): string => readFileSync(pathOf(study, file, report), 'utf8');
const recordsOf = (study: EditableStudy, report?: string): ReportRecord[] => parseRecords(read(study, 'results.jsonl', report));
const seedsOfArms = (study: EditableStudy): string[] => [...new Set(recordsOf(study).flatMap(({ uses }) => uses.map(({ ablation, arm, seed }) => `${ablation}/${arm} ${seed}`)))].sort();

/** Every file of a report but the one that differs between machines. */
function bytes(study: EditableStudy, report = 'reports/quick'): Record<string, string> {
  const files = readdirSync(join(study.folder, report), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile() && entry.name !== 'provenance.json');
  const paths = files.map(entry => join(entry.parentPath, entry.name));
  const texts = paths.map((path): [string, string] => [relative(join(study.folder, report), path), readFileSync(path, 'utf8')]);
  return Object.fromEntries(texts);
}

async function ablate(study: EditableStudy, ...[command, ...args]: [string, ...string[]]): Promise<string> {
  const { exitCode, all } = await study.ablate(command, ...args);
  if (exitCode !== 0) throw new Error(all);
  return all;
}

describe('a report', () => {
  let study: EditableStudy;
  const sweep = (...args: string[]): Promise<string> => ablate(study, 'sweep', ...DEVICES, ...args);
  beforeEach(() => {
    study = soundStudy();
  });

  it('keeps the seed of another machine, and what it says is that of one sweep of both', async () => {
    await sweep('--seeds', '0', '--store', 'a');
    const text = await sweep('--seeds', '1', '--store', 'b');
    expect(text).toMatch(/\d+ records: 10 added, 9 kept that b does not have\./);
    const parts = bytes(study);
    expect(seedsOfArms(study)).toEqual(['cut/half', 'cut/none', 'cut/whole', 'variety/elm', 'variety/oak', 'variety/own-root'].flatMap(arm => [`${arm} 0`, `${arm} 1`]));
    await sweep('--seeds', '0,1', '--store', 'c', '--reports', 'one');
    expect(parts).toEqual(bytes(study, 'one/quick'));
    expect((await study.ablate('report', '--check')).exitCode).toBe(0);
  });

  it('loses nothing to a store that is empty, or to a sweep of one arm', async () => {
    await sweep('--store', 'a');
    const before = bytes(study);
    mkdirSync(join(study.folder, 'e/stages'), { recursive: true });
    writeFileSync(join(study.folder, 'e/store.json'), '{"format":1}');
    expect(await ablate(study, 'report', '--store', 'e')).toMatch(/(\d+) records: 0 added, \1 kept that e does not have\.\nReport up to date/);
    expect(bytes(study)).toEqual(before);
    await sweep('--store', 'f', '--only', 'cut/none');
    expect(bytes(study)).toEqual(before);
  });

  it('shows every declared arm where only one was run', async () => {
    await sweep('--only', 'cut/none');
    expect(read(study, 'README.md')).toContain('1 of 6 arms is measured');
    expect((await study.ablate('report', '--check')).exitCode).toBe(0);
  });

  it('drops what the declarations no longer give, and says so in one line', async () => {
    await sweep();
    study.edit('experiments/ablations/cut.ts', "    { name: 'none', label: 'None', factors: { cut: 0 } },\n", '');
    const lines = (await ablate(study, 'report')).split('\n');
    expect(lines.filter(line => line.includes('dropped'))).toEqual([expect.stringMatching(/^\d+ records: 0 added, 2 dropped that the declarations no longer give\.$/)]);
    expect(recordsOf(study).some(({ uses }) => uses.some(({ arm }) => arm === 'none'))).toBe(false);
  });

  it('is pruned only when asked to, after it has shown what would go', async () => {
    await sweep('--seeds', '0,1', '--store', 'a');
    const before = bytes(study);
    const shown = await ablate(study, 'report', '--prune', '--store', 'a', '--seeds', '0');
    expect(shown).toMatch(/Not held by a for the chosen arms and seeds: \d+ records of \d+/);
    expect(shown).toContain('cut/none seed 1');
    expect(shown).toContain('Nothing was removed. To remove them: the same command with --yes');
    expect(bytes(study)).toEqual(before);
    expect(await ablate(study, 'report', '--prune', '--store', 'a', '--seeds', '0', '--yes')).toMatch(/Removed \d+ records/);
    await sweep('--seeds', '0', '--store', 'b', '--reports', 'one');
    expect(bytes(study)).toEqual(bytes(study, 'one/quick'));
  });

  it('merges others, reports and stores alike', async () => {
    await sweep('--seeds', '0', '--store', 'a', '--reports', 'first');
    await sweep('--seeds', '1', '--store', 'b', '--reports', 'second');
    await sweep('--seeds', '2', '--store', 'c', '--no-report');
    await ablate(study, 'report', '--from', 'second', 'c', 'first/quick');
    await sweep('--seeds', '0,1,2', '--store', 'd', '--reports', 'one');
    expect(bytes(study)).toEqual(bytes(study, 'one/quick'));
    expect((await study.ablate('report', '--check')).exitCode).toBe(0);
    const { exitCode, stderr } = await study.ablate('report', '--set', 'steps=7', '--from', 'second/quick');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--from: expected a report of quick steps=7, got one of quick in second/quick') as string]);
  });

  it('belongs to one study, which is said before anything is run', async () => {
    await sweep('--store', 'a');
    const before = bytes(study);
    study.edit('experiments/study.ts', "name: 'toy'", "name: 'other'");
    rmSync(pathOf(study, 'report.json')); // it was given another name
    expect(await ablate(study, 'report', '--store', 'a')).toMatch(/records: 0 added\./);
    study.edit('experiments/study.ts', "name: 'other'", "name: 'toy'");
    rmSync(pathOf(study, 'report.json'));
    await ablate(study, 'report', '--store', 'a');
    expect(bytes(study)).toEqual(before);
    study.edit('experiments/study.ts', "name: 'toy'", "name: 'other'");
    study.edit('experiments/study.ts', 'steps: p.steps, milliseconds', 'steps: p.steps + 1, milliseconds');
    for (const args of [
      ['sweep', ...DEVICES, '--store', 'b'],
      ['report', '--store', 'a'],
      ['report', '--rebuild'],
      ['report', '--check'],
      ['report', '--prune', '--yes', '--store', 'a'],
    ] as const) {
      const [command, ...rest] = args;
      const { exitCode, stderr } = await study.ablate(command, ...rest);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('Expected a report of the study other in reports/quick, got one of the study toy') as string]);
    }
    expect(existsSync(join(study.folder, 'b'))).toBe(false);
    expect(bytes(study)).toEqual(before);
    rmSync(pathOf(study, 'report.json')); // as an earlier version of the program left it
    const { exitCode, stderr } = await study.ablate('sweep', ...DEVICES, '--store', 'b');
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/Expected a report of the study other in reports\/quick, got \d+ records of which it declares none/) as string]);
  });

  it('needs every declaration, which is said before anything is run', async () => {
    writeFileSync(join(study.folder, 'test/toy/experiments/ablations/broken.ts'), 'export default {};\n');
    const { exitCode, stderr } = await study.ablate('sweep', ...DEVICES, '--only', 'cut/none');
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/broken\.ts[^]*--no-report runs what was chosen without it\.$/) as string]);
    expect(existsSync(join(study.folder, 'store'))).toBe(false);
    await sweep('--only', 'cut/none', '--no-report');
  });

  it('of a changed profile is checked on its own, beside the plain one', async () => {
    await sweep();
    await sweep('--set', 'steps=3');
    const all = () => study.ablate('report', '--check', '--all');
    expect((await all()).stdout.split('\n')).toEqual(['quick', 'quick+steps-3'].map(name => `reports/${name} is what its records and the declarations give.`));
    const changed = 'reports/quick+steps-3';
    writeFileSync(pathOf(study, 'README.md', changed), `${read(study, 'README.md', changed)}x`);
    const { exitCode, stdout, stderr } = await all();
    expect([exitCode, stderr]).toEqual([1, 'differs reports/quick+steps-3/README.md']);
    expect(stdout).toContain('Run `ablate report --rebuild --profile quick --set steps=3` to make reports/quick+steps-3 anew');
  });

  it('keeps results of an earlier revision, marked, until a rerun replaces them', async () => {
    // In processes that load the code as it is by then.
    const rerun = (...args: string[]): Promise<string> => ablate(study, 'sweep', '--devices', 'cpu:1x1', ...args);
    await sweep();
    const before = recordsOf(study);
    study.edit('kinds/seedling.ts', 'revision: 1', 'revision: 2');
    expect((await study.ablate('report', '--check')).exitCode).toBe(1);
    const text = await ablate(study, 'report');
    expect(text).toContain(`${before.length} records of the report are of an earlier revision: seedling 1 (now 2). They stay, marked, until a rerun replaces them.`);
    expect(recordsOf(study).map(({ key, result }) => [key, result])).toEqual(before.map(({ key, result }) => [key, result]));
    expect(read(study, 'README.md')).toContain('\u00a7 Measured with an earlier revision of the code, until a rerun replaces it: seedling 1 (now 2).');
    expect(read(study, 'index.html')).toContain('earlier revision: seedling 1 (now 2)');
    expect(read(study, 'tables/cut.csv')).toContain(',earlier_revisions\n');
    expect((await study.ablate('report', '--check')).exitCode).toBe(0);
    expect((await study.ablate('report', '--rebuild')).all).toContain('Report up to date');

    expect(await rerun('--only', 'cut/none')).toMatch(/3 replaced by a rerun/);
    const none = recordsOf(study).filter(({ uses }) => uses.some(({ ablation, arm, seed, role }) => ablation === 'cut' && arm === 'none' && seed === 0 && role !== 'stock'));
    expect(none.map(({ earlierRevisions }) => earlierRevisions)).toEqual([undefined, undefined]);
    expect(read(study, 'README.md')).toContain('until a rerun replaces it: seedling 1 (now 2).');
    await rerun();
    expect(read(study, 'README.md')).not.toContain('earlier revision');
    await rerun('--store', 'b', '--reports', 'one');
    expect(bytes(study)).toEqual(bytes(study, 'one/quick'));
  });

  it('keeps its own result where a store has another for the same stage, and names both', async () => {
    await sweep('--store', 'a');
    const honest = bytes(study);
    const forged = recordsOf(study).map(record => (record.kind === 'weigh' ? { ...record, result: { ...record.result, weight: 0.75 } } : record));
    writeFileSync(pathOf(study, 'results.jsonl'), serializeRecords(forged));
    expect((await study.ablate('report', '--rebuild')).exitCode).toBe(0);
    const kept = bytes(study);
    const text = await ablate(study, 'report', '--store', 'a');
    expect(text).toContain('5 stages have another result in a than in the report: those of the report stay; --prefer store takes those of a.');
    expect(text).toMatch(/weigh of \w+\/[\w-]+, seed 0 \([0-9a-f]{12}\): the report has weight 0\.75 \([^)]+\), a weight 0\.\d+ \([^)]+\)/);
    expect(bytes(study)).toEqual(kept);
    expect(await ablate(study, 'report', '--store', 'a', '--prefer', 'store')).toContain('5 changed');
    expect(bytes(study)).toEqual(honest);
  });

  it('takes a result in place of a failure, and never the other way round', async () => {
    study.edit('experiments/ablations/cut.ts', "{ name: 'none', label: 'None', factors: { cut: 0 } }", "{ name: 'none', label: 'None', factors: { cut: 0, trouble: { kind: 'fail-once', at: 2 } } }");
    await sweep('--store', 'a', '--no-report');
    const failed = await study.ablate('sweep', ...DEVICES, '--store', 'a');
    expect(failed.exitCode).toBe(0);
    const good = bytes(study);
    const records = recordsOf(study).map((record): ReportRecord => {
      return record.kind === 'weigh' ? { ...record, state: 'failed', reason: 'storm', result: {}, curves: {}, resultSha256: undefined } : record;
    });
    writeFileSync(pathOf(study, 'results.jsonl'), serializeRecords(records));
    await ablate(study, 'report', '--rebuild');
    cpSync(join(study.folder, 'reports'), join(study.folder, 'broken'), { recursive: true });
    expect(await ablate(study, 'report', '--store', 'a')).toContain('5 changed');
    expect(bytes(study)).toEqual(good);
    expect(await ablate(study, 'report', '--from', 'broken')).toContain('Report up to date');
    expect(bytes(study)).toEqual(good);
  });
});

/** In whatever parts and order stores and clones are put together. @param numRuns how many of them are tried */
async function expectBytesOfOneSweep(numRuns: number): Promise<void> {
  const study = soundStudy();
  await ablate(study, 'sweep', ...DEVICES, '--seeds', '0,1', '--store', 'whole');
  const expected = bytes(study);
  const stages = readdirSync(join(study.folder, 'whole/stages'));
  const places = 3;
  /** Stores that hold a stage: one at least. */
  const parts = fc.array(fc.subarray([...Array(places).keys()], { minLength: 1 }), { minLength: stages.length, maxLength: stages.length });
  /** A report takes in a store, or another report. */
  const steps = fc.array(fc.tuple(fc.nat(places - 1), fc.constantFrom('store', 'report'), fc.nat(places - 1)), { maxLength: 4 });
  const order = fc.shuffledSubarray([...Array(places).keys()], { minLength: places });
  await fc.assert(
    fc.asyncProperty(parts, steps, order, async (holders, someSteps, lastStores) => {
      const folder = mkdtempSync(join(study.folder, 'case-'));
      const store = (i: number): string => join(folder, `store-${i}`);
      const reports = (i: number): string => join(folder, `reports-${i}`);
      for (let i = 0; i < places; i++) {
        mkdirSync(join(store(i), 'stages'), { recursive: true });
        for (const name of ['store.json', 'sweeps']) cpSync(join(study.folder, 'whole', name), join(store(i), name), { recursive: true });
      }
      for (const [i, key] of stages.entries())
        for (const holder of holders[i]!) cpSync(join(study.folder, 'whole/stages', key), join(store(holder), 'stages', key), { recursive: true, verbatimSymlinks: true });
      const written = new Set<number>();
      const add = async (to: number, what: 'store' | 'report', from: number): Promise<void> => {
        if (what === 'report' && (to === from || !written.has(from))) return;
        await ablate(study, 'report', '--reports', reports(to), ...(what === 'store' ? ['--store', store(from)] : ['--from', reports(from)]));
        written.add(to);
      };
      for (const step of someSteps) await add(...step);
      for (const from of lastStores) await add(0, lastStores[0] === from ? 'store' : 'report', from);
      for (const from of lastStores) await add(0, 'store', from);
      expect(bytes(study, relative(study.folder, join(reports(0), 'quick')))).toEqual(expected);
    }),
    { numRuns },
  );
}

it('has the bytes of one sweep of all, however stores and clones are put together', () => expectBytesOfOneSweep(1));

it('has the bytes of one sweep of all, in many parts and orders', { tags: 'long' }, () => expectBytesOfOneSweep(8));

describe('a folder of reports that somebody else made', () => {
  const study = soundStudy();
  const victim = join(study.folder, 'paper');
  beforeEach(() => {
    rmSync(victim, { recursive: true, force: true });
    rmSync(join(study.folder, 'reports'), { recursive: true, force: true });
    mkdirSync(victim);
    for (const name of ['own.tex', 'own.csv', 'index.html', 'results.jsonl']) writeFileSync(join(victim, name), 'mine');
  });
  const untouched = (): void =>
    expect(readdirSync(victim).map(name => [name, readFileSync(join(victim, name), 'utf8')])).toEqual(['index.html', 'own.csv', 'own.tex', 'results.jsonl'].map(name => [name, 'mine']));
  const commands = [['report', '--rebuild'], ['report', '--check'], ['report']] as const;
  const whole = join(study.folder, 'whole');
  /** A report as a sweep leaves it: swept once, and copied. */
  async function swept(): Promise<void> {
    if (!existsSync(whole)) await ablate(study, 'sweep', ...DEVICES, '--only', 'cut/none', '--reports', 'whole');
    cpSync(whole, join(study.folder, 'reports'), { recursive: true });
  }

  const refusesLink = async (name: string): Promise<void> => {
    await swept();
    rmSync(pathOf(study, name), { recursive: true });
    symlinkSync(name.includes('.') ? join(victim, 'own.csv') : victim, pathOf(study, name));
    for (const [command, ...args] of commands) {
      const { exitCode, stderr } = await study.ablate(command, ...args);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('got a symbolic link') as string]);
    }
    untouched();
  };
  it.each(['tables', 'index.html', 'results.jsonl'])('is refused where %s is a link, and nothing behind it is read, written or removed', refusesLink);
  it.each(['figures', 'tables/cut.csv', 'report.json'])('is refused where %s is a link, too', { tags: 'long' }, refusesLink);

  const refusesWhatIsNoFile = async (name: string): Promise<void> => {
    await swept();
    const sparse = (file: string): void => {
      writeFileSync(file, '');
      truncateSync(file, 3 * 1024 ** 3);
    };
    for (const make of [sparse, (file: string) => execFileSync('mkfifo', [file])]) {
      rmSync(pathOf(study, name));
      make(pathOf(study, name));
      for (const [command, ...args] of commands) {
        const { exitCode, stderr } = await study.ablate(command, ...args);
        expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/expected a file, got a pipe|expected at most \d+ bytes, got 3221225472/) as string]);
      }
    }
  };
  it.each(['results.jsonl'])('is refused where %s is a pipe, or gigabytes of nothing: no command waits for it', refusesWhatIsNoFile);
  it.each(['report.json', 'provenance.json'])('is refused where %s is a pipe, or gigabytes of nothing, too', { tags: 'long' }, refusesWhatIsNoFile);

  it('is refused where the report itself is a link', async () => {
    await swept();
    rmSync(join(study.folder, 'reports/quick'), { recursive: true });
    symlinkSync(victim, join(study.folder, 'reports/quick'));
    for (const [command, ...args] of [...commands, ['report', '--check', '--all'], ['sweep', ...DEVICES]] as const) {
      const { exitCode, stderr } = await study.ablate(command, ...args);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('got a symbolic link') as string]);
    }
    untouched();
  });

  it('names no profile that lies elsewhere: no code is run for it', async () => {
    await swept();
    const [elsewhere, marker] = ['test/toy/experiments/reports', 'marker'].map(name => join(study.folder, name)) as [string, string];
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'quick.ts'), `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(marker)}, '');\nexport { default } from '../profiles/quick.ts';\n`);
    writeFileSync(pathOf(study, 'report.json'), read(study, 'report.json').replace('"profile": "quick"', '"profile": "x/../../reports/quick"'));
    const { exitCode, stderr } = await study.ablate('report', '--check', '--all');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("No profile 'x/../../reports/quick'") as string]);
    expect(existsSync(marker)).toBe(false);
    rmSync(elsewhere, { recursive: true });
  });

  it('may be reached through a link, and keeps files that are not those of the report', async () => {
    mkdirSync(join(study.folder, 'real/quick/tables'), { recursive: true });
    writeFileSync(join(study.folder, 'real/quick/tables/own.tex'), 'mine');
    rmSync(join(study.folder, 'reports'), { recursive: true, force: true });
    symlinkSync('real', join(study.folder, 'reports'));
    await ablate(study, 'sweep', ...DEVICES, '--only', 'cut/none');
    await ablate(study, 'report', '--rebuild');
    expect(readFileSync(join(study.folder, 'real/quick/tables/own.tex'), 'utf8')).toBe('mine');
    expect(readdirSync(join(study.folder, 'real/quick'))).toContain('index.html');
  });
});
