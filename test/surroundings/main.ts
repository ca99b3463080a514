/**
 * `make surroundings`: whole set-ups and sweeps where something is missing or broken. Needs 10 GB of disk and some minutes; as root on
 * Linux it shows all of them. `ARGS="--only path,user"` runs some, `ARGS=--list` lists them.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensureData } from '../../src/setup/data.ts';
import { libraryFor, thisPlatform } from '../../src/setup/library.ts';
import { downloadWheels } from '../../src/setup/python.ts';
import { NotHere, scenarios } from './scenarios.ts';

const { values } = parseArgs({ options: { only: { type: 'string' }, list: { type: 'boolean' } } });
const names = values.only?.split(',') ?? scenarios.map(scenario => scenario.name);
const unknown = names.filter(name => !scenarios.some(scenario => scenario.name === name));

/** The wheel is fetched once and kept for later calls. */
async function ensureWheel(): Promise<string> {
  const folder = path.join(os.tmpdir(), 'tinymim-surroundings-wheels');
  mkdirSync(folder, { recursive: true });
  const library = libraryFor(thisPlatform(), 'cpu');
  if (readdirSync(folder).some(name => name.endsWith('.whl'))) return folder;
  console.log(`Downloading ${library.package} ${library.version} for the mirror ...`);
  await downloadWheels([library.wheel], folder, line => console.log(line));
  return folder;
}

async function main(): Promise<number> {
  if (unknown.length > 0) {
    console.error(`error --only: expected some of ${scenarios.map(scenario => scenario.name).join()}, got ${unknown.join()}`);
    return 2;
  }
  if (values.list === true) {
    for (const { name, situation } of scenarios) console.log(`${name.padEnd(12)} ${situation}`);
    return 0;
  }
  await ensureData(console.log);
  const wheels = await ensureWheel();
  let failed = 0;
  for (const { name, situation, run } of scenarios.filter(scenario => names.includes(scenario.name))) {
    const began = performance.now();
    console.log(`${name}: ${situation}`);
    const tell = (word: string, text: string): void => console.log(`  ${word} in ${Math.round((performance.now() - began) / 1000)} s: ${text}`);
    try {
      tell('ok', await run({ wheels, say: line => console.log(`  ${line}`) }));
    } catch (error) {
      if (error instanceof NotHere) tell('skipped', error.message);
      else {
        failed++;
        tell('FAILED', (error as Error).stack ?? String(error));
      }
    }
  }
  console.log(failed === 0 ? 'Every one as it should be.' : `${failed} not as they should be.`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
