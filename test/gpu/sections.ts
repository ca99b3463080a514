/** What is checked on a card, section by section. Each is a program of its own, and ends when its time is up. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa, type Options } from 'execa';
import { stageBytes } from '../helpers/stage-bytes.ts';
import { ALLOW_TYPESCRIPT } from '../helpers/typescript.ts';
import type { Placement } from './placement.ts';
import { imagesPerSecond } from './speed.ts';

export interface CheckOptions {
  readonly device: 'cpu' | 'gpu';
  /** A part of everything, for the test of the check itself. */
  readonly few: boolean;
  /** Variables of all its programs. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a section found; `wrong` has a line for each thing that is not as it should be. */
export interface Found {
  readonly wrong: readonly string[];
  readonly facts: object;
}

export interface Section {
  /** At most, of its programs. */
  readonly seconds: number;
  readonly run: (options: CheckOptions, signal: AbortSignal) => Promise<Found>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const file = (name: string): string => join(ROOT, name);

/** Runs a program of Node. @throws Error with the end of what it wrote, where it fails */
async function node(args: readonly string[], env: CheckOptions['env'], cancelSignal: AbortSignal, more: Options = {}): Promise<string> {
  const { stdout } = await execa(process.execPath, args, { cwd: ROOT, env, cancelSignal, ...more });
  return String(stdout);
}

const placement: Section = {
  seconds: 180,
  run: async ({ device, few, env }, signal) => {
    const byPrecision: Record<string, Placement> = {};
    for (const precision of ['float32', 'bfloat16']) {
      const args = ['--import', ALLOW_TYPESCRIPT, file('test/gpu/placement.ts'), device, precision, ...(few ? ['few'] : [])];
      byPrecision[precision] = JSON.parse(await node(args, env, signal)) as Placement;
      if (few) break;
    }
    const wrong = Object.entries(byPrecision).flatMap(([precision, { promised, elsewhere, notFinite }]) => [
      ...Object.entries(elsewhere).map(([name, ops]) => `${precision}: expected every node on ${promised}, got ${ops.join(', ')} on ${name}`),
      ...notFinite.map(name => `${precision}: expected finite results, got others of '${name}'`),
    ]);
    return { wrong, facts: byPrecision };
  },
};

/** Golden values of the official PyTorch code, computed as compiled graphs on the device. */
const parity: Section = {
  seconds: 90,
  run: async ({ device, few, env }, signal) => {
    const folder = mkdtempSync(join(tmpdir(), 'gpu-check-'));
    try {
      const report = join(folder, 'parity.json');
      const args = ['run', '--project', 'parity-graph', '--reporter', 'json', '--outputFile', report, ...(few ? ['test/parity/vit.test.ts'] : [])];
      await node([file('node_modules/vitest/vitest.mjs'), ...args], { ...env, PARITY_DEVICE: device }, signal, { reject: false });
      if (!existsSync(report)) throw new Error('Expected golden values to be compared, got no report of them.');
      const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as VitestReport;
      const failed = testResults.flatMap(({ assertionResults }) => assertionResults.filter(({ status }) => status === 'failed'));
      // A file that could not begin has no failed test.
      const broken = testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.every(one => one.status !== 'failed'));
      return {
        wrong: [
          ...failed.map(({ fullName, failureMessages }) => `expected golden values, got others: ${fullName}: ${firstLine(failureMessages[0])}`),
          ...broken.map(({ name, message }) => `expected golden values to be compared, got: ${basename(name)}: ${firstLine(message)}`),
          ...(numPassedTests === 0 ? ['expected golden values to be met, got none'] : []),
        ],
        facts: { passed: numPassedTests, failed: numFailedTests },
      };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

const firstLine = (text = ''): string => text.split('\n')[0]!;

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string; readonly failureMessages: readonly string[] }[];
  }[];
}

const TRAFFIC = 'test/bench/traffic.ts';

const traffic: Section = {
  seconds: 60,
  run: async ({ env }, signal) => {
    if (!existsSync(file(TRAFFIC))) return { wrong: [], facts: { skipped: `no ${TRAFFIC}` } };
    const { stdout, exitCode } = await execa(process.execPath, ['--import', ALLOW_TYPESCRIPT, file(TRAFFIC), '--profile', 'mini'], {
      cwd: ROOT,
      env: { ...env, NO_COLOR: '1' },
      cancelSignal: signal,
      reject: false,
    });
    return { wrong: exitCode === 0 ? [] : ['expected no more to cross than pixels and a few numbers, got more'], facts: { table: stdout.split('\n') } };
  },
};

/** Students of one teacher in a pack: killed with SIGKILL and gone on with, they have the bytes of those that nobody disturbed. */
const resume: Section = {
  seconds: 150,
  run: async ({ device, few, env }, signal) => {
    const folder = mkdtempSync(join(tmpdir(), 'gpu-check-'));
    const sweep = (store: string, more: readonly string[] = []) =>
      execa(
        process.execPath,
        [file('src/cli/ablate.mjs'), 'sweep', ...PACK, '--profile', few ? 'grid' : 'toy', '--devices', device === 'gpu' ? 'gpu:0' : 'cpu:1x1', '--store', store, '--no-report', ...more],
        {
          cwd: folder,
          env,
          reject: false,
          all: true,
          detached: true,
          cancelSignal: signal,
        },
      );
    try {
      const whole = await sweep('whole');
      const running = sweep('killed', ['--checkpoint-every', '0.1']);
      let kills = 0,
        ended = false;
      void running.then(() => {
        ended = true;
      });
      while (!ended && !hasCheckpointOfPack(join(folder, 'killed'))) await sleep(20);
      if (!ended) {
        process.kill(-running.pid!, 'SIGKILL'); // the runner and its workers, as when the machine goes down
        kills += 1;
      }
      await running;
      const last = await sweep('killed');
      const [expected, actual] = ['whole', 'killed'].map(store => stageBytes(join(folder, store)));
      const different = Object.keys(expected!).filter(name => expected![name] !== actual![name]);
      return {
        wrong: [
          ...[whole, last].flatMap(({ exitCode, all }) => (exitCode === 0 ? [] : [`expected a sweep to end with 0, got ${String(exitCode)}: ${all.split('\n').slice(-5).join(' ')}`])),
          ...(kills === 0 ? ['expected a checkpoint of a pack at which to kill the sweep, got none'] : []),
          ...(different.length === 0 ? [] : [`expected the bytes of an undisturbed sweep, got others in ${different.length} of ${Object.keys(expected!).length} files`]),
        ],
        facts: { kills, files: Object.keys(expected!).length, different: different.length },
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

const PACK = ['--experiments', file('test/e2e/experiments'), '--only', 'factors/qq-kk-vv,factors/class-token-kl'];

/** Whether a distillation, the one kind in packs, has left a checkpoint. */
function hasCheckpointOfPack(store: string): boolean {
  try {
    const stages = join(store, 'stages');
    return readdirSync(stages, { recursive: true, encoding: 'utf8' }).some(
      name => name.endsWith('progress.json') && readFileSync(join(stages, name.split('/')[0]!, 'stage.json'), 'utf8').includes('"distill"'),
    );
  } catch {
    return false; // no stage has begun, or a folder went while it was read
  }
}

const speed: Section = {
  seconds: 120,
  run: async (options, signal) => {
    const facts = await imagesPerSecond(options, signal);
    const { float32 } = facts.ours;
    return { wrong: float32 !== undefined && 'refused' in float32 ? [`expected float32 to be computed, got: ${float32.refused}`] : [], facts };
  },
};

export const SECTIONS: Readonly<Record<string, Section>> = { placement, parity, traffic, resume, speed };
