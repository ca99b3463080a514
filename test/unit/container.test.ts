/** The container files in step with what else says what a machine needs: package.json, .ci/run, .gitignore, the imports of set-up. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const makeTargets = new Set([...read('Makefile').matchAll(/^([a-z-]+):/gm)].map(([, target]) => target!));

interface Instruction {
  readonly name: string;
  readonly args: string;
}

/** One instruction a line, without comments. */
function instructions(file: string): Instruction[] {
  const lines = read(file)
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .filter(line => line !== '');
  return lines.map(line => ({ name: line.split(' ')[0]!, args: line.slice(line.indexOf(' ') + 1) }));
}

const argsOf = (all: readonly Instruction[], name: string): string[] => all.filter(i => i.name === name).map(i => i.args);

/** Files and folders that are copied before the instruction at `end`. */
const copiedBefore = (all: readonly Instruction[], end: number): string[] =>
  argsOf(all.slice(0, end), 'COPY').flatMap(args =>
    args
      .split(' ')
      .filter(arg => !arg.startsWith('--'))
      .slice(0, -1),
  );

describe.each(['.container/Dockerfile', '.container/cuda.Dockerfile'])('%s', file => {
  const all = instructions(file);

  it('has the official image of a Node that package.json asks for', () => {
    const [image, ...others] = argsOf(all, 'FROM');
    expect(others).toEqual([]);
    const major = Number(/^node:(\d+)-bookworm-slim$/.exec(image!)?.[1]);
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
    expect(major).toBeGreaterThanOrEqual(Number(/^>=(\d+)/.exec(engines.node)![1]));
  });

  it('installs every Debian package that .ci/run would', () => {
    const wanted = [...read('.ci/run').matchAll(/\|\| echo (.+)$/gm)].flatMap(([, names]) => names!.split(' '));
    expect(wanted).toContain('chromium');
    const installed = / apt-get install (.*?)&&/
      .exec(argsOf(all, 'RUN')[0]!)![1]!
      .split(' ')
      .filter(word => word !== '' && !word.startsWith('-'));
    expect(installed).toEqual(expect.arrayContaining([...wanted, 'git']));
    expect(installed).toEqual([...installed].sort());
  });

  it('is used and, but for the system, built without root; the user owns all that is copied', () => {
    const user = all.findIndex(({ name }) => name === 'USER');
    expect(argsOf(all, 'USER')).toEqual(['node']);
    expect(all.slice(0, user).map(({ name }) => name)).toEqual(expect.not.arrayContaining(['COPY']));
    for (const args of argsOf(all, 'COPY')) expect(args).toMatch(/^--chown=node:node /);
  });

  it('copies before the engine is provided all that this imports, and not all sources', async () => {
    const at = all.findIndex(({ args }) => args.includes('provision.ts') && args.startsWith('node '));
    const copied = copiedBefore(all, at);
    expect(copied).not.toContain('.');
    const { metafile } = await build({
      entryPoints: [join(ROOT, '.container/provision.ts')],
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      absWorkingDir: ROOT,
    });
    const imported = Object.keys(metafile.inputs);
    expect(imported).toContain('src/setup/binding.ts');
    expect(imported.filter(input => !copied.some(path => input === path || input.startsWith(`${path}/`)))).toEqual([]);
  });

  it('copies what there is, and runs what the Makefile has', () => {
    const copied = copiedBefore(all, all.length);
    expect(copied).toContain('.');
    for (const path of copied) expect(existsSync(join(ROOT, path)), path).toBe(true);
    const [, target] = JSON.parse(argsOf(all, 'CMD')[0]!) as [string, string];
    expect(makeTargets).toContain(target);
    for (const [, named] of read(file).matchAll(/^#.* make ([a-z-]+)/gm)) expect(makeTargets).toContain(named);
  });
});

test('the container for CUDA differs from the other one by what it says of the GPU', () => {
  const cuda = instructions('.container/cuda.Dockerfile').filter(({ args }) => !args.includes('NVIDIA_'));
  expect(cuda).toEqual(instructions('.container/Dockerfile'));
});

test('what git ignores does not enter an image, and nothing else stays out', () => {
  const patterns = (file: string): string[] =>
    read(file)
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'));
  // A pattern of git without a slash in its beginning or middle holds at any depth; of Docker, none does.
  const asDocker = (pattern: string): string => {
    const plain = pattern.replace(/\/$/, '');
    return plain.includes('/') ? plain.replace(/^\//, '') : `**/${plain}`;
  };
  expect(patterns('.dockerignore').sort()).toEqual(patterns('.gitignore').map(asDocker).sort());
});

test('the development container is the one for the CPU, set up in the working tree', () => {
  const file = '.devcontainer/devcontainer.json';
  const { build: image, remoteUser, postCreateCommand } = JSON.parse(read(file)) as { build: { dockerfile: string; context: string }; remoteUser: string; postCreateCommand: string };
  const at = (path: string): string => relative(ROOT, resolve(ROOT, dirname(file), path));
  expect(at(image.dockerfile)).toBe('.container/Dockerfile');
  expect(at(image.context)).toBe('');
  expect(argsOf(instructions('.container/Dockerfile'), 'USER')).toEqual([remoteUser]);
  expect(makeTargets).toContain(/^make (\S+)$/.exec(postCreateCommand)![1]);
});
