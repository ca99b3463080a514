/** The first step of set-up, the npm packages: the real npm and a registry on this machine, in a checkout of one dependency. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFolder, otherUser, pathWith, ROOT } from '../surroundings/machine.ts';
import { npmPackage, npmRegistry, type Mirror } from '../surroundings/servers.ts';

let folder: string, registry: Mirror;

beforeEach(async () => {
  folder = openFolder('setup npm é'); // a space and a letter beyond ASCII
  const dependency = npmPackage(folder, 'one-dependency');
  registry = await npmRegistry(dependency);
  const at = (...names: string[]): string => path.join(folder, 'checkout', ...names);
  mkdirSync(at('src', 'setup'), { recursive: true });
  for (const name of ['packages.mjs', 'lock.mjs']) copyFileSync(path.join(ROOT, 'src/setup', name), at('src', 'setup', name));
  const main = { name: 'checkout', version: '1.0.0', engines: { node: '>=20.19' }, dependencies: { [dependency.name]: dependency.version } };
  writeFileSync(at('package.json'), JSON.stringify({ ...main, type: 'module' }));
  writeFileSync(
    at('package-lock.json'),
    JSON.stringify({
      name: main.name,
      version: main.version,
      lockfileVersion: 3,
      requires: true,
      packages: { '': main, [`node_modules/${dependency.name}`]: { version: dependency.version, integrity: dependency.integrity } },
    }),
  );
  mkdirSync(path.join(folder, 'home'));
  configure(registry.url);
});
afterEach(() => {
  registry.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The user's own configuration of npm. */
const configure = (url: string): void => writeFileSync(path.join(folder, 'home', '.npmrc'), `registry=${url}/\nfetch-retries=0\n`);

const installed = (): boolean => existsSync(path.join(folder, 'checkout', 'node_modules', 'one-dependency', 'index.js'));
const archives = (): number => registry.requests.filter(url => url.endsWith('.tgz')).length;

async function setUp(env: NodeJS.ProcessEnv = {}, prefix: readonly string[] = []): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
  const none = Object.fromEntries(
    Object.keys(process.env)
      .filter(name => /^npm_/i.test(name))
      .map(name => [name, undefined]),
  );
  const [command, ...words] = [...prefix, process.execPath, path.join(folder, 'checkout', 'src', 'setup', 'packages.mjs')];
  const { exitCode, stdout, stderr } = await execa(command, words, { cwd: folder, reject: false, stdin: 'ignore', env: { ...none, HOME: path.join(folder, 'home'), ...env } });
  return { exitCode, stdout, stderr };
}

describe('the npm packages', () => {
  it('come from the mirror of the user, once; offline and without npm there is nothing more to do', async () => {
    expect(await setUp()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(installed()).toBe(true);
    expect(archives()).toBe(1);
    registry.close();
    expect(await setUp({ PATH: pathWith(folder) })).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('that two set-ups at once want are installed by one of them', async () => {
    const both = await Promise.all([setUp(), setUp()]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(archives()).toBe(1);
    expect(both.filter(({ stdout }) => stdout.includes('Installing'))).toHaveLength(1);
  });

  it('that cannot be fetched offline are asked for again by the same call', async () => {
    configure('http://127.0.0.1:9');
    const { exitCode, stderr } = await setUp();
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/\nerror npm cannot reach its registry \(ECONNREFUSED\)\. Check the network, or the mirror \(npm config get registry\), then run `make setup` again\.$/);
    configure(registry.url);
    expect(await setUp()).toMatchObject({ exitCode: 0 });
    expect(installed()).toBe(true);
  });

  it('that a mirror does not have say so', async () => {
    configure(`${registry.url}/elsewhere`);
    expect((await setUp()).stderr).toMatch(/error npm's registry does not give what package-lock\.json asks for \(E404\)/);
  });

  it('need npm, and say how to get it', async () => {
    expect(await setUp({ PATH: pathWith(folder) })).toMatchObject({ exitCode: 127, stderr: expect.stringMatching(/^error Expected npm on the PATH\. Install it/) as string });
  });

  it('need a folder for temporary files', async () => {
    writeFileSync(path.join(folder, 'file'), '');
    expect(await setUp({ TMPDIR: path.join(folder, 'file') })).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^error Expected to be able to write .*file.* export TMPDIR=/) as string });
  });

  const nobody = otherUser(65534);
  it.skipIf(nobody.reason)('are installed all the same where the home is read-only', async () => {
    chmodSync(path.join(folder, 'checkout'), 0o777);
    const home = path.join(folder, 'home');
    expect(readFileSync(path.join(home, '.npmrc'), 'utf8')).toContain(registry.url); // the home is root's: readable, not writable
    const { exitCode, stdout } = await setUp({}, nobody.prefix);
    expect(stdout).toContain(`npm cannot write to its cache ${path.join(home, '.npm')}: it gets a temporary one.`);
    expect(exitCode).toBe(0);
    expect(installed()).toBe(true);
    expect(existsSync(path.join(home, '.npm'))).toBe(false);
  });
});
