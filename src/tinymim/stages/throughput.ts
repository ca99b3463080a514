/** How fast a training goes, and whether it waits for images: for the person watching and for the provenance, never for a result. */

/** How a training goes. */
export interface Pace {
  readonly imagesPerSecond: number;
  /** Share of the time of its steps in which they waited for images. A GPU may compute meanwhile. */
  readonly waiting: number;
}

/** Times of one step, in milliseconds. */
export interface StepTimes {
  /** How long it took, whatever else ran beside it. */
  readonly wallMs: number;
  /** This training's share of that, if not all of it: the shares of all trainings of a process add up to the wall time. */
  readonly shareMs?: number;
  /** Of the wall time until its images had come. */
  readonly waitMs: number;
}

/** Weight of the newest step in what is shown. */
const SMOOTHING = 0.1;

export class Throughput {
  readonly #batchSize: number;
  #smoothed: Pace | undefined;
  #trainedMs = 0;
  #wallMs = 0;
  #waitedMs = 0;
  /** Steps that are counted, with the time they took. */
  #steps = 0;
  #begun = false;

  constructor(batchSize: number) {
    this.#batchSize = batchSize;
  }

  /** Called after each step. @returns the smoothed pace at which its images go by */
  step({ wallMs, shareMs = wallMs, waitMs }: StepTimes): Pace {
    if (this.#begun) {
      this.#trainedMs += shareMs;
      this.#wallMs += wallMs;
      this.#waitedMs += waitMs;
      this.#steps += 1;
    }
    this.#begun = true;
    const now: Pace = { imagesPerSecond: (1000 * this.#batchSize) / wallMs, waiting: waitMs / wallMs };
    const last = this.#smoothed ?? now;
    this.#smoothed = {
      imagesPerSecond: last.imagesPerSecond + SMOOTHING * (now.imagesPerSecond - last.imagesPerSecond),
      waiting: last.waiting + SMOOTHING * (now.waiting - last.waiting),
    };
    return rounded(this.#smoothed);
  }

  /** Over all steps of this process but the first, which compiles; the rate by this training's share of the time. Undefined for a single step. */
  mean(): Pace | undefined {
    return this.#steps === 0 ? undefined : rounded({ imagesPerSecond: (1000 * this.#batchSize * this.#steps) / this.#trainedMs, waiting: this.#waitedMs / this.#wallMs });
  }
}

const rounded = ({ imagesPerSecond, waiting }: Pace): Pace => ({ imagesPerSecond: Math.round(imagesPerSecond), waiting: Math.round(1000 * waiting) / 1000 });
