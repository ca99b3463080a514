import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { requireWritable } from '../../../../src/cli/report/writable.ts';

const folder = mkdtempSync(join(tmpdir(), 'writable-'));

it('leaves nothing behind, neither in a new folder nor in one of somebody', () => {
  requireWritable(join(folder, 'new', 'deep', 'quick'));
  expect(existsSync(join(folder, 'new'))).toBe(false);
  mkdirSync(join(folder, 'old/quick/tables'), { recursive: true });
  writeFileSync(join(folder, 'old/quick/tables/own.csv'), '1');
  requireWritable(join(folder, 'old', 'quick'));
  expect(readdirSync(join(folder, 'old'), { recursive: true }).sort()).toEqual(['quick', 'quick/tables', 'quick/tables/own.csv']);
});

it('refuses a folder that is a file', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => requireWritable(join(folder, 'file', 'quick'))).toThrow(/^--reports: expected a folder in which .*file\/quick can be written, got: ENOTDIR/);
  mkdirSync(join(folder, 'inside'));
  writeFileSync(join(folder, 'inside/quick'), '');
  expect(() => requireWritable(join(folder, 'inside', 'quick'))).toThrow(/got: EEXIST/);
});
