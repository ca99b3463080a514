#!/usr/bin/env node
/** The command: runs main.ts as ../start/typescript.mjs lets Node load it. Plain JavaScript, because before set-up there is nothing else. */
import { existsSync } from 'node:fs';

process.on('SIGUSR1', () => undefined); // no debugger: see ../core/runner/no-inspector.mjs

try {
  const { importOwn } = await import('../start/typescript.mjs');
  const { run } = await importOwn(new URL('main.ts', import.meta.url));
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const missing = error?.code === 'ERR_MODULE_NOT_FOUND' && /^Cannot find package '([^']+)'/.exec(error.message);
  if (!missing && (process.argv.includes('--debug') || process.env.ABLATE_DEBUG)) throw error;
  const mend = existsSync(new URL('../../package-lock.json', import.meta.url)) ? 'run `make setup` here' : 'install them: npm install --ignore-scripts';
  console.error(missing ? `error The npm packages are not installed (${missing[1]} is missing): ${mend}.` : `error ${error?.message} (unexpected; --debug shows where)`);
  process.exitCode = 1;
}
