/** Images per second of training: for the person watching and for the provenance, never for a result. */

/** Weight of the newest step in the shown rate. */
const SMOOTHING = 0.1;

export class Throughput {
  readonly #batchSize: number;
  #last = performance.now();
  #smoothed: number | undefined;
  #trainedMs = 0;
  #steps = 0;

  constructor(batchSize: number) {
    this.#batchSize = batchSize;
  }

  /** Called after each step; returns the smoothed rate. */
  step(): number {
    const now = performance.now();
    const ms = now - this.#last;
    this.#last = now;
    this.#trainedMs += ms;
    this.#steps += 1;
    const rate = (1000 * this.#batchSize) / ms;
    this.#smoothed = this.#smoothed === undefined ? rate : this.#smoothed + SMOOTHING * (rate - this.#smoothed);
    return Math.round(this.#smoothed);
  }

  /** What happened since the last step (an evaluation, a checkpoint) is not training. */
  pause(): void {
    this.#last = performance.now();
  }

  /** Over all steps of this process. */
  mean(): number {
    return this.#steps === 0 ? 0 : Math.round((1000 * this.#batchSize * this.#steps) / this.#trainedMs);
  }
}
