/** The charts of the page once a reader turns to them: what pointer, keyboard and switches do, under the page's own policy. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildReport, type ReportInput } from '../../src/core/report/model/build.ts';
import { formatDelta, formatPublishedDelta, formatValue } from '../../src/core/text/format.ts';
import { writeReport } from '../../src/core/report/write.ts';
import { claimedInput, manyArmsInput } from '../helpers/report/claimed.ts';
import { hostileInput, HOSTILE_LABELS } from '../helpers/report/hostile.ts';
import { sampleInput } from '../helpers/report/sample.ts';
import { sizesInput } from '../helpers/report/sizes.ts';
import { hasChromium, launch, openFile, type Opened } from '../helpers/launch.ts';

const DESKTOP = { viewport: { width: 1440, height: 900 } } as const;
/** On a busy machine. */
const LONG_MS = 180_000;
const PHONE = { viewport: { width: 400, height: 800 } } as const;

/** What these tests use of the page's elements: the project has no DOM types, as its own code runs in Node alone. */
interface PageElement {
  readonly textContent: string;
  readonly dataset: Readonly<Record<string, string>>;
  readonly children: Iterable<PageElement>;
  readonly firstChild: PageElement;
  readonly classList: { contains(name: string): boolean };
  readonly width: { readonly baseVal: { readonly value: number } };
  getBoundingClientRect(): { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  querySelectorAll(selector: string): Iterable<PageElement>;
}

const onAll = <R>(locator: Locator, read: (elements: PageElement[]) => R): Promise<R> => locator.evaluateAll(read);
const on = <R>(locator: Locator, read: (element: PageElement) => R): Promise<R> => locator.evaluate(read as unknown as (element: unknown) => R);

interface Layout {
  readonly size: readonly [number, number];
  /** By text, then place. */
  readonly texts: readonly { readonly text: string; readonly left: number; readonly top: number }[];
}

const layout = (drawing: Locator): Promise<Layout> =>
  on(drawing, svg => {
    const { left, top, width, height } = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].map(text => {
      const box = text.getBoundingClientRect();
      return { text: text.textContent, left: box.left - left, top: box.top - top };
    });
    return { size: [width, height], texts: texts.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.left - b.left || a.top - b.top)) };
  });

const chartIds = (page: Page): Promise<string[]> => onAll(page.locator('figure'), figures => figures.map(figure => figure.dataset['chart']!));

describe.skipIf(!hasChromium)('live charts', () => {
  let browser: Browser;
  let root: string;
  const inputs: Readonly<Record<string, ReportInput>> = { sample: sampleInput(), claims: claimedInput(), hostile: hostileInput(), sizes: sizesInput(), many: manyArmsInput(60) };

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'report-charts-'));
    for (const [name, input] of Object.entries(inputs)) await writeReport({ ...input, adopted: [], provenance: {}, outDir: join(root, name) });
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(root, { recursive: true });
  });

  const open = async (name: string, options: BrowserContextOptions = DESKTOP): Promise<Opened> => {
    const opened = await openFile(browser, join(root, name, 'index.html'), options);
    opened.page.setDefaultTimeout(LONG_MS);
    // Curves stand folded away.
    await opened.page.evaluate("document.querySelectorAll('details:not(.choose)').forEach(details => (details.open = true))");
    return opened;
  };

  const figure = (page: Page, id: string): Locator => page.locator(`figure[data-chart="${id}"]`);

  async function live(page: Page, id: string): Promise<Locator> {
    const box = figure(page, id).locator('.live');
    await box.focus();
    await figure(page, id).locator('.live.drawn').waitFor();
    return box;
  }

  /** Everything that the keys lead to, along each group and from group to group. */
  async function readAll(page: Page, box: Locator): Promise<string[][]> {
    const tip = async (): Promise<string[]> => box.locator('.tip > *').allTextContents();
    const found: string[][] = [];
    const press = async (key: string): Promise<boolean> => {
      const before = (await tip()).join('\n');
      await page.keyboard.press(key);
      const now = await tip();
      if (now.join('\n') === before) return false;
      found.push(now);
      return true;
    };
    do {
      // Down leads to the nearest of the next group, which need not be its first.
      await press('Home');
      while (await press('ArrowRight'));
      await page.keyboard.press('Home');
    } while (await press('ArrowDown'));
    return [...new Map(found.map(told => [told.join('\n'), told])).values()];
  }

  describe.each([
    { layouts: 'wide', size: DESKTOP, tags: [] },
    { layouts: 'narrow', size: PHONE, tags: ['long'] },
  ])('$layouts', ({ size, tags }) => {
    test.each(['claims', 'sizes'])('stand where the drawings on paper stood, text by text: %s', { tags }, async name => {
      const { page: paper } = await open(name, { ...size, javaScriptEnabled: false });
      const { page, errors } = await open(name, size);
      const ids = await chartIds(page);
      expect(ids.length).toBeGreaterThan(3);
      for (const id of ids) {
        await live(page, id);
        const [drawn, still] = [await layout(figure(page, id).locator('.canvas svg')), await layout(figure(paper, id).locator('.drawing svg:visible'))];
        expect(drawn.size, id).toEqual(still.size);
        expect(
          drawn.texts.map(({ text }) => text),
          id,
        ).toEqual(still.texts.map(({ text }) => text));
        // On paper coordinates are rounded to a tenth of a pixel.
        const apart = drawn.texts.map(({ left, top }, i) => Math.hypot(left - still.texts[i]!.left, top - still.texts[i]!.top));
        expect(Math.max(...apart), id).toBeLessThan(0.3);
      }
      expect(errors).toEqual([]);
      await Promise.all([page.close(), paper.close()]);
    });
  });

  test('are drawn when they come into view, not before', async () => {
    const { page } = await open('claims');
    const last = page.locator('.live').last();
    const drawn = (): Promise<boolean> => on(last, box => box.classList.contains('drawn'));
    expect(await drawn()).toBe(false);
    await last.scrollIntoViewIfNeeded();
    await expect.poll(drawn).toBe(true);
    await page.close();
  });

  test.each(['sample', 'claims'])('the keys read the differences of every arm, measured and published: %s', async name => {
    const { page } = await open(name);
    const tips = await readAll(page, await live(page, 'relation-result'));
    const rows = buildReport(inputs[name]!).ablations[0]!.rows.filter(row => !row.isDefault);
    expect(rows).toHaveLength(5);
    const expected = rows.flatMap(({ label, measured, delta, published }) => {
      const { value, interval } = delta!;
      const brackets = interval === undefined ? '' : ` [${formatDelta(interval.low, 'fraction')}, ${formatDelta(interval.high, 'fraction')}]`;
      const told = [[label, `Measured: ${formatDelta(value, 'fraction')}${brackets}`, `${formatValue(measured!.mean, 'fraction')}, n ${measured!.n}`]];
      return published?.delta === undefined ? told : [...told, [label, `Published: ${formatPublishedDelta(published.delta)}`, `${published.value}, Table 7`]];
    });
    expect(tips).toHaveLength(9);
    expect(tips).toEqual(expect.arrayContaining(expected));
    await page.close();
  });

  test('the forest of claims tells what was compared and what came of it; there is nothing to leave out', async () => {
    const { page, errors } = await open('claims');
    const tips = await readAll(page, await live(page, 'forest'));
    const claims = buildReport(inputs['claims']!).ablations[0]!.claims;
    const run = claims.filter(({ deciding }) => deciding.delta !== undefined);
    expect(run).toHaveLength(5);
    expect(tips).toHaveLength(10);
    for (const { sentence, deciding } of run) {
      const ofClaim = tips.filter(([heading]) => heading === sentence).sort(([, a], [, b]) => (a! < b! ? -1 : 1));
      expect(ofClaim.map(([, text]) => text!.split(' ').slice(0, 2).join(' '))).toEqual([
        `Measured: ${formatDelta(deciding.delta!, 'fraction')}`,
        `Published: ${formatPublishedDelta(deciding.published!.gap)}`,
      ]);
      for (const [, , compared] of ofClaim) expect(compared).toContain(`${deciding.arm.label} `);
    }
    expect(tips[0]![1]).toMatch(/\], \u2713 reproduced$/);
    expect(await figure(page, 'forest').getByRole('button').count()).toBe(0);
    expect(errors).toEqual([]);
    await page.close();
  });

  test('on a phone every chart fits, with its labels whole', { tags: 'long' }, async () => {
    const { page } = await open('claims', { ...PHONE, javaScriptEnabled: false });
    const drawn = await onAll(page.locator('.drawing svg:visible'), all => all.map(svg => svg.width.baseVal.value));
    expect(drawn.length).toBeGreaterThan(1);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(368);
    const words = (await figure(page, 'forest').locator('svg:visible text').allTextContents()).join(' ');
    for (const { sentence } of buildReport(inputs['claims']!).ablations[0]!.claims) expect(words).toContain(sentence);
    await page.close();
  });

  test('a curve tells the numbers of its table', { tags: 'long' }, async () => {
    const { page } = await open('sample');
    const tips = await readAll(page, await live(page, 'relation-distill-loss'));
    const rows = await onAll(page.locator('figure[data-chart="relation-distill-loss"] + details tbody tr'), all => all.map(row => [...row.children].map(cell => cell.firstChild.textContent.trim())));
    expect(rows).toHaveLength(4);
    for (const [label = '', ...values] of rows) {
      for (const value of values)
        expect(
          tips.some(tip => tip[0] === label && tip[1]!.endsWith(`: ${value}`)),
          `${label} ${value}`,
        ).toBe(true);
    }
    await page.close();
  });

  test('a pointer reads the place nearest to it, and a screen reader hears what keys reach', async () => {
    const { page } = await open('sizes');
    const box = await live(page, 'overview');
    const { x, y } = (await box.locator('.canvas path[fill="#c25a00"]').first().boundingBox())!;
    await page.mouse.move(x + 4, y + 4);
    expect(await box.locator('.tip > *').allTextContents()).toEqual(['Distilled (not measured: Large)', 'Small: 71.50']);
    expect(await box.locator('.ring').isVisible()).toBe(true);
    await page.mouse.move(2, 2);
    expect(await box.locator('.tip').isVisible()).toBe(false);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('[aria-live]').textContent()).toBe('From scratch. Large: 72.00');
    await page.keyboard.press('Escape');
    expect(await box.locator('.tip').isVisible()).toBe(false);
    await page.close();
  });

  test('switches leave out arms, by pointer and by keyboard, but not the last', async () => {
    const { page, errors } = await open('sizes');
    await live(page, 'overview');
    const lines = (): Promise<number> => figure(page, 'overview').locator('.canvas path[stroke="#5c6570"]').count();
    const [first, second] = [figure(page, 'overview').getByRole('button').nth(0), figure(page, 'overview').getByRole('button').nth(1)];
    expect(await lines()).toBe(2);
    await first.click();
    await expect.poll(lines).toBe(0);
    expect(await first.getAttribute('aria-pressed')).toBe('false');
    await second.click();
    expect(await second.getAttribute('aria-pressed')).toBe('true');
    await first.focus();
    await page.keyboard.press('Enter');
    await expect.poll(lines).toBe(2);
    expect(errors).toEqual([]);
    await page.close();
  });

  test('rows of a forest plot can be left out, too', async () => {
    const { page } = await open('sample');
    await live(page, 'relation-result');
    const texts = (): Promise<string[]> => figure(page, 'relation-result').locator('.canvas svg text').allTextContents();
    const difference = formatDelta(buildReport(inputs['sample']!).ablations[0]!.rows[1]!.delta!.value, 'fraction');
    expect(await texts()).toContain(difference);
    await figure(page, 'relation-result').getByText('Choose arms').click();
    await figure(page, 'relation-result').getByRole('button', { name: 'MAE baseline' }).click();
    await expect.poll(texts).not.toContain(difference);
    await page.close();
  });

  test('the name of a group goes with the last of its rows, and comes back with them', async () => {
    const { page, errors } = await open('sizes');
    await live(page, 'sizes-result');
    const chart = figure(page, 'sizes-result');
    const names = async (): Promise<string[]> => (await chart.locator('.canvas svg text').allTextContents()).filter(text => ['Small', 'Large'].includes(text)).sort();
    const height = (): Promise<number> => on(chart.locator('.canvas svg'), svg => svg.getBoundingClientRect().height);
    const first = await height();
    await chart.getByText('Choose arms').click();
    const small = chart.getByRole('button', { name: /^Small, / });
    expect(await small.count()).toBe(2);
    await small.nth(0).click();
    await expect.poll(height).toBe(first - 22.5);
    expect(await names()).toEqual(['Large', 'Small']);
    await small.nth(1).click();
    await expect.poll(names).toEqual(['Large']);
    await expect.poll(height).toBe(first - 67.5);
    const tips = await readAll(page, await live(page, 'sizes-result'));
    expect(new Set(tips.map(([label]) => label))).toEqual(new Set(['Large, from scratch']));
    await small.nth(1).click();
    await expect.poll(names).toEqual(['Large', 'Small']);
    expect(errors).toEqual([]);
    await page.close();
  });

  test('what is left out stays so in another layout', async () => {
    const { page } = await open('sizes');
    await live(page, 'overview');
    const lines = (): Promise<number> => figure(page, 'overview').locator('.canvas path[stroke="#5c6570"]').count();
    await figure(page, 'overview').getByRole('button').nth(0).click();
    await expect.poll(lines).toBe(0);
    await page.setViewportSize(PHONE.viewport);
    await expect.poll(() => on(figure(page, 'overview').locator('.canvas svg'), svg => svg.width.baseVal.value)).toBeLessThanOrEqual(368);
    expect(await lines()).toBe(0);
    await page.close();
  });

  test('a loss turns from linear to logarithmic and back', async () => {
    const { page } = await open('sample');
    const chart = figure(page, 'relation-distill-loss');
    await live(page, 'relation-distill-loss');
    const title = (): Promise<string[]> => chart.locator('.canvas svg text').filter({ hasText: 'Distillation loss' }).allTextContents();
    const button = chart.getByRole('button', { name: 'Logarithmic' });
    const first = (await button.getAttribute('aria-pressed')) === 'true';
    expect((await title())[0]!.includes('log scale')).toBe(first);
    await button.click();
    await expect.poll(async () => (await title())[0]!.includes('log scale')).toBe(!first);
    await button.click();
    await expect.poll(async () => (await title())[0]!.includes('log scale')).toBe(first);
    expect(await figure(page, 'relation-finetune-val_accuracy').getByRole('button', { name: 'Logarithmic' }).count()).toBe(0);
    await page.close();
  });

  test('a page that becomes narrow gets the narrow drawing', async () => {
    const { page } = await open('sizes');
    await live(page, 'overview');
    const width = (): Promise<number> => on(figure(page, 'overview').locator('.canvas svg'), svg => svg.width.baseVal.value);
    expect(await width()).toBeGreaterThan(600);
    await page.setViewportSize(PHONE.viewport);
    await expect.poll(width).toBeLessThanOrEqual(368);
    await page.close();
  });

  test('on paper stand the drawings, without switches', async () => {
    const { page } = await open('sizes');
    await live(page, 'overview');
    await page.emulateMedia({ media: 'print' });
    expect(await figure(page, 'overview').locator('.drawing').isVisible()).toBe(true);
    expect(await figure(page, 'overview').locator('.canvas').isVisible()).toBe(false);
    expect(await page.getByText('Choose arms').first().isVisible()).toBe(false);
    await page.close();
  });

  test('a long chart is printed on one page, not cut', async () => {
    const { page } = await open('many', { viewport: { width: 680, height: 1009 }, javaScriptEnabled: false });
    await page.emulateMedia({ media: 'print' });
    const { width, height } = (await figure(page, 'forest').locator('svg:visible').boundingBox())!;
    const drawn = (await figure(page, 'forest').locator('.wide svg').getAttribute('viewBox'))!.split(' ').map(Number);
    expect(drawn[3]).toBeGreaterThan(1009);
    expect(height).toBeLessThanOrEqual(920);
    expect(width / height).toBeCloseTo(drawn[2]! / drawn[3]!, 2);
    await page.close();
  });

  test('without script every chart and its legend are there, and nothing to press', async () => {
    const { page } = await open('sizes', { ...DESKTOP, javaScriptEnabled: false });
    expect(await page.locator('button').count()).toBe(0);
    expect(await figure(page, 'overview').locator('.drawing svg:visible').count()).toBe(1);
    expect(await figure(page, 'overview').locator('.key').innerText()).toContain('From scratch');
    await page.close();
  });

  test('nothing moves by itself', async () => {
    const { page } = await open('sample', { ...DESKTOP, reducedMotion: 'reduce' });
    await live(page, 'relation-result');
    await page.keyboard.press('ArrowRight');
    expect(await page.evaluate<number>('document.getAnimations().length')).toBe(0);
    await page.close();
  });

  test('hostile labels are told as text, and neither run nor widen the page', { timeout: LONG_MS, tags: 'long' }, async () => {
    const { page, errors } = await open('hostile', PHONE);
    const ids = await chartIds(page);
    const told: string[] = [];
    for (const id of ids) {
      told.push(...(await readAll(page, await live(page, id))).flat());
    }
    expect(told).toContain(HOSTILE_LABELS[0]);
    expect(await page.evaluate('typeof window.pwned')).toBe('undefined');
    expect(await page.locator('.tip :not(strong, div)').count()).toBe(0);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400);
    expect(errors).toEqual([]);
    await page.close();
  });
});
