/**
 * A sweep whose workers are jobs of Slurm. Each of them runs the plan by itself (`ablate worker`): the leases of the store decide who does
 * what, so nothing is done twice whatever the scheduler does, and nothing here needs to live. This side keeps as many jobs as there is work,
 * and tells from the store how it comes on.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../ablation/errors.ts';
import { canonicalJson } from '../ablation/json.ts';
import type { StageKind } from '../ablation/kind.ts';
import type { SlurmOptions } from '../ablation/slurm.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunEvent, RunSummary } from '../runner/events.ts';
import { logTail } from '../runner/log.ts';
import { Round } from '../runner/round.ts';
import { readJobs, type JobRecord } from '../store/jobs.ts';
import type { Store } from '../store/store.ts';
import { SlurmClient } from './client.ts';
import { demandFor, type JobView } from './demand.ts';
import { StoreFollower } from './follower.ts';
import { allocationFor, StageTimes } from './needs.ts';
import { JobPool } from './pool.ts';
import { isAbandoned, lastLine, phaseOf } from './queue.ts';
import { memoryBytes } from './request.ts';

export interface SlurmSweepOptions {
  readonly plan: Plan;
  readonly kinds: readonly StageKind[];
  readonly store: Store;
  readonly slurm: SlurmOptions;
  /** Folder from which jobs start. */
  readonly folder: string;
  /** What tells this sweep from others on the same store, whichever machine it is started from. */
  readonly selection: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Words that start a worker of a round. */
  readonly command: (round: string) => readonly string[];
  readonly onEvent: (event: RunEvent) => void;
  /** Takes a line for the person who watches. */
  readonly say: (line: string) => void;
  /** Told after each look what waits in the queue, and what is wrong. */
  readonly onQueue?: (lines: readonly string[]) => void;
  /** Aborted: let the workers write checkpoints and leave. */
  readonly stop?: AbortSignal;
  /** Aborted: end the jobs at once. */
  readonly kill?: AbortSignal;
  /** Aborted: leave them all to go on. */
  readonly leave?: AbortSignal;
}

/** Jobs at once, where nobody says. */
export const MOST_JOBS = 8;
/** How often somebody is overtaken by others that hand in, and reckons anew. */
const MOST_OVERTAKEN = 10;

/** Between two looks: a moment after something has changed, up to this when nothing does. */
const [LEAST_MS, MOST_MS] = [1_000, 15_000];
/** A look takes at most this share of the time. */
const SHARE = 1 / 40;
/** Jobs that fail one after the other before one of them has begun a stage: the next would, too. */
const MOST_FRUITLESS = 3;

/** First part of the names of all jobs of a sweep. */
const jobPrefix = (selection: SlurmSweepOptions['selection']): string =>
  `ablate-${createHash('sha256')
    .update(canonicalJson(JSON.parse(JSON.stringify(selection))))
    .digest('hex')
    .slice(0, 8)}-`;

/** @throws UsageError where there is no Slurm, or it refuses every job */
export async function sweepOnSlurm(options: SlurmSweepOptions): Promise<RunSummary> {
  options.store.clearLeftovers();
  const { sweep, joined } = await SlurmSweep.create(options);
  if (joined > 0) options.say(`${joined === 1 ? 'A job of this sweep is' : `${joined} jobs of this sweep are`} in the queue or running: going on with ${joined === 1 ? 'it' : 'them'}.`);
  return sweep.run();
}

/**
 * Hands in what is missing just now, once; nothing where the job `leaving` is wanted by nobody any more.
 * @param leaving id of a job that takes no more work
 * @returns the number of jobs that are not over
 */
export async function submitOnce(options: SlurmSweepOptions, leaving?: string): Promise<number> {
  const { sweep } = await SlurmSweep.create(options);
  return sweep.submitOnce(leaving);
}

class SlurmSweep {
  readonly #options: SlurmSweepOptions;
  readonly #pool: JobPool;
  readonly #follower: StoreFollower;
  readonly #round: Round;
  readonly #times: StageTimes;
  /** Why no job of so much memory is asked for any more. */
  readonly #refused = new Map<number | undefined, string>();
  /** Whether any job was taken. */
  #handedIn = false;
  #saidLater = false;

  static async create(options: SlurmSweepOptions): Promise<{ readonly sweep: SlurmSweep; readonly joined: number }> {
    const client = new SlurmClient();
    const prefix = jobPrefix(options.selection);
    // Before the queue: what was handed in by then is in it.
    const records = readJobs(options.store.dir, prefix);
    const living = await countLiving(client, prefix, records, options);
    const rounds = records.map(({ name }) => Number(name.slice(prefix.length).split('-')[0]));
    const newest = Math.max(0, ...rounds.filter(Number.isInteger));
    const round = `${prefix}${living > 0 ? Math.max(1, newest) : newest + 1}`;
    return { sweep: new SlurmSweep(options, client, prefix, round), joined: living };
  }

  private constructor(options: SlurmSweepOptions, client: SlurmClient, prefix: string, round: string) {
    const { plan, kinds, store, slurm, folder, command, say } = options;
    this.#options = options;
    this.#pool = new JobPool({ client, store: store.dir, prefix, round, slurm, folder, command: command(round), say });
    const workers = slurm.cpus ?? 1;
    this.#round = new Round(store, {
      name: round,
      // Nothing tells what memory of the machine a stage on a GPU takes.
      ...(slurm.memory === undefined && (slurm.gpus ?? 0) === 0 && { estimate: key => allocationFor(kinds, plan, key, workers) }),
      ranOutOfMemory: job => this.#pool.records().some(({ id, over }) => id === job && over?.state === 'OUT_OF_MEMORY'),
    });
    this.#times = new StageTimes(store, kinds, plan);
    this.#follower = new StoreFollower(plan, store, this.#round, event => {
      if (event.type === 'finished') this.#times.finished(event.key);
      options.onEvent(event);
    });
  }

  async run(): Promise<RunSummary> {
    const { stop, leave } = this.#options;
    this.#follower.begin();
    let pause = LEAST_MS;
    while (!this.#isAborted(leave)) {
      const began = process.cpuUsage();
      const changed = this.#follower.step();
      if (this.#follower.isOver) break;
      if (this.#isAborted(stop)) return this.#end();
      if (await this.#pool.look()) await this.#supply();
      this.#options.onQueue?.(this.#pool.lines());
      if (this.#isForsaken()) break;
      const { user, system } = process.cpuUsage(began);
      pause = Math.max(changed ? LEAST_MS : Math.min(MOST_MS, 1.5 * pause), (user + system) / 1000 / SHARE);
      await this.#wait(pause);
    }
    if (!this.#isAborted(leave)) await this.#pool.end(this.#pool.jobs(), false); // idle ones
    return this.#follower.summary();
  }

  async submitOnce(leaving: string | undefined): Promise<number> {
    for (let look = 0; look < MOST_OVERTAKEN; look++) {
      this.#follower.step();
      if (this.#follower.isOver || !(await this.#pool.look()) || (leaving !== undefined && this.#pool.isUnwanted(leaving)) || !(await this.#supply(leaving))) break;
      await sleep(LEAST_MS * Math.random());
    }
    return this.#pool.jobs().filter(({ id }) => id === undefined || id !== leaving).length;
  }

  /** Jobs for what is ready; fewer where there is less to come. @returns whether somebody else did so meanwhile, upon which there is less to do */
  async #supply(leaving?: string): Promise<boolean> {
    const ready = this.#follower.ready().slice(0, 4 * this.#most() * this.#workers());
    const work = { ready: ready.map(key => this.#memory(key)), open: this.#follower.open() };
    const { submit, cancel } = demandFor(work, this.#views(leaving), { most: this.#most(), workers: this.#workers() });
    const surplus = new Set(cancel);
    if (surplus.size > 0)
      await this.#pool.end(
        this.#pool.jobs().filter(({ name }) => surplus.has(name)),
        false,
      );
    const wanted = submit.filter(memory => !this.#refused.has(memory));
    if (wanted.length > 0) this.#requireFruit();
    const seconds = this.#times.forJob(ready, this.#most());
    for (const memory of wanted) {
      if (this.#refused.has(memory)) continue;
      const submitted = await this.#pool.submit(memory, seconds);
      if (submitted.type === 'overtaken') return true;
      if (submitted.type === 'handed-in') this.#handedIn = true;
      else if (submitted.later) return this.#heedLater(submitted.why);
      else this.#heed(submitted.why, memory);
      if (this.#pool.silence()) return false;
    }
    this.#requireTaken(submit.length > 0);
    return false;
  }

  #views(leaving: string | undefined): JobView[] {
    const busy = this.#follower.busy();
    return this.#pool
      .jobs()
      .filter(({ id }) => id === undefined || id !== leaving)
      .map(({ name, phase, id, memory = this.#usual() }) => ({ name, phase, memory, free: Math.max(0, this.#workers() - (busy.get(id ?? '') ?? 0)) }));
  }

  #workers(): number {
    const { gpus = 0, cpus = 1 } = this.#options.slurm;
    return gpus > 0 ? gpus : cpus;
  }

  /** Bytes of a job for a stage; undefined: as the partition has it. */
  #memory(key: string): number | undefined {
    const { memory } = this.#options.slurm;
    return this.#round.memory(key) ?? (memory === undefined ? undefined : memoryBytes(memory));
  }

  /** Bytes that a job has which asked for none, as far as one has told. */
  #usual(): number | undefined {
    const asked = new Map(this.#pool.records().map(({ id, memory }) => [id, memory]));
    return this.#round.memories().find(({ job }) => asked.has(job) && asked.get(job) === undefined)?.memory;
  }

  /** Those that somebody cancelled are not replaced. */
  #most(): number {
    return Math.max(0, (this.#options.slurm.jobs ?? MOST_JOBS) - this.#pool.cancelledByHand());
  }

  /** Nothing is at work, and nothing more is to be asked for. */
  #isForsaken(): boolean {
    if (this.#pool.silence() || this.#follower.isAtWork) return false;
    if (this.#most() === 0 && this.#pool.jobs().length === 0) {
      this.#options.say('Every job was cancelled by hand: nothing more is handed in. Run the same command again to go on.');
      return true;
    }
    const ready = this.#follower.ready();
    return ready.length > 0 && ready.every(key => this.#refused.has(this.#memory(key)));
  }

  #heedLater(why: string): false {
    if (!this.#saidLater) this.#options.say(`Slurm takes no more jobs for now: ${lastLine(why)}`);
    this.#saidLater = true;
    return false;
  }

  #heed(why: string, memory: number | undefined): void {
    this.#refused.set(memory, why);
    if (this.#handedIn || this.#pool.jobs().length > 0) this.#options.say(`Slurm refuses a job${memory === undefined ? '' : ` of ${Math.ceil(memory / 2 ** 20)} MB`}: ${lastLine(why)}`);
  }

  /** @throws UsageError where Slurm refuses all that was asked for from the first */
  #requireTaken(asked: boolean): void {
    const [why] = this.#refused.values();
    if (asked && why !== undefined && !this.#handedIn && this.#pool.jobs().length === 0) throw new UsageError('SLURM_REFUSED', refusalText(why));
  }

  /** @throws UsageError where job after job ends before it begins a stage */
  #requireFruit(): void {
    const bad = this.#pool.lastBadEnds();
    if (bad.length < MOST_FRUITLESS) return;
    const began = this.#jobsThatBegan();
    const fruitless = bad.slice(-MOST_FRUITLESS).filter(({ id }) => id === undefined || !began.has(id));
    if (fruitless.length < MOST_FRUITLESS) return;
    const { log, over } = fruitless.at(-1)!;
    const tail = logTail(log);
    throw new UsageError(
      'JOBS_FAIL',
      `Expected jobs that begin stages, got ${MOST_FRUITLESS} in a row that ended before (${over!.state}).${tail === '' ? '' : `\nThe last one printed:\n${tail}`}\nIts log: ${log}. What a node lacks can be given by --prologue.`,
    );
  }

  #jobsThatBegan(): Set<string> {
    const { store, plan } = this.#options;
    return new Set([...plan.stages.keys()].flatMap(key => store.attempts(key).flatMap(attempt => store.attempt(key, attempt)?.share?.job ?? [])));
  }

  /** Lets the workers leave, and waits until they have: asked at each look, as a job may have started, or the question been lost. */
  async #end(): Promise<RunSummary> {
    const { kill } = this.#options;
    await this.#pool.end(this.#pool.jobs(), true);
    while (this.#pool.jobs().length > 0) {
      await sleep(LEAST_MS);
      this.#follower.step();
      const answered = await this.#pool.look();
      this.#options.onQueue?.(this.#pool.lines());
      const killed = this.#isAborted(kill);
      await this.#pool.end(this.#pool.jobs(), !killed);
      if (killed && !answered) break;
    }
    this.#follower.step();
    return this.#follower.summary();
  }

  #isAborted(signal: AbortSignal | undefined): boolean {
    return signal?.aborted === true;
  }

  /** Until something is asked of us. */
  async #wait(milliseconds: number): Promise<void> {
    const { stop, leave } = this.#options;
    const signals = [stop, leave].filter(signal => signal !== undefined);
    await sleep(milliseconds, undefined, { signal: AbortSignal.any(signals) }).catch(() => undefined);
  }
}

/** Waits for an answer: whether to begin anew or to go on cannot be told without. Also counts those that somebody hands in just now. */
async function countLiving(client: SlurmClient, prefix: string, records: readonly JobRecord[], { say, stop, leave }: SlurmSweepOptions): Promise<number> {
  for (let said = false; ; said = true) {
    const queue = await client.queue(prefix);
    if (queue.type === 'answer') {
      const names = new Set(queue.value.flatMap(({ name, state }) => (phaseOf(state) === 'over' ? [] : [name])));
      return names.size + records.filter(record => !record.over && record.id === undefined && !names.has(record.name) && !isAbandoned(record)).length;
    }
    if (!said) say(`Slurm does not answer: ${queue.why.split('\n')[0]!}. Asking again until it does.`);
    if (stop?.aborted === true || leave?.aborted === true) return 0;
    await sleep(5 * LEAST_MS);
  }
}

/** What Slurm said, and which option it is about. */
function refusalText(why: string): string {
  const [, hint] = HINTS.find(([pattern]) => pattern.test(why)) ?? [];
  return `Slurm refuses the job: ${why}${hint === undefined ? '' : `\n${hint}`}\nNothing is lost: the same command goes on where this one ended.`;
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/\baccount\b/i, 'Choose another --account, and a --partition that it may use.'],
  [/partition/i, "Choose another --partition: 'sinfo --summarize' lists them."],
  [/MaxWall/, 'Choose a shorter --time.'],
  [/policy/i, "Choose less (--time, --gpus, --cpus, --mem), or another --qos: 'sacctmgr show qos' lists them."],
  [/time limit|timelimit/i, 'Choose a shorter --time.'],
  [/invalid qos/i, "Choose another --qos: 'sacctmgr show qos' lists them."],
  [/gres|gpu/i, 'Choose other --gpus: \'sinfo -o "%P %G %D"\' shows what nodes have.'],
  [/memory/i, 'Choose a smaller --mem.'],
  [/constraint|feature/i, 'Choose another --constraint: \'sinfo -o "%P %f"\' shows what nodes have.'],
  [/node configuration|node count/i, 'No node has all of it: choose other --gpus, --cpus, --mem or --constraint. \'sinfo -o "%P %G %c %m %f"\' shows what nodes have.'],
  [/processors|cpu count/i, 'Choose fewer --cpus.'],
  [/unrecognized option|invalid option|invalid.*(?:specification|argument)/i, 'See the words given by --sbatch, and --time and --mem.'],
];
