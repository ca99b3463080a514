/** What a job for a stage has to ask for: memory by the estimates of kinds, time by what stages of its shape took. */
import type { StageKind } from '../ablation/kind.ts';
import { bytesOf, fitOf } from '../plan/memory.ts';
import { Shapes } from '../plan/pace.ts';
import type { Plan } from '../plan/plan.ts';
import { unlessDamaged } from '../store/errors.ts';
import type { StoreReader } from '../store/reader.ts';

const GIBI = 2 ** 30;
/** Of a worker beside its stage: two processes of Node, and an engine. */
const PROCESSES_BYTES = 0.75 * GIBI;
/** Estimates leave out what no kind counts. */
const MARGIN = 1.25;

/**
 * Bytes of an allocation in which `workers` workers run stages of this one's size on the CPU: a power of two of gibibytes, so that few sizes of
 * jobs serve all stages. Undefined where the kind has no estimate.
 */
export function allocationFor(kinds: readonly StageKind[], plan: Plan, key: string, workers: number): number | undefined {
  const stage = plan.stages.get(key)!;
  const fit = fitOf(
    kinds.find(({ name }) => name === stage.kind),
    plan,
    stage,
    Infinity,
  );
  if (fit === undefined) return undefined;
  const bytes = workers * (MARGIN * bytesOf(fit) + PROCESSES_BYTES);
  return GIBI * 2 ** Math.max(0, Math.ceil(Math.log2(bytes / GIBI)));
}

/** Of a job, whatever stages took. */
const LEAST_SECONDS = 1800;
/** Nodes differ. */
const TIME_MARGIN = 1.5;

/** What stages took, by their shapes. */
export class StageTimes {
  readonly #store: StoreReader;
  readonly #plan: Plan;
  readonly #shapes: Shapes;
  readonly #seconds = new Map<string, number>();

  constructor(store: StoreReader, kinds: readonly StageKind[], plan: Plan) {
    this.#store = store;
    this.#plan = plan;
    this.#shapes = new Shapes(kinds, plan);
    for (const key of plan.stages.keys()) if (!this.#seconds.has(this.#shapeOf(key))) this.finished(key);
  }

  /** A stage may be done. One that went on from a checkpoint does not tell how long a whole one takes. */
  finished(key: string): void {
    const attempt = this.#store.doneAttempt(key);
    if (attempt !== 1) return;
    const created = unlessDamaged(() => this.#store.attempt(key, attempt))?.created,
      ended = this.#store.states(key, attempt).at(-1)?.time;
    const seconds = created === undefined || ended === undefined ? 0 : (Date.parse(ended) - Date.parse(created)) / 1000;
    if (seconds > 0) this.#seconds.set(this.#shapeOf(key), Math.max(seconds, this.#seconds.get(this.#shapeOf(key)) ?? 0));
  }

  /** Seconds of a job that is to run one of these stages after the other, where `jobs` share them; undefined as long as one of them is not known. */
  forJob(keys: readonly string[], jobs: number): number | undefined {
    const times = keys.map(key => this.#seconds.get(this.#shapeOf(key)));
    if (times.length === 0 || times.includes(undefined)) return undefined;
    const known = times as readonly number[];
    const share = known.reduce((sum, seconds) => sum + seconds, 0) / Math.max(1, jobs);
    return Math.max(LEAST_SECONDS, TIME_MARGIN * (share + Math.max(...known)));
  }

  #shapeOf(key: string): string {
    return this.#shapes.of(this.#plan.stages.get(key)!);
  }
}
