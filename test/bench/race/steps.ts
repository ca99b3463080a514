/** The race of single steps: every contender in a process of its own, round by round, one at a time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { modeEnvironment } from '../../../src/engine/compile/mode.ts';
import type { StepCase } from './cases.ts';
import { CONTENDERS, REFERENCE, type Contender } from './contenders.ts';
import { COMPARED_STEPS, deviation, TOLERANCE } from './curves.ts';
import { startPeer, type Command, type Peer } from './peer.ts';
import { prepareCase, type CaseFiles } from './prepare.ts';
import type { PyTorch } from './pytorch.ts';
import { ALLOW_TYPESCRIPT } from '../../helpers/typescript.ts';

export interface ContenderResult {
  readonly contender: Contender;
  /** Why it did not take part. */
  readonly skipped?: string;
  /** By round. */
  readonly secondsPerStep: readonly number[];
  /** Loading, and the first steps: tracing, compiling. */
  readonly startSeconds: number;
  readonly peakBytes: number;
  /** From the reference's losses over the first steps. */
  readonly deviation: number;
}

export interface CaseResult {
  readonly step: StepCase;
  readonly stepsPerRound: number;
  readonly results: readonly ContenderResult[];
}

export interface StepRaceOptions {
  readonly pytorch: PyTorch;
  readonly contenders: readonly string[];
  readonly rounds: number;
  readonly threads: number;
  readonly device: 'cpu' | 'gpu';
  readonly say: (line: string) => void;
}

/** Wall time of a round of the reference, at least: short enough to interleave, long enough to measure. */
const ROUND_SECONDS = 1;

interface Runner {
  readonly contender: Contender;
  readonly peer: Peer;
  readonly startSeconds: number;
  readonly losses: readonly number[];
  /** Of the last of the first steps. */
  readonly warmSeconds: number;
  readonly secondsPerStep: number[];
  peakBytes: number;
}

/** @throws Error where a side cannot run the case, but for torch.compile, which is left out with the reason */
export async function raceSteps(step: StepCase, options: StepRaceOptions): Promise<CaseResult> {
  const { rounds, say } = options;
  const folder = mkdtempSync(join(tmpdir(), 'race-'));
  const runners: Runner[] = [],
    skipped: ContenderResult[] = [];
  try {
    const files = prepareCase(step, folder);
    say(step.title);
    for (const contender of CONTENDERS.filter(({ name, distillOnly }) => options.contenders.includes(name) && (distillOnly === undefined || step.kind === 'distill'))) {
      const runner = await start(step, files, contender, options);
      if ('skipped' in runner) skipped.push(runner);
      else runners.push(runner);
      say(`  ${contender.name}: ${'skipped' in runner ? `left out, ${runner.skipped}` : `first ${COMPARED_STEPS} steps after ${runner.startSeconds.toFixed(1)} s`}`);
    }
    const reference = runners.find(({ contender }) => contender.name === REFERENCE)!;
    const stepsPerRound = Math.max(2, Math.round(ROUND_SECONDS / reference.warmSeconds));
    for (let round = 0; round < rounds; round++) {
      say(`  round ${round + 1} of ${rounds}, ${stepsPerRound} steps each`);
      // Each begins once: whoever comes first may find a cooler processor.
      for (let i = 0; i < runners.length; i++) await measure(runners[(i + round) % runners.length]!, stepsPerRound);
    }
    const results = runners.map((runner): ContenderResult => ({
      contender: runner.contender,
      secondsPerStep: runner.secondsPerStep,
      startSeconds: runner.startSeconds,
      peakBytes: runner.peakBytes,
      deviation: deviation(runner.losses, reference.losses),
    }));
    return { step, stepsPerRound, results: [...results, ...skipped] };
  } finally {
    await Promise.all(runners.map(({ peer }) => peer.close()));
    rmSync(folder, { recursive: true });
  }
}

/** What is wrong with the losses of a case, a line for each contender that differs. */
export const wrongCurves = ({ step, results }: CaseResult): string[] =>
  results.flatMap(({ contender, skipped, deviation: by }) =>
    skipped === undefined && !(by <= TOLERANCE[contender.precision])
      ? [`${step.name}: expected the losses of '${contender.name}' within ${TOLERANCE[contender.precision]} of PyTorch's in float32, got a difference of ${by.toExponential(1)}.`]
      : [],
  );

interface StepsReply {
  readonly seconds: number;
  readonly losses: readonly number[];
  readonly peak_bytes: number;
}

async function measure(runner: Runner, count: number): Promise<void> {
  const { seconds, peak_bytes } = await runner.peer.ask<StepsReply>('steps', { count });
  runner.secondsPerStep.push(seconds / count);
  runner.peakBytes = peak_bytes;
}

async function start(step: StepCase, files: CaseFiles, contender: Contender, options: StepRaceOptions): Promise<Runner | (ContenderResult & { skipped: string })> {
  const leftOut = (reason: string) => ({ contender, skipped: reason, secondsPerStep: [], startSeconds: 0, peakBytes: 0, deviation: 0 });
  if (contender.mode === 'compile' && !(await hasCompiler())) return leftOut('no C++ compiler (g++, or what CXX names) for torch.compile');
  const began = performance.now();
  const peer = startPeer(contender.name, commandOf(contender, options));
  try {
    await peer.ask('start', startRequest(step, files, contender, options));
    const first = await peer.ask<StepsReply>('steps', { count: COMPARED_STEPS - 1 });
    const last = await peer.ask<StepsReply>('steps', { count: 1 });
    return {
      contender,
      peer,
      startSeconds: (performance.now() - began) / 1e3,
      losses: [...first.losses, ...last.losses],
      warmSeconds: last.seconds,
      secondsPerStep: [],
      peakBytes: last.peak_bytes,
    };
  } catch (error) {
    await peer.close();
    if (contender.mode !== 'compile') throw error;
    return leftOut((error as Error).message.split('\n')[0]!);
  }
}

const pythonFile = fileURLToPath(new URL('../pytorch/step.py', import.meta.url));
const ourFile = fileURLToPath(new URL('ours.ts', import.meta.url));

function commandOf({ side, mode }: Contender, { pytorch, threads }: StepRaceOptions): Command {
  if (side === 'ours') return { file: process.execPath, args: ['--import', ALLOW_TYPESCRIPT, ourFile], env: mode === 'compile' ? {} : modeEnvironment(mode) };
  return { file: pytorch.python, args: [pythonFile], env: pythonEnvironment(pytorch, threads) };
}

export const pythonEnvironment = ({ env }: PyTorch, threads: number): Record<string, string> => ({
  ...env,
  OMP_NUM_THREADS: String(threads),
  MKL_NUM_THREADS: String(threads),
  PYTHONDONTWRITEBYTECODE: '1',
});

function startRequest(step: StepCase, files: CaseFiles, { side, mode, precision }: Contender, { threads, device }: StepRaceOptions): object {
  if (side === 'ours') return { step, files, mode, precision, threads, device };
  return {
    case: step,
    weights_file: files.weights,
    inputs_file: files.inputs,
    teacher_file: files.teacher ?? null,
    precision,
    compiled: mode === 'compile',
    threads,
    device: device === 'gpu' ? 'cuda' : 'cpu',
  };
}

/** torch.compile's backend for CPUs writes C++. */
async function hasCompiler(): Promise<boolean> {
  const run = await execa(process.env['CXX'] || 'g++', ['--version'], { reject: false });
  return !run.failed;
}
