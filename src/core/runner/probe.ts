/** Runs the first steps of a stage for their time: the real code on real images, and no result. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AblateError, Interrupted, PermanentError } from '../ablation/errors.ts';
import type { Checkpoints, Execution, JsonObject, PackRunner, Progress, StageContext, StageKind, StageResult, UpstreamOutput } from '../ablation/kind.ts';
import { loadStudy } from '../ablation/load.ts';
import { engineText } from './measurements.ts';
import { loadPackRunner } from './pack-runner.ts';

export interface ProbeInput {
  readonly key: string;
  readonly kind: string;
  readonly recipe: JsonObject;
  /** Of a finished stage; without it untrained weights are written. */
  readonly done?: { readonly output: string; readonly result: StageResult };
}

/** All that a probing worker needs. Plain JSON. */
export interface ProbeTask {
  /** Folder of the declarations; its study brings the kinds. */
  readonly experiments: string;
  readonly kind: string;
  readonly recipe: JsonObject;
  readonly seed: number;
  readonly inputs: Readonly<Record<string, ProbeInput>>;
  /** Empty folder for what the stage writes. */
  readonly folder: string;
  readonly execution: Execution;
}

/** Times in milliseconds since 1970, so that a parent can relate them to when it started the process. */
export interface Probed {
  /** The stage's first word after loading. */
  readonly began: number;
  /** Milliseconds to the same word when the process runs the stage once more. */
  readonly againMs: number;
  /** One step, where it has steps: `stepMs` each, `steps` in the whole stage. */
  readonly steps?: number;
  readonly stepMs?: number;
  /** The stage ran to its end. */
  readonly ended?: number;
  readonly engine: string | null;
}

/** The first steps are slower than the rest: buffers are allocated, threads started. */
const WARM_UP = 2;
const STEPS = 10;
/** Enough for a step that takes this long. */
const ENOUGH_MS = 4_000;

/** Of steps that follow each other without anything between. */
class StepClock {
  readonly stop = new AbortController();
  began: number | undefined;
  steps = 0;
  #last: { readonly time: number; readonly step: number } | undefined;
  #seen = 0;
  #spent = 0;
  #reports = 0;
  readonly #mostReports: number;
  readonly #spans: number[] = [];

  /** @param most words of the stage after which it is stopped in any case */
  constructor(most = Infinity) {
    this.#mostReports = most;
  }

  take({ phase, step, steps }: Progress): void {
    if (phase === 'load' || phase === 'trace') return;
    const time = now();
    this.began ??= time;
    if (++this.#reports >= this.#mostReports) this.stop.abort();
    if (phase !== 'step') {
      this.#last = undefined; // an evaluation or a checkpoint lies between
      return;
    }
    this.steps = steps;
    if (this.#last !== undefined && ++this.#seen > WARM_UP) this.#passed(time - this.#last.time, step - this.#last.step);
    this.#last = { time, step };
    if (this.#spans.length >= STEPS || (this.#spans.length >= 2 && this.#spent >= ENOUGH_MS)) this.stop.abort();
  }

  /** Of several steps between two words each has its share. */
  #passed(milliseconds: number, steps: number): void {
    this.#spans.push(milliseconds / Math.max(1, steps));
    this.#spent += milliseconds;
  }

  /** The median: a step that something else disturbed does not count. */
  stepMs(): number | undefined {
    const sorted = [...this.#spans].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
  }
}

/** @throws whatever the stage throws, but for its being stopped */
export async function probe(task: ProbeTask): Promise<Probed> {
  const study = await loadStudy(task.experiments);
  const kindOf = (name: string): StageKind => {
    const found = study.kinds.find(kind => kind.name === name);
    if (!found) throw new PermanentError('UNKNOWN_KIND', `Expected a kind '${name}' in the study of ${task.experiments}, got none`);
    return found;
  };
  const upstream = Object.fromEntries(
    await Promise.all(Object.entries(task.inputs).map(async ([slot, input]) => [slot, await upstreamOutput(input, kindOf(input.kind), join(task.folder, 'inputs', slot))] as const)),
  );
  const output = join(task.folder, 'output');
  await mkdir(output, { recursive: true });
  const run = await loadPackRunner(kindOf(task.kind));
  const clock = new StepClock();
  const facts: JsonObject = {};
  const loaded = now();
  const ended = await runToItsEnd(run, probingContext(task, upstream, output, clock, facts));
  const stepMs = clock.stepMs();
  const againMs = await timeToFirstProgress(run, task, upstream, join(task.folder, 'again'));
  return { began: clock.began ?? loaded, againMs, engine: engineText(facts), ...(stepMs !== undefined && { stepMs, steps: clock.steps }), ...(ended !== undefined && { ended }) };
}

const now = (): number => performance.timeOrigin + performance.now();

/** @returns when it ended, or nothing when it was stopped */
async function runToItsEnd(run: PackRunner, context: StageContext): Promise<number | undefined> {
  const [settled] = await run([context]);
  if (settled?.status === 'fulfilled') return now();
  if (settled?.reason instanceof Interrupted) return undefined;
  throw settled?.reason ?? new AblateError('PACK_RESULTS', 'Expected the outcome of one stage, got none');
}

/** Milliseconds; of a stage that says nothing, until it ends. */
async function timeToFirstProgress(run: PackRunner, task: ProbeTask, upstream: Record<string, UpstreamOutput>, output: string): Promise<number> {
  await mkdir(output, { recursive: true });
  const started = now();
  const clock = new StepClock(1);
  await runToItsEnd(run, probingContext(task, upstream, output, clock, {}));
  return (clock.began ?? now()) - started;
}

async function upstreamOutput({ key, kind, recipe, done }: ProbeInput, { loadUntrained }: { loadUntrained?: StageKind['loadUntrained'] }, folder: string): Promise<UpstreamOutput> {
  if (done) return { key, kind, recipe, ...done };
  if (!loadUntrained) throw new PermanentError('NO_INPUT', `Expected kind '${kind}' to have untrained outputs or a finished stage, got neither`);
  await mkdir(folder, { recursive: true });
  await (
    await loadUntrained()
  )(recipe, folder);
  return { key, kind, recipe, result: {}, output: folder };
}

const noCheckpoints: Checkpoints = {
  latest: () => Promise.resolve(undefined),
  due: () => false,
  save: () => Promise.resolve(),
};

function probingContext({ recipe, seed, execution }: ProbeTask, upstream: Record<string, UpstreamOutput>, output: string, clock: StepClock, facts: JsonObject): StageContext {
  return {
    recipe,
    seed,
    upstream,
    output,
    scratch: `${output}-scratch`,
    execution,
    checkpoints: noCheckpoints,
    metric: () => undefined,
    progress: progress => clock.take(progress),
    items: () => undefined,
    log: line => void process.stdout.write(`${line}\n`),
    provenance: more => void Object.assign(facts, more),
    signal: clock.stop.signal,
  };
}
