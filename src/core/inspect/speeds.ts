/** How fast the stages of a plan run on the places of a sweep: what finished stages and earlier measurements tell. */
import { fitsOf } from '../plan/memory.ts';
import { Pace, Shapes, type Duration, type SpeedMeasurement } from '../plan/pace.ts';
import type { PlannedStage } from '../plan/plan.ts';
import { sharingsOf } from '../plan/sharing.ts';
import { memoryLimits, type Place } from '../runner/devices.ts';
import { hardwareName, measureStages, type Outcome } from '../runner/measure.ts';
import { keepMeasurement, measurementsIn, readMeasurements, type Hardware } from '../runner/measurements.ts';
import type { StoreReader } from '../store/reader.ts';
import type { PlannedExperiments } from '../plan/plan.ts';

/** What speeds were measured on, and where measurements are kept. */
export interface Machine {
  /** Name of the processor. */
  readonly cpu: string;
  /** Name and version: speeds of one engine say nothing of another. */
  readonly engine: string;
  /** File of earlier measurements; need not exist. */
  readonly measurements: string;
  /** Folder of prepared data sets. */
  readonly dataDir: string;
}

const hardwareOf = ({ device, threads }: Place, { cpu, engine }: Machine): Hardware => ({ device, threads, cpu, engine });

const scaled = (measurements: readonly SpeedMeasurement[], by: number): SpeedMeasurement[] => measurements.map(m => ({ ...m, perSecond: m.perSecond * by }));

interface Group {
  /** Places that are alike. */
  readonly places: number;
  readonly pace: Pace;
}

export class StageSpeeds {
  readonly #experiments: PlannedExperiments;
  readonly #store: StoreReader | undefined;
  readonly #places: readonly Place[];
  readonly #machine: Machine;
  readonly #shapes: Shapes;
  readonly #groups: ReadonlyMap<string, Group>;

  constructor(experiments: PlannedExperiments, store: StoreReader | undefined, places: readonly Place[], machine: Machine) {
    this.#experiments = experiments;
    this.#store = store;
    this.#places = places;
    this.#machine = machine;
    this.#shapes = new Shapes(experiments.study.kinds, experiments.plan);
    const sharings = sharingsOf(experiments.study.kinds, experiments.plan);
    /** Threads that one CPU worker has when all others are idle. */
    const all = places.reduce((sum, { device, threads }) => sum + (device === 'cpu' ? threads : 0), 0);
    const byName = new Map(places.map(place => [hardwareName(place), hardwareOf(place, machine)]));
    this.#groups = new Map(
      [...byName].map(([name, hardware]) => [
        name,
        {
          places: places.filter(place => hardwareName(place) === name).length,
          pace: new Pace(this.#shapes, experiments.plan, [
            // Of a shape that has only run with the threads of idle workers as well: as if it had its own, which a forecast assumes of all.
            ...(store && hardware.device === 'cpu' && hardware.threads < all
              ? scaled(measurementsIn(store, experiments.plan, this.#shapes, sharings, { ...hardware, threads: all }), hardware.threads / all)
              : []),
            // A finished stage knows better than a measurement of a few steps.
            ...readMeasurements(machine.measurements, hardware),
            ...(store ? measurementsIn(store, experiments.plan, this.#shapes, sharings, hardware) : []),
          ]),
        },
      ]),
    );
  }

  /** On the average place; those of whose kind nothing is known do not count. */
  duration(stage: PlannedStage): Duration | undefined {
    const known = [...this.#groups.values()].flatMap(({ places, pace }) => {
      const duration = pace.duration(stage);
      return duration ? [{ places, ...duration }] : [];
    });
    if (known.length === 0) return undefined;
    const places = known.reduce((sum, k) => sum + k.places, 0);
    const perSecond = known.reduce((sum, k) => sum + k.places / k.seconds, 0);
    return { seconds: places / perSecond, measured: known.every(k => k.measured) };
  }

  /** Seconds that each worker takes once for these stages, on the slowest place. */
  once(stages: readonly PlannedStage[]): number {
    return Math.max(0, ...[...this.#groups.values()].map(({ pace }) => pace.once(stages, this.#places.length)));
  }

  /** Shapes of the stages. */
  count(stages: readonly PlannedStage[]): number {
    return new Set(stages.map(stage => this.#shapes.of(stage))).size;
  }

  /** One stage of each shape without a measurement, for each kind of place. */
  unmeasured(stages: readonly PlannedStage[]): Map<string, PlannedStage[]> {
    return new Map(
      [...this.#groups].map(([name, { pace }]) => {
        const byShape = new Map<string, PlannedStage>();
        for (const stage of stages) if (!pace.isMeasured(stage) && !byShape.has(this.#shapes.of(stage))) byShape.set(this.#shapes.of(stage), stage);
        return [name, [...byShape.values()]];
      }),
    );
  }

  /** Measures what is not measured yet and keeps it for every later plan. @returns speeds that know it */
  async measure(stages: readonly PlannedStage[], onOutcome: (outcome: Outcome) => void): Promise<StageSpeeds> {
    const { plan, dir, study } = this.#experiments;
    await measureStages(this.unmeasured(stages), this.#places, {
      plan,
      kinds: study.kinds,
      shapes: this.#shapes,
      store: this.#store,
      experiments: dir,
      dataDir: this.#machine.dataDir,
      fits: fitsOf(study.kinds, plan, memoryLimits(this.#places).card),
      onOutcome: outcome => {
        if ('measurement' in outcome) keepMeasurement(this.#machine.measurements, { ...outcome.measurement, ...hardwareOf(outcome.place, this.#machine), engine: outcome.engine });
        onOutcome(outcome);
      },
    });
    return new StageSpeeds(this.#experiments, this.#store, this.#places, this.#machine);
  }
}
