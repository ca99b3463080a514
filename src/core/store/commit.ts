/**
 * Which attempt of a stage counts: `done/commit.json` names it. The folder appears under this name whole and once, as attempts do, which
 * every disk can. In stores of format 1 `done` is a symbolic link to the attempt; where a copy of such a store followed links it is a copy
 * of the attempt, where a copy wrote links as text a file with the link's target.
 */
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson } from '../ablation/json.ts';
import { lstatIfThere } from '../disk/beneath.ts';
import { hasCode, unlessDamaged } from './errors.ts';
import type { Files } from './files.ts';
import { attemptFiles, layout } from './layout.ts';
import { temporaryIn } from './names.ts';
import { isNumberName, readParsed, readTextIfPresent } from './read.ts';

export interface Commit {
  readonly attempt: number;
  /** It was a link, and what stands there is what a copy made of it. */
  readonly copied: boolean;
}

const commitFile = z.object({ attempt: z.int().min(1) });

/** @returns false when another attempt was committed first */
export function writeCommit(files: Files, stage: string, attempt: number): boolean {
  const temporary = temporaryIn(stage);
  files.makeFolder(temporary);
  files.write(join(temporary, COMMIT), `${canonicalJson({ attempt })}\n`);
  const first = files.publishFolder(temporary, layout.done(stage));
  if (!first) files.remove(temporary);
  return first;
}
const COMMIT = 'commit.json';

/**
 * Undefined where there is none, or something that names no attempt.
 * @param attempts numbers of the stage's attempts, and @param attemptDir their folders: asked for only where the commit has become a copy
 */
export function readCommit(stage: string, attempts: () => readonly number[], attemptDir: (attempt: number) => string): Commit | undefined {
  const done = layout.done(stage);
  try {
    const found = lstatIfThere(done);
    if (found === undefined) return undefined;
    if (found.isSymbolicLink()) return namedBy(readlinkSync(done), false);
    if (!found.isDirectory()) return found.size <= LONGEST_TARGET ? namedBy(textOf(done) ?? '', true) : undefined;
    const commit = unlessDamaged(() => readParsed(commitFile, join(done, COMMIT)));
    if (commit) return { ...commit, copied: false };
    const copy = descriptionIn(done);
    const attempt = copy === undefined ? undefined : attempts().find(number => descriptionIn(attemptDir(number)) === copy);
    return attempt === undefined ? undefined : { attempt, copied: true };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EINVAL', 'ENOTDIR')) return undefined; // withdrawn meanwhile
    throw error;
  }
}

const LONGEST_TARGET = 64;

function namedBy(target: string, copied: boolean): Commit | undefined {
  const [, number = ''] = /^attempts\/(\d+)$/.exec(target) ?? [];
  return isNumberName(number) ? { attempt: Number(number), copied } : undefined;
}

/** Owner and time of its start tell an attempt from all others. */
function descriptionIn(attempt: string): string | undefined {
  const texts = [attemptFiles.owner, attemptFiles.manifest].map(name => textOf(join(attempt, name)));
  return texts.includes(undefined) ? undefined : texts.join('\n');
}

const textOf = (path: string): string | undefined => unlessDamaged(() => readTextIfPresent(path));
