/**
 * The folders of this machine: where the one of a name lies, and its index. Both stand beside the other data sets, `folders/<name>.json` and
 * `folders/<hash of the path>.index2`; a variable, `<NAME>_DIR`, goes before the file.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { readIndexHeader, type IndexHeader } from './index-file.ts';
import { toPath } from './scan.ts';

const known = z.strictObject({ path: z.string() });

/** `IMAGENET1K_DIR` of imagenet1k. */
export const folderVariable = (name: string): string => `${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_DIR`;

const folders = (dataDir: string): string => join(dataDir, 'folders');

/** Where it lies, and who says so; undefined: nobody. */
export function knownFolder(name: string, dataDir: string, env: NodeJS.ProcessEnv = process.env): { readonly path: string; readonly by: string } | undefined {
  const variable = folderVariable(name),
    given = env[variable];
  if (given !== undefined && given !== '') return { path: resolve(given), by: `${variable}=${given}` };
  const path = rememberedFolder(name, dataDir);
  return path === undefined ? undefined : { path, by: 'ablate setup' };
}

/** What this machine was told before, whatever a variable says. */
export function rememberedFolder(name: string, dataDir: string): string | undefined {
  try {
    return known.parse(JSON.parse(readFileSync(join(folders(dataDir), `${name}.json`), 'utf8'))).path;
  } catch {
    return undefined;
  }
}

/** Makes the name mean this folder. @param path absolute */
export function rememberFolder(name: string, path: string, dataDir: string): void {
  mkdirSync(folders(dataDir), { recursive: true });
  const file = join(folders(dataDir), `${name}.json`),
    temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify({ path })}\n`);
  renameSync(temporary, file);
}

/** The file of its index; need not exist. The number is that of its format: versions of this program that share a cache keep an index each. @param path absolute */
export const indexPath = (path: string, dataDir: string): string => join(folders(dataDir), `${createHash('sha256').update(path).digest('hex').slice(0, 16)}.index2`);

let last: { readonly file: string; readonly changed: number; readonly header: IndexHeader | undefined } | undefined;

/** What the index says, without names; read once as long as it stays. */
export function indexHeader(path: string, dataDir: string): IndexHeader | undefined {
  const file = indexPath(path, dataDir);
  const changed = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (changed === undefined) return undefined;
  if (last?.file !== file || last.changed !== changed) last = { file, changed, header: readIndexHeader(file) };
  return last.header;
}

/** A folder of it whose files have changed since, or undefined. */
export function changedFolder({ folders: all }: IndexHeader): string | undefined {
  const changed = all.find(([path, when]) => statSync(toPath(path), { throwIfNoEntry: false })?.mtimeMs !== when);
  return changed && toPath(changed[0]).toString('utf8');
}
