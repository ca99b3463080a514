/** `manifest.json` of a folder in the cache: which files belong to it, their sizes and hashes. Written before the folder gets its name. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { PinnedWheel } from './pinned-wheels.ts';
import type { FileRecord } from './python.ts';

export interface CacheManifest {
  /** Wheels the files came from. */
  readonly wheels: readonly string[];
  /** By path relative to the folder. */
  readonly files: Readonly<Record<string, FileRecord>>;
}

const NAME = 'manifest.json';

const fileRecord = z.object({ bytes: z.int().min(0), sha256: z.string() });
const manifestSchema = z.object({
  wheels: z.array(z.string()),
  // Without a file it would vouch for an empty folder.
  files: z.record(z.string(), fileRecord).refine(files => Object.keys(files).length > 0),
});

export const writeCacheManifest = (folder: string, manifest: CacheManifest): Promise<void> => writeFile(path.join(folder, NAME), `${JSON.stringify(manifest, null, 1)}\n`);

/** @internal */
export async function readCacheManifest(folder: string): Promise<CacheManifest | undefined> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(path.join(folder, NAME), 'utf8')));
  } catch {
    return undefined; // absent, torn or damaged: the folder is made anew either way
  }
}

/**
 * What is wrong with the files of a folder: sizes only, or (`deep`) their SHA-256 too, which reads everything.
 * Empty when all is well; `['missing']` when there is no such folder or it has no manifest.
 * @param wheels that it must have come from: an older program took others
 */
export async function cacheProblems(folder: string, wheels: readonly Pick<PinnedWheel, 'file'>[], deep = false): Promise<string[]> {
  const found = await readCacheManifest(folder);
  if (!found) return ['missing'];
  const other = found.wheels.find(name => !wheels.some(({ file }) => file === name));
  if (other !== undefined) return [`it was taken from ${other}`];
  const problems = await Promise.all(
    Object.entries(found.files).map(async ([name, expected]) => {
      const file = path.join(folder, name);
      const size = await stat(file).then(
        info => (info.isFile() ? info.size : undefined),
        () => undefined,
      );
      if (size === undefined) return `${name} is missing`;
      if (size !== expected.bytes) return `${name} has ${size} bytes instead of ${expected.bytes}`;
      if (deep && (await fileSha256(file)) !== expected.sha256) return `${name} has another SHA-256 than when it was unpacked`;
      return undefined;
    }),
  );
  return problems.filter(problem => problem !== undefined);
}

/** Hexadecimal. */
export async function fileSha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(block as Buffer);
  return hash.digest('hex');
}
