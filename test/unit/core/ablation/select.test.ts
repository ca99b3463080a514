import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseOnly, parseSeeds, selectAblations } from '../../../../src/core/ablation/select.ts';
import { loadExperiments } from '../../../../src/core/ablation/load.ts';

const available = ['cut', 'trouble', 'variety'];
const toy = fileURLToPath(new URL('../../../toy/experiments', import.meta.url));

/** What is chosen of the toy study: `ablation/arm`, as loading gives it. */
const chosen = async (...only: string[]): Promise<string[]> => {
  const { ablations } = await loadExperiments(toy, { profile: 'quick', only });
  return ablations.flatMap(({ declaration, arms }) => arms.map(({ name }) => `${declaration.name}/${name}`));
};

describe('parseOnly', () => {
  test('absent means every ablation, whole', () => {
    expect(selectAblations(available, parseOnly(undefined, available))).toEqual(available);
    expect(parseOnly(undefined, [])).toHaveLength(1);
  });

  test('several lists are one, and ablations keep their order', () => {
    expect(parseOnly(['variety/oak', ' cut,variety/elm'], available)).toEqual(parseOnly('variety/oak, cut,variety/elm', available));
    expect(selectAblations(available, parseOnly('variety/oak,cut', available))).toEqual(['cut', 'variety']);
    expect(() => parseOnly(['cut', ''], available)).toThrow(/^--only: expected/);
  });

  test('names the nearest ablation, also to a pattern', () => {
    expect(() => parseOnly('varity', available)).toThrow("--only: no ablation 'varity'; did you mean 'variety'?");
    expect(() => parseOnly('varity*/oak', available)).toThrow("--only: no ablation 'varity*'; did you mean 'variety'?");
    expect(() => parseOnly('zzz', available)).toThrow("--only: no ablation 'zzz' (known: cut, trouble, variety)");
  });

  test.each(['', ' , ', 'cut/', 'cut/a/b'])('refuses %j', only => {
    expect(() => parseOnly(only, available)).toThrow(/^--only: expected/);
  });
});

describe('arms', () => {
  test('that are named, in declared order', async () => {
    expect(await chosen('variety/own-root,variety/oak')).toEqual(['variety/oak', 'variety/own-root']);
  });

  test('a whole ablation wins over some of its arms', async () => {
    const whole = ['cut/whole', 'cut/half', 'cut/none'];
    for (const only of ['cut', 'cut/half,cut', 'cut,cut/half', 'cut/*', 'c?t', 'cu*/*']) expect(await chosen(only)).toEqual(whole);
  });

  test('of a pattern, in all ablations that have such arms', async () => {
    expect(await chosen('*/*al*,cut/n?ne')).toEqual(['cut/half', 'cut/none', 'side-by-side/tall', 'side-by-side/small']);
    expect(await chosen('variety/o*')).toEqual(['variety/oak', 'variety/own-root']);
    expect(await chosen('*/oak')).toEqual(['variety/oak']);
  });

  test('a point in a name is a point', async () => {
    await expect(chosen('variety/o.k')).rejects.toThrow('no arm');
  });

  test('what names none is told with the nearest', async () => {
    await expect(chosen('variety/own-rot')).rejects.toThrow("--only: ablation 'variety' has no arm 'own-rot'; did you mean 'own-root'?");
    await expect(chosen('variety/own-rot*,cut')).rejects.toThrow("--only: ablation 'variety' has no arm 'own-rot*'; did you mean 'own-root'?");
    await expect(chosen('*/own-rot')).rejects.toThrow("--only: no ablation of '*' has an arm 'own-rot'; did you mean 'own-root'?");
  });
});

describe('parseSeeds', () => {
  test('distinct integers in the order given, and ranges of them', () => {
    expect(parseSeeds('2, 0,2,4294967295')).toEqual([2, 0, 4294967295]);
    expect(parseSeeds('0-4')).toEqual([0, 1, 2, 3, 4]);
    expect(parseSeeds('7,1 - 2,2-3,5-5')).toEqual([7, 1, 2, 3, 5]);
  });

  test.each(['', '-1', '1.5', 'a', '4294967296', '1e3', '4-0', '1-', '0-4-8', '0-4294967296'])('refuses %j', seeds => {
    expect(() => parseSeeds(seeds)).toThrow(/^--seeds: expected/);
  });

  test('more seeds than anybody means are a slip of the pen', () => {
    expect(() => parseSeeds('0-4294967295')).toThrow("--seeds: expected at most 10000 seeds, got 4294967296 in '0-4294967295'");
  });
});
