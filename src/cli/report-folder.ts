/** Where the report of a profile stands; of a changed profile never in the place of the plain one. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** Longest readable part: file systems take names of 255 bytes, people fewer. */
const LONGEST = 80;

/**
 * `reports/mini`, or `reports/mini+distill.schedule.epochs-5` with an override.
 * @param overrides in canonical form, sorted
 */
export function reportFolder(reports: string, profile: string, overrides: readonly string[]): string {
  return join(reports, [profile, ...(overrides.length > 0 ? [slug(overrides)] : [])].join('+'));
}

/** Readable, and followed by a hash where another list of overrides could read the same. */
function slug(overrides: readonly string[]): string {
  const readable = overrides.map(o => o.replace('=', '-').replaceAll(/[^\w.-]+/g, '_')).join('+');
  const isPlain = overrides.every(o => /^[\w.]+=[\w.-]+$/.test(o)) && readable.length <= LONGEST;
  if (isPlain) return readable;
  return `${readable.slice(0, LONGEST)}-${createHash('sha256').update(overrides.join('\n')).digest('hex').slice(0, 8)}`;
}
