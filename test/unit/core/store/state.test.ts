import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { mendable, noRoom } from '../../../../src/core/store/errors.ts';
import { nodeFiles } from '../../../../src/core/store/files.ts';
import { isOwnerAlive, ownerOf, type Owner } from '../../../../src/core/store/owner.ts';
import { openStore, openStoreReadOnly } from '../../../../src/core/store/store.ts';
import { makeRoom } from '../../../chaos/room.ts';
import { begin, identity, key, storeWithStage } from '../../../toy/store.ts';
import { temporaryFolder } from '../../../toy/sweep.ts';

/** Signals reach a process when the machine gets round to it. */
const WAIT = { timeout: 60_000 };

describe('opening', () => {
  test('makes a store in an empty or missing folder, and opens it again', () => {
    const dir = join(temporaryFolder('open'), 'deep', 'runs');
    openStore(dir);
    expect(readFileSync(join(dir, 'store.json'), 'utf8')).toBe('{"format":2}\n');
    expect(openStore(dir).keys()).toEqual([]);
    expect(openStoreReadOnly(dir).keys()).toEqual([]);
  });

  test('refuses a newer format', () => {
    const dir = temporaryFolder('newer');
    writeFileSync(join(dir, 'store.json'), '{"format":3}');
    for (const open of [openStore, openStoreReadOnly]) {
      expect(() => open(dir)).toThrow(
        expect.objectContaining({ code: 'STORE_NEWER', message: expect.stringMatching(/format 3; this one reads up to 2\); update the program or choose another --store/) as string }),
      );
    }
  });

  test('reads a format that this program can read, whatever else stands beside it', () => {
    const { store } = storeWithStage();
    writeFileSync(join(store.dir, 'store.json'), '{"format":1,"written":"by the first version"}');
    rmSync(join(store.dir, 'sweeps'), { recursive: true, force: true });
    rmSync(join(store.dir, 'workers'), { recursive: true, force: true });
    for (const open of [openStore, openStoreReadOnly]) expect(open(store.dir).stage(key)).toMatchObject(identity);
    writeFileSync(join(store.dir, 'store.json'), '{"format":0}');
    for (const open of [openStore, openStoreReadOnly]) expect(open(store.dir).keys()).toEqual([key]);
  });

  test('refuses a folder that holds something else, and touches nothing in it', () => {
    const dir = temporaryFolder('other');
    writeFileSync(join(dir, 'thesis.tex'), 'x');
    expect(() => openStore(dir)).toThrow(expect.objectContaining({ code: 'NOT_A_STORE', message: expect.stringContaining('thesis.tex') as string }));
    expect(readdirSync(dir)).toEqual(['thesis.tex']);
  });

  test('read-only says what is missing', () => {
    const dir = temporaryFolder('missing');
    expect(() => openStoreReadOnly(join(dir, 'x'))).toThrow(expect.objectContaining({ code: 'STORE_MISSING' }));
    expect(() => openStoreReadOnly(dir)).toThrow(expect.objectContaining({ code: 'NOT_A_STORE' }));
    writeFileSync(join(dir, 'store.json'), '{"for');
    expect(() => openStoreReadOnly(dir)).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }));
  });
});

describe('a stage', () => {
  test('is entered once, and never with another identity', () => {
    const { store } = storeWithStage();
    store.ensureStage(key, { ...identity, recipe: { steps: 3 } }, 'another label');
    expect(store.stage(key)).toEqual({ key, label: 'stock of a/b seed 0', ...identity });
    expect(() => store.ensureStage(key, { ...identity, seed: 1 }, '')).toThrow(expect.objectContaining({ code: 'STORE_CONFLICT' }));
  });

  test('goes from absent over running to done', async () => {
    const { store } = storeWithStage();
    expect(store.state(key)).toEqual({ state: 'absent' });
    const attempt = await begin(store);
    expect(store.state(key)).toEqual({ state: 'running', attempt: 1, owner: ownerOf(process.pid) });
    writeFileSync(join(attempt.output, 'tree'), 'oak');
    expect(store.result(key)).toBeUndefined();
    expect(await attempt.commit({ height: 2.5, accuracy: 0.1 })).toBe(true);
    expect(store.state(key)).toEqual({ state: 'done', attempt: 1 });
    expect(store.result(key)).toEqual({ height: 2.5, accuracy: 0.1 });
    expect(readFileSync(join(attempt.dir, 'result.json'), 'utf8')).toBe('{"accuracy":0.1,"height":2.5}\n');
    expect(readFileSync(join(store.output(key)!, 'tree'), 'utf8')).toBe('oak');
    expect(readFileSync(join(store.stageDir(key), 'done', 'commit.json'), 'utf8')).toBe('{"attempt":1}\n');
    expect(store.states(key, 1).map(s => s.state)).toEqual(['running', 'done']);
  });

  test('that failed says why', async () => {
    const { store } = storeWithStage();
    (await begin(store)).record({ state: 'failed', code: 'BLIGHT', reason: 'blight', permanent: true });
    expect(store.state(key)).toEqual({ state: 'failed', attempt: 1, code: 'BLIGHT', reason: 'blight', permanent: true });
  });

  test('whose processes have ended is interrupted, not running', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    const gone = { ...ownerOf(process.pid), started: '1' }; // our pid, but another process
    writeFileSync(join(attempt.dir, 'attempt.json'), JSON.stringify({ owner: gone, created: new Date().toISOString(), place: 'cpu:0' }));
    expect(store.state(key).state).toBe('running'); // the runner is gone, its worker is not
    writeFileSync(join(attempt.dir, 'worker.json'), JSON.stringify({ owner: gone }));
    expect(store.state(key)).toEqual({ state: 'interrupted', attempt: 1 });
  });

  test.each<[string, Partial<Owner>]>([
    ['on another host', { host: 'elsewhere' }],
    ['on another host of the same name, as cloned machines have it', { boot: '01234567-89ab-cdef-0123-456789abcdef' }],
    ['in another container of the host', { namespace: '1' }],
    ['of a record that does not say which container, by its number of a process that is not here', { namespace: undefined, started: '1' }],
  ])('%s runs as long as its heartbeat changes, by our clock alone', async (_, other) => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    const owner = { ...ownerOf(process.pid), ...other };
    writeFileSync(join(attempt.dir, 'attempt.json'), JSON.stringify({ owner, created: new Date().toISOString(), place: 'cpu:0' }));
    rmSync(join(attempt.dir, 'worker.json'));
    const clock = vi.spyOn(performance, 'now');
    const at = (seconds: number): string => {
      clock.mockReturnValue(1e6 + seconds * 1e3);
      return store.state(key).state;
    };
    try {
      utimesSync(join(attempt.dir, 'heartbeat'), 1, 1); // its clock is decades behind ours
      expect([at(0), at(29)]).toEqual(['running', 'running']);
      utimesSync(join(attempt.dir, 'heartbeat'), 3, 3);
      expect([at(31), at(60), at(62)]).toEqual(['running', 'running', 'interrupted']);
      utimesSync(join(attempt.dir, 'heartbeat'), 2, 2); // set back, but beating
      expect(at(63)).toBe('running');
    } finally {
      clock.mockRestore();
    }
  });
});

test('several attempts of hosts that are gone are given up together', async () => {
  const { store } = storeWithStage();
  for (let n = 0; n < 3; n++) {
    const { dir } = await begin(store);
    writeFileSync(join(dir, 'attempt.json'), JSON.stringify({ owner: { ...ownerOf(process.pid), started: '1' }, created: new Date().toISOString(), place: 'cpu:0' }));
    rmSync(join(dir, 'worker.json'));
  }
  for (const n of store.attempts(key)) {
    const owner = { ...ownerOf(process.pid), host: 'elsewhere' };
    writeFileSync(join(store.attemptDir(key, n), 'attempt.json'), JSON.stringify({ owner, created: new Date().toISOString(), place: 'cpu:0' }));
  }
  const { dir } = store;
  const clock = vi.spyOn(performance, 'now');
  const reader = openStoreReadOnly(dir);
  const at = (seconds: number) => {
    clock.mockReturnValue(1e6 + seconds * 1e3);
    return reader.state(key);
  };
  try {
    expect([at(0).state, at(29).state]).toEqual(['running', 'running']);
    expect(at(31)).toEqual({ state: 'interrupted', attempt: 3 });
  } finally {
    clock.mockRestore();
  }
});

describe('a process that is stopped', () => {
  test.runIf(existsSync('/proc/self/stat'))('holds its lease as long as the heartbeat of its attempt changes', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
    const clock = vi.spyOn(performance, 'now');
    try {
      await once(child, 'spawn');
      const owner = ownerOf(child.pid!);
      const { store } = storeWithStage({ lease: 5_000 });
      const attempt = await begin(store);
      writeFileSync(join(attempt.dir, 'attempt.json'), JSON.stringify({ owner, created: new Date().toISOString(), place: 'cpu:0' }));
      rmSync(join(attempt.dir, 'worker.json'));
      const at = (seconds: number): string => {
        clock.mockReturnValue(1e6 + seconds * 1e3);
        return store.state(key).state;
      };
      expect(isOwnerAlive(owner)).toBe(true);
      expect([at(0), at(100)]).toEqual(['running', 'running']); // it runs, and needs no heartbeat
      child.kill('SIGSTOP');
      await vi.waitFor(() => expect(isOwnerAlive(owner)).toBeUndefined(), WAIT);
      expect([at(200), at(204)]).toEqual(['running', 'running']);
      expect(at(205)).toBe('interrupted');
      utimesSync(join(attempt.dir, 'heartbeat'), 1, 1);
      expect(at(206)).toBe('running');
      child.kill('SIGCONT');
      await vi.waitFor(() => expect(isOwnerAlive(owner)).toBe(true), WAIT);
      expect(at(300)).toBe('running');
      child.kill('SIGKILL');
      await vi.waitFor(() => expect(isOwnerAlive(owner)).toBe(false), WAIT);
      expect(at(301)).toBe('interrupted');
    } finally {
      clock.mockRestore();
      child.kill('SIGKILL');
    }
  });
});

describe('the lease', () => {
  test('of a stage that a late writer commits meanwhile is given back', async () => {
    const { store } = storeWithStage();
    const late = await begin(store);
    late.record({ state: 'interrupted' }); // taken for dead
    await late.commit({ height: 1 });
    const manifest = join(late.dir, 'manifest.json');
    const whole = readFileSync(manifest);
    for (const gone of [manifest, join(store.stageDir(key), 'done')]) rmSync(gone, { recursive: true });
    const next = openStore(store.dir, {
      files: {
        ...nodeFiles,
        publishFolder: (from, to) => {
          // Between our look and our attempt.
          writeFileSync(manifest, whole);
          late.claimStage();
          return nodeFiles.publishFolder(from, to);
        },
      },
    });
    expect(await next.acquire(key, 'cpu:0')).toEqual({ type: 'taken', state: { state: 'done', attempt: 1 } });
    expect(store.attempts(key)).toEqual([1]);
    expect(readdirSync(join(store.stageDir(key), 'attempts'))).toEqual(['1']);
  });

  test('is held by one: a running stage cannot be acquired, a done one neither', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    expect(await store.acquire(key, 'cpu:1')).toMatchObject({ type: 'taken', state: { state: 'running', attempt: 1 } });
    await attempt.commit({ height: 1 });
    expect(await store.acquire(key, 'cpu:1')).toEqual({ type: 'taken', state: { state: 'done', attempt: 1 } });
  });

  test('of many at once exactly one gets it', async () => {
    const { store } = storeWithStage();
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => openStore(store.dir).acquire(key, `cpu:${i}`)));
    expect(all.filter(a => a.type === 'acquired')).toHaveLength(1);
    expect(store.attempts(key)).toEqual([1]);
  });

  test('two that race for the same number: one gets it, nothing of the other is left', async () => {
    const { store } = storeWithStage();
    const rival = openStore(store.dir);
    const slow = openStore(store.dir, {
      files: {
        ...nodeFiles,
        publishFolder: (from, to) => {
          // The rival takes the number between our look and our rename.
          mkdirSync(to);
          writeFileSync(join(to, 'attempt.json'), JSON.stringify({ owner: ownerOf(process.pid), created: new Date().toISOString(), place: 'cpu:9' }));
          return nodeFiles.publishFolder(from, to);
        },
      },
    });
    expect(await slow.acquire(key, 'cpu:0')).toMatchObject({ type: 'taken', state: { state: 'running', attempt: 1 } });
    expect(rival.attempts(key)).toEqual([1]);
    expect(readdirSync(join(store.stageDir(key), 'attempts'))).toEqual(['1']);
  });

  test('the next attempt has the next number', async () => {
    const { store } = storeWithStage();
    for (const n of [1, 2, 3]) {
      const attempt = await begin(store);
      expect(attempt.number).toBe(n);
      attempt.record({ state: 'interrupted' });
    }
  });
});

describe('a commit', () => {
  test('happens once: a late writer reaches only its own attempt', async () => {
    const { store } = storeWithStage();
    const late = await begin(store);
    late.record({ state: 'interrupted' }); // taken for dead
    const winner = await begin(store);
    expect(await winner.commit({ height: 1 })).toBe(true);
    const before = readFileSync(join(winner.dir, 'result.json'));
    expect(await late.commit({ height: 2 })).toBe(false);
    expect(store.state(key)).toEqual({ state: 'done', attempt: 2 });
    expect(store.result(key)).toEqual({ height: 1 });
    expect(readFileSync(join(winner.dir, 'result.json'))).toEqual(before);
    expect(store.states(key, 1).at(-1)!.state).toBe('uncommitted');
  });

  test.each<[string, (done: string) => void]>([
    ['a link, of an older version', done => symlinkSync('attempts/1', done)],
    ['a file with the text of such a link, as some copies write it', done => writeFileSync(done, 'attempts/1')],
  ])('that is %s, stands: no later one takes its place', async (_, make) => {
    const { store } = storeWithStage();
    const first = await begin(store);
    first.record({ state: 'interrupted' });
    const second = await begin(store);
    await first.commit({ height: 1 });
    rmSync(join(store.stageDir(key), 'done'), { recursive: true });
    make(join(store.stageDir(key), 'done'));
    expect(await second.commit({ height: 2 })).toBe(false);
    expect([store.state(key), store.result(key)]).toEqual([{ state: 'done', attempt: 1 }, { height: 1 }]);
    expect(readdirSync(store.stageDir(key)).filter(name => name.startsWith('.tmp'))).toEqual([]);
  });

  test('killed before it counts is finished by whoever comes next', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    await attempt.commit({ height: 1 });
    rmSync(join(store.stageDir(key), 'done'), { recursive: true });
    expect(store.state(key).state).toBe('interrupted');
    expect(await store.acquire(key, 'cpu:0')).toEqual({ type: 'taken', state: { state: 'done', attempt: 1 } });
    expect(store.result(key)).toEqual({ height: 1 });
  });

  test.each<[string, (dir: string) => void]>([
    ['its result is torn', dir => truncateSync(join(dir, 'result.json'), 5)],
    ['its result is gone', dir => rmSync(join(dir, 'result.json'))],
    ['a digit of its result is another', dir => writeFileSync(join(dir, 'result.json'), '{"height":2}\n')],
    ['its manifest is empty', dir => writeFileSync(join(dir, 'manifest.json'), '{"files":{}}')],
    ['its result is something else', dir => writeFileSync(join(dir, 'result.json'), '{"height":[1]}')],
    ['an output file is cut', dir => truncateSync(join(dir, 'output', 'tree'), 1)],
    ['an output file is gone', dir => rmSync(join(dir, 'output', 'tree'))],
    ['the manifest is damaged', dir => writeFileSync(join(dir, 'manifest.json'), '{"files":3}')],
    ['the whole attempt is gone', dir => rmSync(dir, { recursive: true })],
  ])('counts for nothing when %s; the stage can be done again, with a warning', async (_, spoil) => {
    const { store, warnings } = storeWithStage();
    const first = await begin(store);
    writeFileSync(join(first.output, 'tree'), 'oak');
    await first.commit({ height: 1 });
    spoil(first.dir);
    expect(store.state(key).state).not.toBe('done');
    expect(store.result(key)).toBeUndefined();
    const second = await begin(store);
    expect(warnings).toEqual([expect.stringContaining(`Stage ${key}: attempt 1 had been committed but is damaged`)]);
    writeFileSync(join(second.output, 'tree'), 'oak');
    expect(await second.commit({ height: 1 })).toBe(true);
    expect(store.state(key)).toEqual({ state: 'done', attempt: second.number });
  });

  test('that is verified counts as long as every byte is what it was', async () => {
    const { store, warnings } = storeWithStage();
    expect(await store.verify(key)).toBe(false);
    const first = await begin(store);
    writeFileSync(join(first.output, 'tree'), 'oak');
    await first.commit({ height: 1 });
    expect(await store.verify(key)).toBe(true);
    writeFileSync(join(first.output, 'tree'), 'elm'); // as long as before
    expect(store.state(key).state).toBe('done'); // readers look at sizes
    expect(await store.verify(key)).toBe(false);
    expect(warnings).toEqual([`Stage ${key}: attempt 1 had been committed but is damaged and no longer counts: output/tree does not match its checksum`]);
    expect(store.state(key).state).toBe('interrupted');
    expect((await begin(store)).number).toBe(2);
  });

  test('found cut when it is verified bars no writer that comes late', async () => {
    const { store, warnings } = storeWithStage();
    const late = await begin(store);
    late.record({ state: 'interrupted' }); // taken for dead
    const first = await begin(store);
    writeFileSync(join(first.output, 'tree'), 'oak');
    await first.commit({ height: 1 });
    truncateSync(join(first.output, 'tree'), 1);
    expect(await store.verify(key)).toBe(false);
    expect(warnings).toEqual([expect.stringContaining(`Stage ${key}: attempt 2 had been committed but is damaged`)]);
    expect(await late.commit({ height: 2 })).toBe(true);
    expect(store.result(key)).toEqual({ height: 2 });
  });

  test('refuses numbers that JSON cannot hold, and stays uncommitted', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    await expect(attempt.commit({ loss: NaN })).rejects.toThrow('result.loss: expected a JSON value');
    expect(store.doneAttempt(key)).toBeUndefined();
  });
});

describe('damage and leftovers', () => {
  test('a torn line of state.jsonl is passed over, and the next line stands on its own', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    appendFileSync(join(attempt.dir, 'state.jsonl'), '{"time":"2026-01-01T00:00:00.0');
    attempt.record({ state: 'failed', code: 'X', reason: 'y', permanent: false });
    expect(store.states(key, 1).map(s => s.state)).toEqual(['running', 'failed']);
  });

  test('a link that points elsewhere is not done', () => {
    const { store } = storeWithStage();
    symlinkSync('../../../etc', join(store.stageDir(key), 'done'));
    expect(store.state(key)).toEqual({ state: 'absent' });
  });

  test('a damaged attempt.json bars nobody', async () => {
    const { store } = storeWithStage();
    const attempt = await begin(store);
    for (const file of ['attempt.json', 'worker.json']) truncateSync(join(attempt.dir, file), 7);
    expect(store.state(key)).toEqual({ state: 'interrupted', attempt: 1 });
    expect((await begin(store)).number).toBe(2);
  });

  test('a damaged stage.json is named, and written anew when the stage is entered again', () => {
    const { store, warnings } = storeWithStage();
    writeFileSync(join(store.stageDir(key), 'stage.json'), '{"label":"x"}');
    expect(() => store.stage(key)).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED', message: expect.stringContaining('stage.json: identity') as string }));
    store.ensureStage(key, identity, 'again');
    expect(warnings).toEqual([expect.stringMatching(/stage\.json: identity: .*; written anew/)]);
    expect(store.stage(key)).toEqual({ key, label: 'again', ...identity });
  });

  test('tidy removes the checkpoints of all ended attempts of a done stage, and only of a done one', async () => {
    const { store } = storeWithStage();
    const first = await begin(store);
    const save = (dir: string): Promise<void> => Promise.resolve(writeFileSync(join(dir, 'w'), 'x'));
    await first.checkpoints({ every: 0, warn: () => undefined }).save(1, save);
    mkdirSync(join(first.dir, '.tmp-1-2-3'));
    first.record({ state: 'interrupted' });
    store.tidy(key);
    expect(readdirSync(join(first.dir, 'checkpoints'))).toEqual(['1']);
    const second = await begin(store);
    await second.checkpoints({ every: 0, warn: () => undefined }).save(2, save);
    await second.commit({ height: 1 });
    store.tidy(key);
    for (const { dir } of [first, second]) expect(readdirSync(dir).filter(n => n === 'checkpoints' || n.startsWith('.tmp'))).toEqual([]);
    expect(store.state(key)).toEqual({ state: 'done', attempt: 2 });
  });
});

describe('files', () => {
  test.runIf(existsSync('/dev/full'))('a full disk is told with size, place and remedy', () => {
    const appender = nodeFiles.openAppend('/dev/full');
    try {
      expect(() => appender.append('abc')).toThrow(
        expect.objectContaining({ code: 'STORE_FULL', message: expect.stringMatching(/^Could not write 4 bytes to \/dev\/full\. The disk is full; free some space/) as string }),
      );
    } finally {
      appender.close();
    }
  });

  test('a disk that is really full, or really read-only, is told', context => {
    const room = makeRoom();
    try {
      const path = join(room.dir, 'a/b/c');
      if (room.notFillable === undefined) {
        room.fill();
        expect(() => nodeFiles.write(join(room.dir, 'x'), 'four')).toThrow(expect.objectContaining({ code: 'STORE_FULL', message: expect.stringContaining('Could not write 4 bytes to') as string }));
        expect(readdirSync(room.dir)).toEqual(['ballast']);
        room.unfill();
      }
      if (!room.readOnly(room.dir)) return context.skip('only an ordinary user, or one who may mount, can have such a place');
      for (const change of [() => nodeFiles.makeFolder(path), () => nodeFiles.write(join(room.dir, 'x'), 'x'), () => nodeFiles.touch(join(room.dir, 'x'))]) {
        expect(change).toThrow(expect.objectContaining({ code: 'STORE_READ_ONLY' }));
      }
      room.writable(room.dir);
      nodeFiles.makeFolder(path);
      expect(existsSync(path)).toBe(true);
    } finally {
      room.writable(room.dir);
      room.remove();
    }
  });

  test('a read-only place is told with the remedy; other errors pass as they are', () => {
    const error = (code: string): Error => Object.assign(new Error(code), { code });
    expect(mendable(error('EROFS'), '/runs')).toMatchObject({ code: 'STORE_READ_ONLY', message: 'Could not write /runs. That file system is read-only; choose another --store.' });
    expect(mendable(error('EACCES'), '/runs')).toMatchObject({ code: 'STORE_READ_ONLY' });
    const other = error('EIO');
    expect(mendable(other, '/runs')).toBe(other);
  });

  test('what code of a stage could not write for want of room is told with at least how much, and where', () => {
    const dir = temporaryFolder('room');
    mkdirSync(join(dir, 'a'));
    writeFileSync(join(dir, 'a', 'weights'), 'x'.repeat(1000));
    const error = (code: string): Error => Object.assign(new Error(code), { code });
    expect(noRoom(error('ENOSPC'), dir)).toMatchObject({
      code: 'STORE_FULL',
      message: expect.stringMatching(new RegExp(`^Could not write at least 1000 bytes to ${dir}\\. The disk is full`)) as string,
    });
    expect(noRoom(error('EROFS'), dir)).toMatchObject({ code: 'STORE_READ_ONLY' });
    const other = error('EACCES'); // perhaps of its data
    expect(noRoom(other, dir)).toBe(other);
    expect(noRoom(error('EDQUOT'), join(dir, 'gone'))).toMatchObject({ code: 'STORE_FULL' });
  });

  test('write leaves the old or the new content and no temporary', () => {
    const dir = temporaryFolder('write');
    nodeFiles.write(join(dir, 'x'), 'old');
    nodeFiles.write(join(dir, 'x'), 'new');
    expect(readFileSync(join(dir, 'x'), 'utf8')).toBe('new');
    expect(readdirSync(dir)).toEqual(['x']);
  });

  test('folders are exclusive', () => {
    const dir = temporaryFolder('exclusive');
    for (const name of ['one', 'two']) {
      nodeFiles.makeFolder(join(dir, name));
      nodeFiles.write(join(dir, name, 'file'), name);
    }
    expect([nodeFiles.publishFolder(join(dir, 'one'), join(dir, 'n')), nodeFiles.publishFolder(join(dir, 'two'), join(dir, 'n'))]).toEqual([true, false]);
    expect(readFileSync(join(dir, 'n', 'file'), 'utf8')).toBe('one');
  });

  test('remove takes links themselves, dangling or not, and nothing they point to', () => {
    const dir = temporaryFolder('remove');
    nodeFiles.makeFolder(join(dir, 'kept'));
    symlinkSync('kept', join(dir, 'a'));
    symlinkSync('nowhere', join(dir, 'b'));
    for (const name of ['a', 'b', 'absent']) nodeFiles.remove(join(dir, name));
    expect(readdirSync(dir)).toEqual(['kept']);
  });

  test('touch moves the time and creates', () => {
    const path = join(temporaryFolder('touch'), 'heartbeat');
    nodeFiles.touch(path);
    utimesSync(path, 1, 1);
    nodeFiles.touch(path);
    expect(statSync(path).mtimeMs).toBeGreaterThan(1000);
  });
});
