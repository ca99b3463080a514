/** Names that say which process made a file, so that what a killed process left can be told from the work of a living one. */
import { randomUUID } from 'node:crypto';
import { basename, join } from 'node:path';
import { lstatIfThere } from '../disk/beneath.ts';
import { isTagAlive, ownerOf, ownerTag, type Owner } from './owner.ts';

/** Nobody here can ask a process of another host; a file of it that is this old is nobody's work any more. */
const FOREIGN_MS = 24 * 3600_000;

let ours: string | undefined;
const ourTag = (): string => (ours ??= ownerTag(ownerOf(process.pid)));

/** `<random>~<tag of the process>`; every call gives another. */
export const madeBy = (owner?: Owner): string => `${randomUUID().slice(0, 8)}~${owner ? ownerTag(owner) : ourTag()}`;

/** A new name in `folder` for something not yet complete or about to vanish. */
export const temporaryIn = (folder: string): string => join(folder, `.tmp-${madeBy()}`);

/** Readers pass over these. */
export const isTemporary = (name: string): boolean => name.startsWith('.tmp-');

/**
 * Whether the process that made a file is gone, as far as can be told. False when the file itself is gone.
 * @param diskTime milliseconds since 1970 by the clock that gives files their times; our own can be days wrong
 */
export function isAbandoned(path: string, diskTime: () => number): boolean {
  const tag = /~([^~]+?)(?:\.txt)?$/.exec(basename(path))?.[1];
  const alive = tag === undefined ? undefined : isTagAlive(tag);
  if (alive !== undefined) return !alive;
  const changed = lstatIfThere(path)?.mtimeMs;
  return changed !== undefined && diskTime() - changed > FOREIGN_MS;
}
