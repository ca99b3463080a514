/** How fast the stages of a plan run on the places of a sweep: what finished stages and earlier measurements tell. */
import { join, resolve } from 'node:path';
import { Pace, Shapes, type Duration } from '../plan/pace.ts';
import type { PlannedStage } from '../plan/plan.ts';
import { sharingsOf } from '../plan/sharing.ts';
import type { Place } from '../runner/devices.ts';
import { hardwareName, measureStages, type Outcome } from '../runner/measure.ts';
import { keepMeasurement, measurementsIn, readMeasurements, type Hardware } from '../runner/measurements.ts';
import { cacheDir, dataDir, prepareFolder } from '../../setup/cache.ts';
import { cpuName } from '../../setup/device.ts';
import type { StoreReader } from '../store/reader.ts';
import type { EngineName } from '../../engine/engine-name.ts';
import { engineVersion } from '../../cli/engine.ts';
import type { Chosen } from '../../cli/selection.ts';

const cacheFile = (): string => join(cacheDir(), 'throughput.jsonl');

const hardwareOf = ({ device, threads }: Place, engine: EngineName): Hardware => ({ device, threads, cpu: cpuName(), engine: engineVersion(engine) });

interface Group {
  /** Places that are alike. */
  readonly places: number;
  readonly pace: Pace;
}

export class Speeds {
  readonly #chosen: Chosen;
  readonly #store: StoreReader | undefined;
  readonly #places: readonly Place[];
  readonly #engine: EngineName;
  readonly #shapes: Shapes;
  readonly #groups: ReadonlyMap<string, Group>;

  constructor(chosen: Chosen, store: StoreReader | undefined, places: readonly Place[], engine: EngineName) {
    this.#chosen = chosen;
    this.#store = store;
    this.#places = places;
    this.#engine = engine;
    this.#shapes = new Shapes(chosen.study.kinds, chosen.plan);
    const sharings = sharingsOf(chosen.study.kinds, chosen.plan);
    const byName = new Map(places.map(place => [hardwareName(place), hardwareOf(place, engine)]));
    this.#groups = new Map([...byName].map(([name, hardware]) => [name, {
      places: places.filter(place => hardwareName(place) === name).length,
      // A finished stage knows better than a measurement of a few steps.
      pace: new Pace(this.#shapes, chosen.plan, [...readMeasurements(cacheFile(), hardware), ...(store ? measurementsIn(store, chosen.plan, this.#shapes, sharings, hardware) : [])]),
    }]));
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
    return new Map([...this.#groups].map(([name, { pace }]) => {
      const byShape = new Map<string, PlannedStage>();
      for (const stage of stages) if (!pace.isMeasured(stage) && !byShape.has(this.#shapes.of(stage))) byShape.set(this.#shapes.of(stage), stage);
      return [name, [...byShape.values()]];
    }));
  }

  /** Measures what is not measured yet and keeps it for every later plan. @returns speeds that know it. @throws SetupError where it cannot be kept */
  async measure(stages: readonly PlannedStage[], onOutcome: (outcome: Outcome) => void): Promise<Speeds> {
    await prepareFolder(cacheDir(), 0);
    const { plan, dir, study } = this.#chosen;
    await measureStages(this.unmeasured(stages), this.#places, {
      plan, kinds: study.kinds, shapes: this.#shapes, store: this.#store, experiments: dir, dataDir: resolve(dataDir()),
      onOutcome: outcome => {
        if ('measurement' in outcome) keepMeasurement(cacheFile(), { ...outcome.measurement, ...hardwareOf(outcome.place, this.#engine), engine: outcome.engine });
        onOutcome(outcome);
      },
    });
    return new Speeds(this.#chosen, this.#store, this.#places, this.#engine);
  }
}
