/** `make picture`: what leads README.md. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeReport } from '../../src/core/report/write.ts';
import { sampleInput } from '../helpers/report/sample.ts';
import { hasChromium } from '../helpers/launch.ts';

const SCHEMES = ['light', 'dark'] as const;
const PNG = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const MOST_BYTES = 1e6;

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'report-picture-'));
  await writeReport({ ...sampleInput([0, 1, 2]), adopted: [], provenance: {}, outDir: join(root, 'sample') });
});
afterAll(() => rmSync(root, { recursive: true }));

const picture = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  execa(process.execPath, ['--import', './src/start/allow-typescript.mjs', 'test/picture.ts', ...args], { reject: false, stdin: 'ignore', env });

const drawn = async (): Promise<Buffer[]> => {
  expect(await picture([join(root, 'sample'), root])).toMatchObject({ exitCode: 0, stderr: '' });
  return SCHEMES.map(scheme => readFileSync(join(root, `picture-${scheme}.png`)));
};

describe.skipIf(!hasChromium)('the picture of a report', () => {
  test('is one in light and one in dark, and small', async () => {
    const [light, dark] = await drawn();
    expect(dark!.equals(light!)).toBe(false);
    for (const bytes of [light!, dark!]) {
      expect(bytes.subarray(0, PNG.length)).toEqual(PNG);
      expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20) > 1000, bytes.length < MOST_BYTES]).toEqual([2000, true, true]);
    }
  });

  test('is the same each time', { tags: 'long' }, async () => {
    expect(await drawn()).toEqual(await drawn());
  });

  test('of a folder without a page is refused', async () => {
    const { exitCode, stderr } = await picture([root]);
    expect([exitCode, stderr]).toEqual([2, `error Expected a report with a page, got ${root}, which has no index.html. Name its folder: make picture ARGS=reports/mini`]);
  });
});

test('without Chromium there is none, and the message says how to get it', async () => {
  const { exitCode, stderr } = await picture([], { PATH: root, CHROMIUM: '' });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^error Expected Chromium to draw the picture of a report with, found none\. To get it: \S/);
});
