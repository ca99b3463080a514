/** `ablate query` on the store of a real sweep whose numbers are known. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { editableStudy } from '../toy/editable.ts';
import { toyPlan } from '../toy/sweep.ts';

const study = editableStudy('quick');
const storeDir = join(study.folder, 'store');
const query = (...args: string[]) => study.ablate('query', ...args);
const rows = async (sql: string): Promise<Record<string, unknown>[]> => {
  const { stdout, stderr, exitCode } = await query(sql, '--json');
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>[];
};

beforeAll(async () => {
  expect((await study.ablate('sweep', '--only', 'cut,trouble/fail-permanently', '--no-report', '--devices', 'cpu:2x1')).exitCode).toBe(1);
  expect((await study.ablate('sweep', '--only', 'cut/whole', '--set', 'steps=7', '--no-report', '--devices', 'cpu:1x1')).exitCode).toBe(0);
});

describe('query', () => {
  it('without a statement lists the views, their columns and examples', async () => {
    const { stdout, exitCode } = await study.start('query');
    expect(exitCode).toBe(0);
    for (const view of ['runs', 'metrics', 'results', 'items', 'arms']) expect(stdout).toMatch(new RegExp(`^${view} `, 'm'));
    expect(stdout.match(/^ {2}ablate query "select/gm)).toHaveLength(2);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('counts stages by kind and state', async () => {
    expect(await rows('select kind, state, count(*) as n from runs group by all order by all')).toEqual([
      { kind: 'graft', state: 'done', n: 4 },
      { kind: 'graft', state: 'failed', n: 1 },
      { kind: 'seedling', state: 'done', n: 2 },
      { kind: 'weigh', state: 'absent', n: 1 },
      { kind: 'weigh', state: 'done', n: 4 },
    ]);
    expect(await rows("select code, reason, attempts, place from runs where state = 'failed'")).toEqual([
      { code: 'BLIGHT', reason: 'The tree has blight and no second try will cure it', attempts: 1, place: expect.stringMatching(/^cpu:[01]$/) as string },
    ]);
  });

  it('gives the results and curves of the store, number for number', async () => {
    const plan = await toyPlan({ profile: 'quick', only: 'cut' });
    const store = openStoreReadOnly(storeDir);
    const found = await rows("select arm, role, key, value from arms join results using (key) where ablation = 'cut' and overrides = '' and name in ('height', 'weight') order by arm, role");
    expect(found).toHaveLength(3 * 3);
    for (const { arm, role, key, value } of found) {
      expect(key).toBe(plan.arms.find(a => a.arm === arm)!.stages[role as string]);
      const result = store.result(key as string)!;
      expect(value).toBe(result['height'] ?? result['weight']);
    }
    const tree = plan.arms.find(a => a.arm === 'half')!.stages['tree']!;
    expect(await rows(`select step, epoch, name, value from metrics where key = '${tree}' order by step`)).toEqual(
      store.curve(tree).map(({ step, epoch, height }) => ({ step, epoch, name: 'height', value: height })),
    );
  });

  it('knows arms at every scale that was swept, recipes as JSON, times as times', async () => {
    expect(await rows("select distinct overrides from arms where arm = 'whole' order by 1")).toEqual([{ overrides: '' }, { overrides: 'steps=7' }]);
    expect(await rows("select recipe, recipe->>'$.variety' as variety from runs where kind = 'seedling' and (recipe->'$.steps')::int = 7")).toEqual([
      { recipe: { variety: 'oak', steps: 7, milliseconds: 0 }, variety: 'oak' },
    ]);
    expect(
      await rows(
        "select count(*) as n from runs where ended >= created and state = 'done' and ended > now()::timestamp - interval 1 day and wall_seconds > 0 and cpu_seconds > 0 and host is not null",
      ),
    ).toEqual([{ n: 10 }]);
  });

  it('prints an aligned table, or CSV with all digits', async () => {
    const sql = "select kind, count(*) as n, null as nothing, 1/3 as third, 'a,b' as text from runs where kind = 'seedling' group by kind";
    expect((await query(sql)).stdout).toBe(['  kind      n  nothing     third  text', '  seedling  2     null  0.333333  a,b', '  1 row'].join('\n'));
    expect((await query(sql, '--csv')).stdout).toBe('kind,n,nothing,third,text\nseedling,2,,0.3333333333333333,"a,b"');
  });

  it.each([
    ['selec 1', 'Parser Error'],
    ['select colour from runs', 'Binder Error'],
    ['select * from nowhere', 'nowhere'],
  ])('%s is bad use, with the words of DuckDB', async (sql, message) => {
    const { exitCode, stderr } = await query(sql);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });

  it('cannot touch a file, whatever the statement', async () => {
    const before = readdirSync(storeDir, { recursive: true }).sort();
    const bytes = readFileSync(join(storeDir, 'store.json'));
    for (const sql of [
      `copy (select 1) to '${storeDir}/store.json'`,
      `attach '${storeDir}/new.db' as other`,
      `export database '${storeDir}/export'`,
      `select * from read_text('${storeDir}/store.json')`,
      'set enable_external_access = true',
    ]) {
      const { exitCode, stderr } = await query(sql);
      expect([sql, exitCode]).toEqual([sql, 2]);
      expect(stderr).not.toBe('');
    }
    expect((await query('drop view runs; delete from store.results; select 1 as one', '--json')).exitCode).toBe(0);
    expect(readdirSync(storeDir, { recursive: true }).sort()).toEqual(before);
    expect(readFileSync(join(storeDir, 'store.json'))).toEqual(bytes);
    expect(await rows('select count(*) as n from results where value is not null')).toEqual([{ n: 14 }]);
  });

  it('passes over what it cannot read, with a warning', async () => {
    const key = (await rows("select key from runs where kind = 'graft' and state = 'done' limit 1"))[0]!['key'] as string;
    const file = join(storeDir, 'stages', key, 'attempts', '1', 'metrics.jsonl');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, `no JSON\n${text}`);
    const { stdout, stderr, exitCode } = await query(`select count(*) filter (key = '${key}') as damaged, count(distinct key) as others from metrics`, '--csv');
    writeFileSync(file, text);
    expect(exitCode).toBe(0);
    expect(stdout).toBe('damaged,others\n0,6');
    expect(stderr).toContain(`${join(key, 'attempts', '1', 'metrics.jsonl')}, line 1: expected a JSON object`);
  });

  it('of no store, or one of tomorrow, is refused', async () => {
    const elsewhere = editableStudy('quick');
    const none = await elsewhere.ablate('query', 'select 1');
    expect([none.exitCode, existsSync(join(elsewhere.folder, 'store'))]).toEqual([1, false]);
    expect(none.stderr).toContain('Expected a store at');
    mkdirSync(join(elsewhere.folder, 'store'));
    writeFileSync(join(elsewhere.folder, 'store', 'store.json'), '{"format": 99}');
    const newer = await elsewhere.ablate('query', 'select 1');
    expect(newer.exitCode).toBe(1);
    expect(newer.stderr).toContain('was written by a newer version of this program');
  });
});
