/** Means of losses between two points of a curve, and over the last epoch. Part of the training state: a resumed run draws the same curve. */

/** Points of a curve: a fixed number, so that curves do not depend on how often anyone looks. */
const CURVE_POINTS = 200;

interface Sums {
  count: number;
  readonly totals: Record<string, number>;
}

export interface MeterState {
  readonly sincePoint: Sums;
  readonly lastEpoch: Sums;
}

const empty = (): Sums => ({ count: 0, totals: {} });

function add(sums: Sums, values: Readonly<Record<string, number>>): void {
  sums.count += 1;
  for (const [name, value] of Object.entries(values)) sums.totals[name] = (sums.totals[name] ?? 0) + value;
}

const means = (sums: Sums): Record<string, number> => Object.fromEntries(Object.entries(sums.totals).map(([name, total]) => [name, total / sums.count]));

export class Meter {
  #sincePoint: Sums;
  readonly #lastEpoch: Sums;
  readonly #steps: number;
  readonly #stepsPerEpoch: number;

  constructor(steps: number, stepsPerEpoch: number, state?: MeterState) {
    this.#steps = steps;
    this.#stepsPerEpoch = stepsPerEpoch;
    this.#sincePoint = state?.sincePoint ?? empty();
    this.#lastEpoch = state?.lastEpoch ?? empty();
  }

  /** Whether the curve has a point at step `step` (counted from 1). */
  isPointDue(step: number): boolean {
    const point = (s: number): number => Math.floor((s * CURVE_POINTS) / this.#steps);
    return point(step) !== point(step - 1);
  }

  /** Takes the losses of step `step` (counted from 1); returns the means for the curve when a point is due. */
  add(step: number, values: Readonly<Record<string, number>>): Record<string, number> | undefined {
    add(this.#sincePoint, values);
    if (step > this.#steps - this.#stepsPerEpoch) add(this.#lastEpoch, values);
    if (!this.isPointDue(step)) return undefined;
    const result = means(this.#sincePoint);
    this.#sincePoint = empty();
    return result;
  }

  /** Mean over the steps of the last epoch seen so far. */
  lastEpochMeans(): Record<string, number> {
    return means(this.#lastEpoch);
  }

  state(): MeterState {
    return { sincePoint: this.#sincePoint, lastEpoch: this.#lastEpoch };
  }
}
