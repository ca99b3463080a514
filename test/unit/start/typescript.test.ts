/** How the program gets to run: real processes, on a small program of the same make. */
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { execaNode } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'ablate start-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

describe('the program', () => {
  const copies = (): string => join(folder, 'node_modules/.cache/tinymim-ablations');
  const names = (): string[] => readdirSync(copies()).sort();
  const start = async () => execaNode(join(folder, 'src/main.mjs'), { reject: false, env: { NODE_OPTIONS: '' } });

  beforeEach(() => {
    cpSync(join(ROOT, 'src/start'), join(folder, 'src/start'), { recursive: true });
    for (const name of ['esbuild', 'tsx']) {
      mkdirSync(join(folder, 'node_modules'), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
    }
    write('package.json', '{ "name": "tinymim-ablations", "type": "module", "exports": { ".": "./src/index.ts" } }');
    write('src/index.ts', 'export const counter: { count: number } = { count: 0 };');
    write('src/part.ts', 'export const word: string = "one";');
    write('experiments/own.ts', "import { counter } from 'tinymim-ablations';\ncounter.count += 1;");
    write(
      'src/main.ts',
      `
      import { fileURLToPath } from 'node:url';
      import { sourceOf } from './start/typescript.mjs';
      import { counter } from './index.ts';
      import { word } from './part.ts';
      interface Nothing { readonly much: never }
      await import('../experiments/own.ts');
      const where: string = new Error('here').stack!.split('\\n')[1]!;
      Error.prepareStackTrace = (_, sites) => sourceOf(fileURLToPath(sites[0]!.getFileName()!));
      const source: string = new Error('here').stack!;
      console.log(JSON.stringify({ word, count: counter.count, url: import.meta.url, where, source } satisfies object));
      export type { Nothing };`,
    );
    write('src/main.mjs', "import { importOwn } from './start/typescript.mjs';\nawait importOwn(new URL('main.ts', import.meta.url));");
  });

  const right = { word: 'one', count: 1, url: '', source: '', where: expect.stringMatching(/src\/main\.ts:8:29\)?$/) as string };
  const said = async (): Promise<unknown> => {
    const { stdout, stderr, exitCode } = await start();
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    return JSON.parse(stdout) as unknown;
  };
  const expected = () => ({ ...right, url: pathToFileURL(join(folder, 'src/main.ts')).href, source: join(folder, 'src/main.ts') });

  it('runs from a copy that the first start makes, with addresses and lines of the sources', async () => {
    expect(await said()).toEqual(expected());
    expect(names()).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    const copied = join(copies(), names()[0]!, 'src/part.mjs');
    writeFileSync(copied, readFileSync(copied, 'utf8').replace('one', 'from the copy'));
    expect(await said()).toEqual({ ...expected(), word: 'from the copy' });
  });

  it('runs what the sources are now; what did not change is not compiled again', async () => {
    await start();
    const [first = ''] = names();
    write('src/part.ts', 'export const word: string = "changed";');
    expect(await said()).toEqual({ ...expected(), word: 'changed' });
    const second = names().find(name => name !== first)!;
    const inode = (name: string, file: string): number => statSync(join(copies(), name, file)).ino;
    expect(inode(second, 'src/main.mjs')).toBe(inode(first, 'src/main.mjs'));
    expect(inode(second, 'src/part.mjs')).not.toBe(inode(first, 'src/part.mjs'));
  });

  it('knows its sources where the folder of packages is a link', async () => {
    renameSync(join(folder, 'node_modules'), join(folder, 'packages'));
    symlinkSync('packages', join(folder, 'node_modules'));
    expect(await said()).toEqual(expected());
    expect(names()).toHaveLength(1);
  });

  it('starts several times at once', async () => {
    expect(await Promise.all([said(), said(), said()])).toEqual([expected(), expected(), expected()]);
    expect(names()).toHaveLength(1);
  });

  it('runs from its sources where no copy can be made, and says what is wrong with them', async () => {
    write('node_modules/.cache', 'a file in the way');
    expect(await said()).toEqual(expected());
    rmSync(join(folder, 'node_modules/.cache'));
    write('experiments/own.ts', 'not TypeScript at all');
    const { stderr } = await start();
    expect(stderr).toMatch(/experiments\/own\.ts:1:4: ERROR: Expected ";" but found "TypeScript"/);
    expect(names()).toEqual([]);
  });

  it('does not run from a copy that others can write to', async () => {
    await start();
    const [name = ''] = names();
    const copied = join(copies(), name, 'src/part.mjs');
    writeFileSync(copied, readFileSync(copied, 'utf8').replace('one', 'planted'));
    chmodSync(join(copies(), name), 0o777);
    expect(await said()).toEqual(expected());
    chmodSync(join(copies(), name), 0o755);
    chmodSync(copies(), 0o777);
    expect(await said()).toEqual(expected());
  });

  it.skipIf(process.getuid?.() !== 0)("nor from another user's", async () => {
    await start();
    const [name = ''] = names();
    const copied = join(copies(), name, 'src/part.mjs');
    writeFileSync(copied, readFileSync(copied, 'utf8').replace('one', 'planted'));
    chownSync(join(copies(), name), 54_321, 54_321);
    expect(await said()).toEqual(expected());
  });

  it('removes copies that no start has used for a week', async () => {
    await start();
    const [first = ''] = names();
    const days = (count: number): Date => new Date(Date.now() - count * 24 * 3_600_000);
    utimesSync(join(copies(), first), days(8), days(8));
    expect(await said()).toEqual(expected()); // it is used
    write('src/part.ts', 'export const word: string = "second";');
    await start();
    expect(names()).toHaveLength(2);
    utimesSync(join(copies(), first), days(8), days(8));
    write('src/part.ts', 'export const word: string = "the third";');
    await start();
    expect(names()).toHaveLength(2);
    expect(names()).not.toContain(first);
  });
});

describe('code that another user left in the shared temporary directory', () => {
  const study = (): string => join(folder, 'study');
  const env = () => ({ TMPDIR: join(folder, 'tmp'), TINYMIM_CACHE: join(folder, 'cache'), TINYMIM_DEVICE: 'cpu', ENGINE: 'native', NODE_OPTIONS: '' });

  /** Fills the cache of tsx with what it compiles of `files`, and changes all of it. */
  async function plant(files: readonly string[]): Promise<void> {
    mkdirSync(env().TMPDIR);
    write('fill.mjs', `import { register } from ${JSON.stringify(import.meta.resolve('tsx/esm/api'))};\nregister();\nfor (const file of process.argv.slice(2)) await import(file);`);
    // Whoever started these tests may have turned that cache off.
    const fill = () => execaNode(join(folder, 'fill.mjs'), files, { env: { ...env(), TSX_DISABLE_CACHE: undefined } });
    await fill();
    const [name = ''] = readdirSync(env().TMPDIR);
    const cache = join(env().TMPDIR, name);
    for (const entry of readdirSync(cache)) {
      const text = readFileSync(join(cache, entry), 'utf8');
      if (text === '') continue; // its process ended before it was written
      const compiled = JSON.parse(text) as { code: string };
      writeFileSync(join(cache, entry), JSON.stringify({ ...compiled, code: `process.stderr.write('PLANTED\\n');${compiled.code}` }));
    }
    expect((await fill()).stderr).toContain('PLANTED'); // so it would be run
  }

  it('is run neither by a command nor by its workers', async () => {
    cpSync(join(ROOT, 'test/installed/study'), study(), { recursive: true });
    write('package.json', '{ "type": "module" }');
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(ROOT, join(folder, 'node_modules/tinymim-ablations'));
    await plant([join(ROOT, 'src/cli/main.ts'), join(ROOT, 'src/core/runner/execute.ts'), join(study(), 'study.ts'), join(study(), 'profiles/few.ts')]);
    const store = join(folder, 'store');
    const { all, exitCode } = await execaNode(join(ROOT, 'src/cli/ablate.mjs'), ['sweep', '--experiments', study(), '--profile', 'few', '--devices', 'cpu:1x1', '--store', store, '--no-report'], {
      cwd: folder,
      env: env(),
      all: true,
      reject: false,
    });
    expect(all).toMatch(/12 stages done/);
    expect({ exitCode, planted: all.includes('PLANTED') }).toEqual({ exitCode: 0, planted: false });
    const logs = readdirSync(store, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
    expect(logs.length).toBeGreaterThan(12);
    expect(logs.filter(entry => readFileSync(join(entry.parentPath, entry.name), 'utf8').includes('PLANTED'))).toEqual([]);
  });
});
