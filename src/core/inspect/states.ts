/** Where the stages of a plan stand in a store. A store that does not exist yet has none of them. */
import { existsSync } from 'node:fs';
import type { Plan } from '../plan/plan.ts';
import type { StageState } from '../store/reader.ts';
import { openStoreReadOnly } from '../store/store.ts';

export type States = ReadonlyMap<string, StageState>;

export function readStates(store: string, plan: Plan): States {
  if (!existsSync(store)) return new Map([...plan.stages.keys()].map(key => [key, { state: 'absent' as const }]));
  const reader = openStoreReadOnly(store);
  return new Map([...plan.stages.keys()].map(key => [key, reader.state(key)]));
}
