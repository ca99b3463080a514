/** Headless Chromium of the machine. No browser is downloaded: `CHROMIUM` names one, else the usual places are tried. */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

const found = process.env['CHROMIUM'] ?? PLACES.find(place => existsSync(place));

if (found === undefined) {
  const message = 'Expected Chromium for the browser tests, found none. Install it (Debian: apt-get install chromium) or set CHROMIUM to its path.';
  if (process.env['CI'] === 'true') throw new Error(message);
  console.warn(`${message} The browser tests are skipped.`);
}

export const hasChromium = found !== undefined;

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: found!,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
  });

/** A page with what it says and asks for, in growing lists. */
export interface Opened {
  readonly page: Page;
  /** Messages on its console, and errors. */
  readonly errors: readonly string[];
  readonly requests: readonly string[];
}

export async function openFile(browser: Browser, path: string, options: BrowserContextOptions): Promise<Opened> {
  const page = await browser.newPage(options);
  const errors: string[] = [];
  const requests: string[] = [];
  page.on('console', message => errors.push(message.text()));
  page.on('pageerror', error => errors.push(error.message));
  page.on('request', request => requests.push(request.url()));
  await page.goto(pathToFileURL(path).href);
  return { page, errors, requests };
}
