/** Images per second of training: for the person watching and for the provenance, never for a result. */

/** Weight of the newest step in the shown rate. */
const SMOOTHING = 0.1;

export class Throughput {
  readonly #batchSize: number;
  #smoothed: number | undefined;
  #trainedMs = 0;
  /** Steps that are counted, with the time they took. */
  #steps = 0;
  #begun = false;

  constructor(batchSize: number) {
    this.#batchSize = batchSize;
  }

  /**
   * Called after each step.
   * @param wallMs how long it took, whatever else ran beside it
   * @param shareMs this training's share of that: the shares of all trainings of a process add up to the wall time
   * @returns the smoothed rate at which its images go by
   */
  step(wallMs: number, shareMs = wallMs): number {
    if (this.#begun) {
      this.#trainedMs += shareMs;
      this.#steps += 1;
    }
    this.#begun = true;
    const rate = (1000 * this.#batchSize) / wallMs;
    this.#smoothed = this.#smoothed === undefined ? rate : this.#smoothed + SMOOTHING * (rate - this.#smoothed);
    return Math.round(this.#smoothed);
  }

  /** Over all steps of this process but the first, which compiles; by this training's share of the time. Undefined for a single step. */
  mean(): number | undefined {
    return this.#steps === 0 ? undefined : Math.round((1000 * this.#batchSize * this.#steps) / this.#trainedMs);
  }
}
