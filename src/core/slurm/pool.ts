/** The jobs of one round: handing them in, knowing what became of them, ending them. Slurm may be silent at any time. */
import type { SlurmOptions } from '../ablation/slurm.ts';
import { logTail } from '../runner/log.ts';
import { JobJournal, readJob, readJobs, type JobRecord } from '../store/jobs.ts';
import type { SlurmClient } from './client.ts';
import { endText, isAbandoned, livingJobs, phaseOf, queueLines, type LivingJob, type QueuedJob } from './queue.ts';
import { jobScript, sbatchWords } from './request.ts';

export interface PoolOptions {
  readonly client: SlurmClient;
  /** Folder of the store. */
  readonly store: string;
  /** Of the names of all jobs of this sweep, and of this round of it. */
  readonly prefix: string;
  readonly round: string;
  readonly slurm: SlurmOptions;
  /** Folder from which jobs start. */
  readonly folder: string;
  /** Words that start a worker. */
  readonly command: readonly string[];
  /** Takes a line for the person who watches. */
  readonly say: (line: string) => void;
}

export type Submitted =
  | { readonly type: 'handed-in' }
  /** Somebody else has handed one in meanwhile: what is needed is to be reckoned anew. */
  | { readonly type: 'overtaken' }
  /** `later`: it is handed in again at each look. */
  | { readonly type: 'refused'; readonly why: string; readonly later: boolean };

export class JobPool {
  readonly #options: PoolOptions;
  readonly #journal: JobJournal;
  #records = new Map<string, JobRecord>();
  #queue = new Map<string, QueuedJob>();
  /** Names of jobs that this process asked for. */
  readonly #ours = new Set<string>();
  /** Why Slurm does not take a job for now. */
  readonly #postponed = new Map<string, string>();
  #silence: { readonly since: number; readonly why: string } | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#journal = new JobJournal(options.store);
  }

  /** Asks Slurm once for all jobs. @returns whether it answered */
  async look(): Promise<boolean> {
    const { client, prefix, store } = this.#options;
    // Before the queue: what was handed in by then is in it.
    for (const record of readJobs(store, prefix, this.#records)) this.#records.set(record.name, record);
    const said = await client.queue(prefix);
    if (said.type !== 'answer') {
      this.#fallSilent(said.why);
      return false;
    }
    if (this.#silence) this.#options.say('Slurm answers again.');
    this.#silence = undefined;
    this.#queue = byName(said.value);
    for (const record of this.#records.values()) await this.#follow(record);
    // Of one whose answer was lost, and which was handed in again.
    await client.cancel(surplusIn(said.value, this.#queue));
    return true;
  }

  /** Why Slurm says nothing, and for how many seconds; undefined while it answers. */
  silence(): { readonly seconds: number; readonly why: string } | undefined {
    return this.#silence && { seconds: (performance.now() - this.#silence.since) / 1000, why: this.#silence.why };
  }

  /** Those that are not over, as far as is known. */
  jobs(): LivingJob[] {
    return livingJobs(this.#records.values(), this.#queue);
  }

  /** Every job of the sweep of which the store knows. */
  records(): readonly JobRecord[] {
    return [...this.#records.values()];
  }

  /** How many of this round somebody cancelled who is no sweep. */
  cancelledByHand(): number {
    return this.#ofRound().filter(({ unwanted, over }) => over?.state === 'CANCELLED' && unwanted !== true).length;
  }

  isUnwanted(id: string): boolean {
    return this.records().some(record => record.id === id && record.unwanted === true);
  }

  /** The last jobs of this round that ended badly, up to one that did not. */
  lastBadEnds(): JobRecord[] {
    const ended = this.#ofRound().filter(({ over }) => over !== undefined);
    const good = ended.findLastIndex(({ over }) => !BAD.has(over!.state));
    return ended.slice(good + 1);
  }

  /** Asks for one more job. */
  async submit(memory: number | undefined, seconds: number | undefined): Promise<Submitted> {
    const asked = { ...(memory !== undefined && { memory }), ...(seconds !== undefined && { seconds }) };
    // By the name: who reckons with fewer jobs than there are finds it taken.
    const newest = Math.max(0, ...this.#ofRound().map(({ name }) => Number(name.slice(this.#options.round.length + 1))));
    const name = `${this.#options.round}-${newest + 1}`;
    if (!this.#journal.ask(name, asked)) return { type: 'overtaken' };
    this.#ours.add(name);
    this.#records.set(name, { name, time: Date.now(), log: this.#journal.logFile(name), ...asked });
    return this.#handIn(name, asked);
  }

  /** Ends jobs; those that run may first write a checkpoint and leave, if `gently`. May be asked again and again, until they are over. */
  async end(jobs: readonly LivingJob[], gently: boolean): Promise<void> {
    const { client } = this.#options;
    for (const { name } of jobs) this.#tellUnwanted(name);
    const ids = (of: readonly LivingJob[]): string[] => of.flatMap(({ id }) => id ?? []);
    const running = gently ? jobs.filter(({ phase }) => phase === 'running') : [];
    await client.cancel(ids(jobs.filter(job => !running.includes(job))));
    await client.cancel(ids(running), 'USR2');
  }

  #tellUnwanted(name: string): void {
    const record = this.#records.get(name)!;
    if (record.unwanted === true) return;
    this.#journal.unwanted(name);
    this.#records.set(name, { ...record, unwanted: true });
  }

  /** What waits for what, and what is wrong. */
  lines(): string[] {
    const silence = this.silence();
    const jobs = this.jobs().map(job => ({ ...job, ...(this.#postponed.has(job.name) && { postponed: this.#postponed.get(job.name)! }) }));
    return [...queueLines(jobs), ...(silence ? [`Slurm has not answered for ${Math.round(silence.seconds)} s: what runs goes on (${silence.why.split('\n')[0]!})`] : [])];
  }

  #ofRound(): JobRecord[] {
    return [...this.#records.values()].filter(({ name }) => name.startsWith(`${this.#options.round}-`));
  }

  #fallSilent(why: string): void {
    if (!this.#silence) this.#options.say(`Slurm does not answer: ${why.split('\n')[0]!}. What runs goes on; asking again.`);
    this.#silence ??= { since: performance.now(), why };
  }

  /** Learns the id of a job whose answer was lost, and sees the end of one, and that one goes on which was taken for over. */
  async #follow(record: JobRecord): Promise<void> {
    const { name, id, unwanted, over } = record;
    const seen = this.#queue.get(name);
    if (seen === undefined) {
      if (!over) await this.#followUnseen(record);
      return;
    }
    const living = phaseOf(seen.state) !== 'over';
    if (living && over !== undefined && unwanted === true) await this.#options.client.cancel([seen.id]);
    else if ((living && over !== undefined) || (!over && seen.id !== id)) this.#accept(name, seen.id);
    if (!living && !over) this.#end(name, seen.id, seen.state, seen.reason);
  }

  async #followUnseen(record: JobRecord): Promise<void> {
    const { name, id, unwanted } = record;
    if (id !== undefined) await this.#endUnseen(name, id);
    else if (unwanted === true) this.#close(name, 'LOST', undefined);
    else if (this.#ours.has(name)) await this.#handIn(name, record);
    else if (isAbandoned(record)) this.#close(name, 'LOST', undefined);
  }

  #accept(name: string, id: string): void {
    this.#postponed.delete(name);
    this.#journal.accepted(name, id);
    this.#records.set(name, readJob(this.#options.store, name));
  }

  /** It has been in the queue, and is no more. */
  async #endUnseen(name: string, id: string): Promise<void> {
    const ending = await this.#options.client.ending(id);
    if (ending.type !== 'answer') return; // asked again at the next look
    const { state = 'FORGOTTEN', reason } = ending.value ?? {};
    if (state === 'FORGOTTEN' || phaseOf(state) === 'over') this.#end(name, id, state, reason);
  }

  #end(name: string, id: string, seen: string, reason: string | undefined): void {
    const state = seen === 'FAILED' && saysOutOfMemory(this.#journal.logFile(name)) ? 'OUT_OF_MEMORY' : seen;
    this.#close(name, state, reason);
    if (state === 'COMPLETED' || this.#records.get(name)!.unwanted === true) return;
    const why = reason?.startsWith('exit') === true ? reason : undefined;
    this.#options.say(`job ${id} ${endText(state, why)}${state === 'FAILED' ? `: see ${this.#journal.logFile(name)}` : '; its stages go on in another'}`);
  }

  #close(name: string, state: string, reason: string | undefined): void {
    this.#postponed.delete(name);
    this.#journal.over(name, state, reason);
    this.#records.set(name, { ...this.#records.get(name)!, over: { state, reason } });
  }

  /** Under its name, as often as the answer is lost. */
  async #handIn(name: string, { memory, seconds }: { readonly memory?: number; readonly seconds?: number }): Promise<Submitted> {
    const { client, slurm, folder, command } = this.#options;
    const request = { name, log: this.#journal.logFile(name), folder, ...(memory !== undefined && { memory }), ...(seconds !== undefined && { seconds }) };
    const said = await client.submit(sbatchWords(slurm, request), jobScript(slurm.prologue ?? [], command));
    if (said.type === 'silence') {
      this.#fallSilent(said.why);
      return { type: 'handed-in' };
    }
    if (said.type === 'refused') {
      if (said.later) this.#postponed.set(name, said.why);
      else this.#close(name, 'REFUSED', said.why);
      return said;
    }
    this.#accept(name, said.value);
    this.#queue.set(name, { id: said.value, name, state: 'PENDING' });
    return { type: 'handed-in' };
  }
}

/** Of several jobs of one name that which is not over, if there is one. */
function byName(jobs: readonly QueuedJob[]): Map<string, QueuedJob> {
  const queue = new Map<string, QueuedJob>();
  for (const job of jobs) {
    const other = queue.get(job.name);
    if (other === undefined || phaseOf(other.state) === 'over') queue.set(job.name, job);
  }
  return queue;
}

/** Ids of those that are not over and not in `queue`. */
const surplusIn = (jobs: readonly QueuedJob[], queue: ReadonlyMap<string, QueuedJob>): string[] =>
  jobs.filter(({ id, name, state }) => phaseOf(state) !== 'over' && queue.get(name)!.id !== id).map(({ id }) => id);

/** Where Slurm itself watches over memory, and no control group of the kernel, a job has failed, and its log alone says why. */
const saysOutOfMemory = (log: string): boolean => /^slurmstepd.*(?:exceeded .*memory limit|oom[-_ ]kill)/im.test(logTail(log));

/** Ends after which another job may end the same way. */
const BAD = new Set(['FAILED', 'BOOT_FAIL', 'LAUNCH_FAILED', 'OUT_OF_MEMORY']);
