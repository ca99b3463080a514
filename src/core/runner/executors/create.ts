import { INLINE, type Place } from '../devices.ts';
import type { Executor } from './executor.ts';
import { InlineExecutor } from './inline.ts';
import { LocalExecutor } from './local.ts';

/**
 * @param places as `parseDevices` gives them
 * @param lends whether a worker may be given the threads of idle ones: not where the engine has but one
 */
export function createExecutor(places: readonly Place[], { lends = true }: { readonly lends?: boolean } = {}): Executor {
  const [first] = places;
  return first?.name === INLINE ? new InlineExecutor(first) : new LocalExecutor(places, lends);
}
