/** The laws of the first screen's sentence, on claims of every state. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ClaimResult } from '../../src/core/report/model/claims.ts';
import { MOST_WORDS, verdictSentences } from '../../src/core/report/model/sentence.ts';
import { byOrigin, claimNoun } from '../../src/core/report/model/words.ts';
import { judgedClaim } from '../helpers/report/judged.ts';

const states = ['reproduced', 'contradicted', 'undecided', 'interim', 'exploratory', 'no verdict', 'not run'] as const;
const sentence = fc.array(fc.stringMatching(/^[A-Za-z]{1,12}$/), { minLength: 1, maxLength: 40 }).map(words => `${words.join(' ')}.`);

const claim = fc
  .record({
    verdict: fc.constantFrom(...states),
    origin: fc.constantFrom('published' as const, 'own' as const),
    direction: fc.constantFrom('agrees' as const, 'disagrees' as const, 'within noise' as const),
    delta: fc.double({ min: -0.1, max: 0.1, noNaN: true }),
    denied: fc.boolean(),
    lost: fc.boolean(),
    sentence,
    n: fc.integer({ min: 1, max: 5 }),
  })
  .map(({ verdict, direction, lost, n, ...rest }): ClaimResult => {
    const isOpen = !['reproduced', 'contradicted', 'not run'].includes(verdict);
    // The correction only takes verdicts away.
    const beforeCorrection = verdict === 'undecided' && lost ? 'reproduced' : verdict;
    return judgedClaim(verdict, { ...rest, beforeCorrection, direction: isOpen ? direction : undefined, seeds: { n, declared: 5 } });
  });

const input = fc.record({ claims: fc.oneof(fc.array(claim, { maxLength: 6 }), fc.array(claim, { maxLength: 200 })), measured: fc.integer({ min: 0, max: 90 }) });

const render = ({ claims, measured }: { claims: readonly ClaimResult[]; measured: number }): string[] =>
  verdictSentences({
    claims,
    arms: { total: 90, done: measured, partial: 0, failed: 0, missing: 90 - measured },
    seeds: { declared: [0, 1, 2, 3, 4], measured: measured === 0 ? [] : [0] },
    order: { same: 0, opposite: 0, withinNoise: 0, publishedNoise: 0, notMeasured: 0, oneSeed: 0 },
  });

/** Without the sentences of claims, which may hold any word. */
const ownWords = (text: string): string => text.replace(/\u201c[^\u201d]*\u201d/g, '');

test('it is never empty, is made of whole sentences and stays short', () => {
  fc.assert(
    fc.property(input, given => {
      const sentences = render(given);
      expect(sentences.length).toBeGreaterThan(0);
      for (const text of sentences) expect(text).toMatch(/^[A-Z0-9][^]*[^.]\.$/);
      expect(sentences.join(' ').split(/\s+/).length).toBeLessThanOrEqual(MOST_WORDS);
      expect(sentences.join(' ')).not.toContain('  ');
      expect(ownWords(sentences.join(' '))).not.toMatch(/undefined|NaN|Infinity/);
    }),
    { numRuns: 200 },
  );
});

test('nothing is called reproduced or contradicted that has no such verdict, and no hypothesis is called a claim of the paper', () => {
  const words = { reproduced: /reproduced|supported/, contradicted: /contradicted|refuted/ } as const;
  fc.assert(
    fc.property(input, given => {
      const text = ownWords(render(given).join(' '));
      const after = text.replace(/ \(before correction [^)]*\)/g, '');
      for (const verdict of ['reproduced', 'contradicted'] as const) {
        expect(words[verdict].test(after)).toBe(given.claims.some(each => each.verdict === verdict));
        expect(words[verdict].test(text)).toBe(given.claims.some(each => each.verdict === verdict || each.beforeCorrection === verdict));
      }
      const origins = byOrigin(given.claims).map(({ origin }) => origin);
      expect(text.includes('paper')).toBe(origins.includes('published'));
      expect(text.includes('hypothes')).toBe(origins.includes('own'));
    }),
    { numRuns: 200 },
  );
});

test('the counts of each origin add up to its claims', () => {
  fc.assert(
    fc.property(input, given => {
      fc.pre(given.claims.some(({ verdict }) => verdict !== 'not run'));
      const sentences = render(given).map(ownWords);
      for (const { origin, claims } of byOrigin(given.claims)) {
        const own = sentences.find(text => text.includes(claimNoun(origin, 1)) || text.includes(claimNoun(origin, 2)))!;
        const items = own
          .replace(/ \(before correction [^)]*\)/, '')
          .split('; ')
          .map(item => /^(?:So far |With [^,]+, )?(?:(?:none of the )?(\d+) |(all) |(both) |(the one) )/i.exec(item)!);
        const counts = items.map(([, count, all, both]) => (count !== undefined ? Number(count) : all !== undefined ? claims.length : both !== undefined ? 2 : 1));
        expect(
          counts.reduce((sum, count) => sum + count, 0),
          own,
        ).toBe(claims.length);
      }
    }),
    { numRuns: 200 },
  );
});
