/**
 * Loads declarations from an experiments folder: `study.ts`, `ablations/<name>.ts`, `profiles/<name>.ts` (or `.js`, `.mjs`),
 * each with its declaration as default export. Only what is asked for is imported.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, extname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ProfileBase, Study } from './declaration.ts';
import { UsageError } from './errors.ts';
import { expandAblation, type Ablation } from './expand.ts';
import { parseOnly, parseSeeds, selectArms } from './select.ts';
import { suggest } from './suggest.ts';
import { parseAblation, parseProfile, parseStudy } from './validate.ts';

const EXTENSIONS = ['.ts', '.js', '.mjs'];

export interface ExperimentsChoice {
  readonly profile: string;
  /** `relation,masking/mask-75`; absent means all. */
  readonly only?: string;
  /** `0,1,2`; absent means the profile's. */
  readonly seeds?: string;
}

export interface Experiments {
  readonly dir: string;
  readonly study: Study;
  readonly profile: ProfileBase;
  readonly ablations: readonly Ablation[];
  readonly seeds: readonly number[];
}

/** @throws UsageError when the folder, a name or a declaration is wrong */
export async function loadExperiments(dir: string, choice: ExperimentsChoice): Promise<Experiments> {
  const study = await loadStudy(dir);
  const selectors = parseOnly(choice.only, listAblations(dir));
  const profile = await loadProfile(dir, choice.profile, study);
  const ablations = await Promise.all(selectors.map(async s => selectArms(await loadAblation(dir, s.ablation, study), s)));
  const seeds = choice.seeds === undefined ? profile.seeds : parseSeeds(choice.seeds);
  return { dir: resolve(dir), study, profile, ablations, seeds };
}

export async function loadStudy(dir: string): Promise<Study> {
  const file = EXTENSIONS.map(e => join(dir, `study${e}`)).find(f => existsSync(f));
  if (file === undefined) throw new UsageError('NO_STUDY', `Expected study.ts (or .js, .mjs) in ${dir}, got ${existsSync(dir) ? 'none' : 'no such folder'}; name the folder of your declarations with --experiments`);
  return parseStudy(await importDefault(file), shown(file));
}

export async function loadAblation(dir: string, name: string, study: Study): Promise<Ablation> {
  const file = declarationFile(dir, 'ablations', name);
  return expandAblation(parseAblation(await importDefault(file), shown(file), name, study), study);
}

export async function loadProfile(dir: string, name: string, study: Study): Promise<ProfileBase> {
  const file = declarationFile(dir, 'profiles', name);
  return parseProfile(await importDefault(file), shown(file), name, study);
}

/** Names of the declared ablations, sorted. */
export const listAblations = (dir: string): string[] => listDeclarations(dir, 'ablations');
/** Names of the declared profiles, sorted. */
export const listProfiles = (dir: string): string[] => listDeclarations(dir, 'profiles');

type Folder = 'ablations' | 'profiles';

function listDeclarations(dir: string, folder: Folder): string[] {
  const path = join(dir, folder);
  if (!existsSync(path)) throw new UsageError('NO_EXPERIMENTS', `Expected a folder ${path} with one declaration a file, got none`);
  const files = readdirSync(path).filter(f => EXTENSIONS.includes(extname(f)) && !f.endsWith('.d.ts'));
  return [...new Set(files.map(f => basename(f, extname(f))))].sort();
}

function declarationFile(dir: string, folder: Folder, name: string): string {
  const file = EXTENSIONS.map(e => join(dir, folder, `${name}${e}`)).find(f => existsSync(f));
  if (file !== undefined) return file;
  const what = folder === 'profiles' ? 'profile' : 'ablation';
  throw new UsageError(`UNKNOWN_${what.toUpperCase()}`, `No ${what} '${name}' in ${shown(join(dir, folder))}${suggest(name, listDeclarations(dir, folder))}`);
}

async function importDefault(file: string): Promise<unknown> {
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(resolve(file)).href)) as { readonly default?: unknown };
  } catch (cause) {
    throw new UsageError('UNREADABLE_DECLARATION', `${shown(file)}: could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (module.default === undefined) throw new UsageError('NO_DEFAULT_EXPORT', `${shown(file)}: expected the declaration as default export, got none`);
  return module.default;
}

/** Paths inside the working directory are shown relative to it. */
function shown(file: string): string {
  const path = relative(process.cwd(), resolve(file));
  return path.startsWith('..') ? resolve(file) : path;
}
