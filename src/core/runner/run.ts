/** Runs a plan: every stage until done or failed, inputs first, the critical path first, nothing twice. */
import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { StageKind } from '../ablation/kind.ts';
import { codeOfKinds } from '../code/kind-code.ts';
import { fitsOf } from '../plan/memory.ts';
import { stageLabel, type Plan } from '../plan/plan.ts';
import type { Pack } from '../plan/schedule.ts';
import { environmentOf } from '../plan/sharing.ts';
import type { Attempt } from '../store/attempt.ts';
import type { AttemptFailure, StageState } from '../store/reader.ts';
import type { AttemptShare } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Place } from './devices.ts';
import { endText, memoryFaultOf, runnerFailure, workerFailure } from './endings.ts';
import type { EventWithoutCounts, RunEvent, RunSummary, StageFailure } from './events.ts';
import type { Executor, Job, Task } from './executors/executor.ts';
import { verifyInputs } from './inputs.ts';
import { LIMITS, type Limits } from './limits.ts';
import { logTail } from './log.ts';
import { Queue } from './queue.ts';
import { retriesFor, type FailedAttempt, type Retries } from './retries.ts';
import type { Round } from './round.ts';
import { StageTracker } from './stage-tracker.ts';
import { superviseJob, type Supervised } from './supervision.ts';

export interface RunOptions {
  readonly plan: Plan;
  /** Those of the study, for what its stages share and need. */
  readonly kinds: readonly StageKind[];
  readonly store: Store;
  readonly executor: Executor;
  /** Absolute folder of the declarations, for the workers. */
  readonly experiments: string;
  /** Absolute folder of prepared data sets. */
  readonly dataDir: string;
  /** By key: the file that a stage starts from, where it is told where that lies. */
  readonly inputFiles?: ReadonlyMap<string, string>;
  /** Whether checkpoints may be continued that another engine, library or type of CPU wrote (default no). */
  readonly acceptEngineChange?: boolean;
  /** Aborted: start nothing more, ask the workers to checkpoint and leave. */
  readonly stop?: AbortSignal;
  /** Aborted: end the workers at once. */
  readonly kill?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  /** Milliseconds between periodic checkpoints of a stage (default 30 s). */
  readonly checkpointEvery?: number;
  /** Milliseconds that a worker gets to checkpoint before it is forced (default 60 s). */
  readonly grace?: number;
  /** How long a worker may be silent before it is stopped (default `LIMITS`). */
  readonly limits?: Limits;
  /** Milliseconds between looks at a stage that another runner works on (default 1 s). */
  readonly poll?: number;
  /** Where other workers share the plan, each in an allocation of its own. */
  readonly share?: Share;
  /** FLOPs of a stage or pack from which it is given the threads of idle places (default 4e11). */
  readonly wideFrom?: number;
}

/** The part of one of several workers of a plan. */
export interface Share {
  readonly round: Round;
  /** Of all workers together: stages are packed for them all. */
  readonly places: number;
  /** What its attempts say of it, beside the round. `memory`: bytes of its allocation; a stage that needs more is left to others. */
  readonly facts: Omit<AttemptShare, 'round'>;
}

const GRACE_MS = 60_000;

/** Some 8 s of a thread. Another number of threads needs another process, which takes 2 s to start, and one after it. */
const WIDE_FROM_FLOPS = 4e11;

/** A failure of a stage ends up in the summary and leaves the others running; only a broken store or program makes this reject. */
export async function runPlan(options: RunOptions): Promise<RunSummary> {
  options.store.clearLeftovers();
  await verifyInputs(options.plan, options.store);
  return await new Run(options).run();
}

interface FailedStage extends AttemptFailure, FailedAttempt {
  readonly attempt?: number;
}

interface Time {
  readonly seconds: number;
  readonly workerSeconds: number;
}

class Run {
  readonly #options: RunOptions;
  readonly #tracker: StageTracker;
  readonly #queue: Queue;
  readonly #active = new Set<Promise<void>>();
  readonly #jobs = new Set<Job>();
  readonly #retries: Retries;
  readonly #done: string[] = [];
  readonly #failures: StageFailure[] = [];

  constructor(options: RunOptions) {
    this.#options = options;
    const { plan, store, kinds, executor } = options;
    this.#tracker = new StageTracker(plan, key => store.doneAttempt(key) !== undefined);
    const fits = fitsOf(kinds, plan, executor.memory.card);
    const places = Math.max(executor.places, options.share?.places ?? 0);
    this.#queue = new Queue(plan, kinds, this.#tracker, { places, memory: executor.memory }, fits);
    this.#retries = retriesFor({ ...options, fits }, this.#tracker.keysWith('queued'));
    for (const key of this.#retries.split()) this.#queue.runAlone(key);
    // What a killed run left to remove.
    for (const key of this.#tracker.keysWith('reused')) store.tidy(key);
  }

  async run(): Promise<RunSummary> {
    const { stop, kill, grace = GRACE_MS } = this.#options;
    const onStop = (): void => this.#jobs.forEach(job => job.stop(grace));
    const onKill = (): void => this.#jobs.forEach(job => job.kill());
    if (stop) setMaxListeners(0, stop); // one for each stage that others work on
    stop?.addEventListener('abort', onStop);
    kill?.addEventListener('abort', onKill);
    this.#emit({ type: 'begin' });
    try {
      this.#startReady();
      // While the first workers start: entering a stage waits for the disk.
      if (!this.#stopping) this.#follow(this.#enterStages());
      for (;;) {
        this.#startReady();
        if (this.#active.size === 0) break;
        await Promise.race(this.#active);
      }
    } finally {
      await this.#options.executor.close();
      stop?.removeEventListener('abort', onStop);
      kill?.removeEventListener('abort', onKill);
    }
    return this.#summary();
  }

  /** So that whoever looks into the store finds every stage that was planned, run or not. */
  async #enterStages(): Promise<void> {
    for (const key of this.#options.plan.stages.keys()) {
      this.#enterStage(key);
      await nextTurn();
    }
  }

  #enterStage(key: string): void {
    this.#options.store.ensureStage(key, this.#options.plan.stages.get(key)!, this.#label(key));
  }

  get #stopping(): boolean {
    return this.#options.stop?.aborted === true || this.#options.kill?.aborted === true;
  }

  #startReady(): void {
    while (!this.#stopping) {
      const pack = this.#queue.next();
      const place = pack && this.#options.executor.reserve(this.#environment(pack[0]!.key));
      if (!pack || !place) return;
      this.#queue.start(pack);
      for (const { key } of pack) this.#tracker.set(key, 'running');
      this.#follow(this.#runPack(pack, place).finally(() => this.#queue.ended(pack)));
    }
  }

  #follow(work: Promise<void>): void {
    const followed: Promise<void> = work.finally(() => this.#active.delete(followed));
    this.#active.add(followed);
  }

  /** One attempt at each stage of a pack, but for those that someone else works on. */
  async #runPack(pack: Pack, reserved: Place): Promise<void> {
    const { executor } = this.#options;
    const attempts: Attempt[] = [];
    for (const { key } of pack) {
      const attempt = await this.#acquire(key, reserved);
      if (attempt) attempts.push(attempt);
    }
    if (attempts.length === 0) {
      executor.release(reserved);
      return;
    }
    const place = this.#mayWiden(pack) ? (executor.widen?.(reserved) ?? reserved) : reserved;
    const started = performance.now();
    const keys = attempts.map(attempt => attempt.key);
    for (const { key, number } of attempts)
      this.#emit({ type: 'started', key, label: this.#label(key), attempt: number, place: place.name, ...(place.borrowed !== undefined && { threads: place.threads }), pack: keys });
    const supervised = await this.#runJob(attempts, place);
    const seconds = (performance.now() - started) / 1e3;
    const share = place.threads / reserved.threads / attempts.length;
    for (const attempt of attempts) this.#settle(attempt, supervised, { packed: attempts.length > 1, device: place.device }, { seconds, workerSeconds: seconds * share });
  }

  /** Whether a pack gains by more threads, loses no byte by them, and nothing else waits for them. */
  #mayWiden(pack: Pack): boolean {
    const { kinds, wideFrom = WIDE_FROM_FLOPS } = this.#options;
    const anyThreads = pack.every(({ kind, recipe }) => kinds.find(({ name }) => name === kind)?.anyThreads?.(recipe) === true);
    return anyThreads && this.#queue.flops(pack) >= wideFrom && this.#queue.isAllThereIs(pack);
  }

  async #acquire(key: string, place: Place): Promise<Attempt | undefined> {
    const { store, share } = this.#options;
    try {
      this.#enterStage(key);
      const given = share?.round.failure(key);
      if (given !== undefined) {
        this.#giveUp(key, given);
        return undefined;
      }
      if (this.#isTooLarge(key)) {
        this.#follow(this.#waitForOther(key, store.state(key)));
        return undefined;
      }
      const acquired = await store.acquire(key, place.name, share && { round: share.round.name, ...share.facts });
      if (acquired.type === 'acquired') return acquired.attempt;
      this.#follow(this.#waitForOther(key, acquired.state));
    } catch (error) {
      this.#fail(key, { ...runnerFailure(error), packed: false });
    }
    return undefined;
  }

  #runJob(attempts: readonly Attempt[], place: Place): Promise<Supervised> {
    const { executor, grace = GRACE_MS, limits = LIMITS } = this.#options;
    return superviseJob(
      listener => {
        const job = executor.submit(place, this.#task(attempts, place), listener);
        this.#jobs.add(job);
        void job.ended.then(() => this.#jobs.delete(job));
        // Asked while the leases were taken.
        if (this.#options.kill?.aborted === true) job.kill();
        else if (this.#stopping) job.stop(grace);
        return job;
      },
      {
        attempts,
        limits,
        grace,
        onProgress: (key, progress) => this.#emit({ type: 'progress', key, label: this.#label(key), place: place.name, progress }),
        onStalled: period => attempts.forEach(({ key }) => this.#emit({ type: 'stalled', key, label: this.#label(key), place: place.name, ...period })),
      },
    );
  }

  #task(attempts: readonly Attempt[], place: Place): Task {
    const { store, experiments, dataDir, inputFiles, checkpointEvery = 30_000, acceptEngineChange = false, grace = GRACE_MS } = this.#options;
    const microBatches = this.#retries.microBatches(attempts[0]!.key),
      inputFile = inputFiles?.get(attempts[0]!.key);
    const code = codeOfKinds(this.#options.kinds).get(this.#tracker.stage(attempts[0]!.key).kind);
    return {
      experiments,
      store: store.dir,
      attempts: attempts.map(({ key, number }) => ({ key, attempt: number })),
      ...(code !== undefined && 'hash' in code && { code }),
      place: place.name,
      ...(place.borrowed !== undefined && { borrowedThreads: place.borrowed }),
      environment: this.#environment(attempts[0]!.key),
      execution: { device: place.device, threads: place.threads, dataDir, ...(inputFile !== undefined && { inputFile }), acceptEngineChange, ...(microBatches > 1 && { microBatches }) },
      checkpointEvery,
      command: process.argv,
      grace,
    };
  }

  #environment(key: string): Task['environment'] {
    const stage = this.#tracker.stage(key);
    const kind = this.#options.kinds.find(k => k.name === stage.kind);
    return kind ? environmentOf(kind, stage) : {};
  }

  /** What became of the attempt is read from the store; a worker that died without a word is given one. */
  #settle(attempt: Attempt, { ended, hung }: Supervised, { packed, device }: { readonly packed: boolean; readonly device: Place['device'] }, time: Time): void {
    const { store } = this.#options;
    const { key, number } = attempt;
    try {
      if (ended.output) attempt.log(`The worker printed since this job began (all of it is in ${ended.output.file}):\n${ended.output.text}`);
      attempt.close();
      const last = store.states(key, number).at(-1)?.state ?? 'running';
      // One that hung, and in the end did leave when asked to, was not interrupted by anyone.
      if (store.doneAttempt(key) === undefined && (last === 'running' || (hung && last === 'interrupted'))) {
        attempt.record(this.#stopping && !hung ? { state: 'interrupted' } : { state: 'failed', ...workerFailure(ended, hung, device) });
      }
      // Of this attempt: another runner may have begun the next one already.
      const failure = store.failure(key, number);
      if (store.doneAttempt(key) !== undefined) this.#finish(key, time);
      else if (failure) this.#fail(key, { ...failure, attempt: number, memory: memoryFaultOf(failure, ended), packed });
      else if (this.#stopping) this.#interrupt(key);
      else this.#fail(key, { code: 'NO_RESULT', reason: `expected a result, got a worker that left without one (${endText(ended)})`, permanent: false, attempt: number, packed });
    } catch (error) {
      this.#fail(key, { ...runnerFailure(error), attempt: number, packed });
    }
  }

  #finish(key: string, time: Time): void {
    this.#tracker.set(key, 'done');
    this.#done.push(key);
    this.#emit({ type: 'finished', key, label: this.#label(key), ...time, result: this.#options.store.result(key)! });
  }

  #interrupt(key: string): void {
    this.#tracker.set(key, 'interrupted');
    this.#emit({ type: 'interrupted', key, label: this.#label(key) });
  }

  #fail(key: string, failed: FailedStage): void {
    const { code, reason, attempt } = failed,
      { store } = this.#options;
    const log = attempt === undefined ? undefined : store.logFile(key, attempt);
    const failure: StageFailure = { key, label: this.#label(key), code, reason, logTail: log === undefined ? '' : logTail(log), ...(log !== undefined && { log }) };
    if (!this.#stopping && attempt !== undefined && failed.memory !== undefined && this.#isTooLarge(key)) {
      this.#follow(this.#waitForOther(key, store.state(key))); // before the event, which counts it as queued
      this.#emit({ type: 'retry', failure, microBatches: this.#retries.microBatches(key) });
      return;
    }
    if (!this.#stopping && this.#mayTryAgain(key) && this.#retries.again(key, failed)) {
      this.#tracker.set(key, 'queued');
      this.#queue.runAlone(key); // lest it take the others with it
      this.#emit({ type: 'retry', failure, microBatches: this.#retries.microBatches(key) });
      return;
    }
    if (!this.#stopping && attempt !== undefined && !failed.permanent) this.#tellGivenUp(key, attempt);
    this.#endFailed(key, failure);
  }

  #endFailed(key: string, failure: StageFailure): void {
    this.#tracker.set(key, 'failed');
    this.#failures.push(failure);
    this.#emit({ type: 'failed', failure });
    for (const blocked of this.#tracker.block(key)) this.#emit({ type: 'blocked', key: blocked, label: this.#label(blocked), by: key });
  }

  /** Whether the stage needs more memory than this worker's allocation has. */
  #isTooLarge(key: string): boolean {
    const { share } = this.#options;
    const needed = share?.round.memory(key);
    return needed !== undefined && needed > (share?.facts.memory ?? Infinity);
  }

  /** By the tries of all workers. */
  #mayTryAgain(key: string): boolean {
    return this.#options.share?.round.mayTryAgain(key) !== false;
  }

  /** So that no other worker tries on. */
  #tellGivenUp(key: string, attempt: number): void {
    const { store, share } = this.#options;
    const last = share && store.states(key, attempt).at(-1);
    if (last?.state !== 'failed' || last.given_up === true) return;
    const { code, reason } = last;
    store.attemptOf(key, attempt).record({ state: 'failed', ...(code !== undefined && { code }), ...(reason !== undefined && { reason }), given_up: true });
  }

  /** What another worker has given up. */
  #giveUp(key: string, { attempt, code, reason }: AttemptFailure & { readonly attempt: number }): void {
    const log = this.#options.store.logFile(key, attempt);
    this.#endFailed(key, { key, label: this.#label(key), code, reason, logTail: '', log });
  }

  /** Until it is done, which we then reuse, or given up, upon which it is ours to try. */
  async #waitForOther(key: string, first: StageState): Promise<void> {
    const { store, poll = 1_000, stop, share } = this.#options;
    this.#tracker.hold(key);
    if (first.state === 'running') this.#emit({ type: 'waiting', key, label: this.#label(key), owner: first.owner });
    let state = first;
    while ((state.state === 'running' || (state.state !== 'done' && this.#isTooLarge(key) && share!.round.failure(key) === undefined)) && !this.#stopping) {
      await sleep(poll, undefined, stop && { signal: stop }).catch(() => undefined);
      store.lookAgain(key);
      state = store.state(key);
    }
    this.#tracker.release(key);
    if (state.state !== 'done') return;
    this.#tracker.set(key, 'reused');
    this.#emit({ type: 'reused', key, label: this.#label(key) });
  }

  #label(key: string): string {
    return stageLabel(this.#options.plan.stages.get(key)!);
  }

  #emit(event: EventWithoutCounts): void {
    this.#options.onEvent?.({ ...event, counts: this.#tracker.counts() });
  }

  #summary(): RunSummary {
    return {
      done: this.#done,
      reused: this.#tracker.keysWith('reused'),
      failed: this.#failures,
      blocked: this.#tracker.keysWith('blocked'),
      interrupted: this.#tracker.keysWith('interrupted'),
      left: this.#tracker.keysWith('queued'),
    };
  }
}
