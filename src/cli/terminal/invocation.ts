/** How a person calls this program from some folder: for commands that are printed to be pasted. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The file that Node runs. */
export const PROGRAM = realpathSync(fileURLToPath(new URL('../ablate.mjs', import.meta.url)));

/**
 * `ablate` where the PATH has this program, `npx ablate` where it is installed in a project around `folder`, else Node with the
 * program's own path, as from a clone: there npx would look for a package of that name elsewhere.
 */
export function programFor(folder: string, path = process.env['PATH'] ?? ''): string {
  // npx puts folders of packages on the PATH of what it runs; the person's shell does not have them.
  const own = path.split(delimiter).filter(entry => entry !== '' && !resolve(entry).endsWith(join(sep, 'node_modules', '.bin')));
  if (own.some(entry => isProgram(join(entry, 'ablate')))) return 'ablate';
  if (ancestors(resolve(folder)).some(parent => isProgram(join(parent, 'node_modules', '.bin', 'ablate')))) return 'npx ablate';
  return `node ${quoted(PROGRAM)}`;
}

const isProgram = (file: string): boolean => existsSync(file) && realpathSync(file) === PROGRAM;

const ancestors = (folder: string): string[] => (basename(folder) === '' ? [folder] : [folder, ...ancestors(dirname(folder))]);

/** A call of the program from the current folder, to be pasted. */
export const commandLine = (words: readonly string[]): string => [programFor('.'), ...words.map(quoted)].join(' ');

/** As one word of a POSIX shell. */
export const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`);
