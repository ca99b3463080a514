/** A store with one stage, for tests of the store alone. */
import type { StageIdentity } from '../../src/core/ablation/kind.ts';
import { keyOf } from '../../src/core/ablation/identity.ts';
import type { Attempt } from '../../src/core/store/attempt.ts';
import { openStore, type Store, type StoreOptions } from '../../src/core/store/store.ts';
import { temporaryFolder } from './sweep.ts';

export const identity: StageIdentity = { kind: 'seedling', revision: 1, recipe: { steps: 3 }, seed: 0, upstream: {} };
export const key = keyOf(identity);

export interface StoreWithStage {
  readonly store: Store;
  /** What the store warned about. */
  readonly warnings: string[];
}

export function storeWithStage(options: StoreOptions = {}): StoreWithStage {
  const warnings: string[] = [];
  const store = openStore(temporaryFolder('store'), { warn: w => warnings.push(w), ...options });
  store.ensureStage(key, identity, 'stock of a/b seed 0');
  return { store, warnings };
}

/** The next attempt, claimed by this process as its worker. */
export async function begin(store: Store): Promise<Attempt> {
  const acquired = await store.acquire(key, 'cpu:0');
  if (acquired.type !== 'acquired') throw new Error(`expected to acquire, got ${acquired.state.state}`);
  acquired.attempt.claim();
  return acquired.attempt;
}
