/** What the finished stages of a store left. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attemptFiles } from '../../src/core/store/layout.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';

/** Folder of the attempt that counts, by key. */
function doneAttempts(store: string): Record<string, string> {
  const reader = openStoreReadOnly(store);
  return Object.fromEntries(reader.keys().map(key => [key, reader.attemptDir(key, reader.doneAttempt(key)!)]));
}

/** Results, of each test item whether it was right, and final weights by `key/file`. */
export function stageBytes(store: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(doneAttempts(store)).flatMap(([key, attempt]): [string, string][] => {
      const outputs = readdirSync(join(attempt, 'output')).map((file): [string, string] => [`${key}/${file}`, readFileSync(join(attempt, 'output', file)).toString('base64')]);
      const items = join(attempt, attemptFiles.items);
      return [
        [`${key}/result.json`, readFileSync(join(attempt, 'result.json'), 'utf8')],
        ...(existsSync(items) ? [[`${key}/${attemptFiles.items}`, readFileSync(items).toString('base64')] as [string, string]] : []),
        ...outputs,
      ];
    }),
  );
}

/** Of each stage that tested items: what its result counts, and what its items come to. */
export function testedItems(store: string): { readonly correct: number; readonly count: number; readonly ofItems: { readonly correct: number; readonly count: number } }[] {
  const reader = openStoreReadOnly(store);
  return reader.keys().flatMap(key => {
    const items = reader.items(key);
    const { correct, count } = reader.result(key) as { correct: number; count: number };
    return items === undefined ? [] : [{ correct, count, ofItems: { correct: items.filter(Boolean).length, count: items.length } }];
  });
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
