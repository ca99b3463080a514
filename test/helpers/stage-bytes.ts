/** What the finished stages of a store left. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStoreReadOnly } from '../../src/core/store/store.ts';

/** Folder of the attempt that counts, by key. */
function doneAttempts(store: string): Record<string, string> {
  const reader = openStoreReadOnly(store);
  return Object.fromEntries(reader.keys().map(key => [key, reader.attemptDir(key, reader.doneAttempt(key)!)]));
}

/** Results and final weights by `key/file`. */
export function stageBytes(store: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(doneAttempts(store)).flatMap(([key, attempt]): [string, string][] => {
      const outputs = readdirSync(join(attempt, 'output')).map((file): [string, string] => [`${key}/${file}`, readFileSync(join(attempt, 'output', file)).toString('base64')]);
      return [[`${key}/result.json`, readFileSync(join(attempt, 'result.json'), 'utf8')], ...outputs];
    }),
  );
}

/** What the attempts recorded of themselves, by key. */
export function stageProvenance(store: string): Record<string, { readonly stage: Readonly<Record<string, unknown>> }> {
  return Object.fromEntries(
    Object.entries(doneAttempts(store)).map(([key, attempt]) => [key, JSON.parse(readFileSync(join(attempt, 'provenance.json'), 'utf8')) as { stage: Record<string, unknown> }]),
  );
}

/** How many attempts were made at each stage. */
export function attemptCounts(store: string): number[] {
  const stages = join(store, 'stages');
  return readdirSync(stages).map(key => readdirSync(join(stages, key, 'attempts')).length);
}
