/** Which failed stages a run tries again, and how. Bounded: ordinary failures by a count, want of memory by what a batch divides into. */
import type { StageKind } from '../ablation/kind.ts';
import type { Fit } from '../plan/memory.ts';
import type { Plan } from '../plan/plan.ts';
import { unlessDamaged } from '../store/errors.ts';
import type { StoreReader } from '../store/reader.ts';

/** `suspected`: killed, though the system says that memory sufficed (`memoryFaultOf` says why that can mislead). */
export type MemoryFault = 'ran-out' | 'suspected';

export interface FailedAttempt {
  readonly permanent: boolean;
  readonly memory?: MemoryFault | undefined;
  /** It ran side by side with others. */
  readonly packed: boolean;
}

/** How often a stage is tried again as it was, unless its failure is permanent. */
const RETRIES = 1;

export class Retries {
  /** Whether a stage can run with so many times as many micro-batches. */
  readonly #canSplit: (key: string, microBatches: number) => boolean;
  readonly #tries = new Map<string, number>();
  readonly #microBatches = new Map<string, number>();
  readonly #estimated: (key: string) => number;

  /** @param estimated with which a stage runs first, where a GPU has too little memory for those of its recipe */
  constructor(canSplit: (key: string, microBatches: number) => boolean, estimated: (key: string) => number = () => 1) {
    this.#canSplit = canSplit;
    this.#estimated = estimated;
  }

  /** By what the micro-batches of a stage's recipe are multiplied: 1, 2, 4, ... */
  microBatches(key: string): number {
    return this.#microBatches.get(key) ?? this.#estimated(key);
  }

  /** As an earlier run left it. */
  goOnWith(key: string, microBatches: number): void {
    if (microBatches > this.#estimated(key) && this.#canSplit(key, microBatches)) this.#microBatches.set(key, microBatches);
  }

  /** Stages of more micro-batches than was estimated: they can share with none. */
  split(): string[] {
    return [...this.#microBatches.keys()];
  }

  /** Whether the stage is to be tried again, by itself. Where memory is at fault, alone before with half the micro-batch. */
  again(key: string, { permanent, memory, packed }: FailedAttempt): boolean {
    if (permanent) return false;
    if (memory === 'ran-out' && packed) return true;
    const tries = this.#tries.get(key) ?? 0,
      half = 2 * this.microBatches(key);
    if ((memory === 'ran-out' || (memory === 'suspected' && tries >= RETRIES)) && this.#canSplit(key, half)) {
      this.#microBatches.set(key, half);
      return true;
    }
    this.#tries.set(key, tries + 1);
    return tries < RETRIES;
  }
}

interface Known {
  readonly fits: ReadonlyMap<string, Fit>;
  readonly plan: Plan;
  readonly kinds: readonly StageKind[];
  readonly store: StoreReader;
}

/** A stage that memory did not suffice for goes on with the micro-batches of its last attempt. @param queued its keys */
export function retriesFor({ plan, kinds, store, fits }: Known, queued: readonly string[]): Retries {
  const retries = new Retries(
    (key, microBatches) => {
      const { kind, recipe } = plan.stages.get(key)!;
      return kinds.find(({ name }) => name === kind)?.canSplit?.(recipe, microBatches) === true;
    },
    key => fits.get(key)?.microBatches ?? 1,
  );
  for (const key of queued) retries.goOnWith(key, microBatchesBefore(store, key));
  return retries;
}

/** Of the newest attempt; 1 where nothing is known of it. */
function microBatchesBefore(store: StoreReader, key: string): number {
  const { micro_batches: count } = (unlessDamaged(() => store.provenance(key))?.['stage'] ?? {}) as { micro_batches?: unknown };
  return typeof count === 'number' ? count : 1;
}
