/** Links from the npm package of the engine to the library in the cache. */
import { randomBytes } from 'node:crypto';
import { mkdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import type { Library } from './library.ts';

/**
 * Links below `deps/`, relative path -> target. The C API is exported by the C++ library, so the binding loads that one. The GPU
 * build finds CUDA at `../nvidia` as seen from the *link* it was loaded by (its RUNPATH is `$ORIGIN/../nvidia/...`).
 */
export function depsLinks(library: Library, libraryFolder: string, nvidia: string | undefined): Record<string, string | undefined> {
  const file = (name: string): string => path.join(libraryFolder, 'tensorflow', name);
  return {
    [`lib/${library.cc}`]: file(library.cc),
    [`lib/${library.framework}`]: file(library.framework),
    nvidia,
  };
}

/** Makes or replaces links below `folder`, each in one step, so that a program that loads them meanwhile finds the old or the new. */
export async function ensureLinks(folder: string, links: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  let changed = false;
  for (const [name, target] of Object.entries(links)) {
    const link = path.join(folder, name);
    const current = await readlink(link).catch(() => undefined);
    if (current === target) continue;
    changed = true;
    if (target === undefined) {
      await rm(link, { recursive: true, force: true });
      continue;
    }
    await mkdir(path.dirname(link), { recursive: true });
    const temporary = `${link}.${randomBytes(4).toString('hex')}`;
    await symlink(target, temporary);
    if (current === undefined) await rm(link, { recursive: true, force: true }); // a file or folder in the way, or nothing
    await rename(temporary, link);
  }
  return changed;
}
