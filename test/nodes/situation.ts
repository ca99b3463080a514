/** The two ways to have the program, each set up from nothing, and what must work there. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { install, npmWarnings, pack, ROOT, typeErrors } from '../installed/package.ts';
import type { Node } from './node-binary.ts';

export const ENGINES = ['native', 'wasm'] as const;
type EngineChoice = (typeof ENGINES)[number];
export const SITUATIONS = ['clone', 'package'] as const;
type Situation = (typeof SITUATIONS)[number];

/** One line of the table. */
export interface Cell {
  readonly node: Node;
  readonly engine: EngineChoice;
  readonly situation: Situation;
}

export interface Step {
  readonly name: string;
  readonly seconds: number;
  /** What it came to, in a few words. */
  readonly text: string;
  /** The end of what it printed, when it failed. */
  readonly failure?: string;
}

export interface CellResult extends Cell {
  readonly steps: readonly Step[];
  /** Checksum of the records of the sweep. */
  readonly records?: string;
}

/** Not where the tests look for those of the repository. */
const REPORTS = 'swept';

/** Every way that TinyMIM's arms are trained. */
const ARMS = 'relation/mae,relation/qk-vv-softmax,class-token/class-token,feature/qkv,mae-vs-scratch/scratch-t';

interface Run {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface CheckOptions {
  /** Folder for clones and installs. */
  readonly scratch: string;
  /** Leaves out the unit tests. */
  readonly quick: boolean;
}

/** Sets up in a new folder and runs all that must work; stops at the first step that fails. */
export async function checkCell(cell: Cell, { scratch, quick }: CheckOptions, onStep: (step: Step) => void): Promise<CellResult> {
  // A path that people have, too; without the engine's name, which tests look for in what is printed.
  const folder = mkdtempSync(path.join(scratch, `${cell.situation} ü `));
  const warnings = path.join(scratch, `${path.basename(folder)}.warnings`);
  const env = { ...cell.node.env, NO_COLOR: '1', CI: undefined, ENGINE: cell.engine, NODE_REDIRECT_WARNINGS: warnings };
  const run = { cwd: folder, env };
  const plan = cell.situation === 'clone' ? clone(run, quick ? undefined : cell.engine) : installed(run, path.join(scratch, 'packed'));
  const steps: Step[] = [];
  for (const [name, work] of [...plan, ['warnings', () => nodeSilent(warnings)]] as [string, () => Promise<string>][]) {
    const step = await timed(name, work);
    steps.push(step);
    onStep(step);
    if (step.failure !== undefined) break;
  }
  const file = path.join(folder, REPORTS, 'smoke/results.jsonl');
  const result = { ...cell, steps, ...(existsSync(file) && { records: createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 8) }) };
  if (steps.every(step => step.failure === undefined)) rmSync(folder, { recursive: true });
  return result;
}

type Plan = readonly (readonly [name: string, work: () => Promise<string>])[];

/** The last commit, in a clone of its own, with the tests of an engine. */
function clone(run: Run, tested: EngineChoice | undefined): Plan {
  const ablate = (...args: string[]) => output(run, 'node', 'src/cli/ablate.mjs', ...args);
  return [
    [
      'npm ci',
      async () => {
        await output({ ...run, cwd: ROOT }, 'git', 'clone', '--quiet', '.', run.cwd);
        return npmSilent(await output(run, 'npm', 'ci'));
      },
    ],
    ['set-up', () => ablate('setup').then(engineLine)],
    ['sweep', () => ablate('sweep', '--profile', 'smoke', '--only', ARMS, '--reports', REPORTS).then(stagesDone)],
    ...(tested === undefined ? [] : [['unit tests', () => unitTests(run, tested)] as const]),
  ];
}

/** The tarball of that commit, in an empty folder. It is packed once. */
function installed(run: Run, packed: string): Plan {
  const ablate = (...args: string[]) => output(run, 'npx', 'ablate', ...args);
  return [
    ['npm install', async () => npmSilent(await install(await packedOnce(run, packed), run.cwd, run.env))],
    ['set-up', () => ablate('setup').then(engineLine)],
    ['sweep', () => ablate('sweep', '--profile', 'smoke', '--only', ARMS, '--reports', REPORTS).then(stagesDone)],
    [
      'own study',
      async () => {
        await ablate('init', 'mine');
        await output({ ...run, cwd: path.join(run.cwd, 'mine') }, 'npx', 'ablate', 'plan');
        return 'plans';
      },
    ],
    [
      'types',
      async () => {
        const errors = (await typeErrors(run.cwd, ['mine'], 'nodenext')) + (await typeErrors(run.cwd, ['mine'], 'bundler'));
        if (errors !== '') throw new Error(errors);
        return 'no error';
      },
    ],
  ];
}

async function packedOnce(run: Run, folder: string): Promise<string> {
  const checkout = path.join(folder, 'checkout'),
    tarballs = path.join(folder, 'tarball');
  const [ready] = existsSync(tarballs) ? readdirSync(tarballs) : [];
  if (ready !== undefined) return path.join(tarballs, ready);
  await output({ ...run, cwd: ROOT }, 'git', 'clone', '--quiet', '.', checkout);
  await output({ ...run, cwd: checkout }, 'npm', 'ci');
  return pack(checkout, tarballs, run.env);
}

async function timed(name: string, work: () => Promise<string>): Promise<Step> {
  const began = performance.now();
  const since = (): number => Math.round((performance.now() - began) / 1e3);
  try {
    const text = await work();
    return { name, seconds: since(), text };
  } catch (error) {
    const said = error instanceof Error && 'all' in error ? String(error.all) : String(error);
    return { name, seconds: since(), text: 'FAILED', failure: said.trimEnd().split('\n').slice(-30).join('\n') };
  }
}

/** @throws the error of execa, with all that was printed, when the program fails */
async function output({ cwd, env }: Run, command: string, ...args: readonly string[]): Promise<string> {
  if (!existsSync(cwd)) mkdirSync(cwd, { recursive: true });
  const { all } = await execa(command, args, { cwd, env, all: true, stdin: 'ignore' });
  return all;
}

function npmSilent(text: string): string {
  const [warning] = npmWarnings(text);
  if (warning !== undefined) throw new Error(`Expected npm to warn of nothing, got: ${warning}`);
  return 'no warning';
}

const engineLine = (text: string): string => /^Engine: .*$/m.exec(text)?.[0] ?? text.trimEnd();

function stagesDone(text: string): string {
  const [done] = /\d+ stages? done/.exec(text) ?? [];
  if (done === undefined) throw new Error(text);
  return done;
}

/** With WebAssembly those of its own, and the parity with PyTorch: the others are of the native engine. */
async function unitTests(run: Run, engine: EngineChoice): Promise<string> {
  const which = engine === 'native' ? ['--project', 'unit', '--project', 'engine', '--project', 'isolated'] : ['--project', 'isolated', '--project', 'parity-wasm', '/wasm', 'test/parity/'];
  const report = path.join(run.cwd, 'unit-tests.json');
  // Tests look at what programs print.
  const env = { ...run.env, ENGINE: undefined, NODE_REDIRECT_WARNINGS: undefined };
  await output({ ...run, env }, 'node', 'node_modules/vitest/vitest.mjs', 'run', ...which, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`);
  const { numPassedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8')) as { numPassedTests: number; numPendingTests: number };
  return `${numPassedTests} passed${numPendingTests > 0 ? `, ${numPendingTests} skipped` : ''}`;
}

/** Of Node itself, in our processes and their children; we warn by the same way, but without such names. */
function nodeSilent(file: string): Promise<string> {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const warnings = [
    ...new Set(
      text
        .split('\n')
        .filter(line => /\b\w+Warning:/.test(line))
        .map(line => line.replace(/^\(node:\d+\) /, '')),
    ),
  ];
  return warnings.length === 0 ? Promise.resolve('none') : Promise.reject(new Error(`Expected Node to warn of nothing, got:\n${warnings.join('\n')}`));
}
