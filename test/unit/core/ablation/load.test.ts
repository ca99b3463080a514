import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { UsageError } from '../../../../src/core/ablation/errors.ts';
import { listAblations, listProfiles } from '../../../../src/core/ablation/folder.ts';
import { loadAblation, loadExperiments, loadStudy } from '../../../../src/core/ablation/load.ts';
import study from '../../../toy/experiments/study.ts';

const toy = fileURLToPath(new URL('../../../toy/experiments', import.meta.url));

describe('the toy experiments', () => {
  test('load whole', async () => {
    const loaded = await loadExperiments(toy, { profile: 'quick', only: 'cut', seeds: '3,4' });
    expect(loaded.study).toBe(study);
    expect(loaded.profile).toEqual({ name: 'quick', seeds: [0], steps: 5, milliseconds: 0 });
    expect(loaded.seeds).toEqual([3, 4]);
    expect(loaded.ablations.map(a => [a.declaration.name, a.arms.length])).toEqual([['cut', 3]]);
  });

  test("seeds are the profile's unless given", async () => {
    expect((await loadExperiments(toy, { profile: 'quick' })).seeds).toEqual([0]);
  });

  test('are listed', () => {
    expect(listAblations(toy)).toEqual(['cut', 'side-by-side', 'trouble', 'variety']);
    expect(listProfiles(toy)).toEqual(['quick', 'slow']);
  });

  test('take changes of the profile and record those that matter', async () => {
    const loaded = await loadExperiments(toy, { profile: 'quick', only: 'cut', sets: ['milliseconds=0', 'steps=7'] });
    expect(loaded.profile).toEqual({ name: 'quick', seeds: [0], steps: 7, milliseconds: 0 });
    expect(loaded.overrides).toEqual(['steps=7']);
    expect((await loadExperiments(toy, { profile: 'quick', only: 'cut' })).overrides).toEqual([]);
    await expect(loadExperiments(toy, { profile: 'quick', sets: ['stps=7'] })).rejects.toThrow("--set stps=7: the profile has no field 'stps'; did you mean 'steps'?");
  });

  test('come in the order that their declarations ask for, the others by name', async () => {
    const own = fileURLToPath(new URL('../../../../experiments', import.meta.url));
    const { ablations } = await loadExperiments(own, { profile: 'smoke' });
    const names = ablations.map(a => a.declaration.name);
    expect(names.slice(0, 7)).toEqual(['smallest', 'class-token', 'feature', 'relation', 'masking', 'layer', 'drop-path']);
    expect(names.slice(7, 13)).toEqual(['mae-vs-scratch', 'headline', 'strategy-size', 'sequential', 'robustness', 'segmentation']);
    // What others rest on comes last.
    expect(names.at(-1)).toBe('teachers');
    expect(names.slice(13, -1)).toEqual([...names.slice(13, -1)].sort());
  });

  test('an unknown profile is refused with the nearest', async () => {
    await expect(loadExperiments(toy, { profile: 'quik' })).rejects.toThrow(/No profile 'quik' in .*profiles; did you mean 'quick'\?/);
  });
});

describe("a folder of one's own", () => {
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

  const declareArm = (name: string, variety: string, arm: object, more: object = {}): void => {
    const declaration = { name, title: 't', table: 'ours', question: 'q', expected: 'e', base: { variety }, default: 'a', arms: [{ name: 'a', label: 'A', ...arm }], ...more };
    declare(`${name}.mjs`, `export default ${JSON.stringify(declaration)};`);
  };

  test('an arm that is the same as another has the factors of that one, its base included', async () => {
    declareArm('mine', 'fir', { sameAs: 'other/a' });
    declareArm('other', 'elm', { factors: { cut: 0.5 } });
    const { arms } = await loadAblation(dir, 'mine', study);
    expect(arms).toEqual([{ ...(await loadAblation(dir, 'other', study)).arms[0], ablation: 'mine' }]);
    expect(arms[0]!.factors).toMatchObject({ variety: 'elm', cut: 0.5 });
  });

  test('two ablations may refer to each other, to arms that are there', async () => {
    const above = (than: string): object => ({ claims: [{ name: 'c', sentence: 's', source: 's', parts: [{ type: 'greater', arm: 'a', than }] }] });
    declareArm('mine', 'fir', { factors: {} }, above('other/a'));
    declareArm('other', 'elm', { factors: {} }, above('mine/a'));
    declareArm('lost', 'elm', { factors: {} }, above('mine/b'));
    expect((await loadAblation(dir, 'mine', study)).declaration.claims).toHaveLength(1);
    await expect(loadAblation(dir, 'lost', study)).rejects.toThrow(/lost\.mjs: claims\[0\]\.parts\[0\]\.than: ablation 'mine' has no arm 'b'/);
  });

  test('a reference to an ablation that does not exist is refused with the nearest', async () => {
    declareArm('mine', 'fir', { sameAs: 'othr/a' });
    declareArm('other', 'elm', { factors: {} });
    await expect(loadAblation(dir, 'mine', study)).rejects.toThrow(/mine\.mjs: arms\[0\]\.sameAs: no ablation 'othr'; did you mean 'other'\?/);
  });

  test('axes that do not fit are told with the file', async () => {
    const axes = JSON.stringify(pathToFileURL(fileURLToPath(new URL('../../../../src/core/ablation/axes.ts', import.meta.url))).href);
    declare('mine.mjs', `import { axesOf } from ${axes}; const { zip } = axesOf(); export default zip([{ name: 'a', label: 'A', factors: {} }], []);`);
    await expect(loadAblation(dir, 'mine', study)).rejects.toThrow(/ablations\/mine\.mjs: zip: expected axes of equal length, got 1 \('a'\) and 0 \(\)/);
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
