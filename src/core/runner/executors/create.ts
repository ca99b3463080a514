import { INLINE, parseDevices } from '../devices.ts';
import type { Executor } from './executor.ts';
import { InlineExecutor } from './inline.ts';
import { LocalExecutor } from './local.ts';

/** @param devices as `parseDevices` reads it. @throws UsageError as it says */
export function createExecutor(devices: string): Executor {
  const places = parseDevices(devices);
  return devices.trim() === INLINE ? new InlineExecutor(places[0]!) : new LocalExecutor(places);
}
