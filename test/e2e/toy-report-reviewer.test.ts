/** What a reviewer does needs the npm packages and nothing else: with the project's own declarations and committed reports. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { afterAll, describe, expect, it } from 'vitest';
import { ALLOW_TYPESCRIPT } from '../helpers/typescript.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const guard = pathToFileURL(join(root, 'test/helpers/no-engine.mjs')).href;
const out = mkdtempSync(join(tmpdir(), 'ablate-reviewer-'));
afterAll(() => rmSync(out, { recursive: true }));

const withoutEngine = (...args: string[]) => execa(process.execPath, ['--import', guard, ...args], { cwd: root, reject: false, all: true });
const ablate = (...args: string[]) => withoutEngine('src/cli/ablate.mjs', ...args);

describe('without an engine', () => {
  it('the guard notices one', async () => {
    const { exitCode, all } = await withoutEngine('--import', ALLOW_TYPESCRIPT, '--eval', "import('./src/engine/tf.ts')");
    expect(exitCode).not.toBe(0);
    expect(all).toContain('An engine was loaded: @tensorflow/');
  });

  async function expectAnswer(output: RegExp, args: readonly string[]): Promise<void> {
    const { exitCode, all } = await ablate(...args);
    expect(all).not.toContain('An engine was loaded');
    expect(all).toMatch(output);
    if (!args.includes('--check')) expect(exitCode).toBe(0);
  }

  it.each<[RegExp, ...string[]]>([
    [/stages/, 'plan', '--profile', 'mini', '--store', join(out, 'none')],
    [/never run/, 'explain', 'relation/qk-vv', '--store', join(out, 'none')],
    // Whether the reports are up to date is the concern of another test.
    [/^reports\/photos is what its records|^Run `ablate report --rebuild --profile photos`/m, 'report', '--check', '--profile', 'photos'],
  ])('%s: %s %s %s', (output, ...args) => expectAnswer(output, args));

  it.each<[RegExp, ...string[]]>([
    [/^reports\/mini is what its records|^Run `ablate report --rebuild --profile mini`/m, 'report', '--check', '--all'],
    [/^Changes against \.\/reports: /m, 'report', '--baseline', './reports', '--all', '--out', join(out, 'review'), '--comment', join(out, 'comment.md')],
  ])('%s: %s %s %s', { tags: 'long' }, (output, ...args) => expectAnswer(output, args));
});
