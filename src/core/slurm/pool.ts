/** The jobs of one round: handing them in, knowing what became of them, ending them. Slurm may be silent at any time. */
import type { SlurmOptions } from '../ablation/slurm.ts';
import { JobJournal, readJobs, type JobRecord } from '../store/jobs.ts';
import type { SlurmClient } from './client.ts';
import type { JobView } from './demand.ts';
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

export type Submitted = { readonly type: 'handed-in' } | { readonly type: 'refused'; readonly why: string; readonly later: boolean };

export class JobPool {
  readonly #options: PoolOptions;
  readonly #journal: JobJournal;
  #records = new Map<string, JobRecord>();
  #queue = new Map<string, QueuedJob>();
  /** Names of jobs that this process asked for. */
  readonly #ours = new Set<string>();
  /** Names of jobs that this process ended. */
  readonly #cancelled = new Set<string>();
  #silence: { readonly since: number; readonly why: string } | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#journal = new JobJournal(options.store);
  }

  /** Asks Slurm once for all jobs. @returns whether it answered */
  async look(): Promise<boolean> {
    const { client, prefix, store } = this.#options;
    const said = await client.queue(prefix);
    if (said.type !== 'answer') {
      this.#fallSilent(said.why);
      return false;
    }
    if (this.#silence) this.#options.say('Slurm answers again.');
    this.#silence = undefined;
    this.#queue = new Map(said.value.map(job => [job.name, job]));
    this.#read(readJobs(store, prefix, this.#records));
    for (const record of this.#records.values()) await this.#follow(record);
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

  /** @param leaving id of a job that does not count any more */
  views(busy: ReadonlySet<string>, leaving?: string): JobView[] {
    const jobs = this.jobs().filter(({ id }) => id === undefined || id !== leaving);
    return jobs.map(({ name, phase, memory, id }) => ({ name, phase, memory, busy: id !== undefined && busy.has(id) }));
  }

  /** Whether somebody other than this process cancelled a job of this round. */
  cancelledByHand(): number {
    return this.#ofRound().filter(({ name, over }) => over?.state === 'CANCELLED' && !this.#cancelled.has(name)).length;
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
    let number = this.#ofRound().length;
    let name: string;
    do name = `${this.#options.round}-${++number}`;
    while (!this.#journal.ask(name, asked));
    this.#ours.add(name);
    this.#records.set(name, { name, time: Date.now(), log: this.#journal.logFile(name), ...asked });
    return this.#handIn(name, asked);
  }

  /** Ends jobs; those that run may first write a checkpoint and leave, if `gently`. */
  async end(jobs: readonly LivingJob[], gently: boolean): Promise<void> {
    const { client } = this.#options;
    for (const { name } of jobs) this.#cancelled.add(name);
    const ids = (of: readonly LivingJob[]): string[] => of.flatMap(({ id }) => id ?? []);
    const running = gently ? jobs.filter(({ phase }) => phase === 'running') : [];
    await client.cancel(ids(jobs.filter(job => !running.includes(job))));
    await client.cancel(ids(running), 'USR2');
  }

  /** What waits for what, and what is wrong. */
  lines(): string[] {
    const silence = this.silence();
    return [...queueLines(this.jobs()), ...(silence ? [`Slurm has not answered for ${Math.round(silence.seconds)} s: what runs goes on (${silence.why.split('\n')[0]!})`] : [])];
  }

  #ofRound(): JobRecord[] {
    return [...this.#records.values()].filter(({ name }) => name.startsWith(`${this.#options.round}-`));
  }

  #fallSilent(why: string): void {
    if (!this.#silence) this.#options.say(`Slurm does not answer: ${why.split('\n')[0]!}. What runs goes on; asking again.`);
    this.#silence ??= { since: performance.now(), why };
  }

  #read(records: readonly JobRecord[]): void {
    for (const record of records) this.#records.set(record.name, record);
  }

  /** Learns the id of a job whose answer was lost, and sees the end of one. */
  async #follow(record: JobRecord): Promise<void> {
    const { name, id } = record;
    if (record.over) return;
    const seen = this.#queue.get(name);
    if (seen !== undefined && seen.id !== id) {
      this.#journal.accepted(name, seen.id);
      this.#records.set(name, { ...record, id: seen.id });
    }
    if (seen !== undefined && phaseOf(seen.state) === 'over') this.#end(name, seen.id, seen.state, seen.reason);
    else if (seen === undefined && id !== undefined) await this.#endUnseen(name, id);
    else if (seen === undefined && (this.#ours.has(name) || isAbandoned(record))) await this.#handInAgain(name, record);
  }

  /** No answer has come, and the queue does not have it. */
  async #handInAgain(name: string, record: JobRecord): Promise<void> {
    if (name.startsWith(`${this.#options.round}-`)) await this.#handIn(name, record);
    else this.#journal.over(name, 'FORGOTTEN'); // of a round that is over
  }

  /** It has been in the queue, and is no more. */
  async #endUnseen(name: string, id: string): Promise<void> {
    const ending = await this.#options.client.ending(id);
    if (ending.type !== 'answer') return; // asked again at the next look
    const { state = 'FORGOTTEN', reason } = ending.value ?? {};
    if (state === 'FORGOTTEN' || phaseOf(state) === 'over') this.#end(name, id, state, reason);
  }

  #end(name: string, id: string, state: string, reason: string | undefined): void {
    this.#journal.over(name, state, reason);
    this.#records.set(name, { ...this.#records.get(name)!, id, over: { state, reason } });
    if (state === 'COMPLETED' || this.#cancelled.has(name)) return;
    const why = reason?.startsWith('exit') === true ? reason : undefined;
    this.#options.say(`job ${id} ${endText(state, why)}${state === 'FAILED' ? `: see ${this.#journal.logFile(name)}` : '; its stages go on in another'}`);
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
      this.#journal.over(name, 'REFUSED', said.why);
      this.#records.set(name, { ...this.#records.get(name)!, over: { state: 'REFUSED', reason: said.why } });
      return said;
    }
    this.#journal.accepted(name, said.value);
    this.#records.set(name, { ...this.#records.get(name)!, id: said.value });
    this.#queue.set(name, { id: said.value, name, state: 'PENDING' });
    return { type: 'handed-in' };
  }
}

/** Ends after which another job may end the same way. */
const BAD = new Set(['FAILED', 'BOOT_FAIL', 'LAUNCH_FAILED', 'OUT_OF_MEMORY']);
