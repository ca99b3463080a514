import { describe, expect, test } from 'vitest';
import type { ClaimResult } from '../../../../../src/core/report/model/claims.ts';
import type { ArmCount } from '../../../../../src/core/report/model/model.ts';
import { MOST_WORDS, verdictSentences } from '../../../../../src/core/report/model/sentence.ts';
import { judgedClaim } from '../../../../helpers/report/judged.ts';

const ARMS: ArmCount = { total: 6, done: 6, partial: 0, failed: 0, missing: 0 };
const FIVE = { declared: [0, 1, 2, 3, 4], measured: [0, 1, 2, 3, 4] };
const UNORDERED = { same: 0, opposite: 0, withinNoise: 0, publishedNoise: 0, notMeasured: 0, oneSeed: 0 };
const textOf = (claims: readonly ClaimResult[], arms: Partial<ArmCount> = {}, seeds = FIVE, order = UNORDERED): string =>
  verdictSentences({ claims, arms: { ...ARMS, ...arms }, seeds, order }).join(' ');
const many = (count: number, ...args: Parameters<typeof judgedClaim>): ClaimResult[] => Array.from({ length: count }, () => judgedClaim(...args));
const ONE_OF_FIVE = { seeds: { n: 1, declared: 5 } } as const;
const none = { done: 0, missing: 6 };

describe('without a verdict', () => {
  test('nothing is run', () => {
    expect(textOf(many(27, 'not run'), none)).toBe('Nothing is run yet: 27 claims of the paper wait for arms that are not measured.');
    expect(textOf([...many(2, 'not run'), judgedClaim('not run', { origin: 'own' })], none)).toBe('Nothing is run yet: 2 claims of the paper and 1 hypothesis wait for arms that are not measured.');
    expect(textOf(many(1, 'not run'))).toBe('Nothing can be judged yet: 1 claim of the paper waits for arms that are not measured.');
  });

  test('one of five seeds: how many, where they point, and the strongest of each side', () => {
    const claims = [
      judgedClaim('interim', { ...ONE_OF_FIVE, sentence: 'Relations beat features.', delta: 0.002 }),
      judgedClaim('interim', { ...ONE_OF_FIVE, sentence: 'The class token is worst.', delta: 0.02 }),
      judgedClaim('interim', { ...ONE_OF_FIVE, sentence: 'Every target beats MAE.', direction: 'disagrees', delta: -0.01 }),
      ...many(3, 'interim', { ...ONE_OF_FIVE, direction: 'within noise' }),
    ];
    expect(textOf(claims)).toBe(
      'Nothing is decided yet: 1 of 5 seeds. So far 2 of 6 claims of the paper agree, above all \u201cThe class token is worst\u201d; 1 disagrees: \u201cEvery target beats MAE\u201d; 3 are within noise.',
    );
  });

  test('seeds that differ are a range', () => {
    const claims = [judgedClaim('interim', { seeds: { n: 1, declared: 5 } }), judgedClaim('interim', { seeds: { n: 3, declared: 5 } })];
    expect(textOf(claims)).toBe('Nothing is decided yet: 1 to 3 of 5 seeds. So far both claims of the paper agree, above all \u201cA is above B\u201d.');
  });

  test('a profile that gives none', () => {
    const claims = many(1, 'no verdict', { seeds: { n: 1, declared: 1 }, direction: 'disagrees' });
    expect(textOf(claims)).toBe('This profile gives no verdicts. With one seed, the one claim of the paper disagrees: \u201cA is above B\u201d.');
    expect(textOf(many(3, 'no verdict', { seeds: { n: 2, declared: 2 }, direction: 'within noise' }))).toBe(
      'This profile gives no verdicts. With all 2 seeds, all 3 claims of the paper are within noise.',
    );
  });

  test('claims that one seed cannot decide are only counted beside those that get verdicts', () => {
    const once = { seeds: { n: 1, declared: 1 } } as const;
    const claims = [judgedClaim('reproduced', { sentence: 'A beats B.' }), judgedClaim('undecided', {}), ...many(3, 'no verdict', once), judgedClaim('not run', { seeds: { n: 0, declared: 1 } })];
    expect(textOf(claims)).toBe('1 of 2 claims of the paper is reproduced: “A beats B”; 1 is undecided. 3 more have one seed and no verdict, 1 is not run.');
    const left = judgedClaim('not run', once);
    expect(textOf([judgedClaim('interim', ONE_OF_FIVE), left, left])).toMatch(/ 2 more are not run\.$/);
    expect(textOf([judgedClaim('interim', ONE_OF_FIVE), judgedClaim('no verdict', once)])).toMatch(/^Nothing is decided yet: 1 of 5 seeds\. .* 1 more has one seed and no verdict\.$/);
  });

  test('other seeds than the declared ones', () => {
    expect(textOf(many(2, 'exploratory', { direction: 'within noise' }))).toBe('Nothing is decided: only seeds beyond the declared ones are measured. Both claims of the paper are within noise.');
  });

  test('all seeds, nothing decided; what the correction took is said', () => {
    const claims = [judgedClaim('undecided', { beforeCorrection: 'reproduced', sentence: 'A beats B.' }), judgedClaim('undecided', { direction: 'within noise' })];
    expect(textOf(claims)).toBe('Nothing is decided, with all 5 seeds. 1 of 2 claims of the paper agrees: \u201cA beats B\u201d; 1 is within noise (before correction 1 reproduced).');
  });

  test('nothing is claimed', () => {
    expect(textOf([], none)).toBe('Nothing is run yet, and nothing is claimed.');
    expect(textOf([], { done: 1, partial: 2, missing: 3 }, { ...FIVE, measured: [0] })).toBe('Nothing is claimed: 3 of 6 arms are measured, with 1 of 5 seeds.');
    expect(textOf([], { total: 1, done: 1 }, { declared: [0], measured: [0] })).toBe('Nothing is claimed: 1 of 1 arm is measured, with one seed.');
    expect(textOf([], {}, { ...FIVE, measured: [] })).toBe('Nothing is claimed: 6 of 6 arms are measured, with 0 of 5 seeds.');
  });

  test('nothing is claimed, but arms are published: how they are ordered', () => {
    expect(textOf([], {}, FIVE, { ...UNORDERED, same: 3, opposite: 2, publishedNoise: 4 })).toBe(
      'Nothing is claimed: 6 of 6 arms are measured, with all 5 seeds. 3 of 5 pairs of arms that are published apart are ordered as published.',
    );
  });
});

describe('with verdicts', () => {
  test('all reproduced', () => {
    expect(textOf(many(1, 'reproduced', { sentence: 'It holds.' }))).toBe('The one claim of the paper is reproduced: \u201cIt holds\u201d.');
    const claims = [judgedClaim('reproduced', { p: { value: 0.01, adjusted: 0.03 } }), judgedClaim('reproduced', { sentence: 'It holds.', p: { value: 0.001, adjusted: 0.003 } })];
    expect(textOf([...claims, ...many(25, 'reproduced', { p: { value: 0.02, adjusted: 0.04 } })])).toBe('All 27 claims of the paper are reproduced, above all \u201cIt holds\u201d.');
  });

  test('mixed, with what is lost by correction', () => {
    const claims = [
      ...many(2, 'reproduced', { sentence: 'More helps.', beforeCorrection: 'reproduced' }),
      judgedClaim('contradicted', { sentence: 'Less helps.' }),
      judgedClaim('undecided', { beforeCorrection: 'reproduced' }),
      judgedClaim('interim', ONE_OF_FIVE),
      judgedClaim('exploratory', { direction: 'disagrees' }),
      judgedClaim('not run'),
    ];
    expect(textOf(claims)).toBe(
      '2 of 7 claims of the paper are reproduced, above all \u201cMore helps\u201d; 1 is contradicted: \u201cLess helps\u201d; 1 is undecided; 2 are open; 1 is not run (before correction 3 reproduced, 1 contradicted).',
    );
  });

  test('claims of the paper are counted apart from hypotheses, which are supported or refuted', () => {
    const claims = [judgedClaim('contradicted'), judgedClaim('reproduced', { origin: 'own', sentence: 'Mine holds.' }), judgedClaim('contradicted', { origin: 'own', sentence: 'Mine does not.' })];
    expect(textOf(claims)).toBe(
      'The one claim of the paper is contradicted: \u201cA is above B\u201d. 1 of 2 hypotheses is supported: \u201cMine holds\u201d; 1 is refuted: \u201cMine does not\u201d.',
    );
    expect(textOf(claims.slice(1))).not.toMatch(/paper|published|reproduced|contradicted/);
  });
});

describe('what is named', () => {
  test('a claim that its own table denies is named last', () => {
    const claims = [
      judgedClaim('interim', { sentence: 'Denied.', direction: 'disagrees', delta: -0.1, denied: true }),
      judgedClaim('interim', { sentence: 'Stated.', direction: 'disagrees', delta: -0.01 }),
    ];
    expect(textOf(claims)).toContain('above all \u201cStated\u201d');
  });

  test('nothing that does not fit: long sentences are only counted', () => {
    const long = Array.from({ length: 50 }, () => 'word').join(' ');
    const text = textOf([...many(150, 'reproduced', { sentence: long }), ...many(50, 'contradicted', { sentence: 'Short.' })]);
    expect(text).toBe('150 of 200 claims of the paper are reproduced; 50 are contradicted, above all \u201cShort\u201d.');
    expect(text.split(' ').length).toBeLessThanOrEqual(MOST_WORDS);
  });
});
