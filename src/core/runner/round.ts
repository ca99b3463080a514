/**
 * What workers that share a plan, each in an allocation of its own, know of each other's tries: from the store alone, whoever of them
 * still lives. Tries are counted within a round, so that whoever starts a sweep anew has them all again.
 */
import type { AttemptFailure, StoreReader } from '../store/reader.ts';
import type { AttemptRecord, AttemptShare, StateLine } from '../store/records.ts';
import { unlessDamaged } from '../store/errors.ts';
import { OUT_OF_MEMORY } from './out-of-memory.ts';

export interface RoundOptions {
  readonly name: string;
  /** Bytes that an allocation needs for a stage, where its kind has an estimate. */
  readonly estimate?: (key: string) => number | undefined;
  /** Whether a scheduler's job ended for want of memory, with whatever it ran. */
  readonly ranOutOfMemory?: (job: string) => boolean;
}

interface Try {
  readonly attempt: number;
  readonly share: AttemptShare;
  readonly place: string;
  readonly last: StateLine | undefined;
}

/** Failures of a stage, others than for want of memory, after which nobody tries it again. */
const MOST_FAILURES = 2;
/** Tries in a row that ended with their job, in the middle and before a checkpoint, after which nobody tries a stage again: it takes its job with it. */
const MOST_LOST = 5;
/** What did not suffice is asked for so many times over. */
const MORE = 2;

export class Round {
  readonly name: string;
  readonly #store: StoreReader;
  readonly #options: RoundOptions;
  /** Attempts never change what they were made with. */
  readonly #attempts = new Map<string, AttemptRecord>();

  constructor(store: StoreReader, options: RoundOptions) {
    this.name = options.name;
    this.#store = store;
    this.#options = options;
  }

  /** Why the stage is tried no more; undefined as long as it is. */
  failure(key: string): (AttemptFailure & { readonly attempt: number }) | undefined {
    const tries = this.#tries(key);
    const { attempt, last } = tries.findLast(one => one.last?.state === 'failed') ?? {};
    if (attempt === undefined || last === undefined || (last.permanent !== true && last.given_up !== true && this.#failures(tries) < MOST_FAILURES)) return this.#lost(key, tries);
    return { attempt, code: last.code ?? 'UNKNOWN', reason: last.reason ?? 'no reason recorded', permanent: last.permanent === true };
  }

  #lost(key: string, tries: readonly Try[]): ReturnType<Round['failure']> {
    const lost = tries.slice(tries.findLastIndex(one => !this.#isLost(key, one)) + 1);
    const newest = lost.at(-1);
    if (newest === undefined || lost.length < MOST_LOST || this.#store.state(key).state === 'running') return undefined;
    const jobs = [...new Set(lost.flatMap(({ share: { job } }) => job ?? []))].join(', ');
    const reason = `its job ended ${lost.length} times in a row without a word, before the stage had a checkpoint${jobs === '' ? '' : ` (jobs ${jobs})`}; the scheduler may know why, and the next sweep tries it again`;
    return { attempt: newest.attempt, code: 'JOB_LOST', reason, permanent: false };
  }

  /** Whether nobody wrote how it ended, and it got the stage nowhere. */
  #isLost(key: string, one: Try): boolean {
    return (one.last === undefined || one.last.state === 'running') && !this.#ranOut(one) && this.#store.checkpointSteps(key, one.attempt).length === 0;
  }

  /** Whether the failures so far leave it another try. */
  mayTryAgain(key: string): boolean {
    return this.#failures(this.#tries(key)) < MOST_FAILURES;
  }

  /** Bytes that an allocation needs for the stage: by the estimate of its kind, and more than what did not suffice. Undefined where nothing tells. */
  memory(key: string): number | undefined {
    const lacking = this.#tries(key).flatMap(one => (this.#ranOut(one) && one.share.memory !== undefined ? [MORE * one.share.memory] : []));
    const known = [this.#options.estimate?.(key) ?? 0, ...lacking];
    const most = Math.max(...known);
    return most > 0 ? most : undefined;
  }

  /** What allocations had of memory, as attempts of this round that were looked at say. */
  memories(): { readonly job: string; readonly memory: number }[] {
    return [...this.#attempts.values()].flatMap(({ share }) => (share?.round === this.name && share.job !== undefined && share.memory !== undefined ? [{ job: share.job, memory: share.memory }] : []));
  }

  /** Want of memory has bounds of its own: what a scheduler gives, and what a batch divides into. */
  #failures(tries: readonly Try[]): number {
    return tries.filter(({ last }) => last?.state === 'failed' && last.code !== OUT_OF_MEMORY).length;
  }

  /** Of its allocation: the memory of a GPU is another, which no allocation makes larger. */
  #ranOut({ last, share, place }: Try): boolean {
    if (last?.state === 'failed') return last.code === OUT_OF_MEMORY && !place.startsWith('gpu');
    // Ended with its job: it could not say so itself.
    return last?.state !== 'done' && share.job !== undefined && this.#options.ranOutOfMemory?.(share.job) === true;
  }

  #tries(key: string): Try[] {
    return this.#store.attempts(key).flatMap(attempt => {
      const { share, place = '' } = this.#attempt(key, attempt) ?? {};
      return share?.round === this.name ? [{ attempt, share, place, last: this.#store.states(key, attempt).at(-1) }] : [];
    });
  }

  #attempt(key: string, attempt: number): AttemptRecord | undefined {
    const name = `${key}/${attempt}`;
    const known = this.#attempts.get(name) ?? unlessDamaged(() => this.#store.attempt(key, attempt));
    if (known) this.#attempts.set(name, known);
    return known;
  }
}
