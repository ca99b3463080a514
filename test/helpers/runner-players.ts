/**
 * The players of the races: workers whose every word and deed waits for its turn, a rival on another host, and a referee.
 * They use the real store; what they do to it, workers and other runners do.
 */
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StageResult } from '../../src/core/ablation/kind.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { memoryLimits, type Place } from '../../src/core/runner/devices.ts';
import type { Ended, Executor, Job, JobListener, Task } from '../../src/core/runner/executors/executor.ts';
import type { Attempt } from '../../src/core/store/attempt.ts';
import type { StoreReader } from '../../src/core/store/reader.ts';
import type { Store } from '../../src/core/store/store.ts';

/** Resolves when the scheduler gives the turn. */
export type Turn = (who: string) => Promise<void>;

/** What a stage comes to, whoever runs it. */
export const resultOf = (key: string): StageResult => ({ height: Number.parseInt(key.slice(0, 8), 16) });

async function commit(attempt: Attempt): Promise<void> {
  writeFileSync(join(attempt.output, 'tree'), attempt.key);
  await attempt.commit(resultOf(attempt.key));
  attempt.close();
}

/** Sees every start and end, and writes down what should not have been. */
export class Referee {
  readonly faults: string[] = [];
  readonly #plan: Plan;
  readonly #store: StoreReader;
  readonly #lease: number;
  /** Who works on a stage, by its key. */
  readonly #atWork = new Map<string, string>();
  /** When the heart of the rival last beat for a stage. */
  readonly #beats = new Map<string, number>();

  constructor(plan: Plan, store: StoreReader, lease: number) {
    this.#plan = plan;
    this.#store = store;
    this.#lease = lease;
  }

  begins(who: string, key: string): void {
    const other = this.#atWork.get(key),
      beat = this.#beats.get(key);
    if (other !== undefined) this.faults.push(`${who} began ${key} while ${other} was at it`);
    if (beat !== undefined && performance.now() - beat < this.#lease) this.faults.push(`${who} began ${key} while the rival's heart beat`);
    for (const input of Object.values(this.#plan.stages.get(key)!.upstream)) {
      if (this.#store.doneAttempt(input) === undefined) this.faults.push(`${who} began ${key} before its input ${input} was done`);
    }
    this.#atWork.set(key, who);
  }

  ends(who: string, key: string): void {
    if (this.#atWork.get(key) === who) this.#atWork.delete(key);
  }

  rivalTakes(key: string): void {
    if (this.#atWork.has(key)) this.faults.push(`the rival got ${key} while ${this.#atWork.get(key)} was at it`);
    this.rivalBeats(key);
  }

  /** It has the stage until its heart has stood still for a lease. */
  rivalBeats(key: string): void {
    this.#beats.set(key, performance.now());
  }

  rivalEnds(key: string): void {
    this.#beats.delete(key);
  }
}

export const ANSWERS = [
  'done',
  'done, then crashes',
  'fails',
  'fails for good',
  'crashes',
  'is killed',
  'runs out of memory',
  'falls silent',
  'hears nothing',
  'leaves nothing',
  'never starts',
] as const;
/** What comes of a job. */
export type Answer = (typeof ANSWERS)[number];

const KILLED: Ended = { signal: 'SIGKILL' };
const STEPS = 2;

/** Told to a job, and heard at its next turn. */
class Orders {
  toLeave = false;
  isForced = false;
  readonly #listeners: (() => void)[] = [];

  leave(): void {
    this.toLeave = true;
    this.#listeners.forEach(heard => heard());
  }

  force(): void {
    this.isForced = true;
    this.leave();
  }

  /** Until it is told to leave, or (deaf) is forced to. */
  wait(deaf: boolean): Promise<void> {
    return new Promise(resolve => {
      const look = (): void => {
        if (deaf ? this.isForced : this.toLeave) resolve();
      };
      this.#listeners.push(look);
      look();
    });
  }
}

export interface WorkersOptions {
  /** Of the runner. */
  readonly name: string;
  readonly places: number;
  /** Of the first jobs; the others are done. */
  readonly answers: readonly Answer[];
  readonly store: Store;
  readonly turn: Turn;
  readonly referee: Referee;
}

export class Workers implements Executor {
  readonly places: number;
  readonly memory = memoryLimits([]);
  /** How many jobs each stage was in, by its key. */
  readonly submitted = new Map<string, number>();
  readonly #options: WorkersOptions;
  readonly #answers: Answer[];
  readonly #free: Place[];
  readonly #reserved = new Set<Place>();

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.places = options.places;
    this.#answers = [...options.answers];
    this.#free = Array.from({ length: options.places }, (_, i) => ({ name: `cpu:${i}`, device: 'cpu', threads: 1 }));
  }

  /** Whether every place was given back. */
  get isIdle(): boolean {
    return this.#free.length === this.places && this.#reserved.size === 0;
  }

  reserve(): Place | undefined {
    const place = this.#free.shift();
    if (place) this.#reserved.add(place);
    return place;
  }

  release(place: Place): void {
    if (!this.#reserved.delete(place)) this.#fault(`gave back ${place.name}, which it had not reserved`);
    this.#free.push(place);
  }

  submit(place: Place, task: Task, listener: JobListener): Job {
    const { turn, referee, name } = this.#options;
    if (!this.#reserved.delete(place)) this.#fault(`submitted to ${place.name}, which it had not reserved`);
    for (const { key } of task.attempts) {
      referee.begins(name, key);
      this.submitted.set(key, (this.submitted.get(key) ?? 0) + 1);
    }
    const orders = new Orders();
    const ended = this.#work(task, listener, orders).finally(() => {
      for (const { key } of task.attempts) referee.ends(name, key);
      this.#free.push(place);
    });
    const force = (): void => void turn(`${name}: a worker is forced`).then(() => orders.force());
    const stop = (): void => {
      orders.leave();
      force(); // when its grace is over
    };
    return { ended, stop, kill: force };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #work(task: Task, listener: JobListener, orders: Orders): Promise<Ended> {
    const { name, store, turn } = this.#options;
    const answer = this.#answers.shift() ?? 'done';
    await turn(`${name}: a worker starts; ${answer}`);
    if (answer === 'never starts') return { error: 'spawn EAGAIN' };
    if (orders.isForced) return KILLED;
    listener.began();
    const attempts = task.attempts.map(({ key, attempt }) => store.attemptOf(key, attempt));
    for (const attempt of attempts) attempt.claim();
    for (let step = 1; step <= STEPS; step++) {
      await turn(`${name}: step ${step}`);
      if (orders.isForced) return KILLED;
      if (orders.toLeave && answer !== 'hears nothing') return this.#leave(attempts);
      for (const { key } of attempts) listener.progress(key, { phase: 'step', step, steps: STEPS });
    }
    if (answer === 'falls silent' || answer === 'hears nothing') {
      await orders.wait(answer === 'hears nothing');
      return orders.isForced ? KILLED : this.#leave(attempts);
    }
    return this.#end(answer, attempts, orders);
  }

  async #leave(attempts: readonly Attempt[]): Promise<Ended> {
    const { name, turn, referee } = this.#options;
    for (const attempt of attempts) {
      referee.ends(name, attempt.key);
      attempt.record({ state: 'interrupted' });
    }
    await turn(`${name}: a worker leaves`);
    return { exitCode: 75 };
  }

  /** Of a pack only the first member fails. */
  async #end(answer: Answer, attempts: readonly Attempt[], orders: Orders): Promise<Ended> {
    const { name, store, turn, referee } = this.#options;
    if (answer === 'crashes') return { signal: 'SIGSEGV' };
    if (answer === 'is killed') return { ...KILLED, outOfMemory: false };
    if (answer === 'runs out of memory') return { ...KILLED, outOfMemory: true };
    if (answer === 'leaves nothing') return { alive: true };
    const fails = answer.startsWith('fails');
    for (const [i, attempt] of attempts.entries()) {
      await turn(`${name}: a stage ends`);
      if (orders.isForced) return KILLED;
      if (fails && i === 0) attempt.record({ state: 'failed', code: 'LIGHTNING', reason: 'lightning', permanent: answer === 'fails for good' });
      else await commit(attempt);
      referee.ends(name, attempt.key);
      store.tidy(attempt.key);
    }
    await turn(`${name}: a worker is done`);
    return answer === 'done, then crashes' ? { exitCode: 7 } : fails ? { exitCode: 1 } : { alive: true };
  }

  #fault(what: string): void {
    this.#options.referee.faults.push(`${this.#options.name} ${what}`);
  }
}

export const ACTS = ['takes', 'beats', 'stands still', 'commits', 'fails', 'leaves'] as const;
interface Act {
  readonly act: (typeof ACTS)[number];
  readonly which: number;
}

export interface RivalOptions {
  readonly acts: readonly Act[];
  /** Milliseconds. */
  readonly lease: number;
  readonly plan: Plan;
  readonly store: Store;
  readonly turn: Turn;
  readonly referee: Referee;
}

/** A runner on another host. It keeps to the rules, except that it may stand still for any time, and then go on as if nothing were. */
export async function compete({ acts, lease, plan, store, turn, referee }: RivalOptions): Promise<void> {
  const free = (): string[] =>
    [...plan.stages.values()].flatMap(({ key, upstream }) =>
      Object.values(upstream).every(input => store.doneAttempt(input) !== undefined) && !['running', 'done'].includes(store.state(key).state) ? [key] : [],
    );
  /** Attempts that it believes to be its own. */
  const own: Attempt[] = [];
  /** Seconds since 1970 by its clock. */
  let beats = 0;
  for (const { act, which } of acts) {
    await turn(`rival: ${act}`);
    if (act === 'takes') {
      const keys = free(),
        key = keys[which % keys.length];
      if (key === undefined) continue;
      store.ensureStage(key, plan.stages.get(key)!, "the rival's");
      const acquired = await store.acquire(key, 'far:0');
      if (acquired.type !== 'acquired') continue;
      referee.rivalTakes(key);
      moveElsewhere(acquired.attempt);
      own.push(acquired.attempt);
    } else if (act === 'beats') {
      // Those that were taken over meanwhile, too: it does not know.
      for (const { key, number, dir } of own) {
        utimesSync(join(dir, 'heartbeat'), ++beats, beats);
        if (store.attempts(key).at(-1) === number) referee.rivalBeats(key);
      }
    } else if (act === 'stands still') {
      await new Promise(resolve => setTimeout(resolve, 1.5 * lease));
    } else if (own.length > 0) {
      const [attempt] = own.splice(which % own.length, 1);
      referee.rivalEnds(attempt!.key);
      if (act === 'commits') await commit(attempt!);
      else attempt!.record(act === 'fails' ? { state: 'failed', code: 'HAIL', reason: 'hail', permanent: false } : { state: 'interrupted' });
    }
  }
}

/** Nobody here can ask whether the process of another host lives. */
function moveElsewhere({ dir }: Attempt): void {
  const file = join(dir, 'attempt.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"host":"[^"]*"/, '"host":"elsewhere"'));
}
