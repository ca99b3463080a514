import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { programFor, quoted } from '../../../../src/cli/terminal/invocation.ts';

const PROGRAM = resolve(import.meta.dirname, '../../../../src/cli/ablate.mjs');
let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'ablate-invocation-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A folder with a command `ablate`: this program, or another. */
function bin(name: string, target = PROGRAM): string {
  const dir = join(folder, name);
  mkdirSync(dir, { recursive: true });
  symlinkSync(target, join(dir, 'ablate'));
  return dir;
}

it('is the bare name where the PATH has this very program', () => {
  expect(programFor(folder, ['/nowhere', bin('bin')].join(delimiter))).toBe('ablate');
});

it('is not that of another program, nor what npx alone put on the PATH', () => {
  writeFileSync(join(folder, 'other'), '');
  const path = [bin('others', join(folder, 'other')), bin('npx/node_modules/.bin')].join(delimiter);
  expect(programFor(folder, path)).toBe(`node ${quoted(PROGRAM)}`);
});

it('goes by npx below a folder with the package, else by the path of the program', () => {
  bin('project/node_modules/.bin');
  expect(programFor(join(folder, 'project/deep/study'), '')).toBe('npx ablate');
  expect(programFor(join(folder, 'elsewhere'), '')).toBe(`node ${quoted(PROGRAM)}`);
});

it('quotes what a shell would take apart', () => {
  for (const word of ["Ada's stüdy", 'a b', '$HOME', '"', '\\', '*', '', '~x']) {
    expect(execFileSync('sh', ['-c', `printf %s ${quoted(word)}`], { encoding: 'utf8' })).toBe(word);
  }
  expect(quoted('/plain/path-1.0')).toBe('/plain/path-1.0');
});
