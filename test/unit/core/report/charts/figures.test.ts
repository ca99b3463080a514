import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadExperiments } from '../../../../../src/core/ablation/load.ts';
import { buildReport } from '../../../../../src/core/report/model/build.ts';
import { renderFigures, type ReportFigure } from '../../../../../src/core/report/charts/figures.ts';
import { placesOff } from '../../../../../src/core/report/charts/agreement.ts';
import { choices, firstView, type ForestChart, type LineChart } from '../../../../../src/core/report/charts/vega/chart.ts';
import { compileChart } from '../../../../../src/core/report/charts/vega/compile.ts';
import { rowLabels } from '../../../../../src/core/report/charts/vega/forest.ts';
import { shadeOf } from '../../../../../src/core/report/charts/vega/matrix.ts';
import { formatShown, logTicks, shownNumber } from '../../../../../src/core/report/charts/vega/numbers.ts';
import { textWidth } from '../../../../../src/core/report/charts/vega/text-width.ts';
import { formatDelta, formatValue } from '../../../../../src/core/text/format.ts';
import { colours, palette, series, type Colour } from '../../../../../src/core/report/charts/vega/palette.ts';
import { renderSvg, standalone, type Figure } from '../../../../../src/core/report/charts/svg/svg.ts';
import { parseMarkup, type ElementLike } from '../../../../helpers/report/dom.ts';
import { hostileInput, HOSTILE_LABELS } from '../../../../helpers/report/hostile.ts';
import { sampleInput } from '../../../../helpers/report/sample.ts';
import { sizesInput } from '../../../../helpers/report/sizes.ts';

const parse = ({ svg }: Figure): ElementLike => parseMarkup(svg).querySelector('svg')!;
const texts = (figure: Figure): string[] => [...parse(figure).querySelectorAll('text')].map(t => t.textContent);

describe('charts of the sample', () => {
  let figures: ReadonlyMap<string, ReportFigure>;
  beforeAll(async () => {
    figures = await renderFigures(buildReport(sampleInput()));
  });
  const all = (): Figure[] => [...figures.values()].flatMap(({ file, wide, narrow }) => [file, wide, ...(narrow === undefined ? [] : [narrow])]);

  test('one forest of the arms and one chart per curve', () => {
    expect([...figures.keys()]).toEqual(['relation-result', 'relation-distill-loss', 'relation-pretrain-loss', 'relation-finetune-val_accuracy', 'relation-supervise-val_accuracy']);
  });

  test('the forest names every arm, and prints measured and published differences to the default arm', () => {
    const { wide, alt } = figures.get('relation-result')!;
    const { rows } = buildReport(sampleInput()).ablations[0]!;
    for (const row of rows) {
      expect(texts(wide)).toContain(row.label);
      expect(texts(wide)).toContain(row.isDefault ? 'default' : formatDelta(row.delta!.value, 'fraction'));
    }
    // The published value of the first is of another table.
    expect(texts(wide).filter(text => /^[+\u2212]\d\.\d$/.test(text))).toEqual(['\u22121.0', '\u22120.2', '\u22120.1', '\u22120.2']);
    expect(alt).toContain(`Published: From scratch (no pre-training) \u2013; MAE baseline \u22121.0; `);
  });

  test('filled and hollow marks stand over one axis, in the order of their values', () => {
    const { rows } = buildReport(sampleInput()).ablations[0]!;
    const drawn = parse(figures.get('relation-result')!.wide);
    const filled = [...drawn.querySelectorAll(`g[fill="${palette.accent.light}"] > circle`)].map(dot => Number(dot.getAttribute('cx')));
    const hollow = [...drawn.querySelectorAll(`g[stroke="${palette.published.light}"] > path`)].map(mark => Number(/translate\((-?[\d.]+)/.exec(mark.getAttribute('transform')!)![1]));
    const measured = rows.filter(row => !row.isDefault).map(row => 100 * row.delta!.value);
    const published = rows.flatMap(row => row.published?.delta ?? []);
    expect([filled.length, hollow.length]).toEqual([5, 4]);
    // Places and values are one straight line for both.
    const [places, values] = [
      [...filled, ...hollow],
      [...measured, ...published],
    ];
    const slope = (places[0]! - places[1]!) / (values[0]! - values[1]!);
    places.forEach((place, i) => expect(place).toBeCloseTo(places[0]! + slope * (values[i]! - values[0]!), -0.5));
  });

  test('no text below 12 px, no ids, styles, links or scripts', () => {
    const sizes = all().flatMap(figure => {
      const svg = parse(figure);
      expect(svg.querySelectorAll('[id], [style], style, script, a, image, use, [href]')).toHaveLength(0);
      const size = svg.getAttribute('font-size')!;
      return [...svg.querySelectorAll('text')].map(text => Number.parseFloat(text.getAttribute('font-size') ?? size));
    });
    expect(sizes.length).toBeGreaterThan(0);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(12);
  });

  test('every colour has a dark value', () => {
    const painted = all().flatMap(figure => [...parse(figure).querySelectorAll('[fill], [stroke]')]);
    const used = new Set(painted.flatMap(element => ['fill', 'stroke'].map(name => element.getAttribute(name) ?? 'none')));
    expect(used).toContain(palette.ink.light);
    expect(['none', ...colours.map(colour => colour.light)]).toEqual(expect.arrayContaining([...used]));
  });

  test('wide charts fit a page and GitHub, narrow ones a phone', () => {
    expect(figures.size).toBeGreaterThan(0);
    for (const { file, wide, narrow = wide } of figures.values()) {
      expect(Math.max(file.width, wide.width)).toBeLessThanOrEqual(840);
      expect(narrow.width).toBeLessThanOrEqual(368);
    }
  });

  test('a file brings its own background and dark colours', () => {
    const words = "words that cost $& or $1 or $` or $'"; // to String.replace these are references
    const svg = parseMarkup(standalone(figures.get('relation-result')!.wide, words)).querySelector('svg')!;
    expect(svg.getAttribute('xmlns')).toBe('http://www.w3.org/2000/svg');
    expect(svg.getAttribute('aria-label')).toBe(words);
    expect(svg.querySelector('rect')!.getAttribute('fill')).toBe(palette.page.light);
    expect(svg.querySelector('style')!.textContent).toContain(`[fill="${palette.page.light}"]{fill:${palette.page.dark}}`);
  });
});

test('without published values nothing of them is said, without any value there is no chart', async () => {
  const input = sampleInput();
  const bare = input.ablations[0]!.arms.map(({ name, label }) => ({ name, label, factors: {} }));
  const ablations = [{ ...input.ablations[0]!, arms: bare }];
  const { wide, alt, caption } = (await renderFigures(buildReport({ ...input, ablations }))).get('relation-result')!;
  expect([...texts(wide), alt, caption].join('\n')).not.toMatch(/published/i);
  expect((await renderFigures(buildReport({ ...input, ablations, records: [] }))).size).toBe(0);
});

describe('accuracy over model size', () => {
  let figures: ReadonlyMap<string, ReportFigure>;
  beforeAll(async () => {
    figures = await renderFigures(buildReport(sizesInput()));
  });
  const overview = (): LineChart => figures.get('overview')!.chart as LineChart;

  test('has a line for each series over the sizes, measured beside published', () => {
    const { series: lines, x, panels } = overview();
    expect(x).toEqual({ title: 'model size', labels: ['Small', 'Large'] });
    expect(lines.map(({ label }) => label)).toEqual(['From scratch', 'Distilled (not measured: Large)']);
    expect(panels.map(({ title }) => title)).toEqual(['Measured: test accuracy (%)', 'Published (%)']);
    expect(panels.map(panel => panel.lines.map(line => line.y))).toEqual([
      [
        [70, 72],
        [71.5, null],
      ],
      [
        [78, 80],
        [79.5, 82.5],
      ],
    ]);
    // One seed: what the test set alone gives is no interval.
    expect(panels[0]!.lines[0]!.error).toBeUndefined();
  });

  test('draws nothing where a number is missing, and says so in words', () => {
    // From scratch two points in each panel, distilled one measured and two published.
    expect(parse(figures.get('overview')!.file).querySelectorAll(`g[fill="${series[1]!.light}"] circle, circle[fill="${series[1]!.light}"]`)).toHaveLength(3);
    expect(figures.get('overview')!.alt).toContain('Distilled (not measured: Large): Small 71.50, Large missing');
  });

  test('words name the axis once', () => {
    expect(figures.get('overview')!.alt).toMatch(/^Line chart of (?!.*over model size.*over model size)/);
    expect(figures.get('depth-result')!.alt).toMatch(/^Line chart of Which block over block of the teacher\. \u0394 to the default, test accuracy \(points\): /);
  });

  test('the file brings a legend, the page has its own', () => {
    const { file, wide } = figures.get('overview')!;
    expect(texts(file)).toContain('Distilled (not measured: Large)');
    expect(texts(wide)).not.toContain('Distilled (not measured: Large)');
  });

  test('without the ablations that it is made of there is none', async () => {
    const input = sizesInput();
    expect((await renderFigures(buildReport({ ...input, ablations: input.ablations.filter(({ name }) => name === 'depth') }))).has('overview')).toBe(false);
  });

  test('an ablation over an axis is drawn as lines over it, its groups apart', () => {
    const chart = figures.get('depth-result')!.chart as LineChart;
    expect(chart.x).toEqual({ title: 'block of the teacher', ticks: [6, 9, 12] });
    expect(chart.series.map(({ label }) => label)).toEqual(['Without norm, measured', 'With norm, measured', 'Without norm, published']);
    expect(chart.grids).toEqual([[6, 9, 12], [9]]);
    // Differences to block 9.
    expect(chart.panels.map(({ lines }) => lines.map(line => line.y))).toEqual([[[-2, 0, -1], [-0.5], [-2, 0, -0.5]]]);
  });

  test('the order of every table stands beside its correlation', () => {
    const found = texts(figures.get('agreement')!.wide);
    // Published 78, 79.5, 80 of the arms that are measured; measured in the same order. The axis: 81, 82.5, 83.
    expect(found.filter(text => /^[+\u2212]?\d+$|^\u2013$/.test(text))).toEqual(['0', '0', '0', '\u2013', '0', '0', '0']);
    expect(found.filter(text => text.startsWith('\u03c4'))).toHaveLength(2);
    expect(found.filter(text => text.startsWith('Table 1: '))).toEqual(['Table 1: Two sizes', 'Table 1: Which block']);
  });

  test('a table of which one arm is measured has nothing to compare, and says so', async () => {
    const input = sizesInput();
    const records = input.records.filter(({ uses: [use] }) => use!.ablation === 'sizes' || use!.arm === 'nine');
    const alone = (await renderFigures(buildReport({ ...input, records }))).get('agreement')!;
    const found = texts(alone.wide);
    expect(found.filter(text => /^[+\u2212]?\d+$|^[\u2013\u2022]$/.test(text))).toEqual(['0', '0', '0', '\u2013', '\u2013', '\u2013', '\u2022']);
    expect(found).toContain('nothing to compare');
    expect(alone.alt).toContain('Table 1: Two sizes: \u03c4 +1.00, p 0.333, 3 of 3 measured arms in their place, 1 not measured; Table 1: Which block: nothing to compare, 1 of 3 arms measured.');
    expect(alone.caption).toMatch(/\u2022 is measured, with nothing to compare it with\. \u2013 is not measured\.$/);
    expect(figures.get('agreement')!.caption).not.toContain('\u2022');
  });

  test('arms of one size stand under its name, without repeating it', () => {
    const found = texts(figures.get('sizes-result')!.wide);
    expect(found.filter(text => ['Small', 'Large', 'From scratch', 'Distilled'].includes(text))).toEqual(['Small', 'From scratch', 'Distilled', 'Large', 'From scratch', 'Distilled']);
  });
});

test('the overview of the study names arms that are declared', async () => {
  const { study, ablations } = await loadExperiments(fileURLToPath(new URL('../../../../../experiments', import.meta.url)), { profile: 'smoke' });
  const declared = ablations.flatMap(({ declaration: { name, arms } }) => arms.map(arm => `${name}/${arm.name}`));
  const named = study.report.overview!.series.flatMap(({ arms }) => arms.filter(arm => arm !== null));
  expect(named).toHaveLength(15);
  expect(named.filter(arm => !declared.includes(arm))).toEqual([]);
});

test('rows of one label are told apart', () => {
  expect(rowLabels([{ label: 'MAE' }, { label: 'MAE' }, { label: 'ViT-S, MAE', group: 'ViT-S' }], 300)).toEqual([['MAE (1)'], ['MAE (2)'], ['MAE']]);
});

test('leaving out a row or a series leaves out its numbers', async () => {
  const figures = await renderFigures(buildReport(sampleInput()));
  const forest = figures.get('relation-result')!.chart as ForestChart;
  const without = await renderSvg(compileChart(forest, { ...firstView(forest, 'wide'), hidden: new Set([1]) }));
  expect(choices(forest)).toHaveLength(6);
  expect(texts(without)).not.toContain(forest.rows[1]!.texts[0]);
  expect(texts(without)).toContain(forest.rows[2]!.texts[0]);
});

test('the name of a group goes with the last of its rows, and the rows move up', async () => {
  const forest = (await renderFigures(buildReport(sizesInput()))).get('sizes-result')!.chart as ForestChart;
  const without = (...hidden: number[]): Promise<Figure> => renderSvg(compileChart(forest, { ...firstView(forest, 'wide'), hidden: new Set(hidden) }));
  expect(forest.rows.map(row => row.group)).toEqual(['Small', 'Small', 'Large', 'Large']);
  const [all, one, small] = [await without(), await without(0), await without(0, 1)];
  const names = (figure: Figure): string[] => texts(figure).filter(text => ['Small', 'Large'].includes(text));
  expect([all, one, small].map(names)).toEqual([['Small', 'Large'], ['Small', 'Large'], ['Large']]);
  const step = all.height - one.height;
  expect(step).toBeGreaterThan(0);
  expect(all.height - small.height).toBeCloseTo(3 * step, 6);
});

test('a view is compiled for every layout and scale that a page can ask for', async () => {
  const figures = await renderFigures(buildReport(sampleInput()));
  const views = (id: string): string[] => [...figures.get(id)!.live.views.keys()];
  expect(views('relation-result')).toEqual(['wide', 'narrow']);
  expect(views('relation-distill-loss')).toEqual(['wide', 'wide-log']);
  expect(views('relation-finetune-val_accuracy')).toEqual(['wide']);
  expect(figures.get('relation-finetune-val_accuracy')!.live.log).toBeUndefined();
});

test('charts hold the numbers that the tables print', () => {
  for (const [value, unit] of [
    [0.85321, 'fraction'],
    [0.0123456, 'loss'],
    [12345.67, 'loss'],
    [1.5e-6, 'loss'],
    [-0.5, 'loss'],
    [123456, 'count'],
  ] as const) {
    expect(formatShown(shownNumber(value, unit), unit)).toBe(formatValue(value, unit));
  }
});

describe('places off', () => {
  const off = (...pairs: [published: number, measured: number | undefined][]) => placesOff(pairs.map(([published, measured]) => ({ published, measured })));

  test('zero where the orders agree, the whole way where they are opposite', () => {
    expect(off([1, 0.1], [2, 0.2], [3, 0.3])).toEqual([0, 0, 0]);
    expect(off([1, 0.3], [2, 0.2], [3, 0.1])).toEqual([2, 0, -2]);
  });
  test('equal values share their places on both sides', () => {
    expect(off([1, 0.2], [1, 0.1], [3, 0.3])).toEqual([0, 0, 0]);
    expect(off([1, 0.2], [2, 0.2], [3, 0.1])).toEqual([1, 0, -2]);
  });
  test('what is not measured takes no place', () => {
    expect(off([1, 0.1], [2, undefined], [3, 0.2])).toEqual([0, 'not measured', 0]);
  });
  test('shades run from in place to the other end', () => {
    expect([0, 1, 2, 3, 4].map(n => shadeOf(n, 5))).toEqual([palette.same, palette.near, palette.off, palette.far, palette.opposite].map(c => c.light));
    expect(shadeOf(-1, 2)).toBe(palette.opposite.light);
  });
});

test('hostile labels stay text', async () => {
  const figures = await renderFigures(buildReport(hostileInput()));
  for (const { file, wide, narrow = wide } of figures.values()) {
    for (const figure of [file, wide, narrow]) {
      expect(parse(figure).querySelectorAll('script, img, style, b, [onload], [onerror]')).toHaveLength(0);
      expect(figure.width).toBeLessThanOrEqual(figure === narrow ? 368 : 880);
    }
  }
  const drawn = [...figures.values()].flatMap(({ file }) => texts(file));
  expect(drawn.some(text => HOSTILE_LABELS[0].startsWith(text.replace('…', '')) && text.startsWith('<script>'))).toBe(true);
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
  expect(logTicks([1.2, 4])).toEqual([1.5, 2, 3]);
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

  test.each(['same', 'near', 'off', 'far', 'opposite'] as const)('text is readable on the shade %s', name => {
    for (const scheme of schemes) expect(contrast(palette.ink[scheme], palette[name][scheme])).toBeGreaterThanOrEqual(4.5);
  });

  test('lines of arms have a contrast of 3 to the page', () => {
    expect(series.length).toBeGreaterThan(0);
    for (const scheme of schemes) for (const colour of series) expect(contrast(colour[scheme], palette.page[scheme])).toBeGreaterThanOrEqual(3);
  });

  test('light values are unique: style rules find them by value', () => {
    expect(new Set(colours.map((colour: Colour) => colour.light)).size).toBe(colours.length);
  });
});
