/**
 * Loads declarations from an experiments folder: `study.ts`, `ablations/<name>.ts`, `profiles/<name>.ts` (or `.js`, `.mjs`),
 * each with its declaration as default export. Only what is asked for is imported.
 */
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { allowTypeScript, ownUrl } from '../../start/typescript.mjs';
import type { ProfileBase, Study } from './declaration.ts';
import { declaredInFile } from './declared-in.ts';
import { UsageError } from './errors.ts';
import { esModules } from './es-modules.ts';
import { expandAblation, type Ablation } from './expand.ts';
import { declaredIn, listAblations, listDeclarations, studyFile, type Folder } from './folder.ts';
import { applyOverrides } from './overrides.ts';
import { headroomAblation, isHeadroom, withHeadroom } from './headroom.ts';
import { byName, foreignAblations, type Declarations, type Declared } from './references.ts';
import { parseOnly, parseSeeds, selectAblations, selectArms } from './select.ts';
import { suggest } from './suggest.ts';
import { declaredSeeds, partOf, sweptAblations } from './swept.ts';
import { checkReferences, checkSwept, parseAblation, parseProfile, parseStudy } from './validate.ts';

export interface ExperimentsChoice {
  readonly profile: string;
  /** `relation,masking/mask-*`, or several such lists; absent means what the profile sweeps. */
  readonly only?: string | readonly string[];
  /** `0,1,2` or `0-2`; absent means those that the profile declares for each ablation. */
  readonly seeds?: string;
  /** Changes of the profile, each `path=value`; see `applyOverrides`. */
  readonly sets?: readonly string[];
  /** Folder of prepared data sets, from which names in the profile get their meaning (`Study.resolve`); absent: they have none. */
  readonly dataDir?: () => string;
  /** What the machine can do by itself is done before (`Study.prepare`), and told line by line; absent: nothing is. */
  readonly prepare?: (line: string) => void;
}

export interface Experiments {
  readonly dir: string;
  readonly study: Study;
  /** With the overrides applied, and names resolved. */
  readonly profile: ProfileBase;
  /** How the profile differs from its file: full path and canonical JSON, sorted. Empty: not at all. */
  readonly overrides: readonly string[];
  readonly ablations: readonly Ablation[];
  /** Of all ablations together. */
  readonly seeds: readonly number[];
}

/** @throws UsageError when the folder, a name or a declaration is wrong */
export async function loadExperiments(dir: string, choice: ExperimentsChoice): Promise<Experiments> {
  const study = await loadStudy(dir);
  const source = declarations(dir, study);
  const available = [...source.available, ...(study.headroom === undefined ? [] : [study.headroom.name])];
  const { profile: asDeclared, overrides } = await loadProfile(dir, choice.profile, study, choice.sets, available);
  // What the headroom has of arms is known from what rests on it.
  const swept = sweptAblations(asDeclared)?.filter(name => !isHeadroom(study, name));
  const selectors = parseOnly(choice.only ?? swept, available);
  if (choice.dataDir !== undefined && choice.prepare !== undefined) await study.prepare?.(asDeclared, choice.dataDir(), choice.prepare);
  const profile = choice.dataDir === undefined ? asDeclared : (study.resolve?.(asDeclared, choice.dataDir) ?? asDeclared);
  const names = selectAblations(available, selectors);
  // Which arms the headroom has is known from all that rest on it.
  const loaded = await inOrder(source, names.some(name => isHeadroom(study, name)) ? source.available : names);
  const headroom = headroomAblation(study, loaded);
  const chosen = withHeadroom(study, selectArms([...loaded, ...(headroom === undefined ? [] : [headroom])], selectors), headroom);
  const declared = profile.sweep === undefined ? chosen : inParts(study, profile, chosen);
  const [ablations, seeds] = choice.seeds === undefined ? [declared, seedsOf(profile, declared)] : [declared.map(withoutSeeds), parseSeeds(choice.seeds)];
  return { dir: resolve(dir), study, profile, overrides, ablations, seeds };
}

/** In the profile's order, those of single parts after them. */
function seedsOf({ seeds }: ProfileBase, ablations: readonly Ablation[]): number[] {
  const all = new Set(ablations.flatMap(ablation => ablation.seeds ?? seeds));
  return [...seeds.filter(seed => all.has(seed)), ...[...all].filter(seed => !seeds.includes(seed))];
}

/** For which seeds were asked for. */
const withoutSeeds = ({ declaration, arms, part }: Ablation): Ablation => ({ declaration, arms, ...(part !== undefined && { part }) });

/** Each with its part of the sweep, and the seeds that are declared for it. What others rest on runs with them, unless the profile names it. */
function inParts(study: Study, profile: ProfileBase, chosen: readonly Ablation[]): Ablation[] {
  const isNamed = (name: string): boolean => !isHeadroom(study, name) || sweptAblations(profile)?.includes(name) === true;
  const names = chosen.map(({ declaration }) => declaration.name).filter(isNamed);
  const withOthers = { seeds: [...new Set(names.flatMap(name => declaredSeeds(profile, name)))], part: Math.min(...names.map(name => partOf(profile, name))) };
  const alone = ({ name }: { readonly name: string }): Required<Pick<Ablation, 'seeds' | 'part'>> => ({ seeds: declaredSeeds(profile, name), part: partOf(profile, name) });
  return chosen.map(ablation => ({ ...ablation, ...(isNamed(ablation.declaration.name) || names.length === 0 ? alone(ablation.declaration) : withOthers) }));
}

/** Every ablation of the folder with all its arms, as a report shows them whatever was chosen to run. */
export async function loadEveryAblation(dir: string, study: Study): Promise<Ablation[]> {
  const source = declarations(dir, study);
  const ablations = await inOrder(source, source.available);
  return withHeadroom(study, ablations, headroomAblation(study, ablations));
}

/** As their declarations say, then by name, as they came. */
async function inOrder(source: DeclarationSource, names: readonly string[]): Promise<Ablation[]> {
  const ablations = await Promise.all(names.map(name => expanded(source, name)));
  const place = ({ declaration }: Ablation): number => declaration.order ?? Number.MAX_SAFE_INTEGER;
  return ablations.sort((a, b) => place(a) - place(b));
}

export async function loadStudy(dir: string): Promise<Study> {
  const file = studyFile(dir);
  if (file === undefined)
    throw new UsageError(
      'NO_STUDY',
      `Expected study.ts (or .js, .mjs) in ${dir}, got ${existsSync(dir) ? 'none' : 'no such folder'}; name the folder of your declarations with --experiments, or write a study to begin with: ablate init <folder>`,
    );
  const study = parseStudy(await importDefault(file), shown(file));
  for (const kind of study.kinds) declaredInFile(kind, file);
  return study;
}

/** An ablation with all its arms. Ablations that it refers to are imported, too. @internal */
export async function loadAblation(dir: string, name: string, study: Study): Promise<Ablation> {
  return expanded(declarations(dir, study), name);
}

type DeclaredFile = Declared & { readonly file: string };

interface DeclarationSource {
  readonly study: Study;
  /** Names of all ablations of the folder. */
  readonly available: readonly string[];
  /** One declaration, checked but for its references to others. Imported once, however many refer to it. */
  readonly read: (name: string) => Promise<DeclaredFile>;
}

function declarations(dir: string, study: Study): DeclarationSource {
  const imported = new Map<string, Promise<DeclaredFile>>();
  const load = async (name: string): Promise<DeclaredFile> => {
    const file = declarationFile(dir, 'ablations', name);
    return { file: shown(file), ...byName(parseAblation(await importDefault(file), shown(file), name, study)) };
  };
  const read = (name: string): Promise<DeclaredFile> => {
    const loading = imported.get(name) ?? load(name);
    imported.set(name, loading);
    return loading;
  };
  const available = listAblations(dir);
  const taken = available.find(name => isHeadroom(study, name));
  if (taken !== undefined) {
    throw new UsageError(
      'NAME_TAKEN',
      `${shown(declarationFile(dir, 'ablations', taken))}: expected another name than '${taken}', under which the study has its headroom; rename the file, and the ablation in it`,
    );
  }
  return { study, available, read };
}

async function expanded({ study, available, read }: DeclarationSource, name: string): Promise<Ablation> {
  const { declaration, file } = await read(name);
  const names = foreignAblations(declaration).filter(other => available.includes(other));
  const others: Declarations = new Map(await Promise.all(names.map(async (other): Promise<[string, Declared]> => [other, await read(other)])));
  checkReferences(declaration, file, others, available, study);
  return expandAblation(declaration, study, others);
}

/** @param sets changes of the profile, each `path=value`. @param available names of ablations, that of the headroom among them. @internal */
export async function loadProfile(dir: string, name: string, study: Study, sets: readonly string[] = [], available = listAblations(dir)): Promise<Pick<Experiments, 'profile' | 'overrides'>> {
  const file = declarationFile(dir, 'profiles', name);
  const declared = withoutUndefined(await importDefault(file));
  const profile = withOwnSweep(parseProfile(declared, shown(file), name, study), study, available);
  checkSwept(profile, shown(file), available);
  if (sets.length === 0) return { profile, overrides: [] };
  const changed = applyOverrides(declared, profile, sets, study);
  return { profile: withOwnSweep(parseProfile(changed.profile, shown(file), name, study), study, available), overrides: changed.overrides };
}

/** A profile taken over from another folder sweeps that one's ablations: where none of them is declared here, it says nothing of this folder. */
function withOwnSweep(profile: ProfileBase, study: Study, available: readonly string[]): ProfileBase {
  const isOwn = (name: string): boolean => !isHeadroom(study, name) && available.includes(name);
  if (sweptAblations(profile)?.some(isOwn) !== false) return profile;
  return withoutUndefined({ ...profile, sweep: undefined }) as ProfileBase;
}

/** A field that a profile takes back from another that it spreads is as good as absent. */
const withoutUndefined = (declared: unknown): unknown =>
  typeof declared === 'object' && declared !== null && !Array.isArray(declared) ? Object.fromEntries(Object.entries(declared).filter(([, value]) => value !== undefined)) : declared;

function declarationFile(dir: string, folder: Folder, name: string): string {
  const file = declaredIn(dir, folder, name);
  if (file !== undefined) return file;
  const what = folder === 'profiles' ? 'profile' : 'ablation';
  throw new UsageError(`UNKNOWN_${what.toUpperCase()}`, `No ${what} '${name}' in ${shown(join(dir, folder))}${suggest(name, listDeclarations(dir, folder))}`);
}

async function importDefault(file: string): Promise<unknown> {
  let module: { readonly default?: unknown };
  try {
    module = (await importDeclaration(resolve(file))) as { readonly default?: unknown };
  } catch (cause) {
    if (cause instanceof UsageError) throw new UsageError(cause.code, `${shown(file)}: ${cause.message}`, { cause }); // of `axesOf`
    throw new UsageError('UNREADABLE_DECLARATION', `${shown(file)}: could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (module.default === undefined) throw new UsageError('NO_DEFAULT_EXPORT', `${shown(file)}: expected the declaration as default export, got none`);
  return module.default;
}

/** Those that come with the program run as it does; others need hooks of Node's loader. @param file absolute path */
async function importDeclaration(file: string): Promise<unknown> {
  const source = pathToFileURL(file).href;
  const own = ownUrl(source);
  if (own === source) {
    await allowTypeScript();
    esModules(file);
  }
  return import(own);
}

/** Paths inside the working directory are shown relative to it. */
function shown(file: string): string {
  const path = relative(process.cwd(), resolve(file));
  return path.startsWith('..') ? resolve(file) : path;
}
