/** Where the report of a profile stands; of a changed profile never in the place of the plain one. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../ablation/errors.ts';
import { listProfiles } from '../ablation/folder.ts';
import { RECORDS_FILE } from './records/written.ts';

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

/**
 * Profiles whose reports are in the folder.
 * @throws UsageError when there are none, or one is of no declared profile: nothing says what it was made from
 */
export function writtenProfiles(reports: string, experiments: string): string[] {
  const names = existsSync(reports)
    ? readdirSync(reports)
        .filter(name => existsSync(join(reports, name, RECORDS_FILE)))
        .sort()
    : [];
  if (names.length === 0) throw new UsageError('NO_RECORDS', `Expected reports in ${reports}/, one folder a profile with its ${RECORDS_FILE}, got none. Write one first: ablate report.`);
  const declared = listProfiles(experiments);
  const stray = names.find(name => !declared.includes(name));
  if (stray !== undefined) {
    throw new UsageError(
      'STRAY_REPORT',
      `Expected the reports in ${reports}/ to be of declared profiles (${declared.join(', ')}), got ${stray}. Name the profile itself and its changes: --profile ${stray.split('+')[0]!}${stray.includes('+') ? ' --set ...' : ''}, without --all; or remove the folder.`,
    );
  }
  return names;
}
