/** Headless Chromium of the machine. No browser is downloaded: `CHROMIUM` names one, else the usual places are tried. */
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

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
