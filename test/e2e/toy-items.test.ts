/** One bit for each test item, from the stage that tests to the report and back: the real program on real files. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { editableStudy } from '../toy/editable.ts';
import { toyPlan } from '../toy/sweep.ts';

const REPORT = 'reports/quick';
const ATTRIBUTES = fileURLToPath(new URL('../../.gitattributes', import.meta.url));
const study = editableStudy('quick');
const path = (file: string): string => join(study.folder, file);
const read = (file: string): string => readFileSync(path(file), 'utf8');
const linesOf = (file: string): { key: string; items: string }[] =>
  read(file)
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { key: string; items: string });

async function ablate(...[command, ...args]: [string, ...string[]]): Promise<string> {
  const { exitCode, all } = await study.ablate(command, ...args);
  if (exitCode !== 0) throw new Error(all);
  return all;
}
const sweep = (...args: string[]): Promise<string> => ablate('sweep', '--devices', 'inline', ...args);

/** Runs `act` with a file as `change` makes it, then puts it back. */
async function edited<T>(file: string, change: (text: string) => string, act: () => Promise<T>): Promise<T> {
  const before = read(file);
  writeFileSync(path(file), change(before));
  try {
    return await act();
  } finally {
    writeFileSync(path(file), before);
  }
}

beforeAll(async () => {
  for (const name of ['trouble', 'side-by-side', 'variety']) rmSync(path(`test/toy/experiments/ablations/${name}.ts`));
  await sweep();
});

describe('test items', () => {
  it('stand in the report, one line a tested stage, as the store has them', async () => {
    const plan = await toyPlan({ profile: 'quick', only: 'cut' });
    const store = openStoreReadOnly(path('store'));
    const weighed = [...new Set(plan.arms.map(({ final }) => final))].sort();
    const lines = linesOf(`${REPORT}/items.jsonl`);
    expect(lines.map(({ key }) => key)).toEqual(weighed);
    for (const { key, items } of lines) {
      expect(Buffer.from(items, 'base64')).toEqual(readFileSync(join(store.attemptDir(key, 1), 'items.bin')));
      expect(store.items(key)).toHaveLength(20);
    }
    expect(await ablate('report', '--check')).toBe(`${REPORT} is what its records and the declarations give.`);
    expect(await ablate('report', '--verify', 'store')).toContain('are what store holds');
  });

  it('are counted in pairs by diff, told of by explain, and rows of query', async () => {
    const plan = await toyPlan({ profile: 'quick', only: 'cut' });
    const store = openStoreReadOnly(path('store'));
    const [a, b] = ['whole', 'none'].map(arm => store.items(plan.arms.find(each => each.arm === arm)!.final)!);
    const count = (inA: boolean, inB: boolean): number => a!.filter((right, i) => right === inA && b![i] === inB).length;
    const expected = { seed: 0, both: count(true, true), onlyA: count(true, false), onlyB: count(false, true), neither: count(false, false) };
    expect(expected.onlyA).toBeGreaterThan(0);
    const text = await ablate('diff', 'cut/whole', 'cut/none');
    expect(text).toMatch(
      new RegExp(`Test items that are right\\n.*in both +only in a +only in b +in neither\\n +seed 0 +${expected.both} +${expected.onlyA} +${expected.onlyB} +${expected.neither}\\n`),
    );
    // A tree's weight is not the share of its branches that are heavy enough.
    expect(text).toMatch(/a - b = .* points \(these two trained models, as if tested on different items\)/);
    expect(JSON.parse(await ablate('diff', 'cut/whole', 'cut/none', '--json'))).toMatchObject({ results: { items: [expected] } });
    expect(await ablate('explain', 'cut/whole')).toMatch(/weigh +weigh .* 20 test items one by one/);
    const sql = "select sum(correct) as correct, count(*) as n, max(item) as last from items join arms using (key) where ablation = 'cut' and arm = 'whole' and role = 'weigh'";
    expect(JSON.parse(await ablate('query', sql, '--json'))).toEqual([{ correct: expected.both + expected.onlyA, n: 20, last: 19 }]);
  });

  it('that are damaged in a report are told of and never used: check fails, a rebuild leaves them out, the store gives them back', async () => {
    const whole = read(`${REPORT}/items.jsonl`);
    const [first] = linesOf(`${REPORT}/items.jsonl`);
    const damaged = (text: string): string => text.replace(first!.items, `${first!.items.slice(0, 4)}////${first!.items.slice(8)}`);
    const said = new RegExp(`${REPORT}/items\\.jsonl: the item results of weigh of .*, seed 0 \\(${first!.key.slice(0, 12)}\\) do not have the SHA-256 of its record`);
    await edited(`${REPORT}/items.jsonl`, damaged, async () => {
      const checked = await study.ablate('report', '--check');
      expect([checked.exitCode, checked.stderr]).toEqual([1, expect.stringMatching(said)]);
      const verified = await study.ablate('report', '--verify', 'store');
      expect([verified.exitCode, verified.stderr]).toEqual([1, expect.stringMatching(said)]);
      expect(await ablate('report', '--rebuild')).toMatch(said);
      expect(linesOf(`${REPORT}/items.jsonl`).map(({ key }) => key)).not.toContain(first!.key);
      expect(await ablate('report', '--check')).toContain('is what its records');
      await ablate('report');
      expect(read(`${REPORT}/items.jsonl`)).toBe(whole);
    });
    expect(await ablate('report', '--check')).toContain('is what its records');
  });

  it('that are damaged in a store are told of, and tested again by the next sweep', async () => {
    cpSync(path('store'), path('worn'), { recursive: true });
    const store = openStoreReadOnly(path('worn'));
    const [{ key, items }] = linesOf(`${REPORT}/items.jsonl`) as [{ key: string; items: string }];
    const file = join(store.attemptDir(key, 1), 'items.bin');
    writeFileSync(file, Buffer.from(readFileSync(file)).fill(0xff, 4, 5));
    expect(await ablate('report', '--store', 'worn', '--reports', 'other')).toMatch(
      new RegExp(`worn: weigh of \\S+ seed 0 \\(${key.slice(0, 12)}\\) is damaged and adds nothing: items.bin does not match its checksum`),
    );
    expect(linesOf('other/quick/items.jsonl').map(line => line.key)).not.toContain(key);
    await sweep('--store', 'worn', '--reports', 'other');
    expect(linesOf('other/quick/items.jsonl').find(line => line.key === key)?.items).toBe(items);
    expect(read('other/quick/items.jsonl')).toBe(read(`${REPORT}/items.jsonl`));
  });

  it('come from other reports and stores, and go with the records that are pruned', async () => {
    await sweep('--store', 'b', '--seeds', '1', '--reports', 'b-reports');
    const both = linesOf(`${REPORT}/items.jsonl`).length + linesOf('b-reports/quick/items.jsonl').length;
    await ablate('report', '--from', 'b-reports');
    expect(linesOf(`${REPORT}/items.jsonl`)).toHaveLength(both);
    expect(await ablate('report', '--check')).toContain('is what its records');
    await ablate('report', '--prune', '--yes', '--seeds', '0');
    expect(linesOf(`${REPORT}/items.jsonl`)).toHaveLength(both - linesOf('b-reports/quick/items.jsonl').length);
    expect(await ablate('report', '--check')).toContain('is what its records');
  });

  it('are added to a report of an older version, which is valid without them', async () => {
    cpSync(path(REPORT), path('old/quick'), { recursive: true });
    const strip = (file: string, from: RegExp): void => writeFileSync(path(`old/quick/${file}`), read(`old/quick/${file}`).replaceAll(from, ''));
    strip('results.jsonl', /,"itemsSha256":"[0-9a-f]{64}"/g);
    strip('report.json', / {4}"items.jsonl",\n/g);
    rmSync(path('old/quick/items.jsonl'));
    expect(await ablate('report', '--check', '--reports', 'old')).toContain('is what its records');
    expect(await ablate('report', '--reports', 'old')).not.toContain('another result');
    for (const file of ['items.jsonl', 'results.jsonl', 'report.json']) expect(read(`old/quick/${file}`)).toBe(read(`${REPORT}/${file}`));
  });

  it('of two branches are united by git', async () => {
    const git = (...args: string[]) => execa('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: path('git') });
    const write = (seeds: string): Promise<string> => ablate('report', '--reports', 'git/reports', ...(seeds === '0' ? [] : ['--from', 'b-reports']));
    cpSync(ATTRIBUTES, path('git/.gitattributes'));
    await git('init', '-q', '-b', 'main');
    await git('add', '-A');
    await git('commit', '-q', '-m', 'empty');
    for (const [branch, seeds] of [
      ['zero', '0'],
      ['one', '1'],
    ] as const) {
      await git('checkout', '-q', '-b', branch, 'main');
      await write(seeds);
      await git('add', '-A');
      await git('commit', '-q', '-m', branch);
    }
    await git('merge', 'zero').catch(() => undefined); // provenance.json asks for a rebuild
    expect(read('git/reports/quick/items.jsonl')).not.toContain('<<<<');
    await ablate('report', '--rebuild', '--reports', 'git/reports');
    expect(await ablate('report', '--check', '--reports', 'git/reports')).toContain('is what its records');
    expect(linesOf('git/reports/quick/items.jsonl')).toHaveLength(linesOf(`${REPORT}/items.jsonl`).length + linesOf('b-reports/quick/items.jsonl').length);
  });
});

describe('an interrupted test', () => {
  it('leaves the items of an undisturbed one', async () => {
    cpSync(path('store'), path('half'), { recursive: true });
    const store = openStoreReadOnly(path('half'));
    const known = linesOf(`${REPORT}/items.jsonl`);
    expect(known).toHaveLength(3);
    for (const [i, { key }] of known.entries()) {
      rmSync(join(store.stageDir(key), 'done'), { recursive: true }); // killed between manifest and commit
      if (i > 0) rmSync(join(store.attemptDir(key, 1), 'manifest.json')); // killed before
    }
    await sweep('--no-report', '--store', 'half');
    const again = openStoreReadOnly(path('half'));
    const found = known.map(({ key }) => ({ key, items: Buffer.from(again.itemBytes(key, again.doneAttempt(key)!)!).toString('base64') }));
    expect(found).toEqual(known);
    expect(known.map(({ key }) => again.doneAttempt(key))).toEqual([1, 2, 2]);
  });
});
