/** Which declarations are meant where a command names none. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { holdsStudy, listProfiles } from '../../core/ablation/folder.ts';

const OWN = fileURLToPath(new URL('../../../experiments', import.meta.url));

/** The working directory where it holds a study, else the declarations that come with the program. */
export const defaultExperiments = (): string => (holdsStudy('.') ? '.' : OWN);

/** The only profile where there is one, else `mini`. */
export function defaultProfile(experiments: string): string {
  const profiles = existsSync(join(experiments, 'profiles')) ? listProfiles(experiments) : [];
  return profiles.length === 1 ? profiles[0]! : 'mini';
}
