/** Damage that readers once crashed, hung or were silent about. */
import { mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canonicalJson, parseJson } from '../../src/core/ablation/json.ts';
import type { Attempt } from '../../src/core/store/attempt.ts';
import { findGarbage } from '../../src/core/store/garbage.ts';
import { layout } from '../../src/core/store/layout.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { TABLES } from '../../src/core/store/tables.ts';
import { parseProvenance } from '../../src/core/report/records/provenance.ts';
import { cacheProblems } from '../../src/setup/cache-manifest.ts';
import { withLock } from '../../src/setup/lock.mjs';
import { packagesInstalled } from '../../src/setup/packages.mjs';
import { parseSafetensors, serializeSafetensors } from '../../src/engine/formats/safetensors.ts';
import { readWeights } from '../../src/engine/formats/weights.ts';
import { begin, identity, key, storeWithStage, type StoreWithStage } from '../toy/store.ts';
import { temporaryFolder } from '../toy/sweep.ts';
import { room } from './room.ts';

const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const damagedStore = (text: RegExp): object => expect.objectContaining({ code: 'STORE_DAMAGED', message: expect.stringMatching(text) as string }) as object;

describe('a store', () => {
  let { store, warnings }: StoreWithStage = storeWithStage();
  let attempt: Attempt;
  beforeEach(async () => {
    ({ store, warnings } = storeWithStage());
    attempt = await begin(store);
    writeFileSync(join(attempt.output, 'tree'), 'oak');
    attempt.provenance({ host: 'here' });
    await attempt.commit({ height: 1 });
  });
  const spoil = (name: string, text: string): void => writeFileSync(join(attempt.dir, name), text);

  test("is not read deeper than a reader's stack", () => {
    writeFileSync(layout.identity(store.stageDir(key)), `{"label":"x","identity":{"kind":"k","revision":1,"recipe":{"a":${deep(100_000)}},"seed":0,"upstream":{}}}`);
    expect(() => store.stage(key)).toThrow(damagedStore(/expected a JSON object/));
    spoil('provenance.json', `{"a":${deep(100_000)}}`);
    expect(() => store.provenance(key)).toThrow(damagedStore(/expected a JSON object/));
  });

  test('knows a stage by its hash: another seed, recipe or input is damage', () => {
    const file = layout.identity(store.stageDir(key));
    writeFileSync(file, readFileSync(file, 'utf8').replace('"seed": 0', '"seed": 1'));
    expect(() => store.stage(key)).toThrow(damagedStore(/expected the identity whose hash is the key/));
    store.ensureStage(key, identity, 'again');
    expect(store.stage(key)).toMatchObject(identity);
  });

  test('in which something else stands for the commit of a stage lets the stage be done', async () => {
    for (const plant of [(at: string) => writeFileSync(at, ''), (at: string) => symlinkSync('attempts/x', at), (at: string) => symlinkSync('attempts/01', at)]) {
      rmSync(layout.done(store.stageDir(key)), { recursive: true });
      plant(layout.done(store.stageDir(key)));
      expect(store.state(key).state).not.toBe('done');
      expect(await store.acquire(key, 'cpu:0')).toEqual({ type: 'taken', state: { state: 'done', attempt: 1 } });
      expect(warnings.splice(0)).toEqual([expect.stringContaining('expected the commit of an attempt, got something else; removed')]);
    }
  });

  test('takes a manifest that lost a file for damage, and one that names what is no file', async () => {
    const manifest = JSON.parse(readFileSync(join(attempt.dir, 'manifest.json'), 'utf8')) as { files: Record<string, unknown> };
    for (const [name, told] of [
      ['a\0b', /manifest\.json: files/],
      ['../x', /manifest\.json: files/],
      ['x'.repeat(5000), /no file/],
      ['output', /no file/],
    ] as const) {
      spoil('manifest.json', canonicalJson({ files: { ...manifest.files, [name]: { bytes: 4096, sha256: '' } } }));
      expect(store.state(key).state).not.toBe('done');
      expect(store.incomplete(key, 1)).toMatch(told);
    }
    const others = Object.entries(manifest.files).filter(([name]) => name !== 'output/tree');
    spoil('manifest.json', canonicalJson({ files: Object.fromEntries(others) }));
    expect(await store.verify(key)).toBe(false);
    expect(warnings.at(-1)).toContain('output/tree is not in the manifest');
  });

  test('does not let a name of a damaged file lead out of it', () => {
    const sweep = (stage: string): string =>
      JSON.stringify({ time: new Date().toISOString(), profile: 'p', overrides: [], seeds: [0], arms: [{ ablation: 'a', arm: 'b', seed: 0, stages: { stock: stage } }] });
    mkdirSync(join(store.dir, 'sweeps'));
    for (const name of ['../../x', 'a\0b', '']) {
      writeFileSync(join(store.dir, 'sweeps', '2.json'), sweep(name));
      const told: string[] = [];
      expect(store.sweeps(text => told.push(text))).toHaveLength(0);
      expect(told).toEqual([expect.stringContaining('expected the key of a stage')]);
      expect(() => store.stage(name)).toThrow(damagedStore(/Expected the key of a stage/));
      expect(findGarbage(store, new Set([key]))).toEqual([]);
    }
  });

  test('gives tables no cell that a database refuses', () => {
    for (const facts of ['{"peak_memory_bytes":1e300,"ended":"yesterday"}', '{"peak_memory_bytes":1e999}']) {
      spoil('provenance.json', facts);
      const [row] = [...TABLES[0]!.rows(store, () => undefined)];
      for (const name of ['peak_memory_bytes', 'ended']) expect(row![TABLES[0]!.columns.findIndex(column => column.name === name)]).toBeNull();
    }
  });

  test.each(['{"from":{"attempt":-1,"step":2}}', '{"from":{"attempt":0,"step":2}}', '{"from":{"attempt":1,"step":-1}}'])('does not cut a curve in silence: %s', text => {
    spoil('resumed.json', text);
    expect(() => store.curve(key)).toThrow(damagedStore(/resumed\.json: from/));
  });

  test('does not cut a curve where an earlier attempt is gone', async () => {
    rmSync(layout.done(store.stageDir(key)), { recursive: true });
    spoil('result.json', '');
    const second = await begin(store);
    writeFileSync(join(second.dir, 'resumed.json'), '{"from":{"attempt":1,"step":2}}');
    expect(store.curve(key)).toEqual([]);
    rmSync(attempt.dir, { recursive: true });
    expect(() => store.curve(key)).toThrow(damagedStore(/an earlier attempt that is there, got 1/));
  });

  test('tells a folder in the place of a file, and a format below all', () => {
    rmSync(layout.format(store.dir));
    writeFileSync(layout.format(store.dir), '{"format":-1}');
    expect(() => openStoreReadOnly(store.dir)).toThrow(damagedStore(/got no format/));
    expect(() => openStoreReadOnly(join(layout.format(store.dir), 'x'))).toThrow(expect.objectContaining({ code: 'STORE_MISSING' }) as Error);
  });

  test('tidies a stage although an earlier attempt names no owner any more', () => {
    spoil('attempt.json', '{');
    expect(() => store.tidy(key)).not.toThrow();
  });
});

describe('safetensors', () => {
  const file = (header: string): Uint8Array => {
    const text = Buffer.from(header),
      start = Buffer.alloc(8);
    start.writeBigUInt64LE(BigInt(text.length));
    return Buffer.concat([start, text]);
  };

  test('refuse a deep header, in few words', () => {
    for (const header of [`{"a":${deep(100_000)}}`, `{"a":{"dtype":"F32","shape":${deep(100_000)},"data_offsets":[0,0]}}`, `{"__metadata__":${deep(100_000)}}`]) {
      expect(() => parseSafetensors(file(header))).toThrow(expect.objectContaining({ code: 'INVALID_JSON' }) as Error);
    }
    expect(() => parseSafetensors(file(`{"a":{"dtype":"F32","shape":[${'0.5,'.repeat(100_000)}1],"data_offsets":[0,0]}}`))).toThrow(/^.{50,600}$/);
  });

  test('hold a text of many megabytes', () => {
    const note = 'x\\"'.repeat(7_000_000);
    expect(parseSafetensors(serializeSafetensors(new Map(), { note })).metadata).toEqual({ note });
  });

  test('of integers are no weights, and that is their own error', () => {
    const path = join(temporaryFolder('weights'), 'x');
    writeFileSync(path, serializeSafetensors(new Map([['a', { dtype: 'I32', shape: [1], data: Int32Array.of(1) }]])));
    expect(() => readWeights(path)).toThrow(expect.objectContaining({ name: 'SafetensorsError', code: 'DTYPE_MISMATCH' }) as Error);
  });
});

describe('what set-up keeps', () => {
  let dir: string;
  beforeEach(() => {
    dir = room();
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  test.each(['null', '{}', '{"files":null}', '{"wheels":[],"files":{}}', '{"wheels":[],"files":{"a":null}}', '{"wheels":[],"files":{"a":{"bytes":"1"}}}'])('a manifest of %s is none', async text => {
    writeFileSync(join(dir, 'a'), 'x');
    writeFileSync(join(dir, 'manifest.json'), text);
    expect(await cacheProblems(dir, [])).toEqual(['missing']);
  });

  test.each([' HOST', '0 HOST', '-1 HOST', '1e1 HOST', 'x HOST', '4194305 HOST'])('a lock of "%s" bars nobody', async text => {
    const lock = join(dir, 'x.lock');
    writeFileSync(lock, text.replace('HOST', hostname()));
    utimesSync(lock, 1, 1);
    expect(
      await withLock(
        lock,
        line => {
          throw new Error(line);
        },
        () => Promise.resolve('in'),
      ),
    ).toBe('in');
  });

  test.each(['null', '{"packages":3}', '{"packages":{"a":null}}', '{"packages":["a"]}'])('a lock file of npm of %s is told', text => {
    writeFileSync(join(dir, 'package-lock.json'), text);
    expect(() => packagesInstalled(dir)).toThrow(/^Expected .*package-lock\.json to be a lock file of npm/);
  });
});

test("the provenance of a report is not read deeper than a reader's stack", () => {
  expect(() => parseProvenance(`{"all":{"a":${deep(100_000)}},"stages":{}}`)).toThrow('Expected provenance.json');
});

test('JSON is read up to a depth that all readers take', () => {
  expect(parseJson(deep(100))).toEqual(JSON.parse(deep(100)));
  expect(() => parseJson(deep(101))).toThrow('Expected JSON nested at most 100 deep, got more');
  expect(parseJson(`"${'['.repeat(300)}\\"${'['.repeat(300)}"`)).toHaveLength(601);
});
