/** How long stages take, from what was measured of stages of their shape. */
import { createHash } from 'node:crypto';
import { revisionOf } from '../ablation/identity.ts';
import { canonicalJson } from '../ablation/json.ts';
import type { StageCost, StageKind } from '../ablation/kind.ts';
import { inputsOf, type Plan, type PlannedStage } from './plan.ts';
import { workOf } from './priority.ts';

/** How fast stages of one shape run, on one kind of place. */
export interface SpeedMeasurement {
  /** As `Shapes` gives it. */
  readonly shape: string;
  /** Units of `amountOf` a second, once it runs. */
  readonly perSecond: number;
  /** Seconds beside that, in a worker that has run stages before: loading, evaluating. */
  readonly start: number;
  /** Seconds beside that of the first stage of a process, where known: starting it, loading the engine, recording the step. */
  readonly process?: number | undefined;
}

/** What a stage has to get through: its images, or FLOPs where no images are counted. */
export const amountOf = ({ labelledImages, unlabelledImages, flops }: StageCost): number => labelledImages + unlabelledImages || flops;

/** Seconds beside the start; a stage that counts nothing is a start alone. */
const runSeconds = (cost: StageCost, { perSecond }: SpeedMeasurement): number => (amountOf(cost) === 0 ? 0 : amountOf(cost) / perSecond);

/** The shapes of a plan's stages, as text that is equal exactly for stages that are measured once. */
export class Shapes {
  readonly #kinds: ReadonlyMap<string, StageKind>;
  readonly #stages: Plan['stages'];
  readonly #known = new Map<string, string>();

  constructor(kinds: readonly StageKind[], { stages }: Pick<Plan, 'stages'>) {
    this.#kinds = new Map(kinds.map(kind => [kind.name, kind]));
    this.#stages = stages;
  }

  of(stage: PlannedStage): string {
    const known = this.#known.get(stage.key);
    if (known !== undefined) return known;
    const kind = this.#kinds.get(stage.kind)!;
    const inputs = inputsOf({ stages: this.#stages }, stage);
    const shape = kind.shape?.(stage.recipe, inputs) ?? { recipe: stage.recipe, inputs };
    const text = createHash('sha256')
      .update(canonicalJson({ kind: kind.name, revision: revisionOf(kind, stage.recipe), shape }, 'shape'))
      .digest('hex')
      .slice(0, 32);
    this.#known.set(stage.key, text);
    return text;
  }
}

export interface Duration {
  readonly seconds: number;
  /** False: estimated from the FLOPs at the rate of other shapes, of the same kind where there are any. */
  readonly measured: boolean;
}

interface Rate {
  work: number;
  seconds: number;
  start: number;
  shapes: number;
}

export class Pace {
  readonly #shapes: Shapes;
  readonly #measured: ReadonlyMap<string, SpeedMeasurement>;
  readonly #work: (cost: StageCost) => number;
  /** By kind; of all kinds under ''. */
  readonly #rates = new Map<string, Rate>();

  /** @param measurements of one kind of place; of one shape the last counts */
  constructor(shapes: Shapes, { stages }: Pick<Plan, 'stages'>, measurements: Iterable<SpeedMeasurement>) {
    this.#shapes = shapes;
    const measured = new Map<string, SpeedMeasurement>();
    for (const m of measurements) measured.set(m.shape, { ...m, process: m.process ?? measured.get(m.shape)?.process });
    this.#measured = measured;
    this.#work = workOf(stages.values());
    const seen = new Set<string>();
    for (const stage of stages.values()) {
      const measurement = this.#measured.get(shapes.of(stage));
      if (!measurement || seen.has(measurement.shape)) continue;
      seen.add(measurement.shape);
      for (const name of [stage.kind, '']) this.#count(name, stage.cost, measurement);
    }
  }

  isMeasured(stage: PlannedStage): boolean {
    return this.#measured.has(this.#shapes.of(stage));
  }

  /** Undefined when nothing of this plan was measured. */
  duration(stage: PlannedStage): Duration | undefined {
    const measurement = this.#measured.get(this.#shapes.of(stage));
    if (measurement) return { seconds: measurement.start + runSeconds(stage.cost, measurement), measured: true };
    const rate = this.#rates.get(stage.kind) ?? this.#rates.get('');
    return rate && { seconds: rate.start / rate.shapes + (rate.work === 0 ? 0 : (this.#work(stage.cost) * rate.seconds) / rate.work), measured: false };
  }

  /**
   * Seconds that a worker of `workers` spends once on running its part of the stages: on the start of its process, which
   * every first stage takes, and on the first stage of each shape that it meets.
   */
  once(stages: readonly PlannedStage[], workers: number): number {
    const counts = new Map<string, number>();
    for (const stage of stages) counts.set(this.#shapes.of(stage), (counts.get(this.#shapes.of(stage)) ?? 0) + 1);
    const firsts = [...counts].flatMap(([shape, count]) => {
      const seconds = this.#measured.get(shape)?.process;
      return seconds === undefined ? [] : [{ seconds, share: Math.min(1, count / workers) }];
    });
    const start = firsts.length === 0 ? 0 : Math.min(...firsts.map(f => f.seconds));
    return start + firsts.reduce((sum, f) => sum + f.share * (f.seconds - start), 0);
  }

  #count(name: string, cost: StageCost, measurement: SpeedMeasurement): void {
    const rate = this.#rates.get(name) ?? { work: 0, seconds: 0, start: 0, shapes: 0 };
    rate.work += this.#work(cost);
    rate.seconds += runSeconds(cost, measurement);
    rate.start += measurement.start;
    rate.shapes += 1;
    this.#rates.set(name, rate);
  }
}
