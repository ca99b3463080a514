/** Where the stages of a plan stand in a store. A store that does not exist yet has none of them. */
import type { Plan } from '../plan/plan.ts';
import type { StageState, StoreReader } from '../store/reader.ts';

export type States = ReadonlyMap<string, StageState>;

export function readStates(store: StoreReader | undefined, plan: Plan): States {
  return new Map([...plan.stages.keys()].map(key => [key, store?.state(key) ?? { state: 'absent' as const }]));
}
