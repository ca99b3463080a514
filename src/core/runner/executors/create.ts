import { INLINE, type Place } from '../devices.ts';
import type { Executor } from './executor.ts';
import { InlineExecutor } from './inline.ts';
import { LocalExecutor, type LocalOptions } from './local.ts';

/** @param places as `parseDevices` gives them */
export function createExecutor(places: readonly Place[], options: LocalOptions = {}): Executor {
  const [first] = places;
  return first?.name === INLINE ? new InlineExecutor(first) : new LocalExecutor(places, options);
}
