/** The toy study on a private cluster: the real program hands in jobs, and tests look at what it leaves. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../../src/core/plan/plan.ts';
import { readJobs, type JobRecord } from '../../src/core/store/jobs.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import type { StoreReader } from '../../src/core/store/reader.ts';
import { ablateWith, startAblate, toyCommand, toyEnvironment } from '../toy/program.ts';
import { committedBytes, temporaryFolder } from '../toy/sweep.ts';
import type { SlurmCluster } from './cluster.ts';

export interface Given {
  /** Folder beside `test/toy/program.ts` (default `experiments`). */
  readonly declarations?: string;
  /** What tells stages, as `--profile slow --only cut`. */
  readonly selection: readonly string[];
  readonly plan: Plan;
}

const started: ReturnType<typeof startAblate>[] = [];

/** For `afterAll`: a test that fails in the middle leaves no process behind. */
export function endRunners(): void {
  for (const runner of started) runner.kill('SIGKILL');
}

/** For a machine that is busy with ten other things. */
const PATIENCE_MS = 240_000;

/** One store, and the commands that are called on it. */
export class ToySweep {
  readonly folder: string;
  readonly plan: Plan;
  readonly #cluster: SlurmCluster;
  readonly #given: Given;

  constructor(cluster: SlurmCluster, given: Given, folder = temporaryFolder('slurm')) {
    this.#cluster = cluster;
    this.#given = given;
    this.plan = given.plan;
    this.folder = folder;
  }

  get #words(): string[] {
    return ['--store', this.folder, ...this.#given.selection];
  }

  get #declarations(): string {
    return this.#given.declarations ?? 'experiments';
  }

  /** `ablate sweep --executor slurm`, in a process of its own. */
  sweep(...args: readonly string[]) {
    const runner = startAblate(this.#cluster.env, this.#declarations, 'sweep', '--executor', 'slurm', ...(args.includes('--reports') ? [] : ['--no-report']), ...this.#words, ...args);
    started.push(runner);
    return runner;
  }

  /** Another command, answered by a process that stays. */
  ablate(command: string, ...args: readonly string[]) {
    return ablateWith(this.#cluster.env, this.#declarations, command, ...this.#words, ...args);
  }

  /** Words of a command line, for a job by hand. */
  line(command: string, ...args: readonly string[]): string[] {
    return toyCommand(this.#declarations, command, ...this.#words, ...args);
  }

  /** Variables of jobs by hand. */
  get env(): Record<string, string> {
    return { ...toyEnvironment, ...this.#cluster.env };
  }

  get store(): StoreReader {
    return openStoreReadOnly(this.folder);
  }

  jobs(): JobRecord[] {
    return readJobs(this.folder, 'ablate-');
  }

  /** Ids of its jobs that are in the queue, and not over. */
  async queued(): Promise<string[]> {
    const names = new Set(this.jobs().map(({ name }) => name));
    const lines = (await this.#cluster.call('squeue', '--noheader', '--format=%j %i')).split('\n').map(line => line.split(' '));
    return lines.flatMap(([name = '', id = '']) => (names.has(name) ? [id] : []));
  }

  key(role: string, arm = 'cut/whole'): string {
    return this.plan.arms.find(one => `${one.ablation}/${one.arm}` === arm)!.stages[role]!;
  }

  /** Waits until the newest attempt at a stage has made so many steps, and until a job of the cluster makes it. @returns id of the job */
  async untilStep(key: string, step: number, attempt = 1): Promise<string> {
    let job = '';
    await this.until(`step ${step} of ${key}, attempt ${attempt}`, () => {
      if (!existsSync(join(this.folder, 'store.json'))) return false;
      const { store } = this;
      const newest = store.attempts(key).at(-1) ?? 0;
      if (newest < attempt || !store.curve(key).some(record => record.step >= step)) return false;
      job = store.attempt(key, newest)?.share?.job ?? '';
      return true;
    });
    return job;
  }

  until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    return this.#cluster.until(what, isSo, PATIENCE_MS);
  }

  bytes(): Record<string, string> {
    return committedBytes(this.store, this.plan);
  }

  /** By key: how often the stage was computed to its end. */
  computed(): Record<string, number> {
    const { store } = this;
    const ends = (key: string): number => store.attempts(key).filter(attempt => store.states(key, attempt).some(({ state }) => state === 'done' || state === 'uncommitted')).length;
    return Object.fromEntries([...this.plan.stages.keys()].map(key => [key, ends(key)]));
  }

  /** What `computed` says where nothing was computed twice. */
  once(): Record<string, number> {
    return Object.fromEntries([...this.plan.stages.keys()].map(key => [key, 1]));
  }
}
