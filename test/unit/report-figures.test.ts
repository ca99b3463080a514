import { beforeAll, describe, expect, test } from 'vitest';
import { buildReport } from '../../src/report/build.ts';
import { renderFigures, type ReportFigure } from '../../src/report/figures.ts';
import { logTicks } from '../../src/report/linechart.ts';
import { colours, palette, series, type Colour } from '../../src/report/palette.ts';
import { standalone, textWidth, type Figure } from '../../src/report/svg.ts';
import { parseMarkup, type ElementLike } from '../fixtures/report/dom.ts';
import { hostileInput, HOSTILE_LABELS } from '../fixtures/report/hostile.ts';
import { sampleInput } from '../fixtures/report/sample.ts';

const parse = ({ svg }: Figure): ElementLike => parseMarkup(svg).querySelector('svg')!;
const texts = (figure: Figure): string[] => [...parse(figure).querySelectorAll('text')].map(t => t.textContent);

describe('charts of the sample', () => {
  let figures: ReadonlyMap<string, ReportFigure>;
  beforeAll(async () => {
    figures = await renderFigures(buildReport(sampleInput()));
  });
  const all = (): Figure[] => [...figures.values()].flatMap(f => [f.wide, f.narrow]);

  test('one dot plot and one chart per curve', () => {
    expect([...figures.keys()]).toEqual([
      'relation-dots', 'relation-distill-loss', 'relation-pretrain-loss', 'relation-finetune-val_accuracy', 'relation-supervise-val_accuracy',
    ]);
  });

  test('the dot plot names every arm once a panel and prints published values as in the paper', () => {
    const found = texts(figures.get('relation-dots')!.wide);
    for (const row of buildReport(sampleInput()).ablations[0]!.rows) expect(found).toContain(row.label);
    expect(found).toEqual(expect.arrayContaining(['81.2*', '83.6', '84.4', '84.5', '84.6', 'Published (%); * Table 8']));
    const alt = figures.get('relation-dots')!.alt;
    expect(alt).toContain('MAE baseline 83.6');
  });

  test('dots stand in the order of their values', () => {
    const report = buildReport(sampleInput()).ablations[0]!;
    // Paths of filled points, in order of rows: their x is the translation.
    const dots = [...parse(figures.get('relation-dots')!.wide).querySelectorAll(`path[fill="${palette.accent.light}"][stroke="${palette.accent.light}"]`)];
    const xs = dots.map(dot => Number(/translate\(([-\d.]+)/.exec(dot.getAttribute('transform')!)![1]));
    expect(xs).toHaveLength(6);
    const order = (values: readonly number[]): number[] => values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
    expect(order(xs)).toEqual(order(report.rows.map(row => row.measured!.mean)));
  });

  test('no text below 12 px, no ids, styles, links or scripts', () => {
    for (const figure of all()) {
      const svg = parse(figure);
      expect(svg.querySelectorAll('[id], [style], style, script, a, image, use, [href]')).toHaveLength(0);
      for (const text of svg.querySelectorAll('text')) expect(Number.parseFloat(text.getAttribute('font-size')!)).toBeGreaterThanOrEqual(12);
    }
  });

  test('every colour has a dark value', () => {
    const known = new Set(['none', ...colours.map(colour => colour.light)]);
    for (const figure of all()) {
      for (const element of parse(figure).querySelectorAll('[fill], [stroke]')) {
        for (const name of ['fill', 'stroke']) expect(known).toContain(element.getAttribute(name) ?? 'none');
      }
    }
  });

  test('wide charts fit a page and GitHub, narrow ones a phone', () => {
    for (const { wide, narrow } of figures.values()) {
      expect(wide.width).toBeLessThanOrEqual(840);
      expect(narrow.width).toBeLessThanOrEqual(368);
    }
  });

  test('a file brings its own background and dark colours', () => {
    const svg = parseMarkup(standalone(figures.get('relation-dots')!.wide, 'words')).querySelector('svg')!;
    expect(svg.getAttribute('xmlns')).toBe('http://www.w3.org/2000/svg');
    expect(svg.getAttribute('aria-label')).toBe('words');
    expect(svg.querySelector('rect')!.getAttribute('fill')).toBe(palette.page.light);
    expect(svg.querySelector('style')!.textContent).toContain(`[fill="${palette.page.light}"]{fill:${palette.page.dark}}`);
  });
});

test('without published values there is one panel, without any value no chart', async () => {
  const input = sampleInput();
  const bare = input.ablations[0]!.arms.map(({ name, label }) => ({ name, label, factors: {} }));
  const ablations = [{ ...input.ablations[0]!, arms: bare }];
  const figures = await renderFigures(buildReport({ ...input, ablations }));
  expect(texts(figures.get('relation-dots')!.wide).filter(text => /^(Measured|Published)/.test(text))).toEqual(['Measured: test accuracy (%)']);
  expect((await renderFigures(buildReport({ ...input, ablations, records: [] }))).size).toBe(0);
});

test('hostile labels stay text', async () => {
  for (const { wide, narrow } of (await renderFigures(buildReport(hostileInput()))).values()) {
    for (const figure of [wide, narrow]) {
      expect(parse(figure).querySelectorAll('script, img, style, b, [onload], [onerror]')).toHaveLength(0);
      expect(figure.width).toBeLessThanOrEqual(figure === wide ? 880 : 368);
    }
  }
  const legend = texts([...(await renderFigures(buildReport(hostileInput()))).values()].at(-1)!.wide);
  expect(legend.some(text => HOSTILE_LABELS[0].startsWith(text.replace('…', '')) && text.startsWith('<script>'))).toBe(true);
});

describe('text widths', () => {
  test('come from the table, whatever fonts are installed', () => {
    expect(textWidth('', 12)).toBe(0);
    expect(textWidth('Il', 12)).toBeLessThan(textWidth('WW', 12) / 3);
    expect(textWidth('MAE', 24)).toBeCloseTo(2 * textWidth('MAE', 12), 10);
    expect(textWidth('MAE', 12, true)).toBeGreaterThan(textWidth('MAE', 12));
    // Helvetica: M 833, A 667, E 667 of 1000, and the slack for wider fonts.
    expect(textWidth('MAE', 10)).toBeCloseTo(21.67 * 1.17, 6);
  });
});

test('logTicks marks 1, 2 and 5 of every decade in range', () => {
  expect(logTicks([0.04, 3])).toEqual([0.05, 0.1, 0.2, 0.5, 1, 2]);
});

/** WCAG 2 contrast ratio of two `#rrggbb` colours. */
function contrast(a: string, b: string): number {
  const luminance = (hex: string): number => {
    const [r, g, blue] = [1, 3, 5].map(i => {
      const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * blue;
  };
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

describe('palette', () => {
  const schemes = ['light', 'dark'] as const;
  test.each(['ink', 'muted', 'accent', 'published', 'agree', 'disagree'] as const)('%s is readable on page and band', name => {
    for (const scheme of schemes) {
      for (const under of [palette.page, palette.band]) expect(contrast(palette[name][scheme], under[scheme])).toBeGreaterThanOrEqual(4.5);
    }
  });

  test('lines of arms have a contrast of 3 to the page', () => {
    for (const scheme of schemes) for (const colour of series) expect(contrast(colour[scheme], palette.page[scheme])).toBeGreaterThanOrEqual(3);
  });

  test('light values are unique: style rules find them by value', () => {
    expect(new Set(colours.map((colour: Colour) => colour.light)).size).toBe(colours.length);
  });
});
