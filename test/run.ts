/**
 * `make test`: every vitest project, but for the tests with the tag `long`, which `make test-long` runs (`test/run.ts long`); the
 * browser tests only where there is a Chromium. Arguments go to vitest, so
 * `make test ARGS=test/unit/engine/random/rng.test.ts` runs one file. `TEST_REPORT` names a file for vitest's JSON report.
 * A machine without native TensorFlow runs the tests that do not need it, on WebAssembly. `make test ARGS=quick` runs those that need
 * no engine, no data and no browser, within 90 s on two cores; more arguments may follow.
 */
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { chromiumMend, findChromium } from '../src/setup/chromium.ts';
import { wantedEngine } from '../src/setup/choice.ts';

/** What needs the npm packages and nothing else. */
const QUICK_PROJECTS = ['unit', 'property'];

/** Of tests, by their tags. */
const [ONLY_LONG, WITHOUT_LONG] = ['--tags-filter=long', '--tags-filter=!long'];

const inCi = Boolean(process.env['CI']);

/** What tests the native engine itself, the steps compiled for it, and whole stages in bit-exact graphs. */
const NATIVE_PROJECTS = ['parity', 'parity-graph'];
const NATIVE_FILES = ['**/unit/engine/compile/*.test.ts', '**/property/compile-*.test.ts', '**/unit/engine/backend.test.ts', '**/unit/tinymim/stages/{engine-change,graph,pack,signature}.test.ts'];

/** Installs Debian's Chromium where that needs no question: as root, with apt-get. */
async function installChromium(): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return;
  console.log('Installing Chromium for the browser tests (apt-get install chromium, about 100 MB) ...');
  const options = { reject: false, stdin: 'ignore', stdout: 'ignore', stderr: 'inherit', env: { DEBIAN_FRONTEND: 'noninteractive' } } as const;
  await execa('apt-get', ['update', '-qq'], options);
  await execa('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'], options);
}

/** @param args for vitest, which writes `TEST_REPORT` where that is set. @returns its exit code */
async function vitest(projects: readonly string[], args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  const { TEST_REPORT: report } = process.env;
  const { exitCode } = await execa(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', ...projects.flatMap(name => ['--project', name]), ...(report ? ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`] : []), ...args],
    { reject: false, stdio: 'inherit', env },
  );
  return exitCode ?? 1;
}

async function runQuick(args: readonly string[]): Promise<number> {
  const exitCode = await vitest(QUICK_PROJECTS, [WITHOUT_LONG, ...args]);
  console.log('Quick: left out are the unit and property tests that reach an engine, and all fuzz, parity, end-to-end and browser tests. `make test` runs them.');
  return exitCode;
}

async function runWhole(args: readonly string[]): Promise<number> {
  if (!(await findChromium())) await installChromium();
  const chromium = await findChromium();
  if (!chromium) {
    console.log(`${inCi ? 'error Expected Chromium for the browser tests.' : 'Without Chromium the browser tests are skipped.'} To get it: ${chromiumMend()}`);
    if (inCi) return 1;
  }
  const { engine, why } = await wantedEngine();
  const isNative = engine === 'tensorflow';
  if (!isNative) console.log(`Tests of native TensorFlow are left out, the others run on WebAssembly: ${why}`);
  const projects = [...QUICK_PROJECTS, 'engine', 'isolated', 'fuzz', 'parity', 'parity-graph', 'parity-wasm', 'e2e', ...(chromium ? ['browser'] : [])].filter(
    name => isNative || !NATIVE_PROJECTS.includes(name),
  );
  return vitest(projects, [...(isNative ? [] : NATIVE_FILES.flatMap(glob => ['--exclude', glob])), ...args], { ...(chromium && { CHROMIUM: chromium }), ...(!isNative && { ENGINE: 'wasm' }) });
}

async function runUsual(args: readonly string[]): Promise<number> {
  const exitCode = await runWhole([WITHOUT_LONG, ...args]);
  console.log('Tests that are shown as skipped are long ones, or need what is not here. `make test-long` runs the long ones.');
  return exitCode;
}

const [first, ...rest] = process.argv.slice(2);
process.exitCode = await (first === 'quick' ? runQuick(rest) : first === 'long' ? runWhole([ONLY_LONG, ...rest]) : runUsual(process.argv.slice(2)));
