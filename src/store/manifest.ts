/** Checksums of a folder's files, to tell a complete and undamaged folder from any other. */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { hasCode } from './errors.ts';
import { attemptFiles } from './layout.ts';
import { readParsed } from './read.ts';

const manifestSchema = z.strictObject({
  files: z.record(z.string(), z.strictObject({ bytes: z.int().min(0), sha256: z.string() })),
});
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * Sizes and SHA-256 of the files below `dir`, by path relative to it; a `manifest.json` at its top does not count.
 * @param tops keeps only the files and folders of these names at the top
 */
export async function makeManifest(dir: string, tops?: readonly string[]): Promise<Manifest> {
  const files: Manifest['files'] = {};
  for (const name of filesBelow(dir)) {
    if (tops && !tops.includes(name.split(sep)[0]!)) continue;
    const path = join(dir, name);
    files[name] = { bytes: statSync(path).size, sha256: await sha256(path) };
  }
  return { files };
}

/** @throws StoreError when the file is there and is no manifest */
export function readManifest(path: string): Manifest | undefined {
  return readParsed(manifestSchema, path);
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

/** What makes one small file differ from its manifest, or undefined when nothing does. */
export function fileDamage(dir: string, name: string, manifest: Manifest): string | undefined {
  const expected = manifest.files[name]?.sha256;
  if (expected === undefined) return `${name} is not in the manifest`;
  const found = createHash('sha256').update(readFileSync(join(dir, name))).digest('hex');
  return found === expected ? undefined : `${name} does not match its checksum`;
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
