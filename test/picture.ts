/**
 * `make picture`: the first screen of a committed report, light and dark, for README.md. Arguments: the report's folder
 * (`reports/mini`), the folder to write to (`reports`). The same page on the same machine gives the same bytes.
 */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chromiumMend, findChromium } from '../src/setup/chromium.ts';

/** Pixels of the page, of which the picture has twice as many each way: a reader of README.md sees it at about this width. */
const [WIDTH, HEIGHT] = [1000, 1000];
const MARGIN = 24;

/** Where the first figure ends, or the last of its groups that is whole above the limit: its headings are bold. */
const END = `(() => {
  const figure = document.querySelector('figure');
  if (figure === null) return undefined;
  const heads = [...figure.querySelectorAll('text')].filter(text => Number(getComputedStyle(text).fontWeight) > 500).map(text => text.getBoundingClientRect());
  const ends = [figure.getBoundingClientRect().bottom + ${MARGIN}, ...heads.flatMap(({ top, height }) => (height > 0 ? [top - 2] : []))];
  return Math.max(...ends.filter(end => end <= ${HEIGHT}));
})()`;

const [report = 'reports/mini', folder = 'reports'] = process.argv.slice(2);
const page = resolve(report, 'index.html');

async function draw(): Promise<void> {
  const { launch, openFile } = await import('./helpers/launch.ts');
  const browser = await launch();
  for (const colorScheme of ['light', 'dark'] as const) {
    // Without its script the page is complete, and nothing in it moves.
    const { page: tab } = await openFile(browser, page, { viewport: { width: WIDTH, height: HEIGHT }, deviceScaleFactor: 2, colorScheme, javaScriptEnabled: false });
    const end = await tab.evaluate<number | undefined>(END);
    const path = join(folder, `picture-${colorScheme}.png`);
    await tab.screenshot({ path, clip: { x: 0, y: 0, width: WIDTH, height: end !== undefined && Number.isFinite(end) ? end : HEIGHT }, fullPage: true });
    console.log(`${path}: ${(statSync(path).size / 1e3).toFixed(0)} kB`);
  }
  await browser.close();
}

const chromium = await findChromium();
if (chromium === undefined) {
  console.error(`error Expected Chromium to draw the picture of a report with, found none. To get it: ${chromiumMend()}`);
  process.exitCode = 1;
} else if (!existsSync(page)) {
  console.error(`error Expected a report with a page, got ${report}, which has no index.html. Name its folder: make picture ARGS=reports/mini`);
  process.exitCode = 2;
} else {
  process.env['CHROMIUM'] = chromium;
  await draw();
}
