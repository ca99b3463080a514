/** Reads the report to compare with: of a git commit without checking it out, of a folder, or of a store. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, normalize } from 'node:path';
import { execa } from 'execa';
import type { Study } from '../../ablation/declaration.ts';
import { UsageError } from '../../ablation/errors.ts';
import { gitEnvironment } from '../../code/git.ts';
import { entryBeneath, readTextBeneath } from '../../disk/beneath.ts';
import type { Plan } from '../../plan/plan.ts';
import { layout } from '../../store/layout.ts';
import { openStoreReadOnly } from '../../store/store.ts';
import type { Baseline } from './baseline.ts';
import { parseClaimStates } from './claims.ts';
import { collectProvenance, collectRecords } from '../records/collect.ts';
import { parseAdopted } from '../records/adopted.ts';
import { enginesOf, type Engines } from '../records/engines.ts';
import { parseProvenance } from '../records/provenance.ts';
import { parseRecords, RecordError } from '../records/records.ts';
import { ADOPTED_FILE, CLAIMS_FILE, PROVENANCE_FILE, RECORDS_FILE } from '../records/written.ts';

export interface BaselineRequest {
  /** A git ref; or, absolute or from `./` or `../` on, the folder of a report or of several (`./reports`), or a store. */
  readonly which: string;
  /** Folder of the report that is compared: a git ref is read at this place. */
  readonly outDir: string;
  readonly study: Study;
  /** For a store. */
  readonly plan: Plan;
}

/**
 * A bare name is a git ref and nothing else: a branch could bring a folder named like the commit that it is compared with.
 * @throws UsageError when there is nothing of that name
 */
export async function readBaseline({ which, outDir, study, plan }: BaselineRequest): Promise<Baseline> {
  const found = isPath(which) ? folderBaseline(normalize(which), outDir, study, plan) : await gitBaseline(which, outDir);
  if (found === undefined) throw new UsageError('NO_BASELINE', `--baseline: expected a git ref, the folder of a report or a store, got '${which}'. ${mend(which, outDir)}`);
  return found;
}

const isPath = (which: string): boolean => isAbsolute(which) || /^\.\.?(?:[\\/]|$)/.test(which);

function mend(which: string, outDir: string): string {
  const isFolder = statSync(which, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isPath(which)) return isFolder ? `That folder has no ${RECORDS_FILE}, no ${basename(outDir)}/${RECORDS_FILE} and no store.json.` : 'There is no such folder.';
  return `Git knows no such commit (a shallow clone may lack it: git fetch origin <branch>).${isFolder ? ` For the folder of that name: ./${which}` : ''}`;
}

function folderBaseline(which: string, outDir: string, study: Study, plan: Plan): Baseline | undefined {
  const part = ['', basename(outDir)].find(name => entryBeneath(which, name, RECORDS_FILE) !== undefined);
  if (part !== undefined) return baseline(nameOf(join(which, part)), name => readTextBeneath(which, join(part, name)));
  return existsSync(layout.format(which)) ? storeBaseline(which, study, plan) : undefined;
}

/** A report says nothing of the machine: where a folder stands on it, its last part is enough. */
const nameOf = (folder: string): string => (isAbsolute(folder) ? basename(folder) : folder);

function storeBaseline(dir: string, study: Study, plan: Plan): Baseline {
  const store = openStoreReadOnly(dir);
  return { label: `store ${nameOf(dir)}`, ahead: false, records: collectRecords(study, plan, store), engines: enginesOf(collectProvenance(plan, store)), claims: undefined };
}

async function gitBaseline(which: string, outDir: string): Promise<Baseline | undefined> {
  const committed = await readCommitted(which, outDir, [RECORDS_FILE, ADOPTED_FILE, PROVENANCE_FILE, CLAIMS_FILE]);
  if (committed === undefined) return undefined;
  const { commit, texts } = committed;
  const ahead = (await git(outDir, 'rev-list', '--max-count=1', `HEAD..${commit}`)).stdout !== '';
  return baseline(commitLabel(which, commit), name => texts.get(name), ahead);
}

function commitLabel(which: string, commit: string): string {
  const short = commit.slice(0, 12);
  return commit.startsWith(which) ? short : `${which} (${short})`;
}

export interface ReportsInGit {
  /** The commit, in words. */
  readonly label: string;
  /** Names of the reports in the folder that git tracks. */
  readonly tracked: ReadonlySet<string>;
  /** Those that the commit has. */
  readonly committed: readonly string[];
}

/**
 * Which reports of a folder git knows.
 * @param which as of {@link BaselineRequest}
 * @returns undefined where it is no commit: a folder, or nothing
 */
export async function reportsInGit(which: string, reports: string): Promise<ReportsInGit | undefined> {
  const commit = isPath(which) ? undefined : await commitOf(which, reports);
  if (commit === undefined) return undefined;
  const names = async (...args: readonly string[]): Promise<string[]> =>
    (await git(reports, ...args)).stdout.split('\0').flatMap(path => (path.split('/').length === 2 && basename(path) === RECORDS_FILE ? [dirname(path)] : []));
  return { label: commitLabel(which, commit), tracked: new Set(await names('ls-files', '-z')), committed: (await names('ls-tree', '-r', '-z', '--name-only', commit)).sort() };
}

/** Undefined where git knows no such commit. */
async function commitOf(ref: string, folder: string): Promise<string | undefined> {
  if (ref.startsWith('-')) return undefined;
  const { exitCode, stdout } = await git(folder, 'rev-parse', '--verify', '--quiet', `${ref}^{commit}`);
  return exitCode === 0 ? stdout.trim() : undefined;
}

export interface CommittedFiles {
  readonly commit: string;
  /** By name; a file that the commit does not have is absent. */
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * Files of a folder as a commit has them, without checking it out.
 * @param folder must exist now, too, within the repository
 * @param names relative to the folder
 * @returns undefined when git knows no such commit
 */
export async function readCommitted(ref: string, folder: string, names: readonly string[]): Promise<CommittedFiles | undefined> {
  const commit = await commitOf(ref, folder);
  if (commit === undefined) return undefined;
  const there = (await git(folder, 'ls-tree', '--name-only', commit, '--', ...names)).stdout.split('\n');
  const texts = names.filter(name => there.includes(name)).map(async name => [name, (await git(folder, 'show', `${commit}:./${name}`)).stdout] as const);
  return { commit, texts: new Map(await Promise.all(texts)) };
}

/** Commands that fail where there is no such commit, or no commit yet. */
const ASKING: readonly string[] = ['rev-parse', 'rev-list'];

async function git(cwd: string, ...args: readonly string[]): Promise<{ readonly exitCode: number; readonly stdout: string }> {
  // Files of a bare repository may lie in the folder of a report, as any other: git would read its refs and settings instead of ours.
  const { exitCode, stdout, failed, stderr } = await execa('git', ['-c', 'safe.bareRepository=explicit', ...args], {
    cwd,
    reject: false,
    stripFinalNewline: false,
    maxBuffer: 1e9,
    extendEnv: false,
    env: gitEnvironment(),
  });
  if (failed && stderr.includes('cannot use bare repository'))
    throw new UsageError('BARE_REPOSITORY', `${cwd}: expected the files of a report, got those of a git repository of its own, too (HEAD, objects, refs). Remove them.`);
  if (failed && !ASKING.includes(args[0]!)) throw new UsageError('GIT_FAILED', `git ${args[0]!} failed: ${stderr.trim()}`);
  // Without git there is no exit code, and no commit to be known.
  return { exitCode: exitCode ?? 127, stdout: stdout ?? '' };
}

function baseline(label: string, read: (name: string) => string | undefined, ahead = false): Baseline {
  const records = read(RECORDS_FILE);
  const claims = read(CLAIMS_FILE);
  try {
    return {
      label,
      ahead,
      records: records === undefined ? undefined : parseRecords(records),
      adopted: parseAdopted(read(ADOPTED_FILE)),
      engines: engines(read(PROVENANCE_FILE)),
      claims: claims === undefined ? undefined : parseClaimStates(claims),
    };
  } catch (error) {
    if (error instanceof RecordError) throw new RecordError(error.code, `In the baseline ${label}: ${error.message}`, { cause: error });
    throw error;
  }
}

const engines = (text: string | undefined): Engines => (text === undefined ? {} : enginesOf(parseProvenance(text)));
