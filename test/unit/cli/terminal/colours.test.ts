import { describe, expect, it } from 'vitest';
import { hasColours, hasCursor, PAINT, pc } from '../../../../src/cli/terminal/colours.ts';

const [terminal, pipe] = [{ isTTY: true }, { isTTY: false }];

describe('colours', () => {
  it.each([
    [terminal, { TERM: 'xterm' }, true],
    [terminal, { TERM: 'dumb' }, false],
    [terminal, { NO_COLOR: '1' }, false],
    [terminal, { NO_COLOR: '' }, true],
    [terminal, { FORCE_COLOR: '0' }, false],
    [terminal, { FORCE_COLOR: 'false' }, false],
    [terminal, { TERM: 'dumb', FORCE_COLOR: '1' }, true],
    [terminal, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    [pipe, {}, false],
    [pipe, { CI: 'true' }, false],
    [pipe, { FORCE_COLOR: '' }, false],
    [pipe, { FORCE_COLOR: '0' }, false],
    [pipe, { FORCE_COLOR: '3' }, true],
  ])('of %j with %j: %s', (screen, env, wanted) => {
    expect(hasColours(screen, env)).toBe(wanted);
  });

  it('are all known to the writer', () => {
    for (const paint of [pc.bold, pc.dim, pc.red, pc.green, pc.yellow, pc.cyan])
      expect(
        paint(`a${pc.dim(pc.bold('b'))}c`)
          .split(PAINT)
          .filter((_, i) => i % 2 === 0)
          .join(''),
      ).toBe('abc');
  });
});

it.each([
  [terminal, { TERM: 'xterm', NO_COLOR: '1' }, true],
  [terminal, { TERM: 'dumb', FORCE_COLOR: '1' }, false],
  [pipe, { FORCE_COLOR: '1' }, false],
])('the cursor of %j with %j moves: %s', (screen, env, moves) => {
  expect(hasCursor(screen, env)).toBe(moves);
});
