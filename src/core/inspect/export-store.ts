/** A whole store for other programs: its tables as Parquet, its curves as TensorBoard reads them. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { UsageError } from '../ablation/errors.ts';
import { unlessDamaged } from '../store/errors.ts';
import type { StoreReader } from '../store/reader.ts';
import { newestArms } from '../store/sweeps.ts';
import { TABLES } from '../store/tables.ts';
import { slug } from '../text/clean.ts';
import { eventFile } from './event-files.ts';

/** What a store goes out as. */
export const STORE_FORMATS = ['parquet', 'tensorboard'] as const;
export type StoreFormat = (typeof STORE_FORMATS)[number];
export const isStoreFormat = (format: string): format is StoreFormat => STORE_FORMATS.some(known => known === format);

/** Test items are bits by the ten thousand, which `ablate query` has. */
const PARQUET_TABLES = ['runs', 'results', 'metrics', 'arms'];

export interface Exported {
  /** Relative to the folder. */
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * Makes the folder, whole or not at all.
 * @param folder that is not there yet, or empty
 * @throws UsageError where something stands in its place, or it cannot be written
 */
export async function exportStore(store: StoreReader, format: StoreFormat, folder: string, warn: (message: string) => void): Promise<Exported> {
  const target = resolve(folder);
  requireFree(target, folder, store);
  const making = join(dirname(target), `.${basename(target)}-${randomUUID().slice(0, 8)}`);
  try {
    mkdirSync(making);
    if (format === 'parquet') await (await import('./database.ts')).writeParquet(making, store, tablesToWrite(), warn);
    else writeEventFiles(making, store, warn);
    renameSync(making, target); // an empty folder gives way
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    throw error instanceof Error && 'errno' in error ? notWritten(folder, error) : error;
  }
  const files = readdirSync(target, { recursive: true, withFileTypes: true }).flatMap(entry => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
  return { files: files.map(file => file.slice(target.length + 1)).sort(), bytes: files.reduce((sum, file) => sum + statSync(file).size, 0) };
}

const tablesToWrite = () => PARQUET_TABLES.map(name => TABLES.find(table => table.name === name)!);

function requireFree(target: string, folder: string, store: StoreReader): void {
  const there = statSync(target, { throwIfNoEntry: false });
  if (there && (!there.isDirectory() || readdirSync(target).length > 0))
    throw new UsageError('OUT_EXISTS', `Expected a folder that is empty or not there yet, got ${folder}; remove it, or name another`);
  if (`${target}${sep}`.startsWith(`${resolve(store.dir)}${sep}`)) throw new UsageError('OUT_IN_STORE', `Expected a folder outside of the store, got ${folder} in ${store.dir}; name another`);
}

const notWritten = (folder: string, cause: Error): UsageError =>
  new UsageError('OUT_NOT_WRITABLE', `Expected a place with room in which ${folder} can be made, got: ${cause.message}. Name another`, { cause });

/** One run a stage, under the first arm that needs it: `<ablation>/<arm>/seed-<n>/<role>`. Stages without numbers are left out. */
function writeEventFiles(folder: string, store: StoreReader, warn: (message: string) => void): void {
  const names = new Map<string, { readonly run: string; readonly role: string }>();
  for (const { profile, overrides, ablation, arm, seed, stages } of newestArms(store.sweeps(warn))) {
    const scale = [profile, ...overrides].map(slug).join('-');
    for (const [role, key] of Object.entries(stages)) if (!names.has(key)) names.set(key, { run: join(scale, slug(ablation), slug(arm), `seed-${seed}`, slug(role)), role });
  }
  for (const key of store.keys()) {
    const { run, role } = names.get(key) ?? { run: join('stages', key), role: unlessDamaged(() => store.stage(key))?.kind ?? 'stage' };
    const curve = unlessDamaged(() => store.curve(key)) ?? [],
      result = unlessDamaged(() => store.result(key)) ?? {};
    if (curve.length === 0 && Object.keys(result).length === 0) continue;
    const time = Math.floor(beginOf(store, key) / 1000);
    mkdirSync(join(folder, run), { recursive: true });
    writeFileSync(join(folder, run, `events.out.tfevents.${time}.ablate`), eventFile(curve, result, { time, prefix: role }));
  }
}

/** Of the attempt that counts, in milliseconds since 1970; 0 where nothing tells. */
function beginOf(store: StoreReader, key: string): number {
  const attempt = store.doneAttempt(key) ?? store.attempts(key).at(-1);
  const created = attempt === undefined ? undefined : unlessDamaged(() => store.attempt(key, attempt))?.created;
  return created === undefined ? 0 : Date.parse(created);
}
