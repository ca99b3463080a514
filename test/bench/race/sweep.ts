/**
 * The race of a whole sweep: `ablate sweep` against PyTorch in as many processes of one thread as there are cores, which train
 * the same arms from the same initial weights on the same images; the teacher is trained once.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { openStoreReadOnly } from '../../../src/core/store/store.ts';
import { REFERENCE, type Contender } from './contenders.ts';
import { outcomeDeviation, SWEEP_TOLERANCE } from './curves.ts';
import { startPeer, type Peer } from './peer.ts';
import type { PyTorch } from './pytorch.ts';
import { pythonEnvironment } from './steps.ts';
import { prepareSweep, type SweepArm, type SweepFiles } from './sweep-plan.ts';

interface SweepRun {
  /** Processes, libraries and data loaded; ours load while the sweep begins. */
  readonly startSeconds: number;
  /** All the rest. */
  readonly seconds: number;
  /** Of the largest process. */
  readonly peakBytes: number;
  /** By arm. */
  readonly arms: Readonly<Record<string, ArmOutcome>>;
}

interface ArmOutcome {
  /** Mean over the steps of the distillation. */
  readonly loss: number;
  readonly accuracy: number;
}

export interface SweepContender extends Pick<Contender, 'name' | 'side' | 'precision'> {
  readonly mode: 'eager' | 'graph' | 'hybrid';
}

/** All ratios are against the first. */
export const SWEEP_CONTENDERS: readonly SweepContender[] = [
  { name: 'pytorch', side: 'pytorch', precision: 'float32', mode: 'eager' },
  { name: 'graph', side: 'ours', precision: 'float32', mode: 'graph' },
  { name: 'graph bf16', side: 'ours', precision: 'bfloat16', mode: 'graph' },
];

export interface SweepResult {
  readonly contender: SweepContender;
  /** By round. */
  readonly runs: readonly SweepRun[];
}

export interface SweepOptions {
  readonly pytorch: PyTorch;
  readonly cores: number;
  readonly rounds: number;
  readonly dataDir: string;
  readonly say: (line: string) => void;
}

export async function raceSweep({ rounds, say, ...options }: SweepOptions): Promise<{ results: SweepResult[]; files: SweepFiles }> {
  const folder = mkdtempSync(join(tmpdir(), 'race-'));
  try {
    const files = await prepareSweep(folder, options.dataDir);
    const results = SWEEP_CONTENDERS.map(contender => ({ contender, runs: [] as SweepRun[] }));
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < results.length; i++) {
        const { contender, runs } = results[(i + round) % results.length]!;
        const run = contender.side === 'pytorch' ? await pytorchSweep(files, folder, options) : await ourSweep(contender, folder, files, options);
        runs.push(run);
        say(`  round ${round + 1} of ${rounds}, ${contender.name}: ${run.seconds.toFixed(1)} s after ${run.startSeconds.toFixed(1)} s of start-up`);
      }
    }
    return { results, files };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const pythonFile = fileURLToPath(new URL('../pytorch/sweep.py', import.meta.url));

async function pytorchSweep(files: SweepFiles, folder: string, { pytorch, cores }: Omit<SweepOptions, 'rounds' | 'say'>): Promise<SweepRun> {
  const began = performance.now();
  const peers = Array.from({ length: cores }, (_, i) => startPeer(`pytorch ${i}`, { file: pytorch.python, args: [pythonFile], env: pythonEnvironment(pytorch, 1) }));
  try {
    await Promise.all(peers.map(peer => peer.ask('start', { data_file: files.data, threads: 1 })));
    const started = performance.now();
    const teacher = join(folder, 'teacher.pt');
    // Nobody else has anything to do yet, so the teacher gets all cores.
    const trained = await peers[0]!.ask<{ peak_bytes: number }>('pretrain', { recipe: files.pretrain, weights_file: files.teacher, output: teacher, threads: cores });
    const outcomes = await inTurn(peers, files.arms, (peer, arm) => peer.ask<ArmReply>('arm', armRequest(arm, files, teacher)));
    return {
      startSeconds: (started - began) / 1e3,
      seconds: (performance.now() - started) / 1e3,
      peakBytes: Math.max(trained.peak_bytes, ...outcomes.map(({ peak_bytes }) => peak_bytes)),
      arms: Object.fromEntries(outcomes.map(({ loss, accuracy }, i) => [files.arms[i]!.name, { loss, accuracy }])),
    };
  } finally {
    await Promise.all(peers.map(peer => peer.close()));
  }
}

interface ArmReply {
  readonly loss: number;
  readonly accuracy: number;
  readonly peak_bytes: number;
}

const armRequest = ({ distill, finetune, student }: SweepArm, { pretrain, classifier }: SweepFiles, teacher: string): object => ({
  distill,
  finetune,
  teacher: pretrain.model,
  teacher_file: teacher,
  student_file: student,
  classifier_file: classifier,
  threads: 1,
});

/** Each peer takes the next item when it is free. @returns in the order of the items */
async function inTurn<T, R>(peers: readonly Peer[], items: readonly T[], work: (peer: Peer, item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  await Promise.all(
    peers.map(async peer => {
      while (next < items.length) {
        const index = next++;
        results[index] = await work(peer, items[index]!);
      }
    }),
  );
  return results;
}

const ABLATE = fileURLToPath(new URL('../../../src/cli/ablate.mjs', import.meta.url));

async function ourSweep({ name, mode, precision }: SweepContender, folder: string, files: SweepFiles, { cores }: Pick<SweepOptions, 'cores'>): Promise<SweepRun> {
  const store = mkdtempSync(join(folder, 'store-'));
  const began = Date.now();
  const run = await execa(
    process.execPath,
    [
      ABLATE,
      'sweep',
      '--experiments',
      files.experiments,
      '--profile',
      files.profile,
      '--store',
      store,
      '--no-report',
      '--devices',
      `cpu:${cores}x1`,
      '--set',
      `engine.mode=${mode}`,
      '--set',
      `engine.precision=${precision}`,
    ],
    { reject: false, all: true, stdin: 'ignore' },
  );
  const wall = (Date.now() - began) / 1e3;
  if (run.failed) throw new Error(`${name}: ablate sweep ended with ${String(run.exitCode)}.\n${run.all.split('\n').slice(-20).join('\n')}`);
  const attempts = readAttempts(store);
  const startSeconds = (Math.min(...attempts.map(({ engineLoaded }) => engineLoaded)) - began) / 1e3;
  const result = (key: string): Record<string, number> => attempts.find(attempt => attempt.key === key)!.result;
  return {
    startSeconds,
    seconds: wall - startSeconds,
    peakBytes: Math.max(...attempts.map(({ peakBytes }) => peakBytes)),
    arms: Object.fromEntries(files.armStages(mode, precision).map(({ arm, distill, evaluate }) => [arm, { loss: result(distill)['loss']!, accuracy: result(evaluate)['accuracy']! }])),
  };
}

interface AttemptFacts {
  readonly key: string;
  readonly engineLoaded: number;
  readonly peakBytes: number;
  readonly result: Record<string, number>;
}

function readAttempts(store: string): AttemptFacts[] {
  const reader = openStoreReadOnly(store);
  return reader.keys().map(key => {
    const done = reader.attemptDir(key, reader.doneAttempt(key)!);
    const json = (name: string): unknown => JSON.parse(readFileSync(join(done, name), 'utf8'));
    const loaded = /^(\S+) Engine: /m.exec(readFileSync(join(done, 'log.txt'), 'utf8'))?.[1];
    return {
      key,
      result: json('result.json') as Record<string, number>,
      engineLoaded: loaded === undefined ? Infinity : Date.parse(loaded),
      peakBytes: (json('provenance.json') as { peak_memory_bytes: number }).peak_memory_bytes,
    };
  });
}

/** What is wrong with the outcome of a sweep, a line for each contender that differs. */
export function wrongOutcomes(results: readonly SweepResult[]): string[] {
  const reference = results.find(({ contender }) => contender.name === REFERENCE)!.runs[0]!.arms;
  return results.flatMap(({ contender, runs }) => {
    const { loss, accuracy } = outcomeDeviation(runs[0]!.arms, reference);
    if (loss <= SWEEP_TOLERANCE.loss && accuracy <= SWEEP_TOLERANCE.accuracy) return [];
    return [
      `sweep: expected the losses of '${contender.name}' within ${SWEEP_TOLERANCE.loss} of PyTorch's and its mean accuracy within ${SWEEP_TOLERANCE.accuracy}, got ${loss.toFixed(3)} and ${accuracy.toFixed(3)}.`,
    ];
  });
}
