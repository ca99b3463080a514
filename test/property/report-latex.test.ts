/** Whatever a label is, LaTeX sets it as text: laws of the escaping. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeLatex } from '../../src/core/report/render/latex-text.ts';
import { problemsOf } from '../helpers/report/latex.ts';

const LETTERS = Array.from('aeijzI\u03b1\u039f1 $');
const MARKS = Array.from('\u0301\u0308\u030b\u0323\u0328\u0338');

/** Any characters, those that TeX reads, and letters with marks that may not belong together. */
const texts = fc.array(
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom(...Array.from('\\{}$&#%_^~[]*<>|"`\'-,!?'), '\u03b1', '\u0394', '\u00e9', '\u1ead', '\u2192', '\u00a0', '\u2013', '\u2018', '\u201d', '\u2713'),
    fc.tuple(fc.constantFrom(...LETTERS), fc.array(fc.constantFrom(...MARKS), { maxLength: 3 })).map(([letter, marks]) => letter + marks.join('')),
  ),
  { maxLength: 12 },
);

describe('text for LaTeX', () => {
  test('is one cell without commands of its own, in ASCII', () => {
    fc.assert(
      fc.property(texts, parts => {
        expect(problemsOf(`\\begin{tabular}{l}\n${escapeLatex(parts.join(''))} \\\\\n\\end{tabular}\n`)).toEqual([]);
      }),
    );
  });

  test('does not depend on how letters with marks are written', () => {
    fc.assert(
      fc.property(texts, parts => {
        const text = parts.join('');
        expect(escapeLatex(text.normalize('NFD'))).toBe(escapeLatex(text));
      }),
    );
  });

  test('has no pair of characters that LaTeX would make one', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Array.from('-\',`"!?\u2018a')), { maxLength: 12 }), parts => {
        expect(escapeLatex(parts.join(''))).not.toMatch(/--|''|``|,,|[!?]`/);
      }),
    );
  });

  test('leaves letters, digits and spaces as they are', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9 .:;()/+=@]*$/), text => {
        expect(escapeLatex(text)).toBe(text);
      }),
    );
  });
});
