/** Judges how long a job has said nothing, by a clock that its caller reads. Pure: it starts no timer. */
import type { Phase, Progress } from '../ablation/kind.ts';
import { limitOf, type Limits } from './limits.ts';

export interface SilencePeriod {
  /** What was announced last. */
  readonly phase: Phase;
  /** Milliseconds without a word, and how many there may be. */
  readonly silent: number;
  readonly limit: number;
}

/** `no word for 5 min in phase 'step' (limit 10 min)`. */
export function silenceText({ phase, silent, limit }: SilencePeriod): string {
  return `no word for ${timeText(silent)} in phase '${phase}' (limit ${timeText(limit)})`;
}

const timeText = (ms: number): string => (ms < 120_000 ? `${Number((ms / 1e3).toPrecision(3))} s` : `${Math.round(ms / 60_000)} min`);

/** Share of its limit after which a silence is told of. */
const STALLED_AT = 0.5;

export type Liveness = 'well' | 'stalled' | 'hung';

export class SilenceMonitor {
  readonly #limits: Limits;
  readonly #mostBetweenChecks: number;
  readonly #stepTimes = new Map<string, StepTimes>();
  #phase: Phase = 'load';
  #key: string | undefined;
  #silent = 0;
  #lastTime: number;

  /**
   * @param mostBetweenChecks milliseconds that count at most between two checks: while the watcher itself is frozen or busy,
   *   it cannot have heard anything
   * @param now of any monotonic clock, milliseconds
   */
  constructor(limits: Limits, mostBetweenChecks: number, now: number) {
    this.#limits = limits;
    this.#mostBetweenChecks = mostBetweenChecks;
    this.#lastTime = now;
  }

  /** A stage of the job has spoken. */
  heard(key: string, { phase, step }: Progress, now: number): void {
    const times = this.#stepTimes.get(key) ?? new StepTimes();
    this.#stepTimes.set(key, times);
    if (phase === 'step') times.reached(step, now);
    else times.pause();
    this.#phase = phase;
    this.#key = key;
    this.#silent = 0;
    this.#lastTime = now;
  }

  check(now: number): Liveness {
    this.#silent += Math.min(now - this.#lastTime, this.#mostBetweenChecks);
    this.#lastTime = now;
    const { silent, limit } = this.period();
    return silent >= limit ? 'hung' : silent >= STALLED_AT * limit ? 'stalled' : 'well';
  }

  period(): SilencePeriod {
    const usual = this.#key === undefined ? undefined : this.#stepTimes.get(this.#key)?.usual();
    return { phase: this.#phase, silent: this.#silent, limit: limitOf(this.#phase, usual, this.#limits) };
  }
}

const STEPS = 15;

/** Usual time of a stage's steps. Of several steps between two words each has its share. */
class StepTimes {
  readonly #spans: number[] = [];
  #last: { readonly step: number; readonly time: number } | undefined;

  reached(step: number, time: number): void {
    const last = this.#last;
    // Words may come late, twice, or in another order.
    if (last !== undefined && step <= last.step) return;
    if (last !== undefined) this.#spans.push((time - last.time) / (step - last.step));
    if (this.#spans.length > STEPS) this.#spans.shift();
    this.#last = { step, time };
  }

  /** Something else lies before the next step. */
  pause(): void {
    this.#last = undefined;
  }

  /** The median: a step that something disturbed does not count. */
  usual(): number | undefined {
    return [...this.#spans].sort((a, b) => a - b)[Math.floor(this.#spans.length / 2)];
  }
}
