import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReportInput } from '../../src/core/report/model/build.ts';
import { writeReport } from '../../src/core/report/write.ts';
import { gridInput } from '../helpers/report/grid.ts';
import { hostileInput } from '../helpers/report/hostile.ts';
import { sampleInput } from '../helpers/report/sample.ts';
import { sizesInput } from '../helpers/report/sizes.ts';
import { hasChromium, launch, openFile, type Opened } from '../helpers/launch.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const DESKTOP = { viewport: { width: 1440, height: 900 } } as const;
/** For a page with hundreds of rows and charts, on a busy machine. */
const LONG_MS = 180_000;
const PHONE = { viewport: { width: 400, height: 800 } } as const;
const WIDTHS = [320, 400, 768, 1440] as const;

/** Colours and layouts do not depend on the records: two small reports are looked at in all of them, large ones in the two that differ in both. */
const LOOKS = [
  ['light', DESKTOP],
  ['dark', DESKTOP],
  ['light', PHONE],
  ['dark', PHONE],
] as const;

/** These reports have every kind of section and chart between them; axe looks at the others in the long tests. */
const AXE_OF_ALL = ['part', 'sizes', 'hostile'];

// Scripts for the page are texts: the project has no DOM types, as its own code runs in Node alone.

/** Visible texts below 12 px, charts at the size they are shown. */
const SMALL_TEXTS = `(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.textContent.trim() === '' || element.getClientRects().length === 0) continue;
    const svg = element.closest('svg');
    const zoom = svg === null ? 1 : svg.getBoundingClientRect().width / svg.width.baseVal.value;
    if (Number.parseFloat(getComputedStyle(element).fontSize) * zoom < 12) found.push(node.textContent);
  }
  return found;
})()`;

/** Texts of charts that reach over the chart's sides. */
const TEXTS_OUTSIDE = `[...document.querySelectorAll('figure svg text')]
  .filter(text => {
    const inner = text.getBoundingClientRect();
    const outer = text.closest('svg').getBoundingClientRect();
    return inner.width > 0 && (inner.left < outer.left - 0.5 || inner.right > outer.right + 0.5);
  })
  .map(text => text.textContent)`;

/** Opens what is folded, and turns to every chart. */
const OPEN_ALL = `document.querySelectorAll('details').forEach(details => (details.open = true));
  document.querySelectorAll('.live').forEach(chart => chart.focus({ preventScroll: true }))`;
/** What fails is told with every element, all else by its rule alone: to name thousands of elements takes longer than to look at them. */
const RUN_AXE = "axe.run({ resultTypes: ['violations'] })";
const ALL_LIVE = "document.querySelector('.live:not(.drawn)') === null";

describe.skipIf(!hasChromium)('the page in Chromium', () => {
  let browser: Browser;
  let root: string;
  const inputs: Readonly<Record<string, ReportInput>> = {
    sample: sampleInput(),
    seeds: sampleInput([0, 1, 2]),
    empty: { ...sampleInput(), records: [] },
    hostile: hostileInput(),
    grid: gridInput([0, 1, 2]),
    // Every kind of section that the whole grid has: axe takes ten times as long over four times as many.
    part: { ...gridInput([0, 1, 2]), ablations: gridInput([0]).ablations.slice(0, 4) },
    sizes: sizesInput(),
  };

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'report-page-'));
    for (const [name, input] of Object.entries(inputs)) await writeReport({ ...input, adopted: [], provenance: {}, outDir: join(root, name) });
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(root, { recursive: true });
  });

  const open = async (name: string, file: string, options: BrowserContextOptions): Promise<Opened> => {
    const opened = await openFile(browser, join(root, name, file), options);
    opened.page.setDefaultTimeout(LONG_MS);
    return opened;
  };

  describe.each(Object.keys(inputs))('%s', name => {
    test(
      'opens without messages, asks for nothing but itself, does not scroll sideways and has no text below 12 px at any width',
      async () => {
        const { page, errors, requests } = await open(name, 'index.html', { viewport: { width: WIDTHS[0], height: 800 } });
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 800 });
          expect(await page.evaluate<number>('document.documentElement.scrollWidth'), `at ${width} px`).toBeLessThanOrEqual(width);
          expect(await page.evaluate<string[]>(SMALL_TEXTS), `below 12 px, at ${width} px`).toEqual([]);
        }
        expect(errors).toEqual([]);
        expect(requests).toEqual([page.url()]);
        await page.close();
      },
      LONG_MS,
    );

    const axeFindsNothing = async (colorScheme: 'light' | 'dark', size: BrowserContextOptions): Promise<void> => {
      const { page, errors, requests } = await open(name, 'index.html', { ...size, colorScheme });
      expect(errors).toEqual([]);
      expect(requests).toEqual([page.url()]);
      expect(await page.evaluate<string[]>(SMALL_TEXTS)).toEqual([]);
      await page.evaluate(axeSource);
      await page.evaluate(OPEN_ALL);
      await page.waitForFunction(ALL_LIVE);
      const results = await page.evaluate<AxeResults>(RUN_AXE);
      expect(results.violations.map(v => `${v.id}: ${v.nodes.map(node => node.html.slice(0, 120)).join(' | ')}`)).toEqual([]);
      expect(results.passes.map(pass => pass.id)).toContain('color-contrast');
      await page.close();
    };
    const looks = name === 'sample' || name === 'seeds' ? LOOKS : [LOOKS[0], LOOKS[3]];
    // The largest of them is looked at in one.
    const usual = AXE_OF_ALL.includes(name) ? looks.slice(name === 'part' ? 1 : 0) : [];
    const title = 'axe finds no violation, and no text is smaller than 12 px: %s, %o';
    test.each(usual)(title, { timeout: LONG_MS }, axeFindsNothing);
    test.skipIf(name === 'grid').each(looks.filter(look => !usual.includes(look)))(title, { timeout: LONG_MS, tags: 'long' }, axeFindsNothing);
  });

  test.each([true, false])('charts follow the dark scheme, with script: %s', async javaScriptEnabled => {
    const colour = async (colorScheme: 'light' | 'dark'): Promise<string> => {
      const { page } = await open('sample', 'index.html', { ...DESKTOP, colorScheme, javaScriptEnabled });
      if (javaScriptEnabled) {
        await page.evaluate(OPEN_ALL);
        await page.waitForFunction(ALL_LIVE);
      }
      const found = await page.evaluate<string>(`getComputedStyle(document.querySelector('${javaScriptEnabled ? '.canvas' : '.drawing'} svg text')).fill`);
      await page.close();
      return found;
    };
    expect(await colour('dark')).not.toBe(await colour('light'));
  });

  test('a figure of its own shows dark colours on its own background', async () => {
    const { page, errors } = await open('sample', 'figures/relation-result.svg', { ...DESKTOP, colorScheme: 'dark' });
    expect(await page.evaluate<string>("getComputedStyle(document.querySelector('rect')).fill")).toBe('rgb(18, 22, 28)');
    expect(errors).toEqual([]);
    await page.close();
  });

  test('chart labels fit into their charts', async () => {
    for (const size of [DESKTOP, PHONE]) {
      const { page } = await open('sample', 'index.html', size);
      expect(await page.evaluate<number>("document.querySelectorAll('figure svg text').length")).toBeGreaterThan(0);
      const outside = await page.evaluate<string[]>(TEXTS_OUTSIDE);
      expect(outside).toEqual([]);
      await page.close();
    }
  });

  test.each(['index.html', 'figures/relation-result.svg'])('hostile labels run nothing in %s', async file => {
    const { page, requests } = await open('hostile', file, DESKTOP);
    expect(await page.evaluate('typeof window.pwned')).toBe('undefined');
    expect(requests).toEqual([page.url()]);
    await page.close();
  });

  test('the policy stops a script even where one would get in', async () => {
    const { page, errors } = await open('sample', 'index.html', DESKTOP);
    await page.evaluate("const script = document.createElement('script'); script.textContent = 'window.pwned = 1'; document.body.append(script)");
    expect(await page.evaluate('typeof window.pwned')).toBe('undefined');
    expect(errors.join()).toContain('Content Security Policy');
    await page.close();
  });

  test('a whole grid: caution, verdict and the figure of all claims are on the first screen; its values lead to the rows of the claims', async () => {
    const { page } = await open('grid', 'index.html', DESKTOP);
    const tops = await page.evaluate<number[]>("['[role=note]', '.verdict', '[data-chart=forest]', '.keys', 'nav'].map(s => document.querySelector(s).getBoundingClientRect().top)");
    expect(tops).toEqual([...tops].sort((a, b) => a - b));
    expect(tops[2]).toBeLessThanOrEqual(450);
    await page.evaluate("document.querySelector('#at-a-glance details').open = true");
    await page.click('#at-a-glance details tbody tr:not(.group) a');
    expect(await page.evaluate<string>("document.querySelector(':target th').textContent")).toContain('The default arm is clearly above the baseline');
    await page.close();
  });

  test.each(['sample', 'seeds', 'part', 'sizes'])('nothing of the tables of %s is cut on a phone: what stands open scrolls neither within the page nor within its box', async name => {
    const { page } = await open(name, 'index.html', PHONE);
    const cut = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.scroll > table')].filter(table => table.closest('details:not([open])') === null && table.parentElement.scrollWidth > table.parentElement.clientWidth + 1).map(table => table.parentElement.ariaLabel)",
    );
    expect(cut).toEqual([]);
    await page.close();
  });

  test('where nothing is claimed verdict and key numbers are on the first screen', async () => {
    const { page } = await open('sample', 'index.html', DESKTOP);
    const bottoms = await page.evaluate<number[]>("['.verdict', '.keys', '#at-a-glance'].map(s => document.querySelector(s).getBoundingClientRect().bottom)");
    expect(bottoms).toHaveLength(3);
    for (const bottom of bottoms) expect(bottom).toBeLessThanOrEqual(900);
    await page.close();
  });
});
