/** `ablate export --to parquet` and `--to tensorboard`: all numbers of a store for other programs. The real program; read back by DuckDB and by TensorBoard itself. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { cacheDir } from '../../src/setup/cache.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { TABLES } from '../../src/core/store/tables.ts';
import { editableStudy } from '../toy/editable.ts';

const study = editableStudy('quick');
const path = (name: string): string => join(study.folder, name);

beforeAll(async () => {
  const { exitCode, all } = await study.ablate('sweep', '--no-report', '--devices', 'inline', '--only', 'cut/half,cut/none');
  expect(exitCode, all).toBe(0);
});

async function rowsOf(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
  }
}

describe('--to parquet', () => {
  it('writes four tables with the columns that query documents, and says how to read them', async () => {
    const { exitCode, stdout, stderr } = await study.ablate('export', '--to', 'parquet', 'tables');
    expect(exitCode, stderr).toBe(0);
    expect(readdirSync(path('tables')).sort()).toEqual(['arms.parquet', 'metrics.parquet', 'results.parquet', 'runs.parquet']);
    expect(stdout.split('\n')).toEqual([expect.stringMatching(/^pandas: .*results\.parquet/), expect.stringMatching(/^polars: /), expect.stringMatching(/^R: .*arrow::read_parquet/)]);
    for (const name of ['arms', 'metrics', 'results', 'runs']) {
      const described = await rowsOf(`describe select * from '${path(`tables/${name}.parquet`)}'`);
      const { columns } = TABLES.find(table => table.name === name)!;
      expect(described.map(({ column_name: column, column_type: type }) => [column, type])).toEqual(columns.map(({ name: column, type }) => [column, type === 'JSON' ? 'VARCHAR' : type]));
    }
  });

  it('holds the numbers of the store, by arm', async () => {
    const found = await rowsOf(`select arm, value from '${path('tables/arms.parquet')}' join '${path('tables/results.parquet')}' using (key) where role = 'weigh' and name = 'weight' order by arm`);
    const { stdout } = await study.ablate('query', '--json', "select arm, value from arms join results using (key) where role = 'weigh' and name = 'weight' order by arm");
    expect(found).toHaveLength(2);
    expect(found).toEqual(JSON.parse(stdout));
    expect(JSON.parse(String((await rowsOf(`select recipe from '${path('tables/runs.parquet')}' where kind = 'graft' order by recipe limit 1`))[0]!['recipe']))).toMatchObject({ steps: 5 });
  });

  it('refuses a folder that holds something, one in the store, one that cannot be made, and options that are for weights; nothing is left', async () => {
    mkdirSync(path('full'));
    writeFileSync(path('full/mine'), '');
    const before = readdirSync(study.folder);
    for (const [words, said] of [
      [['full'], 'Expected a folder that is empty or not there yet, got full'],
      [['store/tables'], 'Expected a folder outside of the store'],
      [['nowhere/tables'], 'Expected a place with room'],
      [['more', '--role', 'tree'], '--role: expected none with --to parquet'],
      [['more', '--card'], '--card: expected none'],
    ] as const) {
      const { exitCode, stderr } = await study.ablate('export', '--to', 'parquet', ...words);
      expect(exitCode, stderr).toBe(2);
      expect(stderr).toContain(said);
    }
    expect(readdirSync(study.folder)).toEqual(before);
    expect(readFileSync(path('full/mine'), 'utf8')).toBe('');
  });
});

describe('--to tensorboard', () => {
  const runs = ['cut/half', 'cut/none'].map(arm => `curves/quick/${arm}/seed-0`);

  it('writes a run for each stage, under the first arm that needs it', async () => {
    const { exitCode, stdout, stderr } = await study.ablate('export', '--to', 'tensorboard', 'curves');
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toBe('tensorboard --logdir curves');
    for (const run of runs) expect(readdirSync(path(run)).sort()).toContain('weigh');
    expect(existsSync(path(`${runs[0]!}/tree`))).toBe(true);
  });

  /** Where pip reaches it. */
  it('is read by TensorBoard, number for number', { tags: 'long' }, async ({ skip }) => {
    const folder = join(cacheDir(), 'tensorboard');
    const installed = await execa('python3', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--target', folder, '--upgrade', 'tensorboard'], { reject: false });
    skip(installed.failed, `pip does not reach tensorboard: ${installed.stderr.slice(-200)}`);
    const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
accumulator = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0})
accumulator.Reload()
print(json.dumps({tag: [[event.step, event.value] for event in accumulator.Scalars(tag)] for tag in accumulator.Tags()['scalars']}))
`;
    const { stdout } = await execa('python3', ['-c', script, path(`${runs[0]!}/tree`)], { env: { PYTHONPATH: folder } });
    const read = JSON.parse(stdout) as Record<string, [number, number][]>;
    const store = openStoreReadOnly(path('store'));
    const { stdout: told } = await study.ablate('explain', 'cut/half', '--json');
    const key = (JSON.parse(told) as { replicates: [{ stages: { role: string; key: string }[] }] }).replicates[0].stages.find(({ role }) => role === 'tree')!.key;
    const curve = store.curve(key);
    expect(Object.keys(read).sort()).toEqual(['tree/epoch', 'tree/height', 'tree/result/height']);
    expect(read['tree/height']).toEqual(curve.map(({ step, height }) => [step, Math.fround(height!)]));
    expect(read['tree/result/height']).toEqual([[5, Math.fround(Number(store.result(key)!['height']))]]);
  });
});
