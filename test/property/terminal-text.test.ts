/** Whatever comes from outside, a terminal shows it and does not obey it. */
import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import { PAINT } from '../../src/cli/terminal/colours.ts';
import { frameText } from '../../src/cli/terminal/output.ts';
import { harmless, harmlessJson } from '../../src/core/text/clean.ts';

// By Unicode's own classes: controls (C0, DEL, C1) but tab and newline, and the marks that reorder.
const OBEYED = /(?![\t\n])\p{Cc}|\p{Bidi_Control}/u;

afterEach(() => vi.unstubAllEnvs());

const piece = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '\u001b[31m',
    '\u001b[2J',
    '\u001b]52;c;YQ==\u0007',
    '\u001b]0;t\u001b\\',
    '\u009b2J',
    '\u0090q\u009c',
    '\r',
    '\u202e',
    '\u001b',
    '[8m',
    '\u001b[39m',
    '\u001b[1;31m',
    '\u001bc',
    '\u000e',
  ),
);
const outside = fc.array(piece, { maxLength: 12 }).map(pieces => pieces.join(''));

const unpainted = (text: string): string =>
  text
    .split(PAINT)
    .filter((_, i) => i % 2 === 0)
    .join('');

it('clean text has nothing that a terminal obeys, and cleaning it again changes nothing', () => {
  fc.assert(
    fc.property(outside, text => {
      expect(harmless(text)).not.toMatch(OBEYED);
      expect(harmless(harmless(text))).toBe(harmless(text));
    }),
  );
});

it('the writer lets our colours pass where they are wanted, and nothing else', () => {
  fc.assert(
    fc.property(outside, fc.boolean(), (text, colours) => {
      vi.stubEnv('NO_COLOR', '').stubEnv('FORCE_COLOR', colours ? '1' : '0');
      const shown = frameText(text);
      expect(colours ? unpainted(shown) : shown).not.toMatch(OBEYED);
    }),
  );
});

it('harmless JSON means the same', () => {
  fc.assert(
    fc.property(fc.dictionary(outside, outside), fc.constantFrom(undefined, 2), (value, indent) => {
      const json = harmlessJson(JSON.stringify(value, undefined, indent));
      expect(json).not.toMatch(OBEYED);
      expect(JSON.parse(json)).toEqual(value);
    }),
  );
});
