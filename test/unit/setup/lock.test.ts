import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive, lockFile, withLock } from '../../../src/setup/lock.mjs';

let folder: string, file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'setup-lock-'));
  file = path.join(folder, 'locks', 'x.lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A process that appends `in` and `out` around a pause while it holds the lock. */
const contender = (log: string): Promise<unknown> => {
  const code = `
    import { appendFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { withLock } from ${JSON.stringify(new URL('../../../src/setup/lock.mjs', import.meta.url).href)};
    await withLock(${JSON.stringify(file)}, () => {}, async () => {
      appendFileSync(${JSON.stringify(log)}, 'in ');
      await sleep(30);
      appendFileSync(${JSON.stringify(log)}, 'out ');
    });`;
  return once(spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' }), 'exit');
};

describe('withLock', () => {
  it('lets one process in at a time, and leaves nothing behind', async () => {
    const log = path.join(folder, 'log');
    const codes = await Promise.all([1, 2, 3].map(() => contender(log)));
    expect(codes).toEqual([
      [0, null],
      [0, null],
      [0, null],
    ]);
    expect(readFileSync(log, 'utf8')).toBe('in out in out in out ');
    expect(existsSync(file)).toBe(false);
  });

  it('takes over from a process that was killed', async () => {
    const child = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `
      import { withLock } from ${JSON.stringify(new URL('../../../src/setup/lock.mjs', import.meta.url).href)};
      await withLock(${JSON.stringify(file)}, () => {}, async () => { console.log('held'); await new Promise(() => setInterval(() => {}, 1000)); });`,
    ]);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(file)).toBe(true);
    const said: string[] = [];
    expect(
      await withLock(
        file,
        line => said.push(line),
        () => Promise.resolve('done'),
      ),
    ).toBe('done');
    expect(said).toEqual([]);
  });

  it('is released when the work fails', async () => {
    await expect(
      withLock(
        file,
        () => undefined,
        () => Promise.reject(new Error('no')),
      ),
    ).rejects.toThrow('no');
    expect(existsSync(file)).toBe(false);
  });

  it('says once whom it waits for, and respects a holder on another host', async () => {
    await withLock(
      file,
      () => undefined,
      () => Promise.resolve(),
    );
    writeFileSync(file, '12 another.host');
    const said: string[] = [];
    const waiting = withLock(
      file,
      line => said.push(line),
      () => Promise.resolve('done'),
    );
    while (said.length === 0) await new Promise(resolve => setTimeout(resolve, 10));
    rmSync(file);
    expect(await waiting).toBe('done');
    expect(said).toEqual([`Waiting for another set-up (process 12 on another.host; lock ${file}) ...`]);
  });
});

describe('where the lock of a set-up lies', () => {
  const outer = process.env['TMPDIR'];
  const uid = process.getuid?.() ?? 0;
  let shared: string;
  beforeEach(() => {
    shared = path.join(folder, 'tmp');
    mkdirSync(shared);
    chmodSync(folder, 0o755);
    chmodSync(shared, 0o1777);
    process.env['TMPDIR'] = shared;
  });
  afterEach(() => {
    if (outer === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = outer;
  });

  const done = (): Promise<string> =>
    withLock(
      lockFile('engine', '/a checkout'),
      line => {
        throw new Error(line);
      },
      () => Promise.resolve('done'),
    );

  it('nobody else can write, and every process finds the same', async () => {
    const lock = lockFile('engine', '/a checkout');
    expect(path.relative(shared, lock)).not.toMatch(/^\.\./);
    expect(statSync(path.dirname(lock)).mode & 0o777).toBe(0o700);
    expect(lockFile('engine', '/a checkout')).toBe(lock);
    expect(lockFile('setup', '/a checkout')).not.toBe(lock);
    expect(await done()).toBe('done');
  });

  it.runIf(uid === 0)('another user cannot put a lock there that blocks ours for ever', async () => {
    const lock = lockFile('engine', '/a checkout');
    const other = spawn(process.execPath, ['-e', `require('fs').writeFileSync(${JSON.stringify(lock)}, '1 ${os.hostname()}')`], { uid: 65_534, gid: 65_534, stdio: 'ignore' });
    const [code] = (await once(other, 'exit')) as [number];
    expect([code, existsSync(lock)]).toEqual([1, false]);
    expect(await done()).toBe('done');
  });

  it.each<[string, (name: string) => void]>([
    ['a folder that others may write to', name => (mkdirSync(name), chmodSync(name, 0o777))],
    ['a link to a folder of ours', name => (mkdirSync(path.join(folder, 'ours')), symlinkSync(path.join(folder, 'ours'), name))],
    ['a file', name => writeFileSync(name, '')],
  ])('%s of that name is left alone: the next one is taken', async (_, take) => {
    const name = path.join(shared, `tinymim-locks-${uid}`);
    take(name);
    expect(path.dirname(lockFile('engine', '/a checkout'))).toBe(`${name}-2`);
    expect(await done()).toBe('done');
  });

  it('where all names are taken, the way out is said', () => {
    for (const end of ['', ...Array.from({ length: 7 }, (_, i) => `-${i + 2}`)]) writeFileSync(path.join(shared, `tinymim-locks-${uid}${end}`), '');
    expect(() => lockFile('engine', '/a checkout')).toThrow(expect.objectContaining({ code: 'EACCES', path: shared, message: expect.stringContaining('other users have taken') as string }) as Error);
  });
});

it('isAlive tells this process from none', () => {
  expect([isAlive(process.pid), isAlive(4_194_305)]).toEqual([true, false]); // above the largest id that Linux gives
});
