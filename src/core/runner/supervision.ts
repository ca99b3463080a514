/** Accompanies one job to its end: renews its leases, listens to it, and stops it where it hangs. */
import type { Progress } from '../ablation/kind.ts';
import type { Attempt } from '../store/attempt.ts';
import type { Ended, Job, JobListener } from './executors/executor.ts';
import type { Limits } from './limits.ts';
import { SilenceMonitor, silenceText, type SilencePeriod } from './silence.ts';

export interface Supervised {
  readonly ended: Ended;
  /** The silence for which it was stopped. */
  readonly hung?: SilencePeriod;
}

export interface SupervisionOptions {
  readonly attempts: readonly Attempt[];
  readonly limits: Limits;
  /** Milliseconds that a hung worker gets to checkpoint and leave before it is forced. */
  readonly grace: number;
  readonly onProgress: (key: string, progress: Progress) => void;
  readonly onStalled: (period: SilencePeriod) => void;
}

const HEARTBEAT_MS = 2_000;
const CHECK_MS = 500;

/** @param start submits the job */
export async function superviseJob(start: (listener: JobListener) => Job, options: SupervisionOptions): Promise<Supervised> {
  const watchdog = new Watchdog(options);
  const timer = setInterval(() => options.attempts.forEach(heartbeat), HEARTBEAT_MS);
  try {
    const job = start({ began: () => watchdog.begin(() => job.stop(options.grace)), progress: (key, progress) => watchdog.heard(key, progress) });
    const ended = await job.ended;
    return { ended, ...(watchdog.hung && { hung: watchdog.hung }) };
  } finally {
    clearInterval(timer);
    watchdog.close();
  }
}

class Watchdog {
  readonly #options: SupervisionOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #silence: SilenceMonitor | undefined;
  #stalled = false;
  #closed = false;
  hung: SilencePeriod | undefined;

  constructor(options: SupervisionOptions) {
    this.#options = options;
  }

  begin(stop: () => void): void {
    if (this.#silence !== undefined || this.#closed) return;
    const silence = new SilenceMonitor(this.#options.limits, 2 * CHECK_MS, performance.now());
    this.#silence = silence;
    this.#timer = setInterval(() => {
      const liveness = silence.check(performance.now());
      if (liveness !== 'well' && !this.#stalled) this.#stall(silence.period());
      if (liveness !== 'hung') return;
      this.hung = silence.period();
      clearInterval(this.#timer);
      stop();
    }, CHECK_MS);
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

  #stall(period: SilencePeriod): void {
    this.#stalled = true;
    this.#note(silenceText(period));
    this.#options.onStalled(period);
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

function heartbeat(attempt: Attempt): void {
  try {
    attempt.heartbeat();
  } catch {
    // As above.
  }
}
