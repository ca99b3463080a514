/** How well pixels are classified, counted over a whole set of scenes as mmsegmentation does (mmseg/core/evaluation/metrics.py, 0.11). */
import { IGNORED } from '../../data/scenes/spec.ts';

/** Pixels of one scene by class, `[K]` each; those that are ignored are in none. */
interface SceneCounts {
  /** Of the class and taken for it. */
  readonly both: Float64Array;
  readonly labelled: Float64Array;
  readonly predicted: Float64Array;
}

export interface SegmentScores {
  /** Mean over the classes of intersection over union; a class that is neither there nor predicted is not counted. */
  readonly miou: number;
  /** Mean over the classes that are there of the share of their pixels that are right. */
  readonly macc: number;
  /** Share of all pixels that are right. */
  readonly aacc: number;
  /** Standard error of `miou` over draws of scenes, by leaving out one after the other (jackknife). */
  readonly miou_se: number;
}

export class Confusion {
  readonly #classes: number;
  readonly #scenes: SceneCounts[] = [];

  constructor(classes: number) {
    this.#classes = classes;
  }

  /** One scene. @param labels, predicted: classes of its pixels */
  add(labels: Uint8Array, predicted: Uint8Array): void {
    const counts = emptyCounts(this.#classes);
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i]!;
      if (label === IGNORED) continue;
      counts.labelled[label]!++;
      counts.predicted[predicted[i]!]!++;
      if (label === predicted[i]) counts.both[label]!++;
    }
    this.#scenes.push(counts);
  }

  scores(): SegmentScores {
    const total = emptyCounts(this.#classes);
    for (const scene of this.#scenes) for (const key of KEYS) scene[key].forEach((count, c) => (total[key][c]! += count));
    return { miou: meanIou(total), macc: mean(ratios(total.both, total.labelled)), aacc: sum(total.both) / sum(total.labelled), miou_se: this.#standardError(total) };
  }

  #standardError(total: SceneCounts): number {
    const n = this.#scenes.length;
    const without = this.#scenes.map(scene => meanIou(difference(total, scene)));
    const middle = mean(without);
    return n < 2 ? 0 : Math.sqrt(((n - 1) / n) * sum(without.map(value => (value - middle) ** 2)));
  }
}

const KEYS = ['both', 'labelled', 'predicted'] as const;

const emptyCounts = (classes: number): SceneCounts => ({ both: new Float64Array(classes), labelled: new Float64Array(classes), predicted: new Float64Array(classes) });

const difference = (a: SceneCounts, b: SceneCounts): SceneCounts => Object.fromEntries(KEYS.map(key => [key, a[key].map((count, c) => count - b[key][c]!)])) as unknown as SceneCounts;

function meanIou({ both, labelled, predicted }: SceneCounts): number {
  return mean(
    ratios(
      both,
      labelled.map((count, c) => count + predicted[c]! - both[c]!),
    ),
  );
}

/** Where there is anything to divide by. */
const ratios = (part: Float64Array, whole: Float64Array): number[] => [...whole].flatMap((count, c) => (count > 0 ? [part[c]! / count] : []));
const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
