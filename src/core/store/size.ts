import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes of all files below a folder, without those that vanish meanwhile; 0 when there is no folder. */
export function folderBytes(dir: string): number {
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return 0;
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((total, entry) => total + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0), 0);
}
