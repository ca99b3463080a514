/** Checksums of a folder's files, to tell a complete and undamaged folder from any other. */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { hasCode, StoreError } from './errors.ts';
import { attemptFiles } from './layout.ts';
import { readObject } from './read.ts';

const manifestSchema = z.strictObject({
  files: z.record(z.string(), z.strictObject({ bytes: z.int().min(0), sha256: z.string() })),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Sizes and SHA-256 of every file below `dir`, by path relative to it; a `manifest.json` at its top does not count. */
export async function makeManifest(dir: string): Promise<Manifest> {
  const files: Manifest['files'] = {};
  for (const name of filesBelow(dir)) {
    const path = join(dir, name);
    files[name] = { bytes: statSync(path).size, sha256: await sha256(path) };
  }
  return { files };
}

/** @throws StoreError when the file is there and is no manifest */
export function readManifest(path: string): Manifest | undefined {
  const value = readObject(path);
  if (value === undefined) return undefined;
  const manifest = manifestSchema.safeParse(value);
  if (!manifest.success) throw new StoreError('STORE_DAMAGED', `${path}: expected sizes and checksums of files, got something else`);
  return manifest.data;
}

/** What makes `dir` differ from its manifest, or undefined when nothing does. */
export async function damage(dir: string, manifest: Manifest): Promise<string | undefined> {
  const sizes = sizeDamage(dir, manifest);
  if (sizes !== undefined) return sizes;
  for (const [name, { sha256: expected }] of Object.entries(manifest.files)) {
    if ((await sha256(join(dir, name))) !== expected) return `${name} does not match its checksum`;
  }
  return undefined;
}

/** As `damage`, but by sizes alone: cheap enough for every reader. */
export function sizeDamage(dir: string, manifest: Manifest): string | undefined {
  for (const [name, { bytes }] of Object.entries(manifest.files)) {
    const found = sizeOf(join(dir, name));
    if (found !== bytes) return `${name}: expected ${bytes} bytes, got ${found ?? 'no file'}`;
  }
  return undefined;
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .filter(name => name !== attemptFiles.manifest)
    .sort();
}

function sizeOf(path: string): number | undefined {
  try {
    return statSync(path).size;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
