import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beneath, entryBeneath, listBeneath, readTextBeneath, removeBeneath, writeBeneath } from '../../../../src/core/disk/beneath.ts';

let top: string, root: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'beneath-'));
  root = join(top, 'root');
  mkdirSync(join(root, 'a/b'), { recursive: true });
  mkdirSync(join(top, 'outside'));
  writeFileSync(join(root, 'a/b/file'), 'inside');
  writeFileSync(join(top, 'outside/file'), 'outside');
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const code = (run: () => unknown): unknown => {
  try {
    return { returned: run() };
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('what lies below a root', () => {
  it('is read, listed, written and removed', () => {
    expect(readTextBeneath(root, 'a/b/file')).toBe('inside');
    expect(listBeneath(root, 'a')).toEqual(['b']);
    writeBeneath(root, 'new/folder/file', 'text');
    expect(readFileSync(join(root, 'new/folder/file'), 'utf8')).toBe('text');
    removeBeneath(root, 'new/folder/file');
    expect(existsSync(join(root, 'new/folder/file'))).toBe(false);
  });

  it('may be absent', () => {
    expect(readTextBeneath(root, 'a/none')).toBeUndefined();
    expect(readTextBeneath(root, 'a/b/file/below')).toBeUndefined();
    expect(listBeneath(root, 'none')).toEqual([]);
    expect(beneath(root, 'none', 'x')).toBe(join(root, 'none/x'));
    expect(code(() => removeBeneath(root, 'none'))).toEqual({ returned: undefined });
  });

  it('may have a root that is reached through a link', () => {
    symlinkSync(root, join(top, 'link'));
    expect(readTextBeneath(join(top, 'link'), 'a/b/file')).toBe('inside');
  });

  it.each(['a/link', 'a/link/file', 'a/file-link', 'a/dangling', 'a/within'])('is refused where %s is or passes a link', path => {
    symlinkSync(join(top, 'outside'), join(root, 'a/link'));
    symlinkSync(join(top, 'outside/file'), join(root, 'a/file-link'));
    symlinkSync(join(top, 'gone'), join(root, 'a/dangling'));
    symlinkSync('b/file', join(root, 'a/within'));
    for (const use of [beneath, entryBeneath, readTextBeneath, listBeneath, removeBeneath]) expect(code(() => use(root, path))).toBe('LINK');
    expect(code(() => writeBeneath(root, path, 'x'))).toBe('LINK');
    expect(readFileSync(join(top, 'outside/file'), 'utf8')).toBe('outside');
    expect(existsSync(join(top, 'gone'))).toBe(false);
  });

  it.each(['..', '../outside/file', 'a/../../outside/file'])('is refused where %s leads out of it', path => {
    expect(code(() => readTextBeneath(root, path))).toBe('OUTSIDE');
    expect(code(() => writeBeneath(root, path, 'x'))).toBe('OUTSIDE');
    expect(code(() => removeBeneath(root, path))).toBe('OUTSIDE');
  });

  it('is read only from regular files of a sensible size', () => {
    execFileSync('mkfifo', [join(root, 'pipe')]);
    writeFileSync(join(root, 'sparse'), '');
    truncateSync(join(root, 'sparse'), 3 * 1024 ** 3);
    expect(code(() => readTextBeneath(root, 'pipe'))).toBe('NOT_A_FILE');
    expect(code(() => readTextBeneath(root, 'a'))).toBe('NOT_A_FILE');
    expect(code(() => readTextBeneath(root, 'sparse'))).toBe('TOO_LARGE');
    expect(code(() => readTextBeneath(root, 'a/b/file', 5))).toBe('TOO_LARGE');
    expect(code(() => listBeneath(root, 'a/b/file'))).toBe('NOT_A_FOLDER');
    expect(code(() => writeBeneath(root, 'pipe', 'x'))).toBe('NOT_A_FILE');
    for (const path of ['a/b/file/new', 'a/b/file/new/deep', 'pipe/new']) expect(code(() => writeBeneath(root, path, 'x'))).toBe('NOT_A_FOLDER');
    expect(code(() => removeBeneath(root, 'a'))).toBe('NOT_A_FILE');
  });
});
