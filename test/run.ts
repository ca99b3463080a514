/**
 * `make test`: every vitest project; the browser tests only where there is a Chromium. Arguments go to vitest, so
 * `make test ARGS=test/unit/rng.test.ts` runs one file. `TEST_REPORT` names a file for vitest's JSON report.
 */
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { chromiumMend, findChromium } from '../src/setup/chromium.ts';

const inCi = Boolean(process.env['CI']);

/** Installs Debian's Chromium where that needs no question: as root, with apt-get. */
async function installChromium(): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return;
  console.log('Installing Chromium for the browser tests (apt-get install chromium, about 100 MB) ...');
  const options = { reject: false, stdin: 'ignore', stdout: 'ignore', stderr: 'inherit', env: { DEBIAN_FRONTEND: 'noninteractive' } } as const;
  await execa('apt-get', ['update', '-qq'], options);
  await execa('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'], options);
}

if (!await findChromium()) await installChromium();
const chromium = await findChromium();
if (!chromium) {
  console.log(`${inCi ? 'error Expected Chromium for the browser tests.' : 'Without Chromium the browser tests are skipped.'} To get it: ${chromiumMend()}`);
}
if (!chromium && inCi) {
  process.exitCode = 1;
} else {
  const projects = ['unit', 'property', 'fuzz', 'parity', 'parity-graph', 'parity-wasm', 'e2e', ...(chromium ? ['browser'] : [])].flatMap(name => ['--project', name]);
  const { TEST_REPORT: report } = process.env;
  const json = report ? ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`] : [];
  const vitest = await execa(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...projects, ...json, ...process.argv.slice(2)],
    { reject: false, stdio: 'inherit', env: chromium ? { CHROMIUM: chromium } : {} });
  process.exitCode = vitest.exitCode ?? 1;
}
