/** A folder of declarations by its names: `study.ts`, `ablations/<name>.ts`, `profiles/<name>.ts` (or `.js`, `.mjs`). Nothing of it is loaded. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { UsageError } from './errors.ts';

const EXTENSIONS = ['.ts', '.js', '.mjs'];

export type Folder = 'ablations' | 'profiles';

export const studyFile = (dir: string): string | undefined => fileNamed(dir, 'study');

/** Whether `dir` looks like a folder of declarations. */
export const holdsStudy = (dir: string): boolean => studyFile(dir) !== undefined && existsSync(join(dir, 'ablations'));

/** Names of the declared ablations, sorted. @throws UsageError where there is no such folder */
export const listAblations = (dir: string): string[] => listDeclarations(dir, 'ablations');
/** Names of the declared profiles, sorted. @throws UsageError where there is no such folder */
export const listProfiles = (dir: string): string[] => listDeclarations(dir, 'profiles');

/** @throws UsageError where there is no such folder */
export function listDeclarations(dir: string, folder: Folder): string[] {
  const path = join(dir, folder);
  if (!existsSync(path)) throw new UsageError('NO_EXPERIMENTS', `Expected a folder ${path} with one declaration a file, got none`);
  const files = readdirSync(path).filter(name => isDeclaration(name) && statSync(join(path, name), { throwIfNoEntry: false })?.isDirectory() !== true);
  return [...new Set(files.map(f => basename(f, extname(f))))].sort();
}

/**
 * By its name. Beside declarations lie files that systems and editors hide (`._x.ts` of macOS, `.#x.ts` of Emacs), types (`x.d.ts`) and
 * tests (`x.test.ts`, `x.spec.ts`).
 */
const isDeclaration = (file: string): boolean => EXTENSIONS.includes(extname(file)) && !/^\.|\.(?:d|test|spec)\.\w+$/.test(file);

/** The file of a declaration, if it is there. A name may come out of a report of somebody else: it leads to no other folder. */
export const declaredIn = (dir: string, folder: Folder, name: string): string | undefined => (basename(name) === name ? fileNamed(join(dir, folder), name) : undefined);

const fileNamed = (dir: string, name: string): string | undefined =>
  EXTENSIONS.map(extension => `${name}${extension}`)
    .filter(isDeclaration)
    .map(file => join(dir, file))
    .find(file => existsSync(file));
