import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseOnly, parseSeeds, selectArms } from '../../../../src/core/ablation/select.ts';
import { loadAblation } from '../../../../src/core/ablation/load.ts';
import study from '../../../toy/experiments/study.ts';

const available = ['cut', 'trouble', 'variety'];
const toy = fileURLToPath(new URL('../../../toy/experiments', import.meta.url));

describe('parseOnly', () => {
  test('absent means every ablation, whole', () => {
    expect(parseOnly(undefined, available)).toEqual([{ ablation: 'cut' }, { ablation: 'trouble' }, { ablation: 'variety' }]);
  });

  test('keeps declared order and names each ablation once', () => {
    expect(parseOnly('variety/oak, cut,variety/elm', available)).toEqual([{ ablation: 'cut' }, { ablation: 'variety', arms: ['oak', 'elm'] }]);
  });

  test('takes several lists as one', () => {
    expect(parseOnly(['variety/oak', 'cut,variety/elm'], available)).toEqual(parseOnly('variety/oak,cut,variety/elm', available));
    expect(() => parseOnly(['cut', ''], available)).toThrow(/^--only: expected/);
  });

  test('a whole ablation wins over some of its arms', () => {
    expect(parseOnly('cut/half,cut', available)).toEqual([{ ablation: 'cut' }]);
    expect(parseOnly('cut,cut/half', available)).toEqual([{ ablation: 'cut' }]);
  });

  test('names the nearest ablation', () => {
    expect(() => parseOnly('varity', available)).toThrow("--only: no ablation 'varity'; did you mean 'variety'?");
    expect(() => parseOnly('zzz', available)).toThrow("--only: no ablation 'zzz' (known: cut, trouble, variety)");
  });

  test.each(['', ' , ', 'cut/', 'cut/a/b'])('refuses %j', only => {
    expect(() => parseOnly(only, available)).toThrow(/^--only: expected/);
  });
});

describe('selectArms', () => {
  test('keeps the arms named, in declared order', async () => {
    const variety = await loadAblation(toy, 'variety', study);
    expect(selectArms(variety, { ablation: 'variety', arms: ['own-root', 'oak'] }).arms.map(a => a.name)).toEqual(['oak', 'own-root']);
    expect(selectArms(variety, { ablation: 'variety' })).toBe(variety);
  });

  test('names the nearest arm', async () => {
    const variety = await loadAblation(toy, 'variety', study);
    expect(() => selectArms(variety, { ablation: 'variety', arms: ['own-rot'] })).toThrow("ablation 'variety' has no arm 'own-rot'; did you mean 'own-root'?");
  });
});

describe('parseSeeds', () => {
  test('distinct integers in the order given', () => expect(parseSeeds('2, 0,2,4294967295')).toEqual([2, 0, 4294967295]));
  test.each(['', '-1', '1.5', 'a', '4294967296', '1e3'])('refuses %j', seeds => {
    expect(() => parseSeeds(seeds)).toThrow(/^--seeds: expected/);
  });
});
