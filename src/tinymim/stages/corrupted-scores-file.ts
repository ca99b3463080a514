/** Scores of corrupted images on disk: of a stage that is done, for those that are compared with it, and of one in the middle. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PermanentError } from '../../core/ablation/errors.ts';
import { SEVERITIES } from '../data/corruption-names.ts';
import { noScores, type CorruptedScores } from './corruption-error.ts';

/** `wrong`, byte by byte, behind `errors`, of which each is four bytes, the lowest first. */
const FILE = 'corrupted.bin';

export function writeScores(dir: string, { errors, wrong }: CorruptedScores): void {
  const head = Buffer.alloc(4 * errors.length);
  errors.forEach((n, i) => head.writeUInt32LE(n, 4 * i));
  writeFileSync(join(dir, FILE), Buffer.concat([head, wrong]));
}

/** @throws PermanentError `BAD_SCORES` for those of another number of corruptions or images */
export function readScores(dir: string, corruptions: readonly string[], count: number): CorruptedScores {
  const path = join(dir, FILE),
    bytes = readFileSync(path),
    scores = noScores(corruptions, count);
  const head = 4 * corruptions.length * SEVERITIES.length,
    expected = head + scores.wrong.length;
  if (bytes.length !== expected) throw new PermanentError('BAD_SCORES', `Expected ${path} to have ${expected} bytes, of ${corruptions.length} corruptions of ${count} images, got ${bytes.length}`);
  scores.errors.forEach((_, i) => (scores.errors[i] = bytes.readUInt32LE(4 * i)));
  scores.wrong.set(bytes.subarray(head));
  return scores;
}
