/** Drawings in fewer words: every mark of Vega's is still there, at its place, with its look. */
import * as vega from 'vega';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildReport } from '../../../../../src/core/report/model/build.ts';
import { renderFigures, type ReportFigure } from '../../../../../src/core/report/charts/figures.ts';
import { compact } from '../../../../../src/core/report/charts/svg/compact.ts';
import { parseSvg, writeSvg, type SvgElement } from '../../../../../src/core/report/charts/svg/tree.ts';
import { claimedInput } from '../../../../helpers/report/claimed.ts';
import { sizesInput } from '../../../../helpers/report/sizes.ts';

const LOOK: Readonly<Record<string, string>> = {
  fill: 'none',
  'fill-opacity': '1',
  stroke: 'none',
  'stroke-width': '1',
  'stroke-dasharray': '',
  'stroke-linejoin': '',
  'text-anchor': 'start',
  'font-weight': '400',
  'font-size': '12px',
};

/** One thing that is seen: what it is and how it looks, where it is, and what it says. */
interface Mark {
  readonly kind: string;
  readonly look: string;
  readonly at: readonly number[];
  readonly text: string;
}

/** What a reader of SVG makes of an element, with what it takes over from those around it. */
function marksOf(element: SvgElement, around: Readonly<Record<string, string>> = LOOK, x = 0, y = 0): Mark[] {
  const { name, attributes, children } = element;
  const own = (key: string): string | undefined => attributes.get(key);
  const looks = Object.fromEntries(Object.entries(around).map(([key, value]) => [key, own(key) ?? value]));
  const [, dx, dy] = /^translate\(([-\d.]+),([-\d.]+)\)$/.exec(own('transform') ?? 'translate(0,0)') ?? [];
  const number = (key: string): number => Number(own(key) ?? 0);
  const [left, top] = [x + Number(dx), y + Number(dy)];
  const stroked = looks['stroke'] !== 'none';
  const relevant = Object.entries(looks).filter(([key]) => (name === 'text' ? true : !/^(text|font)/.test(key)) && (stroked || !key.startsWith('stroke')));
  const mark = (kind: string, at: readonly number[], text = ''): Mark => ({ kind, look: JSON.stringify({ ...Object.fromEntries(relevant), opacity: own('opacity') ?? '1' }), at, text });
  if (name === 'svg' || name === 'g') return children.flatMap(child => (typeof child === 'string' ? [] : marksOf(child, looks, left, top)));
  if (name === 'text') return [mark('text', [left + number('x'), top + number('y')], children.filter(child => typeof child === 'string').join(''))];
  if (!stroked && looks['fill'] === 'none') return [];
  if (name === 'circle') return [mark('disc', [left + number('cx'), top + number('cy'), number('r')])];
  if (name === 'line') return looks['stroke-width'] === '0' ? [] : [mark('path', [left, top, left + number('x2'), top + number('y2')])];
  return pathMarks(own('d') ?? '', left, top, mark);
}

function pathMarks(d: string, x: number, y: number, mark: (kind: string, at: readonly number[]) => Mark): Mark[] {
  const commands = [...d.matchAll(/([A-Za-z])([^A-Za-z]*)/g)].map(([, command, rest]) => ({ command: command!, numbers: [...rest!.matchAll(/-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?/g)].map(Number) }));
  if (commands.some(({ command }) => command === 'A')) return [mark('disc', [x, y, commands[0]!.numbers[0]!])];
  const parts: number[][] = [];
  let [at, then] = [0, 0];
  for (const { command, numbers } of commands) {
    for (let i = 0; i < numbers.length || command === 'Z'; i += command === 'h' || command === 'v' ? 1 : 2) {
      if (command === 'Z') break;
      const [a, b] = [numbers[i]!, numbers[i + 1]!];
      [at, then] = command === 'h' ? [at + a, then] : command === 'v' ? [at, then + a] : command === 'l' ? [at + a, then + b] : [a, b];
      if (command === 'M') parts.push([]);
      parts.at(-1)!.push(x + at, y + then);
    }
  }
  return parts.map(part => mark('path', part));
}

describe('drawings', () => {
  let figures: ReadonlyMap<string, ReportFigure>;
  beforeAll(async () => {
    figures = new Map([...(await renderFigures(buildReport(claimedInput()))), ...(await renderFigures(buildReport(sizesInput())))]);
  });

  test('show what Vega drew, a tenth of a pixel apart at most', async () => {
    expect([...figures.values()].map(({ chart }) => chart.kind)).toEqual(expect.arrayContaining(['lines', 'forest', 'matrix']));
    for (const { id, live, wide } of figures.values()) {
      const vegas = marksOf(parseSvg(await new vega.View(vega.parse(structuredClone([...live.views.values()][live.log === true ? 1 : 0]!)), { renderer: 'none' }).toSVG()));
      const ours = marksOf(parseSvg(wide.svg));
      const words = ({ kind, look, text, at }: Mark): unknown => [id, kind, look, text, at.length];
      expect(ours.length).toBeGreaterThan(0);
      expect(ours.map(words)).toEqual(vegas.map(words));
      const apart = ours.map(({ at }, i) => Math.max(...at.map((value, j) => Math.abs(value - vegas[i]!.at[j]!))));
      // Half a tenth each for the mark and the groups around it.
      expect(Math.max(...apart)).toBeLessThan(0.21);
    }
  });

  test('come back from their tree', () => {
    const drawn = [...figures.values()].map(({ wide }) => wide.svg);
    expect(drawn.length).toBeGreaterThan(0);
    expect(drawn.map(svg => writeSvg(parseSvg(svg)))).toEqual(drawn);
  });
});

const compacted = (text: string): string => {
  const root = parseSvg(text);
  compact(root);
  return writeSvg(root);
};

describe('fewer words', () => {
  test.each([
    ['lines of one look are one path', '<line x2="5" y2="0" stroke="#111"></line><line transform="translate(2.04,3)" x2="0" y2="-4" stroke="#111"></line>', '<path d="M0 0h5M2 3v-4" stroke="#111"/>'],
    ['lines of another look are not', '<line x2="5" stroke="#111"/><line x2="5" stroke="#222"/>', '<path d="M0 0h5" stroke="#111"/><path d="M0 0h5" stroke="#222"/>'],
    ['a path that is filled is no line', '<line x2="5" stroke="#111"/><path d="M0,0L5,5" fill="#111"/>', '<path d="M0 0h5" stroke="#111"/><path d="M0 0l5 5" fill="#111"/>'],
    ['what is not seen goes', '<g class="a"></g><path d="M0,0"/><line x2="5" stroke="#111" stroke-width="0"/><g><g></g></g>', ''],
    ['a rotated text stays rotated', '<text transform="translate(1,2) rotate(-90)" fill="#111">x</text>', '<text transform="translate(1,2) rotate(-90)" fill="#111">x</text>'],
    [
      'a look is said once, by the group',
      '<g class="m"><text fill="#111">a</text><text fill="#111">b</text><text fill="#222">c</text></g>',
      '<g fill="#111"><text>a</text><text>b</text><text fill="#222">c</text></g>',
    ],
    ['not where one has none', '<g class="m"><text fill="#111">a</text><text fill="#111">b</text><text>c</text></g>', '<text fill="#111">a</text><text fill="#111">b</text><text>c</text>'],
  ])('%s', (_, drawn, expected) => {
    expect(compacted(`<svg width="9" height="9">${drawn}</svg>`)).toBe(expected === '' ? '<svg width="9" height="9"/>' : `<svg width="9" height="9">${expected}</svg>`);
  });

  test('a drawing that is cut off is no drawing', () => {
    for (const text of ['', '<svg>', '<svg><g></svg></g>', 'words']) expect(() => parseSvg(text)).toThrow('Expected');
  });
});
