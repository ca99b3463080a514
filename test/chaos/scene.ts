/** One store under disturbance: starts sweeps on it, and knows what must never happen. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plan } from '../../src/core/plan/plan.ts';
import { layout } from '../../src/core/store/layout.ts';
import type { StoreReader } from '../../src/core/store/reader.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import type { DriveOptions } from '../toy/drive.ts';
import { Sweep } from './processes.ts';
import type { Room } from './room.ts';
import type { Fault, Tally } from './tally.ts';

/** A reader's lease lasts 30 s; here one lasts so long that a run sees several of them lapse. */
export const LEASE_MS = 3_000;

/** File systems take the time of the last tick. */
const CLOCK_MS = 10;

/** What a sweep must not do again: stages that were done when it began, and how many attempts each had. */
type Done = ReadonlyMap<string, number>;

interface Expectation {
  readonly what: string;
  readonly told: (text: string) => boolean;
}

export class Scene {
  readonly plan: Plan;
  readonly store: string;
  readonly room: Room;
  readonly tally: Tally;
  /** Uniform in [0, 1), by the seed. */
  readonly random: () => number;
  readonly say: (line: string) => void;
  readonly #options: DriveOptions;
  readonly #begun: Done[] = [];
  readonly #running: Sweep[] = [];
  /** Milliseconds of the time at which a stage that was done was damaged. */
  readonly #spoiled = new Map<string, number>();
  readonly #needless = new Set<string>();
  readonly #expected: Expectation[] = [];
  #text = '';

  constructor(options: DriveOptions, plan: Plan, room: Room, tally: Tally, random: () => number, say: (line: string) => void) {
    this.#options = { ...options, lease: LEASE_MS };
    this.store = options.store;
    this.plan = plan;
    this.room = room;
    this.tally = tally;
    this.random = random;
    this.say = say;
  }

  /** Undefined before the first sweep has made it. */
  reader(): StoreReader | undefined {
    try {
      return openStoreReadOnly(this.store);
    } catch {
      return undefined;
    }
  }

  isDone(key: string): boolean {
    return this.reader()?.doneAttempt(key) !== undefined;
  }

  get complete(): boolean {
    return [...this.plan.stages.keys()].every(key => this.isDone(key));
  }

  start(): Sweep {
    this.#begun.push(this.#doneNow());
    const sweep = new Sweep(this.#options);
    this.#running.push(sweep);
    return sweep;
  }

  async pause(least: number, most: number): Promise<void> {
    await sleep(least + this.random() * (most - least));
  }

  pick<T>(values: readonly T[]): T | undefined {
    return values[Math.floor(this.random() * values.length)];
  }

  killed(processes: number): void {
    this.tally.kills += processes;
  }

  fault(fault: Fault, count: number, what: string): void {
    if (count === 0) return;
    this.tally[fault] += count;
    this.say(`FAULT: ${what}`);
  }

  /** To be called when a stage that was done has been damaged. */
  spoil(key: string): void {
    this.#spoiled.set(key, Date.now());
    // However late: the sweep that comes upon it may be killed before it does.
    this.expect(`the damage of stage ${key}`, text => text.includes(`Stage ${key}: attempt`) && text.includes('had been committed but is damaged'));
  }

  /** Something that must have been told by the time the store is complete. */
  expect(what: string, told: (text: string) => boolean): void {
    this.#expected.push({ what, told });
  }

  checkTold(): void {
    for (const { what, told } of this.#expected) if (!told(this.#text)) this.fault('silent', 1, `nothing told of ${what}`);
  }

  /** Waits for all processes to end, then looks at what they did. */
  async settle(): Promise<void> {
    for (const sweep of this.#running.splice(0)) {
      if (!(await sweep.gone())) this.fault('hangs', 1, `a sweep did not end:\n${sweep.text}`);
      this.#text += sweep.text;
    }
    const store = this.reader();
    if (!store) return;
    const running = [...this.plan.stages.keys()].filter(key => store.state(key).state === 'running');
    this.fault('stuck', running.length, `running without a process: ${running.join(', ')}`);
    for (const done of this.#begun.splice(0)) this.#checkAgainst(done, store);
    for (const key of this.plan.stages.keys()) this.#checkTimes(key, store);
  }

  #doneNow(): Done {
    const store = this.reader();
    return new Map([...this.plan.stages.keys()].flatMap(key => (store?.doneAttempt(key) === undefined ? [] : [[key, store.attempts(key).at(-1)!]])));
  }

  #checkAgainst(done: Done, store: StoreReader): void {
    for (const [key, last] of done) {
      // Bytes changed without the size: readers see such a stage as done, a sweep that needs it does not.
      if (this.#spoiled.has(key)) continue;
      for (const attempt of store.attempts(key)) if (attempt > last) this.#ranNeedlessly(key, attempt);
    }
  }

  /** An attempt younger than the commit, where nobody has damaged what that names since. */
  #checkTimes(key: string, store: StoreReader): void {
    if (store.doneAttempt(key) === undefined) return;
    const committed = lstatSync(layout.done(store.stageDir(key))).ctimeMs; // when it got its name
    if ((this.#spoiled.get(key) ?? 0) > committed) return;
    for (const attempt of store.attempts(key)) {
      const created = store.attempt(key, attempt)?.created;
      if (created !== undefined && Date.parse(created) > committed + CLOCK_MS) this.#ranNeedlessly(key, attempt);
    }
  }

  #ranNeedlessly(key: string, attempt: number): void {
    const name = join(key, String(attempt));
    if (this.#needless.has(name)) return;
    this.#needless.add(name);
    this.fault('needless', 1, `attempt ${attempt} of stage ${key} began when the stage was done`);
  }
}
