/** The browser that the tests of the report use. */
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { systemPackage } from './python.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const FIXED = ['/Applications/Chromium.app/Contents/MacOS/Chromium', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

/** Path of a Chromium: `$CHROMIUM`, else the first one on the PATH. */
export async function findChromium(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const onPath = (env['PATH'] ?? '')
    .split(path.delimiter)
    .filter(Boolean)
    .flatMap(folder => NAMES.map(name => path.join(folder, name)));
  for (const file of [...(env['CHROMIUM'] ? [env['CHROMIUM']] : []), ...onPath, ...FIXED]) {
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return undefined;
}

export const chromiumMend = (): string => systemPackage('chromium', 'install Chromium or Chrome, or name it: export CHROMIUM=/path/to/chromium');
