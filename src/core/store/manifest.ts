/** Checksums of a folder's files, to tell a complete and undamaged folder from any other. */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { beneath, entryBeneath, requireFile } from '../disk/beneath.ts';
import { hasCode } from './errors.ts';
import { attemptFiles } from './layout.ts';
import { readBytesIfPresent, readParsed } from './read.ts';

/** Path of a file below the folder. */
const fileName = z.string().refine(isBelow, 'expected the path of a file below the folder');

const manifestSchema = z.strictObject({
  files: z.record(fileName, z.strictObject({ bytes: z.int().min(0), sha256: z.string() })),
});
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * Sizes and SHA-256 of the files below `dir`, by path relative to it; a `manifest.json` at its top does not count.
 * @param tops keeps only the files and folders of these names at the top
 * @throws UnsafePathError for a link, and for anything else that is neither file nor folder
 */
export async function makeManifest(dir: string, tops?: readonly string[]): Promise<Manifest> {
  const files: Manifest['files'] = {};
  for (const name of filesBelow(dir, tops)) {
    const path = beneath(dir, name);
    const found = statSync(path);
    requireFile(found, path, Infinity); // what no checksum can hold is no result
    files[name] = { bytes: found.size, sha256: await sha256(path) };
  }
  return { files };
}

/** @throws StoreError when the file is there and is no manifest */
export function readManifest(path: string): Manifest | undefined {
  return readParsed(manifestSchema, path);
}

/**
 * What makes `dir` differ from the manifest at its top, or undefined when nothing does. A file that the manifest does not name is a
 * difference, too: else a manifest that lost an entry would vouch for a file that nobody looked at.
 * @param tops as for `makeManifest`
 * @throws StoreError as `readManifest` does
 */
export async function damage(dir: string, tops?: readonly string[]): Promise<string | undefined> {
  const manifest = readManifest(join(dir, attemptFiles.manifest));
  if (!manifest) return 'no manifest.json';
  const sizes = sizeDamage(dir, manifest);
  if (sizes !== undefined) return sizes;
  const stranger = filesBelow(dir, tops).find(name => !Object.hasOwn(manifest.files, name));
  if (stranger !== undefined) return `${stranger} is not in the manifest`;
  for (const [name, { sha256: expected }] of Object.entries(manifest.files)) {
    if ((await sha256(join(dir, name))) !== expected) return `${name} does not match its checksum`;
  }
  return undefined;
}

/** What makes `dir` differ from a manifest by sizes alone: cheap enough for every reader. */
export function sizeDamage(dir: string, manifest: Manifest): string | undefined {
  for (const [name, { bytes }] of Object.entries(manifest.files)) {
    const found = sizeOf(dir, name);
    if (found !== bytes) return `${name}: expected ${bytes} bytes, got ${found ?? 'no file'}`;
  }
  return undefined;
}

/**
 * What makes one small file differ from its manifest, or undefined when nothing does.
 * @throws StoreError when it is larger than `most` bytes, by default 256 MiB
 */
export function fileDamage(dir: string, name: string, manifest: Manifest, most?: number): string | undefined {
  const expected = manifest.files[name]?.sha256;
  if (expected === undefined) return `${name} is not in the manifest`;
  const bytes = readBytesIfPresent(join(dir, name), most);
  const found = bytes && createHash('sha256').update(bytes).digest('hex');
  return found === expected ? undefined : `${name} does not match its checksum`;
}

function filesBelow(dir: string, tops?: readonly string[]): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .filter(name => name !== attemptFiles.manifest && (tops?.includes(name.split(sep)[0]!) ?? true))
    .sort();
}

/** A damaged name could point out of the folder, or be none that the system takes. */
function isBelow(name: string): boolean {
  return !name.includes('\0') && name.split(sep).every(part => part !== '' && part !== '.' && part !== '..');
}

/** Undefined where there is no such file. @throws UnsafePathError when a link is on the way */
function sizeOf(dir: string, name: string): number | undefined {
  try {
    const found = entryBeneath(dir, name);
    return found?.isFile() ? found.size : undefined;
  } catch (error) {
    if (hasCode(error, 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
