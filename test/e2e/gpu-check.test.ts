/** The check for machines with a card, where there is none: the same programs on the second of two logical CPUs, and only some of them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ALLOW_TYPESCRIPT } from '../helpers/typescript.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gpu-check-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const check = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  execa(process.execPath, ['--import', ALLOW_TYPESCRIPT, join(import.meta.dirname, '../gpu/check.ts'), ...args], { env: { TINYMIM_DEVICE: 'cpu', ...env }, reject: false });

interface Report {
  readonly ok: boolean;
  readonly device: string;
  readonly card: unknown;
  readonly sections: Readonly<Record<string, { readonly wrong: readonly string[]; readonly facts: Readonly<Record<string, unknown>> }>>;
}

it('compares golden values, writes what it found, and says on what', async () => {
  const out = join(folder, 'check.json');
  const { exitCode, stderr } = await check(['--few', '--only', 'parity', '--out', out]);
  const text = readFileSync(out, 'utf8'),
    report = JSON.parse(text) as Report;
  expect(stderr).toMatch(/second of two logical CPUs.*nothing about a card[^]*ok {4}parity/);
  expect(exitCode).toBe(0);
  expect(report).toMatchObject({ ok: true, device: 'logical CPU', card: null, sections: { parity: { wrong: [], facts: { failed: 0 } } } });
  expect(report.sections['parity']!.facts['passed']).toBeGreaterThan(3);
  expect(text).not.toContain(folder);
});

it('fails where golden values are others, and names them', { tags: 'long' }, async () => {
  const out = join(folder, 'wrong.json');
  const { exitCode, stderr } = await check(['--few', '--only', 'parity', '--out', out], { FIXTURES: folder });
  expect(stderr).toContain('WRONG parity');
  expect(exitCode).toBe(1);
  const { ok, sections } = JSON.parse(readFileSync(out, 'utf8')) as Report;
  expect(ok).toBe(false);
  expect(sections['parity']!.wrong[0]).toContain('vit.test.ts');
});

it('knows its sections', async () => {
  const { exitCode, stderr } = await check(['--only', 'sped']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("--only: expected of placement, parity, traffic, resume, speed, got 'sped'");
});
