/** In which order a file's bytes, its name and its folder reach the disk: what a power cut leaves hangs on it. */
import * as fs from 'node:fs';
import { join, relative } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { nodeFiles } from '../../../../src/core/store/files.ts';
import { begin, storeWithStage } from '../../../toy/store.ts';
import { temporaryFolder } from '../../../toy/sweep.ts';

const trace = vi.hoisted(() => [] as string[]);

/** The real functions, which also say what they did. */
vi.mock('node:fs', async importOriginal => {
  const real = await importOriginal<typeof fs>();
  const open = new Map<number, string>();
  return {
    ...real,
    openSync: (path: string, ...rest: [string, number?]) => {
      const fd = real.openSync(path, ...rest);
      open.set(fd, path);
      return fd;
    },
    writeSync: (fd: number, ...rest: [Buffer, number]) => {
      trace.push(`write ${open.get(fd)}`);
      return real.writeSync(fd, ...rest);
    },
    fsyncSync: (fd: number) => {
      trace.push(`sync ${open.get(fd)}`);
      real.fsyncSync(fd);
    },
    renameSync: (from: string, to: string) => {
      trace.push(`rename ${from} ${to}`);
      real.renameSync(from, to);
    },
  };
});

beforeEach(() => void trace.splice(0));

/** Paths relative to `dir`, temporaries without what makes them unique. */
const traceIn = (dir: string): string[] =>
  trace.map(line =>
    line
      .split(' ')
      .map(word => (word.startsWith('/') ? relative(dir, word) || '.' : word))
      .join(' ')
      .replaceAll(/\.tmp-[^\s/]*/g, '.tmp'),
  );

test('a file is whole on the disk before it has its name, and has its name before the call returns', () => {
  const dir = temporaryFolder('durable');
  nodeFiles.write(join(dir, 'x'), 'text');
  expect(traceIn(dir)).toEqual(['write .tmp', 'sync .tmp', 'rename .tmp x', 'sync .']);
});

test('every new folder stands in its parent', () => {
  const dir = temporaryFolder('durable');
  nodeFiles.makeFolder(join(dir, 'a/b/c'));
  expect(traceIn(dir)).toEqual(['sync .', 'sync a', 'sync a/b']);
  trace.splice(0);
  nodeFiles.makeFolder(join(dir, 'a/b'));
  expect(trace).toEqual([]);
});

test('lines reach the disk with the name of their file', () => {
  const dir = temporaryFolder('durable');
  const log = nodeFiles.openAppend(join(dir, 'log'));
  log.append('one');
  log.sync();
  log.append('two');
  log.sync();
  log.close();
  expect(traceIn(dir)).toEqual(['write log', 'sync log', 'sync .', 'write log', 'sync log']);
});

test('the commit appears, whole, when all that it vouches for is on the disk', async () => {
  const { store } = storeWithStage();
  const attempt = await begin(store);
  attempt.metric({ step: 1, epoch: 1, loss: 1 });
  fs.writeFileSync(join(attempt.output, 'weights'), 'w');
  trace.splice(0);
  await attempt.commit({ loss: 1 });
  const seen = traceIn(attempt.dir);
  const commit = seen.indexOf('rename ../../.tmp ../../done');
  expect(commit).toBeGreaterThan(-1);
  for (const file of ['metrics.jsonl', 'output/weights', 'output']) expect(seen.slice(0, commit)).toContain(`sync ${file}`);
  for (const file of ['result.json', 'manifest.json']) {
    const named = seen.indexOf(`rename .tmp ${file}`);
    expect(named).toBeGreaterThan(-1);
    expect(seen.slice(named, commit)).toContain('sync .');
  }
  for (const written of ['sync ../../.tmp/.tmp', 'sync ../../.tmp']) expect(seen.slice(0, commit)).toContain(written);
  expect(seen[commit + 1]).toBe('sync ../..');
});

test('a checkpoint counts when its bytes, and the metrics up to it, are on the disk', async () => {
  const { store } = storeWithStage();
  const attempt = await begin(store);
  attempt.metric({ step: 1, epoch: 1, loss: 1 });
  trace.splice(0);
  await attempt.checkpoints({ every: 0, warn: () => undefined }).save(1, dir => Promise.resolve(fs.writeFileSync(join(dir, 'weights'), 'w')));
  const seen = traceIn(attempt.dir);
  const named = seen.indexOf('rename checkpoints/.tmp checkpoints/1');
  expect(named).toBeGreaterThan(-1);
  for (const file of ['checkpoints/.tmp/weights', 'checkpoints/.tmp/manifest.json', 'checkpoints/.tmp', 'metrics.jsonl', '.'])
    expect(seen.slice(0, named).map(l => l.replace('/.tmp/.tmp', '/.tmp/manifest.json'))).toContain(`sync ${file}`);
  expect(seen[named + 1]).toBe('sync checkpoints');
});
