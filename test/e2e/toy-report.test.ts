/** The written report of a real sweep: checked, verified against its store, compared with a commit, and merged by git. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/core/ablation/json.ts';
import { loadExperiments } from '../../src/core/ablation/load.ts';
import { buildPlan } from '../../src/core/plan/plan.ts';
import { seedsOf } from '../../src/core/report/records/attribution.ts';
import { parseRecords, serializeRecords, sortRecords, type ReportRecord } from '../../src/core/report/records/records.ts';
import { verifyRecords } from '../../src/core/report/records/verify.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { editableStudy, type EditableStudy } from '../toy/editable.ts';

const REPORT = 'reports/quick';
/** What `ablate init` writes. */
const ATTRIBUTES = fileURLToPath(new URL('../../src/cli/init/common/gitattributes', import.meta.url));

const path = (study: EditableStudy, file: string): string => join(study.folder, REPORT, file);
const read = (study: EditableStudy, file: string): string => readFileSync(path(study, file), 'utf8');

/** Changes the first `from` of a file, runs `look`, and puts the file back. */
async function edited<T>(study: EditableStudy, file: string, change: (text: string) => string, look: () => Promise<T>): Promise<T> {
  const before = read(study, file);
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(path(study, file), after);
  try {
    return await look();
  } finally {
    writeFileSync(path(study, file), before);
  }
}

/** Another last digit of the first number behind `behind`. */
const nudge =
  (behind: string) =>
  (text: string): string => {
    const at = text.indexOf(behind);
    expect(at).toBeGreaterThanOrEqual(0);
    const start = at + behind.length;
    return text.slice(0, start) + text.slice(start).replace(/\d(?=[^\d.])/, digit => String((Number(digit) + 1) % 10));
  };

const recordsOf = (study: EditableStudy): ReportRecord[] => parseRecords(read(study, 'results.jsonl'));

describe('a digit changed by hand', () => {
  const study = editableStudy('quick');
  const check = () => study.ablate('report', '--check');
  const verify = (store = 'store') => study.ablate('report', '--verify', store);

  beforeAll(async () => {
    // The toy study has arms that go wrong; the report is of the others.
    rmSync(join(study.folder, 'test/toy/experiments/ablations/trouble.ts'));
    rmSync(join(study.folder, 'test/toy/experiments/ablations/side-by-side.ts'));
    expect((await study.ablate('sweep', '--devices', 'inline')).exitCode).toBe(0);
  });

  it('none: the report follows from its records, and they from the store', async () => {
    const checked = await check();
    expect([checked.exitCode, checked.stdout]).toEqual([0, 'reports/quick is what its records and the declarations give.']);
    const verified = await verify();
    expect(verified.all).toMatch(/^\d+ records of reports\/quick are what store holds\.$/);
    expect(verified.exitCode).toBe(0);
  });

  it('in any file is found without a store', async () => {
    const changes: readonly [string, string][] = [
      ['README.md', '| Elm |'],
      ['index.html', 'Oak'],
      ['tables/variety.csv', 'elm,Elm'],
      ['figures/variety-result.svg', ' d="M'],
    ];
    const look = changes.reduce<() => Promise<Awaited<ReturnType<typeof check>>>>(
      (next, [file, behind]) =>
        () =>
          edited(study, file, nudge(behind), next),
      async () => check(),
    );
    const { exitCode, stderr } = await look();
    expect(exitCode).toBe(1);
    expect(stderr.split('\n').sort()).toEqual(changes.map(([file]) => `differs ${REPORT}/${file}`).sort());
  });

  it('in a number of a record is found by what is made from it, and named when verified', async () => {
    const record = recordsOf(study).find(r => r.kind === 'weigh' && r.uses[0]!.arm === 'elm')!;
    const change = (text: string): string => text.replace(`"weight":${String(record.result['weight'])},`, `"weight":${String((record.result['weight'] as number) + 0.01)},`);
    const [checked, verified] = await edited(study, 'results.jsonl', change, async () => [await check(), await verify()] as const);
    expect(checked.exitCode).toBe(1);
    expect(checked.stderr).toContain(`differs ${REPORT}/README.md`);
    expect(verified.exitCode).toBe(1);
    expect(verified.stderr).toContain(
      `${REPORT}/results.jsonl: weigh of ${record.uses[0]!.ablation}/elm, seed 0 (${record.key.slice(0, 12)}): result.weight: expected ${String(record.result['weight'])}, got`,
    );
  });

  it('in a record, with all else made anew to fit, is found by its hash; with that made to fit, too, by the store alone', async () => {
    const folder = join(study.folder, 'reports');
    cpSync(folder, join(study.folder, 'kept'), { recursive: true });
    const forge = async (change: (record: ReportRecord) => ReportRecord): Promise<Awaited<ReturnType<typeof check>>> => {
      writeFileSync(path(study, 'results.jsonl'), serializeRecords(recordsOf(study).map(r => (r.kind === 'weigh' && r.uses[0]!.arm === 'elm' ? change(r) : r))));
      expect((await study.ablate('report', '--rebuild')).exitCode).toBe(0);
      return check();
    };
    // The numbers alone, and then without the hash that tells: found by the record itself.
    const results = [await forge(record => ({ ...record, result: { ...record.result, weight: 0.9 } })), await forge(record => ({ ...record, resultSha256: undefined }))];
    for (const [i, resultSha256] of [/resultSha256 is [0-9a-f]{64}: one of them was changed/, /resultSha256 is absent/].entries())
      expect([results[i]!.exitCode, results[i]!.stderr]).toEqual([1, expect.stringMatching(resultSha256) as string]);
    const forged = await forge(record => ({
      ...record,
      resultSha256: createHash('sha256')
        .update(`${canonicalJson(record.result)}\n`)
        .digest('hex'),
    }));
    expect(forged.exitCode).toBe(0);
    const verified = await verify();
    expect(verified.exitCode).toBe(1);
    expect(verified.stderr).toMatch(/result\.weight: expected [\d.]+, got 0\.9$/m);
    expect(verified.stderr.split('\n')).toHaveLength(2);
    rmSync(folder, { recursive: true });
    cpSync(join(study.folder, 'kept'), folder, { recursive: true });
  });

  it.each<[string, (records: ReportRecord[]) => ReportRecord[], RegExp]>([
    [
      'the hash of a result',
      ([first, ...rest]) => [{ ...first!, resultSha256: first!.resultSha256!.replace(/.$/, c => (c === '0' ? '1' : '0')) }, ...rest],
      /resultSha256: expected [0-9a-f]{64}, got [0-9a-f]{64}/,
    ],
    [
      'a point of a curve',
      records =>
        records.map(r => (r.curves['height'] === undefined ? r : { ...r, curves: { height: r.curves['height'].map(([epoch, value], i): [number, number] => [epoch, i === 1 ? value + 1 : value]) } })),
      /curves\.height\[1\]: expected \[/,
    ],
    ['the cost', ([first, ...rest]) => [{ ...first!, cost: { ...first!.cost, flops: first!.cost.flops + 1 } }, ...rest], /cost\.flops: expected \d+, got \d+/],
    ['a record left out', ([, ...rest]) => rest, /record: expected that of a stage which is done, got none/],
    ['a record of no stage', ([first, ...rest]) => [{ ...first!, key: 'f'.repeat(32) }, ...rest], /key: expected a stage of the store, got f{32}/],
    [
      'a success told as a failure',
      ([first, ...rest]) => [{ ...first!, state: 'failed', reason: 'storm', result: {}, curves: {}, resultSha256: undefined }, ...rest],
      /state: expected done, got failed/,
    ],
  ])('%s is found when verified', async (_, change, message) => {
    const { study: declared, profile, ablations } = await loadExperiments(join(study.folder, 'test/toy/experiments'), { profile: 'quick' });
    const records = sortRecords(change(recordsOf(study)));
    const plan = buildPlan({ study: declared, profile, ablations, seeds: seedsOf(records) });
    const problems = verifyRecords(records, declared, plan, openStoreReadOnly(join(study.folder, 'store')));
    expect(problems.map(({ field, expected, got }) => `${field}: expected ${expected}, got ${got}`).join('\n')).toMatch(message);
  });

  it('a result moved to another arm is found without a store', async () => {
    const swap = (text: string): string => {
      const records = parseRecords(text);
      const [oak, elm] = ['oak', 'elm'].map(arm => records.find(r => r.kind === 'weigh' && r.uses.some(use => use.ablation === 'variety' && use.arm === arm))!) as [ReportRecord, ReportRecord];
      return serializeRecords(records.map(r => (r === oak ? { ...r, uses: elm.uses } : r === elm ? { ...r, uses: oak.uses } : r)));
    };
    const { exitCode, stderr } = await edited(study, 'results.jsonl', swap, check);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/results\.jsonl: the uses or revisions of record [0-9a-f]{32} are not those of the declarations/);
  });

  it('what else a received store holds stays there: credentials in the place of facts, and the difference of the code', async () => {
    const token = 'ghp_0123456789abcdefghijABCDEFGHIJ';
    cpSync(join(study.folder, 'store'), join(study.folder, 'intact'), { recursive: true, verbatimSymlinks: true });
    const stages = join(study.folder, 'store/stages');
    const attempts = readdirSync(stages).map(key => join(stages, key, 'attempts/1'));
    expect(attempts.length).toBeGreaterThan(5);
    for (const [i, attempt] of attempts.entries()) {
      const facts = JSON.parse(readFileSync(join(attempt, 'provenance.json'), 'utf8')) as Record<string, unknown>;
      const credentials = { type: 'service_account', private_key: token, cpu: { token }, [token]: true };
      writeFileSync(join(attempt, 'provenance.json'), JSON.stringify(i % 2 === 0 ? credentials : { ...facts, ...credentials, environment: { GITHUB_TOKEN: token } }));
      writeFileSync(join(attempt, 'diff.patch'), `+${token}\n`);
    }
    expect((await study.ablate('report', '--reports', 'public')).exitCode).toBe(0);
    const files = readdirSync(join(study.folder, 'public'), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) expect(readFileSync(join(file.parentPath, file.name), 'utf8')).not.toContain(token);
    for (const folder of ['public', 'store']) rmSync(join(study.folder, folder), { recursive: true });
    renameSync(join(study.folder, 'intact'), join(study.folder, 'store'));
  });

  it('what is no store, no report, no ref or no sense is bad use', async () => {
    const cases: readonly [string[], string][] = [
      [['--verify', 'nowhere'], '--verify: Expected a store at'],
      [['--check', '--reports', 'none'], 'Expected the records of a report in none/quick/results.jsonl'],
      [['--baseline', 'no-such-ref'], "expected a git ref, the folder of a report or a store, got 'no-such-ref'"],
      [['--check', '--rebuild'], 'Expected one of --from, --prune, --check, --verify, --rebuild, --baseline, got --check and --rebuild'],
      [['--out', 'x'], '--out: expected --baseline with it'],
      [['--all'], '--all: expected one of'],
      [['--yes'], '--yes: expected --prune with it'],
      [['--only', 'cut'], '--only: expected --baseline or --prune with it, as a report shows every declared arm'],
      [['--seeds', '1'], '--seeds: expected --baseline or --prune with it'],
      [['--from', 'nowhere'], '--from: expected the folder of a report, of several reports, or a store, got nowhere'],
      [['--baseline', `./${REPORT}`, '--out', 'reports'], '--out: expected a folder other than that of the report'],
    ];
    const told = await Promise.all(cases.map(([args]) => study.ablate('report', ...args)));
    expect(told.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(cases.map(([, message]) => [2, expect.stringContaining(message) as string]));
  });

  it('all reports of a folder are checked, and one that does not belong there is refused beside them', async () => {
    expect((await study.ablate('report', '--check', '--all')).exitCode).toBe(0);
    cpSync(join(study.folder, REPORT), join(study.folder, 'reports/quick+steps-7'), { recursive: true });
    const { exitCode, stdout, stderr } = await study.ablate('report', '--check', '--all');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('quick+steps-7: Expected the report of quick in reports/quick, got it in reports/quick+steps-7') as string]);
    expect(stdout).toBe('reports/quick is what its records and the declarations give.');
    rmSync(join(study.folder, 'reports/quick+steps-7'), { recursive: true });
  });
});

describe('in git', () => {
  const study = editableStudy('quick');
  const git = async (...args: string[]) => execa('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: study.folder, reject: false, all: true });
  const sweep = async (...args: string[]): Promise<void> => {
    const { exitCode, all } = await study.ablate('sweep', '--devices', 'inline', ...args);
    if (exitCode !== 0) throw new Error(all);
  };
  const commit = async (message: string): Promise<void> => {
    expect((await git('add', '-A')).exitCode).toBe(0);
    expect((await git('commit', '-q', '-m', message)).exitCode).toBe(0);
  };
  const baselineOf = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, all } = await study.ablate('report', '--baseline', ...args);
    if (exitCode !== 0) throw new Error(all);
    return stdout;
  };

  beforeAll(async () => {
    for (const name of ['trouble', 'side-by-side']) rmSync(join(study.folder, `test/toy/experiments/ablations/${name}.ts`));
    cpSync(ATTRIBUTES, join(study.folder, '.gitattributes'));
    writeFileSync(join(study.folder, '.gitignore'), '/src\n/node_modules\n/package.json\n/store/\n/cache/\n/review/\n/other/\n');
    await git('init', '-q', '-b', 'main');
    await commit('declarations');
    await sweep();
    expect(await baselineOf('HEAD')).toMatch(/^\*\*quick: All of it is new, as HEAD \([0-9a-f]{12}\) has no report of this profile: 6 arms, \d runs\.\*\*$/m);
    await commit('first report');
  });

  it('compared with its own commit, with itself and with its store nothing has changed', async () => {
    for (const text of await Promise.all(['HEAD', `./${REPORT}`, './reports', './store', join(study.folder, 'reports')].map(which => baselineOf(which))))
      expect(text).toContain('quick: Nothing changed: the same 6 arms, results and verdicts.');
  });

  it('after an edit of a declaration: what became of the arm, in Markdown and on a page that stands elsewhere', async () => {
    study.edit('experiments/ablations/cut.ts', 'factors: { cut: 0.5 }', 'factors: { cut: 0.1 }');
    await sweep();
    const before = read(study, 'index.html');
    const text = await baselineOf('HEAD', '--out', 'review', '--url', 'https://example.org/o/r/blob/abc/');
    expect(text).toMatch(/^\*\*quick: 1 run replaced\. Where to cut the scion, Half: seed 0 = [\d.]+ \([\d.]+ before\)\.\*\*$/m);
    expect(text).toContain('![Results of \u201cWhere to cut the scion\u201d](https://example.org/o/r/blob/abc/reports/quick/figures/cut-result.svg?raw=true)');
    expect(text).toMatch(/Report of profile quick against HEAD \([0-9a-f]{12}\)/);
    // One arm, and nothing that is as before.
    expect([...text.matchAll(/^\| (?!-)/gm)]).toHaveLength(2);
    expect(text).not.toContain('CAUTION');
    expect(readFileSync(join(study.folder, 'review/quick/index.html'), 'utf8')).toContain('id="changes"');
    expect(read(study, 'index.html')).toBe(before);
    expect((await study.ablate('report', '--check')).exitCode).toBe(0);
    const comment = await study.ablate('report', '--baseline', 'HEAD', '--comment', 'review/deep/comment.md');
    expect(comment.exitCode).toBe(0);
    expect(readFileSync(join(study.folder, 'review/deep/comment.md'), 'utf8')).toContain('1 run replaced');
    await git('checkout', '-q', '--', '.');
  });

  it('a number that changed though its key is the same is told loudly', async () => {
    const change = (text: string): string => text.replace(/"weight":([\d.]+)/, (_, weight: string) => `"weight":${Number(weight) + 0.01}`);
    const { stdout, stderr } = await edited(study, 'results.jsonl', change, () => study.ablate('report', '--baseline', 'HEAD'));
    expect(stdout).toContain('[!CAUTION]');
    expect(stderr).toContain('1 stage has other numbers though its key is the same');
  });

  describe('of all reports in the folder', () => {
    const all = (...args: string[]) => study.ablate('report', '--baseline', 'HEAD', '--all', ...args);

    it('one that git does not track is named and left out, unless it is asked for', async () => {
      const name = 'quick+steps-4';
      const folder = join(study.folder, 'reports', name);
      cpSync(join(study.folder, REPORT), folder, { recursive: true });
      writeFileSync(join(folder, 'report.json'), read(study, 'report.json').replace('"overrides": []', '"overrides": ["steps=4"]'));
      try {
        const { exitCode, stdout, stderr } = await all();
        expect([exitCode, stderr]).toEqual([0, '']);
        expect(stdout.match(/^\*\*.*\*\*$/gm)).toEqual(['**quick: Nothing changed: the same 6 arms, results and verdicts.**']);
        expect(stdout).toContain(`Not compared, as git does not track it: reports/${name}. With --untracked it is compared, too.`);
        const told = await all('--comment', 'review/all.md');
        expect(told.stderr).toContain(`reports/${name}. With --untracked`);
        for (const asked of [all('--untracked'), study.ablate('report', '--baseline', 'HEAD', '--set', 'steps=4')]) expect((await asked).stdout).toContain('**quick, steps=4: All of it is new');
        await git('add', 'reports');
        expect((await all()).stdout).toContain('**quick, steps=4: All of it is new');
      } finally {
        await git('reset', '-q');
        rmSync(folder, { recursive: true });
      }
    });

    it('one that the commit has and the folder has not is told first', async () => {
      renameSync(join(study.folder, REPORT), join(study.folder, 'other'));
      try {
        const { exitCode, stdout } = await all();
        expect(exitCode).toBe(0);
        expect(stdout).toMatch(/^> \[!CAUTION\]\n> \*\*reports\/quick: the report is gone, which HEAD \([0-9a-f]{12}\) has\.\*\*$/);
      } finally {
        renameSync(join(study.folder, 'other'), join(study.folder, REPORT));
      }
    });
  });

  it('an arm whose records are gone is named, and whether the commit may have added it since', async () => {
    await git('branch', 'ahead');
    await git('checkout', '-q', 'ahead');
    await git('commit', '-q', '--allow-empty', '-m', 'more');
    await git('checkout', '-q', 'main');
    const without = (text: string): string => serializeRecords(parseRecords(text).filter(({ uses }) => uses.some(({ arm }) => arm !== 'elm')));
    const told = await edited(study, 'results.jsonl', without, async () => [(await study.ablate('report', '--baseline', 'HEAD')).stderr, (await study.ablate('report', '--baseline', 'ahead')).stderr]);
    const gone = (ref: string): string => `reports/quick: 1 arm and 3 records of ${ref} (`;
    const rest = ') are gone: Which stock to graft on, Elm (declared, but without a result).';
    expect(told[0]).toMatch(/ are gone: .*\.$/);
    for (const [i, ref] of ['HEAD', 'ahead'].entries()) expect(told[i]).toSatisfy((text: string) => text.includes(gone(ref)) && text.includes(rest));
    expect(told[1]).toContain('It has commits that are not in this checkout');
  });

  it('a ref that begins with a hyphen is no option of git', async () => {
    const { exitCode } = await study.ablate('report', '--baseline=--output=stolen');
    expect(exitCode).toBe(2);
    expect(existsSync(path(study, 'stolen'))).toBe(false);
  });

  describe('what a branch brings that only looks like what it is compared with', () => {
    /** The report with another number, and a copy of that which stands under some names. */
    const forged = async <T>(names: readonly string[], look: () => Promise<T>): Promise<T> => {
      const change = (text: string): string => text.replace(/"weight":([\d.]+)/, (_, weight: string) => `"weight":${Number(weight) + 0.01}`);
      try {
        return await edited(study, 'results.jsonl', change, () => {
          for (const name of names) cpSync(join(study.folder, 'reports'), join(study.folder, name), { recursive: true });
          return look();
        });
      } finally {
        for (const name of names) rmSync(join(study.folder, name), { recursive: true, force: true });
      }
    };

    it('a folder named like the commit or the branch is not taken for it', async () => {
      const commits = ['main', (await git('rev-parse', 'main')).stdout];
      const texts = await forged(commits, async () => [await baselineOf(commits[0]!), await baselineOf(commits[1]!)]);
      for (const text of texts) expect(text).toContain('1 stage has other numbers though its key is the same');
    });

    it('a folder is asked for by a path: its bare name is a ref, which git must know', async () => {
      const { exitCode, stderr } = await study.ablate('report', '--baseline', 'reports');
      expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/got 'reports'\. Git knows no such commit.* For the folder of that name: \.\/reports/) as string]);
    });

    it('the files of a bare repository in the folder of the report are refused', async () => {
      const bare = join(study.folder, 'other');
      await git('init', '-q', '--bare', 'other');
      const parts = ['HEAD', 'config', 'objects', 'refs'];
      for (const part of parts) cpSync(join(bare, part), path(study, part), { recursive: true });
      try {
        const { exitCode, stderr } = await study.ablate('report', '--baseline', 'main');
        expect([exitCode, stderr]).toEqual([2, expect.stringContaining('reports/quick: expected the files of a report, got those of a git repository of its own') as string]);
      } finally {
        for (const dir of [bare, ...parts.map(part => path(study, part))]) rmSync(dir, { recursive: true });
      }
    });

    it('no link in the folder is followed', async () => {
      const other = join(study.folder, 'other');
      cpSync(join(study.folder, 'reports'), other, { recursive: true });
      for (const file of ['results.jsonl', 'provenance.json', 'tables']) {
        rmSync(join(other, 'quick', file), { recursive: true });
        symlinkSync(path(study, file), join(other, 'quick', file));
        const { exitCode, stderr } = await study.ablate('report', '--baseline', './other');
        expect([exitCode, stderr]).toEqual([2, expect.stringMatching(new RegExp(`other/quick/${file}: expected a file or folder of its own, got a symbolic link`)) as string]);
        rmSync(join(other, 'quick', file));
        cpSync(path(study, file), join(other, 'quick', file), { recursive: true });
      }
      symlinkSync(other, join(study.folder, 'linked'));
      expect(await baselineOf('./linked')).toContain('Nothing changed');
      for (const name of ['linked', 'other']) rmSync(join(study.folder, name), { recursive: true });
    });
  });

  describe('two branches that each add records', () => {
    /** An arm of its own for each branch; both are grafted on the stock that the first report has already. */
    const addArm = (name: string, cut: number): void =>
      study.edit('experiments/ablations/cut.ts', "    { name: 'none',", `    { name: '${name}', label: '${name}', factors: { cut: ${cut} } },\n    { name: 'none',`);

    beforeAll(async () => {
      for (const [branch, cut] of [
        ['left', 0.2],
        ['right', 0.7],
      ] as const) {
        await git('checkout', '-q', '-b', branch, 'main');
        addArm(branch, cut);
        await sweep();
        await commit(branch);
      }
      await git('checkout', '-q', 'left');
    });

    it('merge: records by lines, all else made anew, with the bytes of a report from the store', async () => {
      const merged = await git('merge', '--no-edit', 'right');
      expect(merged.exitCode).not.toBe(0);
      // Of all that is generated, one file: it asks for the rebuild.
      expect((await git('diff', '--name-only', '--diff-filter=U')).stdout.split('\n')).toEqual(['reports/quick/provenance.json', 'test/toy/experiments/ablations/cut.ts']);
      expect(read(study, 'results.jsonl')).not.toContain('<<<<');
      // The declarations conflict, too: a person settles that.
      const file = join(study.folder, 'test/toy/experiments/ablations/cut.ts');
      writeFileSync(file, readFileSync(file, 'utf8').replace(/^(<<<<<<<|=======|>>>>>>>).*\n/gm, ''));
      const check = await study.ablate('report', '--check');
      expect(check.exitCode).toBe(1);
      expect(check.stderr).toMatch(/got two with key [0-9a-f]{32}\. After a merge `ablate report --rebuild` joins/);
      expect((await study.ablate('report', '--rebuild')).all).toContain('Report rebuilt');
      expect((await study.ablate('report', '--check')).exitCode).toBe(0);
      const files = ['results.jsonl', 'README.md', 'index.html', 'tables/cut.csv', 'provenance.json'].map(name => read(study, name));
      await commit('merge');
      expect((await study.ablate('report')).stdout).toContain('Report up to date');
      expect(['results.jsonl', 'README.md', 'index.html', 'tables/cut.csv', 'provenance.json'].map(name => read(study, name))).toEqual(files);
      expect(new Set(recordsOf(study).flatMap(r => r.uses.map(use => use.arm)))).toEqual(new Set(['whole', 'half', 'none', 'left', 'right', 'oak', 'elm', 'own-root']));
    });

    it('is up to date in a clone by a git that converts line ends', async () => {
      const clone = join(study.folder, 'other/clone');
      expect((await git('clone', '-q', '-c', 'core.autocrlf=true', '.', clone)).exitCode).toBe(0);
      expect(readFileSync(join(clone, 'test/toy/experiments/study.ts'), 'utf8')).toContain('\r\n');
      const { exitCode, all } = await study.ablate('report', '--check', '--reports', join(clone, 'reports'));
      expect(exitCode, all).toBe(0);
    });
  });
});
