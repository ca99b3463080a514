import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { UsageError } from '../../../../src/core/ablation/errors.ts';
import { expandAblation } from '../../../../src/core/ablation/expand.ts';
import { parseAblation, parseProfile, parseStudy } from '../../../../src/core/ablation/validate.ts';
import study from '../../../toy/experiments/study.ts';

const good = {
  name: 'cut',
  title: 'Where to cut',
  table: 'ours',
  question: 'Where?',
  expected: 'Nothing.',
  base: { variety: 'elm' },
  default: 'whole',
  arms: [
    { name: 'whole', label: 'Whole', factors: {} },
    { name: 'half', label: 'Half', factors: { cut: 0.5 }, note: 'see cut' },
  ],
};

/** Lines of the refusal, without the file. */
function refusal(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const lines = (error as UsageError).message.split('\n');
    for (const line of lines) expect(line).toMatch(/^file\.ts: /);
    return lines.map(line => line.slice('file.ts: '.length));
  }
  throw new Error('expected a refusal');
}

const ablation = (changes: object): string[] => refusal(() => parseAblation({ ...good, ...changes }, 'file.ts', 'cut', study));

describe('parseAblation', () => {
  test('accepts a good declaration and expansion fills in the defaults', () => {
    const { arms } = expandAblation(parseAblation(good, 'file.ts', 'cut', study), study);
    expect(arms).toEqual([
      { ablation: 'cut', name: 'whole', label: 'Whole', factors: { variety: 'elm', cut: 1, grafted: true, trouble: { kind: 'none', at: 0 }, bed: null } },
      { ablation: 'cut', name: 'half', label: 'Half', note: 'see cut', factors: { variety: 'elm', cut: 0.5, grafted: true, trouble: { kind: 'none', at: 0 }, bed: null } },
    ]);
  });

  test('names an unknown factor of an arm with the nearest valid one', () => {
    const arms = [good.arms[0], { name: 'b', label: 'B', factors: { graftd: true } }];
    expect(ablation({ arms })).toEqual(["arms[1].factors.graftd: unknown field; did you mean 'grafted'?"]);
  });

  test('blames a bad factor of the base once, however many arms inherit it', () => {
    expect(ablation({ base: { variety: 'elmm' } })).toEqual(["base.variety: expected one of 'oak', 'elm', 'fir', got 'elmm' (string); did you mean 'elm'?"]);
  });

  test('looks into nested factors', () => {
    const arms = [{ name: 'whole', label: 'Whole', factors: { trouble: { kind: 'none', att: 1 } } }];
    expect(ablation({ arms })).toEqual(['arms[0].factors.trouble.at: expected number, got nothing', "arms[0].factors.trouble.att: unknown field; did you mean 'at'?"]);
  });

  test('lists all problems of a file, not only the first', () => {
    const arms = [
      { name: 'whole', label: 'Whole', factors: { cut: 2 } },
      { name: 'whole', label: 'Again', factors: { cut: 'half' } },
    ];
    expect(ablation({ arms, default: 'hole', name: 'cuts' })).toEqual([
      "name: expected 'cut' as the file is named, got 'cuts'",
      "arms[1].name: 'whole' is already taken by arms[0].name",
      "default: expected the name of an arm, got 'hole'; did you mean 'whole'?",
      'arms[0].factors.cut: too big: expected number to be <=1, got 2 (number)',
      "arms[1].factors.cut: expected number, got 'half' (string)",
    ]);
  });

  test('names unknown and missing fields of the declaration itself', () => {
    expect(ablation({ titel: 'x', title: undefined })).toEqual(['title: expected string, got nothing', "titel: unknown field; did you mean 'title'?"]);
  });

  test('refuses a published value without its source', () => {
    const published = { value: 75.4, unit: '%', table: '7', row: 'a', column: 'b', quote: 'c' };
    expect(ablation({ arms: [{ ...good.arms[0], published }] })).toEqual(['arms[0].published.source: expected string, got nothing']);
  });

  test('says why what only tells how to run is no factor, in an arm or in the base, and does so once', () => {
    const why = 'cannot change a number, so it is no part of an arm, a profile or a recipe;';
    const arms = [...good.arms, { name: 'b', label: 'B', factors: { num_workers: 2, logInterval: 10, 'checkpoint-every': 1 } }];
    expect(ablation({ base: { device: 'gpu' }, arms })).toEqual([
      `base.device: ${why} give it on the command line (--devices)`,
      `arms[2].factors.num_workers: ${why} give it on the command line (--devices)`,
      `arms[2].factors.logInterval: ${why} a stage records as often as it likes`,
      `arms[2].factors.checkpoint-every: ${why} give it on the command line (--checkpoint-every)`,
    ]);
  });

  test('takes ten thousand arms and as many claims', () => {
    const size = (n: number): object => ({
      arms: Array.from({ length: n }, (_, i) => ({ name: `a${i}`, label: `A ${i}`, factors: { cut: i / n } })),
      claims: Array.from({ length: n - 1 }, (_, i) => ({ name: `c${i}`, sentence: 's', source: 's', parts: [{ type: 'greater', arm: `a${i + 1}`, than: `a${i}` }] })),
    });
    expect(parseAblation({ ...good, ...size(10_000), default: 'a0' }, 'file.ts', 'cut', study).claims).toHaveLength(9999);
  });

  test('refuses what is no object', () => {
    expect(refusal(() => parseAblation('cut', 'file.ts', 'cut', study))).toEqual(["expected object, got 'cut' (string)"]);
  });
});

describe('parseProfile', () => {
  const profile = (value: object): string[] => refusal(() => parseProfile(value, 'file.ts', 'quick', study));

  test('fills in defaults', () => {
    expect(parseProfile({ name: 'quick', seeds: [1], steps: 2 }, 'file.ts', 'quick', study)).toEqual({ name: 'quick', seeds: [1], steps: 2, milliseconds: 0 });
  });

  test('refuses repeated, negative and missing seeds', () => {
    expect(profile({ name: 'quick', seeds: [1, 1], steps: 2 })).toEqual(["seeds[1]: '1' is already taken by seeds[0]"]);
    expect(profile({ name: 'quick', seeds: [-1], steps: 2 })).toEqual(['seeds[0]: too small: expected number to be >=0, got -1 (number)']);
    expect(profile({ name: 'quick', seeds: [], steps: 2 })).toEqual(['seeds: too small: expected array to have >=1 items, got a list of 0']);
  });

  test('refuses margins and spreads that are none', () => {
    const judged = { ...study, profile: z.looseObject({ name: z.string(), seeds: z.array(z.int()) }) };
    const verdicts = (value: unknown): unknown => parseProfile({ name: 'quick', seeds: [0], verdicts: value }, 'file.ts', 'quick', judged);
    const good = { margin: 0, source: 'none', spread: { value: 2, source: 'a guess' } };
    expect(verdicts(good)).toMatchObject({ verdicts: good });
    expect(verdicts(false)).toMatchObject({ verdicts: false });
    for (const wrong of [true, { ...good, margin: -1 }, { ...good, spread: { value: 0, source: 'a guess' } }, { ...good, spread: { value: 2 } }]) {
      expect(refusal(() => verdicts(wrong))).toEqual([expect.stringMatching(/^verdicts/)]);
    }
  });

  test('says why what only tells how to run is no field', () => {
    expect(profile({ name: 'quick', seeds: [1], steps: 2, devices: 'gpu' })).toEqual([
      'devices: cannot change a number, so it is no part of an arm, a profile or a recipe; give it on the command line (--devices)',
    ]);
  });

  test('refuses an unknown field', () => {
    expect(profile({ name: 'quick', seeds: [1], step: 2 })).toEqual(['steps: expected number, got nothing', "step: unknown field; did you mean 'steps'?"]);
  });
});

describe('parseStudy', () => {
  test('accepts the toy study as it is', () => {
    expect(parseStudy(study, 'file.ts')).toBe(study);
  });

  test('refuses slots that name no registered kind, and kinds of one name', () => {
    const [seedling, graft] = study.kinds;
    const lost = { ...graft!, upstream: { stock: { kinds: ['seedlin'] } } };
    expect(refusal(() => parseStudy({ ...study, kinds: [seedling, lost, seedling] }, 'file.ts'))).toEqual([
      "kinds[2].name: 'seedling' is already taken by kinds[0].name",
      "kinds[1].upstream.stock.kinds[0]: no kind 'seedlin' is registered; did you mean 'seedling'?",
    ]);
  });

  test('refuses factors, profile fields and recipes that only tell how to run', () => {
    const [seedling, ...kinds] = study.kinds;
    const kind = { ...seedling!, recipe: z.strictObject({ variety: z.string(), threads: z.int() }) };
    const changed = { ...study, factors: z.strictObject({ workers: z.int() }), profile: z.strictObject({ name: z.string(), dataDir: z.string() }), kinds: [kind, ...kinds] };
    expect(refusal(() => parseStudy(changed, 'file.ts')).map(line => line.split(':')[0])).toEqual(['factors.workers', 'profile.dataDir', 'kinds[0].recipe.threads']);
  });

  test('refuses a study without functions', () => {
    expect(refusal(() => parseStudy({ ...study, realise: 3, factors: {} }, 'file.ts'))).toEqual([
      'factors: expected a zod schema, got an object with no fields',
      'realise: expected a function, got 3 (number)',
    ]);
  });
});
