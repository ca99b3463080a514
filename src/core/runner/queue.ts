/** Which stages a run starts next, and side by side with which others. */
import type { StageKind } from '../ablation/kind.ts';
import type { Fit } from '../plan/memory.ts';
import { packStages } from '../plan/packs.ts';
import type { Plan, PlannedStage } from '../plan/plan.ts';
import { priorities } from '../plan/priority.ts';
import { urgency, type Pack } from '../plan/schedule.ts';
import { sharingsOf, together, type Sharings } from '../plan/sharing.ts';
import type { Executor } from './executors/executor.ts';
import type { StageTracker } from './stage-tracker.ts';

export class Queue {
  readonly #plan: Plan;
  readonly #tracker: StageTracker;
  readonly #executor: Pick<Executor, 'places' | 'memory'>;
  readonly #sharings: Sharings;
  readonly #priorities: ReadonlyMap<string, number>;
  readonly #alone = new Set<string>();
  readonly #running = new Set<Pack>();
  /** Packs that are not started; those whose inputs are there stay as they are until a stage beside them becomes ready. */
  #packs: readonly Pack[] = [];
  #packed = new Set<string>();

  /** @param fits in how many micro-batches stages run, unless alone */
  constructor(plan: Plan, kinds: readonly StageKind[], tracker: StageTracker, executor: Pick<Executor, 'places' | 'memory'>, fits: ReadonlyMap<string, Fit>) {
    this.#plan = plan;
    this.#tracker = tracker;
    this.#executor = executor;
    this.#sharings = sharingsOf(kinds, plan, fits);
    this.#priorities = priorities(plan);
  }

  /** The most urgent pack whose inputs are there; undefined when all that is left has to wait. */
  next(): Pack | undefined {
    const ready = new Set(this.#tracker.ready());
    if (ready.size === 0) return undefined;
    if ([...ready].some(key => !this.#packed.has(key))) this.#pack(ready);
    const packs = this.#packs.map(pack => pack.filter(stage => ready.has(stage.key))).filter(pack => pack.length > 0);
    return packs.reduce((best, pack) => (urgency(pack, this.#priorities) > urgency(best, this.#priorities) ? pack : best));
  }

  /** Whether a pack at work is all that can run until it has ended, which nothing can become ready before. */
  isAllThereIs(pack: Pack): boolean {
    const held = this.#tracker.keysWith('queued').some(key => this.#tracker.isHeld(key));
    return !held && this.#tracker.ready().length === 0 && [...this.#running].every(other => other === pack);
  }

  /** FLOPs of a pack, or 0 where they are unknown. */
  flops(pack: Pack): number {
    return together(pack, this.#sharings, stage => stage.cost.flops);
  }

  start(pack: Pack): void {
    this.#running.add(pack);
    for (const { key } of pack) this.#packed.delete(key);
  }

  ended(pack: Pack): void {
    this.#running.delete(pack);
  }

  /** From now on the stage shares with none. */
  runAlone(key: string): void {
    this.#alone.add(key);
    this.#packed.delete(key);
  }

  #pack(ready: ReadonlySet<string>): void {
    const held = [...this.#plan.stages.keys()].filter(key => this.#tracker.isHeld(key));
    this.#packs = packStages(this.#plan, this.#unfinished(), {
      places: this.#executor.places,
      memory: this.#executor.memory.pack,
      sharings: this.#sharings,
      alone: new Set([...this.#alone, ...held]),
      running: this.#atWork(),
    });
    this.#packed = new Set(ready);
  }

  /** Without the members that turned out to be another runner's: those may be ours to start before their pack has ended. */
  #atWork(): Pack[] {
    const running = new Set(this.#tracker.keysWith('running'));
    return [...this.#running].map(pack => pack.filter(stage => running.has(stage.key))).filter(pack => pack.length > 0);
  }

  #unfinished(): PlannedStage[] {
    const left = new Set([...this.#tracker.keysWith('queued'), ...this.#tracker.keysWith('running')]);
    return [...this.#plan.stages.values()].filter(stage => left.has(stage.key));
  }
}
