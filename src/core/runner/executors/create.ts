import { INLINE, parseDevices } from '../devices.ts';
import type { Executor } from './executor.ts';
import { InlineExecutor } from './inline.ts';
import { LocalExecutor } from './local.ts';

/**
 * @param devices as `parseDevices` reads it
 * @param lends whether a worker may be given the threads of idle ones: not where the engine has but one
 * @throws UsageError as `parseDevices` says
 */
export function createExecutor(devices: string, { lends = true }: { readonly lends?: boolean } = {}): Executor {
  const places = parseDevices(devices);
  return devices.trim() === INLINE ? new InlineExecutor(places[0]!) : new LocalExecutor(places, lends);
}
