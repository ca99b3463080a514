/** The real program for users and disks that allow little. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diagnosisSchema } from '../../src/setup/diagnosis.ts';
import { COMPILER, openFolder, otherUser, program, PYTHON, ROOT, smallDisk, type User } from '../surroundings/machine.ts';

let folder: string;
beforeEach(() => {
  folder = openFolder('setup-users');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** With a compiler and a Python that can do nothing: what is looked at comes before they are needed. */
async function ablate(args: readonly string[], user: User, env: NodeJS.ProcessEnv): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
  program(folder, 'g++', COMPILER);
  const [command = '', ...words] = [...user.prefix, process.execPath, path.join(ROOT, 'src/cli/ablate.mjs'), ...args];
  const { exitCode, stdout, stderr } = await execa(command, words, {
    cwd: folder,
    reject: false,
    stdin: 'ignore',
    env: {
      NO_COLOR: '1',
      CI: undefined,
      CXX: undefined,
      ENGINE: undefined,
      TINYMIM_DEVICE: 'cpu',
      TINYMIM_CACHE: undefined,
      XDG_CACHE_HOME: undefined,
      PATH: `${program(folder, 'python3', PYTHON)}:/usr/bin:/bin`,
      ...env,
    },
  });
  return { exitCode, stdout, stderr };
}

const nobody = otherUser(65534);
describe.skipIf(nobody.reason)('a user whose home is read-only', () => {
  it('is told before anything is downloaded how to move the cache', async () => {
    const { exitCode, stderr } = await ablate(['setup'], nobody, { HOME: folder });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error Expected to be able to write to the cache .*EACCES[^]*\nTo mend it: .*export TINYMIM_CACHE=\/path\/to\/folder\nOr without it: ENGINE=wasm/);
  });

  it('is told so of the data, too', async () => {
    const { exitCode, stderr } = await ablate(['setup', '--data'], nobody, { HOME: folder });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error Expected to be able to write to the cache .*EACCES[^]*\nTo mend it: .*export TINYMIM_CACHE=\/path\/to\/folder$/);
  });

  it('gets WebAssembly without writing anywhere', async () => {
    expect(await ablate(['setup', '--engine'], nobody, { HOME: folder, ENGINE: 'wasm' })).toMatchObject({ exitCode: 0 });
    expect(existsSync(path.join(folder, '.cache'))).toBe(false);
  });

  it('gets a diagnosis', async () => {
    const { exitCode, stdout, stderr } = await ablate(['doctor', '--json', '--store', folder], nobody, { HOME: folder, ENGINE: 'wasm' });
    const { checks, engine } = diagnosisSchema.parse(JSON.parse(stdout));
    expect(engine).toMatchObject({ name: 'wasm', ok: true });
    expect(checks.find(check => check.name === 'disk, cache')).toMatchObject({ state: 'optional', mend: 'export TINYMIM_CACHE=/path/to/folder' });
    expect(checks.find(check => check.name === 'disk, store')).toMatchObject({ state: 'missing', mend: expect.stringContaining('--store') as string });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
  });
});

const stranger = otherUser(54_321);
describe.skipIf(stranger.reason)('a user without name and home, as in a container', () => {
  it('is told to name a folder for the cache', async () => {
    const { exitCode, stderr } = await ablate(['setup'], stranger, { HOME: undefined });
    expect(stderr).toMatch(/^error Expected this user to have a home folder[^]*\nTo mend it: name a folder for the cache: export TINYMIM_CACHE=\/path\/to\/folder$/);
    expect(exitCode).toBe(1);
  });

  it('sees the plan where there is one', async () => {
    const plan = ['plan', '--experiments', path.join(ROOT, 'test/e2e/experiments'), '--profile', 'toy'];
    expect(await ablate(plan, stranger, { HOME: undefined, TINYMIM_CACHE: path.join(folder, 'cache') })).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('a cache on a disk that is too small', () => {
  it('is refused before anything is downloaded, with what is needed and what is there', async context => {
    const disk = path.join(folder, 'disk');
    mkdirSync(disk);
    const { unmount, reason } = smallDisk(disk, 64);
    if (reason !== undefined) context.skip(reason);
    try {
      for (const [what, needed] of [
        ['--engine', '1,129 MB'],
        ['--data', '150 MB'],
      ] as const) {
        const { exitCode, stderr } = await ablate(['setup', what], { prefix: [] }, { TINYMIM_CACHE: path.join(disk, 'cache') });
        expect(exitCode).toBe(1);
        expect(stderr).toMatch(new RegExp(`^error Expected ${needed} free for the cache .*, got 6\\d MB\\.\nTo mend it: free some space there, or name a folder for the cache: export TINYMIM_CACHE=`));
      }
    } finally {
      unmount();
    }
  });
});
