/** From a recording to a ledger: what each second of all cores went to. */
import type { KernelTime, Recording, Sample, ThreadTime } from './record.ts';

export interface Part {
  readonly name: string;
  readonly seconds: number;
}

export interface SweepLedger {
  readonly sweep: string;
  readonly wallSeconds: number;
  readonly parts: readonly Part[];
}

const START = 'process start',
  EVALUATION = 'evaluation',
  STEPS = 'JavaScript of steps',
  RUNTIME = 'between kernels',
  NODE = "Node's own threads",
  RUNNER = 'the runner',
  OTHERS = 'other processes',
  RECORDER = 'the recorder';

/** Work beside kernels: the first that has a frame in the stack of a main thread. */
const ACTIVITIES: readonly (readonly [name: string, frames: RegExp])[] = [
  [EVALUATION, / stages\/(score|evaluator|held-out|evaluate)$/],
  ['checkpoints and weights', / (stages\/training-checkpoint|formats\/(safetensors.*|weights)|core\/store\/.*|store\/.*|disk\/.*)$/],
  ['defining functions', /^define compile\/functions$/],
  ['tracing', / compile\/(compile-program|graph-program|compile-step|trace|trace-values|record|emit|rewrite|shared|frozen|step)$/],
  ['data sets', / data\/(dataset|image-set|fashion-mnist|idx)$/],
  [START, / (cjs|esm|modules|start)\/|^dlopen /],
];

/** A call of a function within which the thread mostly waits for the one that computes it. */
const CALL = /^(call|onDevice) compile\/functions$|^executeOp /;
const IDLE = /^\(idle\) /;

const PRODUCT = /MatMul|Einsum|Conv/;

/** Ops whose share is smaller stand together. */
const SMALL = 0.01;

/**
 * @returns parts that add up to `cores` times the wall time, products first and idle last
 * @throws Error where spans do not fit the clocks: then TensorFlow's structure is another than `kernels.cc` says
 */
export function ledger(recording: Recording, cores: number): Part[] {
  const totals = new Map<string, number>();
  const add = (name: string, seconds: number): void => void totals.set(name, (totals.get(name) ?? 0) + seconds);
  const seen = sum(recording.threads);
  for (const [process, program] of recording.programs) {
    const of = <T extends { readonly process: number }>(items: readonly T[]): T[] => items.filter(item => item.process === process);
    const threads = of(recording.threads);
    if (/worker\.m?[jt]s$/.test(program)) addWorker(threads, fitting(of(recording.kernels), threads, recording.wallSeconds), of(recording.samples), add);
    else add(/ablate\.mjs$/.test(program) ? RUNNER : OTHERS, sum(threads));
  }
  add(OTHERS, Math.max(0, recording.cpuSeconds - seen));
  const all = cores * recording.wallSeconds;
  add('idle', Math.max(0, all - [...totals.values()].reduce((a, b) => a + b, 0)));
  return sorted(totals, all);
}

/** Spans last as long as threads have the processor, or longer, and never longer than there are threads for. */
function fitting(kernels: readonly KernelTime[], threads: readonly ThreadTime[], wallSeconds: number): readonly KernelTime[] {
  const computing = threads.filter(isComputing),
    main = threads.find(({ javaScript }) => javaScript === 'main')!.thread;
  const spans = sum(kernels.filter(({ thread }) => thread !== main)),
    // Of an op that all threads compute one has the span.
    least = Math.max(0, sum(computing) - 1) / (2 * Math.max(1, computing.length));
  if (spans < least || spans > 2 * wallSeconds * computing.length) {
    throw new Error(
      `Expected spans of kernels between ${least.toFixed(1)} and ${(2 * wallSeconds * computing.length).toFixed(1)} s, as the clocks of ${computing.length} threads say, got ${spans.toFixed(1)} s`,
    );
  }
  return kernels;
}

const isComputing = ({ name }: ThreadTime): boolean => name.startsWith('tf_');

function addWorker(threads: readonly ThreadTime[], kernels: readonly KernelTime[], samples: readonly Sample[], add: (name: string, seconds: number) => void): void {
  const main = threads.find(({ javaScript }) => javaScript === 'main')!.thread,
    beside = kernels.filter(({ thread }) => thread !== main);
  const computing = threads.filter(isComputing);
  addKernels(sum(computing), beside, samples, add);
  for (const { name, seconds, javaScript } of threads.filter(thread => !computing.includes(thread))) {
    if (javaScript === 'main')
      addMain(
        seconds,
        kernels.filter(({ thread }) => thread === main),
        samples,
        add,
      );
    else add(javaScript === 'worker' ? 'loader' : name.startsWith('v8:Prof') ? RECORDER : NODE, seconds);
  }
}

/** Spans go on while a thread has no core, and one thread has those of ops that several compute: of both, the clocks of the threads know. */
function addKernels(seconds: number, kernels: readonly KernelTime[], samples: readonly Sample[], add: (name: string, seconds: number) => void): void {
  const evaluating = evaluationBuckets(samples),
    scale = seconds / sum(kernels);
  for (const { op, bucket, seconds: lasted } of kernels) add(evaluating.has(bucket) ? EVALUATION : partOf(op), lasted * scale);
}

function addMain(seconds: number, kernels: readonly KernelTime[], samples: readonly Sample[], add: (name: string, seconds: number) => void): void {
  // What spans of the runtime hold on this thread is waiting for those on others.
  const computed = kernels.filter(({ op }) => op !== 'runtime'),
    busy = samples.filter(({ stack }) => !IDLE.test(stack[0]!) && !CALL.test(stack[0]!));
  for (const { op, seconds: lasted } of computed) add(partOf(op), lasted);
  const left = Math.max(0, seconds - sum(computed)),
    scale = Math.min(1, left / sum(busy));
  let started = false;
  for (const { stack, seconds: lasted } of busy) {
    started ||= stack.some(frame => / runner\/execute$/.test(frame));
    add(activityOf(stack) ?? (started ? STEPS : START), lasted * scale);
  }
  add(RUNTIME, left - scale * sum(busy));
}

const activityOf = (stack: readonly string[]): string | undefined => ACTIVITIES.find(([, frames]) => stack.some(frame => frames.test(frame)))?.[0];

const partOf = (op: string): string => (op === 'runtime' ? RUNTIME : PRODUCT.test(op) ? 'products' : op.replace(/^_Mkl/, ''));

/** Tenths of a second of which most went to evaluations. */
function evaluationBuckets(samples: readonly Sample[]): Set<number> {
  const balance = new Map<number, number>();
  for (const { bucket, stack, seconds } of samples) balance.set(bucket, (balance.get(bucket) ?? 0) + (activityOf(stack) === EVALUATION ? seconds : -seconds));
  return new Set([...balance].filter(([, more]) => more > 0).map(([bucket]) => bucket));
}

const NAMED = [EVALUATION, STEPS, ...ACTIVITIES.map(([name]) => name).filter(name => name !== EVALUATION), 'loader', RUNTIME, NODE, RUNNER, OTHERS, RECORDER, 'idle'];

function sorted(totals: ReadonlyMap<string, number>, all: number): Part[] {
  const parts = [...totals].map(([name, seconds]) => ({ name, seconds }));
  const isOp = ({ name }: Part): boolean => name !== 'products' && !NAMED.includes(name);
  const ops = parts.filter(isOp).sort((a, b) => b.seconds - a.seconds);
  const large = ops.filter(({ seconds }) => seconds >= SMALL * all),
    small = ops.filter(({ seconds }) => seconds < SMALL * all);
  const named = (name: string): Part => ({ name, seconds: totals.get(name) ?? 0 });
  return [named('products'), ...large, { name: 'other kernels', seconds: sum(small) }, ...NAMED.map(named)].filter(({ seconds }) => seconds > 0);
}

const sum = (items: readonly { readonly seconds: number }[]): number => items.reduce((total, { seconds }) => total + seconds, 0);

/** Groups of parts, in the order of a chart. */
export const GROUPS = ['products', 'other kernels', EVALUATION, RUNTIME, 'JavaScript', 'loader', 'start and runner', 'idle'] as const;

const JAVASCRIPT = [STEPS, 'tracing', 'defining functions', 'checkpoints and weights', 'data sets', NODE];

export function groupOf(part: string): (typeof GROUPS)[number] {
  const same = GROUPS.find(group => group === part);
  if (same) return same;
  if (JAVASCRIPT.includes(part)) return 'JavaScript';
  return [START, RUNNER, OTHERS, RECORDER].includes(part) ? 'start and runner' : 'other kernels';
}
