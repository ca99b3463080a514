/** The jobs that work on a store now, for whoever looks at it from any machine that reaches Slurm. */
import { readJobs, type JobRecord } from '../store/jobs.ts';
import { SlurmClient } from './client.ts';
import { isAbandoned, livingJobs, queueLines, type LivingJob } from './queue.ts';

/** Of all sweeps. */
const PREFIX = 'ablate-';

export interface JobsNow {
  /** None where the store knows of none that is not over. */
  readonly jobs: readonly LivingJob[];
  /** For people: what waits, and what is wrong. */
  readonly lines: readonly string[];
}

/** Looks again and again. Changes nothing; asks Slurm only where the store knows of jobs that may not be over. */
export class JobsWatcher {
  readonly #client = new SlurmClient();
  #known = new Map<string, JobRecord>();

  /** @param store its folder */
  async look(store: string): Promise<JobsNow> {
    const records = readJobs(store, PREFIX, this.#known);
    this.#known = new Map(records.map(record => [record.name, record]));
    if (records.every(({ over }) => over !== undefined)) return { jobs: [], lines: [] };
    try {
      const said = await this.#client.queue(PREFIX);
      if (said.type !== 'answer') return { jobs: [], lines: [`Slurm does not answer: how its jobs are is not known (${said.why.split('\n')[0]!})`] };
      const queue = new Map(said.value.map(job => [job.name, job]));
      // What the queue does not show any more is over, though nobody who hands in jobs has seen it.
      const jobs = livingJobs(
        records.filter(record => queue.has(record.name) || !isAbandoned(record)),
        queue,
      ).filter(({ phase, id }) => phase !== 'unknown' || id === undefined);
      return { jobs, lines: queueLines(jobs) };
    } catch (error) {
      return { jobs: [], lines: [error instanceof Error ? error.message : String(error)] }; // no Slurm on this machine
    }
  }
}
