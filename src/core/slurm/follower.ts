/** Tells from the store alone how the stages of a plan come on that others work on: as the events of a run. */
import { stageLabel, type Plan } from '../plan/plan.ts';
import type { EventWithoutCounts, RunEvent, RunSummary, StageFailure } from '../runner/events.ts';
import { logTail } from '../runner/log.ts';
import type { Round } from '../runner/round.ts';
import { StageTracker } from '../runner/stage-tracker.ts';
import { unlessDamaged } from '../store/errors.ts';
import { readProgress } from '../store/progress.ts';
import type { StageState, StoreReader } from '../store/reader.ts';
import { attemptPlace, type AttemptRecord } from '../store/records.ts';

interface Running {
  readonly attempt: number;
  readonly place: string;
  readonly record: AttemptRecord | undefined;
}

export class StoreFollower {
  readonly #plan: Plan;
  readonly #store: StoreReader;
  readonly #round: Round;
  readonly #onEvent: (event: RunEvent) => void;
  readonly #tracker: StageTracker;
  readonly #running = new Map<string, Running>();
  readonly #done: string[] = [];
  readonly #reused: string[];
  readonly #failures: StageFailure[] = [];

  constructor(plan: Plan, store: StoreReader, round: Round, onEvent: (event: RunEvent) => void) {
    this.#plan = plan;
    this.#store = store;
    this.#round = round;
    this.#onEvent = onEvent;
    this.#tracker = new StageTracker(plan, key => store.doneAttempt(key) !== undefined);
    this.#reused = this.#tracker.keysWith('reused');
  }

  /** Keys of stages that could start now and that nobody works on, the most urgent first. */
  ready(): string[] {
    return this.#tracker.ready();
  }

  /** Stages that are neither done nor at work. */
  open(): number {
    return this.#tracker.counts().queued;
  }

  /** How many workers of each job are at work, by its id. */
  busy(): Map<string, number> {
    const places = new Map<string, Set<string>>();
    for (const { record, place } of this.#running.values()) {
      const job = record?.share?.job;
      if (job !== undefined) places.set(job, (places.get(job) ?? new Set()).add(place));
    }
    return new Map([...places].map(([job, { size }]) => [job, size]));
  }

  /** Whether anybody works on a stage. */
  get isAtWork(): boolean {
    return this.#tracker.counts().running > 0;
  }

  /** Whether all is done or given up. */
  get isOver(): boolean {
    const { queued, running } = this.#tracker.counts();
    return queued + running === 0;
  }

  begin(): void {
    this.#emit({ type: 'begin' });
  }

  /** Looks at what may have changed: what is at work, and what could be. @returns whether something had */
  step(): boolean {
    let changed = false;
    for (let done = -1; done < this.#done.length;) {
      done = this.#done.length; // what hung on those may be at work, or done, already
      const started: string[] = [];
      for (const key of [...this.#running.keys(), ...this.#tracker.ready()]) changed = this.#look(key, this.#store.state(key), started) || changed;
      this.#tellStarted(started);
    }
    for (const [key, { place }] of this.#running) this.#tellProgress(key, place);
    return changed;
  }

  summary(): RunSummary {
    return {
      done: this.#done,
      reused: this.#reused,
      failed: this.#failures,
      blocked: this.#tracker.keysWith('blocked'),
      interrupted: [],
      left: [...this.#tracker.keysWith('queued'), ...this.#tracker.keysWith('running')],
    };
  }

  #look(key: string, state: StageState, started: string[]): boolean {
    const running = this.#running.get(key);
    if (state.state === 'running') {
      if (running?.attempt === state.attempt) return false;
      if (running) this.#tellEnd(key, running.attempt);
      const record = unlessDamaged(() => this.#store.attempt(key, state.attempt));
      this.#running.set(key, { attempt: state.attempt, place: attemptPlace(record), record });
      this.#tracker.set(key, 'running');
      started.push(key);
      return true;
    }
    this.#running.delete(key);
    if (state.state === 'done') {
      this.#finish(key, running, state.attempt);
      return true;
    }
    const failure = state.state === 'absent' ? undefined : this.#round.failure(key);
    if (failure) this.#fail(key, failure);
    else if (running) {
      this.#tracker.set(key, 'queued');
      this.#tellEnd(key, running.attempt);
    }
    return failure !== undefined || running !== undefined;
  }

  #finish(key: string, running: Running | undefined, attempt: number): void {
    this.#tracker.set(key, 'done');
    this.#done.push(key);
    const record = running?.record ?? unlessDamaged(() => this.#store.attempt(key, attempt));
    const ended = this.#store.states(key, attempt).at(-1)?.time;
    const seconds = record && ended !== undefined ? Math.max(0, (Date.parse(ended) - Date.parse(record.created)) / 1000) : 0;
    this.#emit({ type: 'finished', key, label: this.#label(key), seconds, workerSeconds: seconds, result: this.#store.result(key) ?? {} });
  }

  #fail(key: string, { attempt, code, reason }: { readonly attempt: number; readonly code: string; readonly reason: string }): void {
    const failure = this.#failureOf(key, attempt, code, reason);
    this.#tracker.set(key, 'failed');
    this.#failures.push(failure);
    this.#emit({ type: 'failed', failure });
    for (const blocked of this.#tracker.block(key)) this.#emit({ type: 'blocked', key: blocked, label: this.#label(blocked), by: key });
  }

  /** Of an attempt after which the stage is tried again. */
  #tellEnd(key: string, attempt: number): void {
    const failure = this.#store.failure(key, attempt);
    if (failure) this.#emit({ type: 'retry', failure: this.#failureOf(key, attempt, failure.code, failure.reason), microBatches: 1 });
    else this.#emit({ type: 'interrupted', key, label: this.#label(key) });
  }

  #failureOf(key: string, attempt: number, code: string, reason: string): StageFailure {
    const log = this.#store.logFile(key, attempt);
    return { key, label: this.#label(key), code, reason, logTail: logTail(log), log };
  }

  /** Those that one worker has begun together are one pack. */
  #tellStarted(keys: readonly string[]): void {
    const byPlace = groupedBy(keys, key => this.#running.get(key)?.place ?? '');
    for (const pack of byPlace.values()) {
      for (const key of pack) {
        const { attempt, place } = this.#running.get(key)!;
        this.#emit({ type: 'started', key, label: this.#label(key), attempt, place, pack });
      }
    }
  }

  #tellProgress(key: string, place: string): void {
    const last = readProgress(this.#store.attemptDir(key, this.#running.get(key)!.attempt)).at(-1);
    if (!last) return;
    const { phase, step, steps, images_per_second: imagesPerSecond, waiting } = last;
    const progress = { phase, step, steps, ...(imagesPerSecond !== undefined && { imagesPerSecond }), ...(waiting !== undefined && { waiting }) };
    this.#emit({ type: 'progress', key, label: this.#label(key), place, progress });
  }

  #label(key: string): string {
    return stageLabel(this.#plan.stages.get(key)!);
  }

  #emit(event: EventWithoutCounts): void {
    this.#onEvent({ ...event, counts: this.#tracker.counts() });
  }
}

function groupedBy(keys: readonly string[], nameOf: (key: string) => string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const key of keys) groups.set(nameOf(key), [...(groups.get(nameOf(key)) ?? []), key]);
  return groups;
}
