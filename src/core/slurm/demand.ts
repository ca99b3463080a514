/** How many jobs there should be: decided from what is ready and what is there, as a function of both. */

export interface JobView {
  readonly name: string;
  readonly phase: 'unknown' | 'waiting' | 'running';
  /** Bytes that it has or asked for; absent: as the partition has it, which may be little. */
  readonly memory?: number | undefined;
  /** Workers of it that have nothing to do, or will have when it starts. */
  readonly free: number;
}

export interface Work {
  /** Of each stage that could start now: bytes that it needs; undefined where nothing tells. */
  readonly ready: readonly (number | undefined)[];
  /** Stages that are neither done nor at work, ready or not. */
  readonly open: number;
}

export interface Limits {
  /** Jobs at once. */
  readonly most: number;
  /** Of each job. */
  readonly workers: number;
}

export interface Demand {
  /** Memory of each job to submit. */
  readonly submit: readonly (number | undefined)[];
  /** Names of jobs for which there is no work to come, or that are in the way of work: too small for all that is ready, where there are no more jobs to be had. */
  readonly cancel: readonly string[];
}

/**
 * A worker for each stage that is ready and that no idle or waiting one will take, in at most `most` jobs. A job that waits keeps its place
 * in the queue as long as work may come for it, unless a larger one is needed in its place.
 */
export function demandFor({ ready, open }: Work, jobs: readonly JobView[], { most, workers }: Limits): Demand {
  const free = jobs.flatMap(({ free: count, memory = 0 }) => Array<number>(count).fill(memory)).sort((a, b) => a - b);
  const submit: (number | undefined)[] = [];
  let unserved = false;
  for (const needed of [...ready].sort((a, b) => (b ?? 0) - (a ?? 0))) {
    const taker = free.findIndex(memory => (needed ?? 0) <= memory);
    if (taker >= 0) free.splice(taker, 1);
    else if (jobs.length + submit.length < most) {
      submit.push(needed);
      // Its other workers, for stages that need no more.
      free.push(...Array<number>(workers - 1).fill(needed ?? 0));
      free.sort((a, b) => a - b);
    } else unserved = true;
  }
  // Those that wait for more than there is to do, the last in the queue first.
  const waiting = jobs.filter(({ phase }) => phase === 'waiting');
  const least = Math.min(...ready.map(needed => needed ?? 0));
  const small = unserved ? jobs.filter(({ phase, free: count, memory = Infinity }) => phase !== 'unknown' && count === workers && memory < least) : [];
  return { submit, cancel: [...new Set([...waiting.slice(open), ...small].map(({ name }) => name))] };
}
