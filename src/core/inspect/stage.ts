/** A stage named on the command line by the start of its key. */
import { UsageError } from '../ablation/errors.ts';
import type { StoreReader } from '../store/reader.ts';

const SHORTEST_PREFIX = 4;

/** Its whole key. @throws UsageError unless exactly one stage of the store has such a key */
export function stageByPrefix(store: StoreReader, prefix: string): string {
  const keys = prefix.length < SHORTEST_PREFIX ? [] : store.keys().filter(key => key.startsWith(prefix));
  if (keys.length === 1) return keys[0]!;
  const got = prefix.length < SHORTEST_PREFIX ? `'${prefix}'` : keys.length === 0 ? `'${prefix}', which none has` : `'${prefix}', which ${keys.length} have: ${keys.slice(0, 4).join(', ')}`;
  throw new UsageError('UNKNOWN_STAGE', `Expected at least ${SHORTEST_PREFIX} characters of a stage's key, or <ablation>/<arm>, got ${got}; ablate status shows keys`);
}
