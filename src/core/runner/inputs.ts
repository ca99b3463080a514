import type { Plan } from '../plan/plan.ts';
import type { Store } from '../store/store.ts';

/**
 * Verifies the checksums of all that stages to come will read: numbers made from a damaged input would pass for right. A
 * stage found damaged no longer counts as done, and then its own inputs are needed.
 */
export async function verifyInputs(plan: Plan, store: Store): Promise<void> {
  const seen = new Set<string>();
  const need = async (key: string): Promise<void> => {
    for (const input of Object.values(plan.stages.get(key)!.upstream)) {
      if (seen.has(input)) continue;
      seen.add(input);
      if (!(await store.verify(input))) await need(input);
    }
  };
  for (const key of plan.arms.flatMap(({ finals }) => finals)) if (store.doneAttempt(key) === undefined) await need(key);
}
