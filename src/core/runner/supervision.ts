/** Accompanies one job to its end: renews its leases, listens to it, and stops it where it hangs. */
import type { Progress } from '../ablation/kind.ts';
import type { Attempt } from '../store/attempt.ts';
import type { Ended, Job, JobListener } from './executors/executor.ts';
import type { Limits } from './limits.ts';
import { Silence, silenceText, type Spell } from './silence.ts';

export interface Supervised {
  readonly ended: Ended;
  /** The silence for which it was stopped. */
  readonly hung?: Spell;
}

export interface SupervisionOptions {
  readonly attempts: readonly Attempt[];
  readonly limits: Limits;
  /** Milliseconds that a hung worker gets to checkpoint and leave before it is forced. */
  readonly grace: number;
  readonly onProgress: (key: string, progress: Progress) => void;
  readonly onStalled: (spell: Spell) => void;
}

const BEAT_MS = 2_000;
const LOOK_MS = 500;

/** @param start submits the job */
export async function supervise(start: (listener: JobListener) => Job, options: SupervisionOptions): Promise<Supervised> {
  const watch = new Watch(options);
  const heart = setInterval(() => options.attempts.forEach(beat), BEAT_MS);
  try {
    const job = start({ began: () => watch.begin(() => job.stop(options.grace)), progress: (key, progress) => watch.heard(key, progress) });
    const ended = await job.ended;
    return { ended, ...(watch.hung && { hung: watch.hung }) };
  } finally {
    clearInterval(heart);
    watch.close();
  }
}

class Watch {
  readonly #options: SupervisionOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #silence: Silence | undefined;
  #stalled = false;
  #closed = false;
  hung: Spell | undefined;

  constructor(options: SupervisionOptions) {
    this.#options = options;
  }

  begin(stop: () => void): void {
    if (this.#silence !== undefined || this.#closed) return;
    const silence = new Silence(this.#options.limits, 2 * LOOK_MS, performance.now());
    this.#silence = silence;
    this.#timer = setInterval(() => {
      const verdict = silence.look(performance.now());
      if (verdict !== 'well' && !this.#stalled) this.#stall(silence.spell());
      if (verdict !== 'hung') return;
      this.hung = silence.spell();
      clearInterval(this.#timer);
      stop();
    }, LOOK_MS);
  }

  heard(key: string, progress: Progress): void {
    if (this.#closed) return; // a message that came late
    this.#silence?.heard(key, progress, performance.now());
    if (this.#stalled && this.hung === undefined) this.#recover();
    this.#options.onProgress(key, progress);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#closed = true;
  }

  #stall(spell: Spell): void {
    this.#stalled = true;
    this.#note(silenceText(spell));
    this.#options.onStalled(spell);
  }

  #recover(): void {
    this.#stalled = false;
    this.#note(undefined);
  }

  /** For whoever looks into the store: still running, with what is wrong. */
  #note(stalled: string | undefined): void {
    for (const attempt of this.#options.attempts) {
      try {
        attempt.recordStalled(stalled);
      } catch {
        // A disk that takes no line takes no result either: the worker fails on it and says why.
      }
    }
  }
}

function beat(attempt: Attempt): void {
  try {
    attempt.beat();
  } catch {
    // As above.
  }
}
