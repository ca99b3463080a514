import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/ablation/kind.ts';
import { parseProvenance, serializeProvenance } from '../../../../src/core/report/records/provenance.ts';
import { publicFacts } from '../../../../src/core/report/records/public-facts.ts';
import { hashOfItems } from '../../../../src/core/report/records/items.ts';
import { checkReport, writeReport } from '../../../../src/core/report/write.ts';
import { packItems } from '../../../../src/core/store/items.ts';
import { sampleInput, sampleKey } from '../../../helpers/report/sample.ts';

let outDir: string;
beforeEach(() => {
  outDir = mkdtempSync(join(tmpdir(), 'report-'));
});
afterEach(() => rmSync(outDir, { recursive: true }));

const provenance = { [sampleKey('teacher')]: { kind: 'pretrain', engine: 'tensorflow 2.21', wall_seconds: 61.5 } };
const write = () => writeReport({ ...sampleInput(), adopted: [], provenance, outDir });
const check = () => {
  const { study, profile, ablations } = sampleInput();
  return checkReport({ study, profile, ablations, outDir });
};
const change = (path: string, from: string, to: string): void => {
  const text = readFileSync(join(outDir, path), 'utf8');
  expect(text).toContain(from);
  writeFileSync(join(outDir, path), text.replace(from, to));
};

describe('writeReport', () => {
  test('writes every file once and touches none that would not change', async () => {
    const first = await write();
    expect([...first.written].sort()).toEqual([
      'README.md',
      'figures/relation-distill-loss.svg',
      'figures/relation-finetune-val_accuracy.svg',
      'figures/relation-pretrain-loss.svg',
      'figures/relation-result.svg',
      'figures/relation-supervise-val_accuracy.svg',
      'index.html',
      'provenance.json',
      'report.json',
      'results.jsonl',
      'tables/relation-curves.csv',
      'tables/relation-plain.tex',
      'tables/relation.csv',
      'tables/relation.tex',
    ]);
    utimesSync(join(outDir, 'index.html'), 1, 1);
    const second = await write();
    expect(second).toMatchObject({ written: [], removed: [] });
    expect(second.unchanged).toHaveLength(14);
    expect(statSync(join(outDir, 'index.html')).mtimeMs).toBe(1000);
  });

  test('has the items of its records in a file of their own, which goes with the last of them', async () => {
    const { records } = sampleInput();
    const bytes = packItems([true, false, true]);
    const tested = records.map(record => (record.kind === 'evaluate' ? { ...record, itemsSha256: hashOfItems(bytes), items: Buffer.from(bytes).toString('base64') } : record));
    expect((await writeReport({ ...sampleInput(), adopted: [], records: tested, provenance, outDir })).written).toContain('items.jsonl');
    expect(await check()).toEqual([]);
    change('items.jsonl', '"items":"A', '"items":"B');
    expect((await check()).map(({ path }) => path)).toEqual(['items.jsonl', 'results.jsonl']);
    expect(await write()).toMatchObject({ removed: ['items.jsonl'] });
  });

  test('removes figures and tables of an earlier report, and nothing else', async () => {
    await write();
    for (const path of ['figures/gone-dots.svg', 'figures/own.svg', 'tables/own.tex', 'notes.md']) writeFileSync(join(outDir, path), 'text');
    change('report.json', '"files": [', '"files": [\n    "figures/gone-dots.svg",\n    "notes.md",\n    "../elsewhere/notes.md",');
    expect((await write()).removed).toEqual(['figures/gone-dots.svg']);
    expect(readdirSync(outDir)).toContain('notes.md');
    expect(readdirSync(join(outDir, 'figures'))).toContain('own.svg');
    expect(readdirSync(join(outDir, 'tables'))).toContain('own.tex');
  });

  test('times, commit, memory and speed change no file but the provenance', async () => {
    const facts = (n: number): JsonObject => ({
      commit: String(n).repeat(40),
      dirty: n > 1,
      started: `203${n}-01-02T03:04:05.678Z`,
      wall_seconds: 61.5 + n,
      peak_memory_bytes: 987_654_321 + n,
      cpu: `Model ${n}`,
      stage: { images_per_second: 1000 + n },
    });
    const all = (n: number) => Object.fromEntries(sampleInput().records.map(record => [record.key, facts(n)]));
    await writeReport({ ...sampleInput(), adopted: [], provenance: all(1), outDir });
    expect((await writeReport({ ...sampleInput(), adopted: [], provenance: all(2), outDir })).written).toEqual(['provenance.json']);
  });
});

describe('checkReport', () => {
  test('an untouched report is up to date', async () => {
    await write();
    expect(await check()).toEqual([]);
  });

  test.each([
    ['README.md', '85.06', '85.07'],
    ['index.html', '85.06', '85.07'],
    ['tables/relation.csv', '83.6', '83.7'],
    ['tables/relation.tex', '85.06', '85.07'],
    ['figures/relation-result.svg', '2.28', '2.29'],
  ])('a digit changed in %s is found', async (path, from, to) => {
    await write();
    change(path, from, to);
    expect(await check()).toEqual([{ path, problem: 'differs' }]);
  });

  test('a record changed by hand makes everything made from it differ', async () => {
    await write();
    change('results.jsonl', '"accuracy":0.8', '"accuracy":0.7');
    expect((await check()).map(p => p.path)).toEqual(expect.arrayContaining(['README.md', 'index.html', 'tables/relation.csv', 'tables/relation.tex', 'figures/relation-result.svg']));
  });

  test('missing and unexpected files are told apart', async () => {
    await write();
    rmSync(join(outDir, 'README.md'));
    writeFileSync(join(outDir, 'tables/old.csv'), 'a\n');
    writeFileSync(join(outDir, 'tables/own.csv'), 'a\n');
    change('report.json', '"files": [', '"files": [\n    "tables/old.csv",');
    expect(await check()).toEqual([
      { path: 'README.md', problem: 'missing' },
      { path: 'report.json', problem: 'differs' },
      { path: 'tables/old.csv', problem: 'unexpected' },
    ]);
  });

  test('a folder without records says what to do', async () => {
    await expect(check()).rejects.toThrow(/Expected the records of a report in .*results\.jsonl, got no such file\. Write the report first/);
  });
});

describe('engines', () => {
  const engine = (cpu: string, more: object = {}) => ({ cpu, stage: { engine: { name: 'tensorflow', libraryVersion: '2.21.0', device: 'cpu', mode: 'graph', precision: 'float32' }, ...more } });
  const { records } = sampleInput();
  const done = records.filter(record => record.state === 'done').map(record => record.key);
  const writeWith = (of: (key: string, i: number) => JsonObject) => writeReport({ ...sampleInput(), adopted: [], provenance: Object.fromEntries(done.map((key, i) => [key, of(key, i)])), outDir });
  const readme = () => readFileSync(join(outDir, 'README.md'), 'utf8');

  test('one engine for all is not worth a word, and the report is that of an unknown one', async () => {
    await write();
    const before = readme();
    await writeWith(() => engine('Model 1'));
    expect(readme()).toBe(before);
  });

  test('a table that mixes them says how many stages ran on each, and the check reads the same', async () => {
    await writeWith((_, i) => engine(i < 2 ? 'Model 2' : 'Model 1'));
    expect(readme()).toContain(
      `Stages of this table ran on different engines or in different ways, so that their last digits are not bit-equal: tensorflow 2.21.0, graph float32, Model 1 (${done.length - 2} stages); tensorflow 2.21.0, graph float32, Model 2 (2 stages).`,
    );
    expect(await check()).toEqual([]);
  });

  test('a stage continued on another engine counts as one of its own', async () => {
    await writeWith((_, i) => engine('Model 1', i === 0 ? { engine_changed: true } : {}));
    expect(readme()).toContain('tensorflow 2.21.0, graph float32, Model 1, begun on another engine (1 stage)');
  });

  test('a batch that was split for want of memory is told, even where all were', async () => {
    await writeWith(() => engine('Model 1', { micro_batches: 2 }));
    expect(readme()).toContain(`tensorflow 2.21.0, graph float32, Model 1, in 2 times as many micro-batches for want of memory (${done.length} stages)`);
    expect(await check()).toEqual([]);
  });

  test('a provenance file that is none is refused with the way to mend it', async () => {
    await write();
    writeFileSync(join(outDir, 'provenance.json'), '[]');
    await expect(check()).rejects.toThrow(/Expected provenance\.json to hold .*Rebuild it with `ablate report`/);
  });
});

describe('provenance', () => {
  test('facts that all stages share stand once', () => {
    const text = serializeProvenance({ b: { cores: 2, wall_seconds: 3 }, a: { cores: 2, wall_seconds: 4 } });
    expect(JSON.parse(text)).toEqual({ all: { cores: 2 }, stages: { a: { wall_seconds: 4 }, b: { wall_seconds: 3 } } });
    expect(text.indexOf('"a"')).toBeLessThan(text.indexOf('"b"'));
  });

  test('names of machines, people and places do not come through', () => {
    const facts = publicFacts({
      host: 'x',
      pid: 7,
      command: ['node', '/srv/a/b.ts'],
      cpu: 'Model 1',
      environment: { OMP_NUM_THREADS: '1', CUDA_HOME: '/srv/cuda', TF_TOKEN_app: 'a1', LD_PRELOAD: 'x.so' },
      stage: { dataDir: '/srv/data', engine: { name: 'tensorflow', why: `asked for in /home/me/settings on ${hostname()}` } },
    });
    expect(facts).toEqual({ cpu: 'Model 1', environment: { OMP_NUM_THREADS: '1' }, stage: { engine: { name: 'tensorflow', why: 'asked for in …/settings on host' } } });
    const lines = ['Python 3.12.1', 'torch==2.9.0+cu128', 'mine @ file:///srv/mine', 'numpy 2.4.6 /srv/numpy'];
    expect(publicFacts({ stage: { versions: [{ command: ['/srv/python', '--version'], lines }] } })).toEqual({ stage: { versions: [{ lines: lines.slice(0, 2) }] } });
  });

  test('a field that is not named, or not of its shape, does not come through: neither out of a store nor out of a file', () => {
    const token = 'ghp_0123456789abcdefghijABCDEFGHIJ';
    const credentials: JsonObject = {
      type: 'service_account',
      private_key: token,
      aws: { aws_secret_access_key: token },
      [token]: 1,
      cpu: { token },
      cores: token,
      started: token,
      node: `v20 ${token}`,
      place: `cpu:0 ${token}`,
      system: `${'x'.repeat(200)}${token}`,
      commit: token,
      gpus: [{ token }],
      environment: { TF_CPP_MIN_LOG_LEVEL: `\n${token}`, GITHUB_TOKEN: token },
      packages: { [`a/b/${token}`]: '1', tsx: [token] },
      pack: { members: 2, keys: [token] },
      stage: { token, engine: { name: `tensorflow ${token}`, token }, versions: [{ command: [token], lines: [token, `index https://${token}@packages`] }] },
    };
    expect(serializeProvenance({ k: credentials })).not.toContain(token);
    expect(JSON.stringify(parseProvenance(JSON.stringify({ all: credentials, stages: { k: credentials } })))).not.toContain(token);
  });

  test.each(['mini'])('of the committed report %s comes through whole', profile => {
    const text = readFileSync(new URL(`../../../../reports/${profile}/provenance.json`, import.meta.url), 'utf8');
    expect(serializeProvenance(parseProvenance(text))).toBe(text);
  });

  test('no GPU is told from all others of its kind', () => {
    const uuid = '5a1b2c3d-0e4f-5a6b-7c8d-9e0f1a2b3c4d';
    const places = [`gpu:GPU-${uuid}`, `gpu:MIG-${uuid}`, `gpu:MIG-GPU-${uuid}_2_0`, 'gpu:0'];
    expect(places.map(place => publicFacts({ place }))).toEqual(['gpu:GPU', 'gpu:MIG', 'gpu:MIG-GPU', 'gpu:0'].map(place => ({ place })));
    expect(publicFacts({ environment: { CUDA_VISIBLE_DEVICES: `GPU-${uuid},MIG-${uuid}` } })).toEqual({ environment: { CUDA_VISIBLE_DEVICES: 'GPU,MIG' } });
  });

  test('no file holds the name of this machine or a path of it', async () => {
    await writeReport({ ...sampleInput(), adopted: [], provenance: { k: { host: hostname(), dir: outDir, note: `${outDir}/x on ${hostname()}` } }, outDir });
    const files = readdirSync(outDir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
    expect(files).toHaveLength(14);
    for (const file of files) {
      const text = readFileSync(join(file.parentPath, file.name), 'utf8');
      // The page's script is the same on every machine, and of many short words.
      expect(text.replace(/<script>[^]*<\/script>/, '')).not.toContain(hostname());
      expect(text).not.toContain(outDir);
    }
  });
});
