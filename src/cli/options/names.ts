/**
 * Names in declarations, kept for completion: a press of Tab must not run somebody's `study.ts`, so it answers from what the last command
 * on that folder has loaded.
 */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { keep, readKept } from '../../setup/kept.ts';
import { listAblations, listProfiles } from '../../core/ablation/folder.ts';

export interface DeclaredNames {
  /** Arms by ablation, each with its label as one clean line. */
  readonly ablations: Readonly<Record<string, readonly (readonly [name: string, label: string])[]>>;
  /** Fields by profile: paths of those that hold a single value. */
  readonly profiles: Readonly<Record<string, readonly string[]>>;
  /** What `ablate export --to` takes. */
  readonly formats: readonly string[];
}

const KIND = 'declarations';
const FORMAT = 2;

/** For the folder itself, whatever link leads to it. */
const fileOf = (folder: string): string => `${createHash('sha256').update(folder).digest('hex').slice(0, 32)}.json`;

/** What is known of a folder of declarations; nothing of one that no command has loaded. */
export function readNames(dir: string): DeclaredNames {
  try {
    const folder = realpathSync(dir);
    const { format, names, folder: of } = JSON.parse(readKept(KIND, fileOf(folder)) ?? '{}') as { format?: number; folder?: string; names?: DeclaredNames };
    if (format === FORMAT && of === folder && names !== undefined) return names;
  } catch {
    // As if there were none.
  }
  return { ablations: {}, profiles: {}, formats: [] };
}

/** Adds what was loaded to what is known, and forgets what is declared no more. Never fails a command. */
export function keepNames(dir: string, loaded: DeclaredNames): void {
  try {
    const folder = realpathSync(dir);
    const known = readNames(folder);
    const names: DeclaredNames = {
      ablations: only(listAblations(folder), { ...known.ablations, ...loaded.ablations }),
      profiles: only(listProfiles(folder), { ...known.profiles, ...loaded.profiles }),
      formats: loaded.formats,
    };
    keep(KIND, fileOf(folder), JSON.stringify({ format: FORMAT, folder, names }));
  } catch {
    // Completion knows less.
  }
}

const only = <T>(declared: readonly string[], known: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(declared.flatMap(name => (Object.hasOwn(known, name) ? [[name, known[name]!]] : [])));
