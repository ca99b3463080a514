import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { UsageError } from '../../src/ablation/errors.ts';
import { listAblations, listProfiles, loadAblation, loadExperiments, loadStudy } from '../../src/ablation/load.ts';
import study from '../toy/experiments/study.ts';

const toy = fileURLToPath(new URL('../toy/experiments', import.meta.url));

describe('the toy experiments', () => {
  test('load whole', async () => {
    const loaded = await loadExperiments(toy, { profile: 'quick', only: 'cut', seeds: '3,4' });
    expect(loaded.study).toBe(study);
    expect(loaded.profile).toEqual({ name: 'quick', seeds: [0], steps: 5, milliseconds: 0 });
    expect(loaded.seeds).toEqual([3, 4]);
    expect(loaded.ablations.map(a => [a.declaration.name, a.arms.length])).toEqual([['cut', 3]]);
  });

  test('seeds are the profile\'s unless given', async () => {
    expect((await loadExperiments(toy, { profile: 'quick' })).seeds).toEqual([0]);
  });

  test('are listed', () => {
    expect(listAblations(toy)).toEqual(['cut', 'trouble', 'variety']);
    expect(listProfiles(toy)).toEqual(['quick', 'slow']);
  });

  test('an unknown profile is refused with the nearest', async () => {
    await expect(loadExperiments(toy, { profile: 'quik' })).rejects.toThrow(/No profile 'quik' in .*profiles; did you mean 'quick'\?/);
  });
});

describe('a folder of one\'s own', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'ablate-load-'));
    mkdirSync(join(dir, 'ablations'));
    writeFileSync(join(dir, 'study.mjs'), `export { default } from ${JSON.stringify(pathToFileURL(join(toy, 'study.ts')).href)};`);
  });
  const declare = (name: string, text: string): void => writeFileSync(join(dir, 'ablations', name), text);

  test('may hold .mjs declarations; only what is asked for is imported', async () => {
    const arms = "[{ name: 'a', label: 'A', factors: {} }]";
    declare('mine.mjs', `export default { name: 'mine', title: 't', table: 'ours', question: 'q', expected: 'e', base: {}, default: 'a', arms: ${arms} };`);
    declare('broken.mjs', 'this is not JavaScript');
    expect((await loadAblation(dir, 'mine', study)).arms).toHaveLength(1);
  });

  test('a file that does not load is named with its cause', async () => {
    declare('broken.mjs', "throw new Error('out of ideas');");
    const loading = loadAblation(dir, 'broken', study);
    await expect(loading).rejects.toThrow(UsageError);
    await expect(loading).rejects.toThrow(/ablations\/broken\.mjs: could not be loaded: out of ideas/);
  });

  test('a file without default export is refused', async () => {
    declare('empty.mjs', 'export const ablation = {};');
    await expect(loadAblation(dir, 'empty', study)).rejects.toThrow(/empty\.mjs: expected the declaration as default export, got none/);
  });

  test('a folder without study is refused', async () => {
    await expect(loadStudy(join(dir, 'nowhere'))).rejects.toThrow(/Expected study\.ts .* got no such folder/);
    await expect(loadStudy(join(dir, 'ablations'))).rejects.toThrow(/Expected study\.ts .* got none/);
  });
});
