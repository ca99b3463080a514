/** Provisioning of the data. */
import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { AblateError, UsageError } from '../core/ablation/errors.ts';
import { DataError } from '../tinymim/data/errors.ts';
import { ensureFashionMnist, fashionMnistStatus } from '../tinymim/data/fashion-mnist.ts';
import { buildIndex, type IndexOptions } from '../tinymim/data/folder/build.ts';
import { foundLines } from '../tinymim/data/folder/found.ts';
import type { FolderIndex, IndexHeader } from '../tinymim/data/folder/index-file.ts';
import { folderVariable, indexHeader, knownFolder, rememberFolder } from '../tinymim/data/folder/known.ts';
import { LOADERS } from '../tinymim/data/loaders.ts';
import { holdsScenes, indexScenes, sceneLines } from '../tinymim/data/scenes/folder.ts';
import { folderName } from '../tinymim/data/spec.ts';
import { dataDir, prepareFolder } from './cache.ts';
import { fileError } from './errors.ts';
import type { PrintLine } from '../tinymim/data/files.ts';

/**
 * Lets the workers that are started from now on load images with so many threads each.
 * @param given absent: the cores that training leaves, shared by the workers
 * @throws UsageError for what is no such number
 */
export function giveLoaders(given: string | undefined, places: readonly { readonly device: string; readonly threads: number }[]): void {
  if (given !== undefined && !/^[1-9]\d{0,3}$/.test(given)) throw new UsageError('BAD_OPTION', `--loaders: expected a number of threads from 1, got '${given}'`);
  const training = places.reduce((sum, { device, threads }) => sum + (device === 'cpu' ? threads : 1), 0);
  const left = Math.floor((availableParallelism() - training) / Math.max(places.length, 1));
  process.env[LOADERS] = given ?? process.env[LOADERS] ?? String(Math.max(left, 1));
}

/** The data themselves, and what is downloaded and unpacked on the way. */
const BYTES = 150e6;

/**
 * Makes sure that Fashion-MNIST is in the cache and unharmed. Does nothing where it is.
 * @returns its folder
 * @throws AblateError `DATA_FETCH`, SetupError `CACHE_NOT_WRITABLE`, `NO_SPACE`, `NO_HOME`
 */
export async function ensureData(say: PrintLine): Promise<string> {
  const folder = dataDir();
  try {
    if (fashionMnistStatus(folder).state === 'present') return folder;
    await prepareFolder(folder, BYTES);
    await ensureFashionMnist(folder, say);
    return folder;
  } catch (error) {
    // The layer of the data stands below the one with the errors that end a command.
    throw error instanceof DataError ? new AblateError(error.code, error.message, { cause: error }) : fileError(error);
  }
}

/** What the index of a folder of images found. */
interface IndexedFolder {
  readonly folder: string;
  /** In lines for people. */
  readonly found: readonly string[];
  /** Images that cannot be read, left out or not; paths below the folder. */
  readonly unreadable: FolderIndex['problems'];
  /** What a person should know of it, and can live with. */
  readonly notes: readonly string[];
  /** What is to be done before it can be used, if anything. */
  readonly more?: string;
}

/** An index of 1.28 million images. */
const INDEX_BYTES = 100e6;

/** Of `name=/path`, or of a name alone. @throws UsageError for a name that is none */
function namedFolder(given: string): { readonly name: string; readonly path?: string } {
  const [name = '', ...rest] = given.split('=');
  const valid = folderName.safeParse(name);
  if (!valid.success) throw new UsageError('BAD_OPTION', `--data: ${valid.error.issues[0]!.message}, got '${name}'`);
  return { name, ...(rest.length > 0 && { path: resolve(rest.join('=')) }) };
}

/** Makes each name of `name=/path` mean that folder, from now on. @throws UsageError for what is none */
export function tellFolders(given: readonly string[]): void {
  for (const { name, path } of given.map(namedFolder)) {
    if (path === undefined) throw new UsageError('BAD_OPTION', `--data: expected where the folder lies, as in ${name}=/path/to/folder, got '${name}' alone`);
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new UsageError('BAD_OPTION', `--data: expected a folder of images, got ${existsSync(path) ? 'a file' : 'nothing'} at ${path}`);
    expectOnePlace(name, path);
    try {
      rememberFolder(name, path, dataDir());
    } catch (error) {
      throw fileError(error);
    }
  }
}

/** @throws UsageError where a variable says otherwise */
function expectOnePlace(name: string, path: string): void {
  const variable = folderVariable(name),
    other = process.env[variable];
  if (other !== undefined && other !== '' && resolve(other) !== path) {
    throw new UsageError('BAD_OPTION', `--data: expected one place of ${name}, got ${path} here and ${other} in ${variable}, which goes before. Unset the variable, or leave the option out.`);
  }
}

/**
 * Remembers where a folder lies, and indexes it.
 * @param given `name=/path`, or the name of one that is known
 * @throws UsageError for a name that is none, a folder that nobody has named, or that is not of this form
 */
export async function indexFolder(given: string, options: IndexOptions, say: PrintLine): Promise<IndexedFolder> {
  const { name, path } = namedFolder(given);
  const cache = dataDir();
  const folder = path ?? knownFolder(name, cache)?.path;
  if (folder === undefined) throw new UsageError('BAD_OPTION', `--data: expected where the folder lies, as in ${name}=/path/to/folder or in the variable ${folderVariable(name)}, got '${name}' alone`);
  if (path !== undefined) expectOnePlace(name, path);
  const before = indexHeader(folder, cache);
  await prepareFolder(cache, INDEX_BYTES);
  try {
    if (holdsScenes(folder)) {
      const index = indexScenes(folder, cache);
      if (path !== undefined) rememberFolder(name, path, cache);
      return { folder, found: sceneLines(name, index), unreadable: [], notes: [] };
    }
    const index = await buildIndex(folder, cache, options, say);
    if (path !== undefined) rememberFolder(name, path, cache);
    const { problems, leftOut } = index;
    return {
      folder,
      found: foundLines(name, index),
      unreadable: [...problems, ...leftOut],
      notes: differences(name, index, before),
      ...(problems.length > 0 && {
        more: `${problems.length.toLocaleString('en-US')} images cannot be read, and no sweep begins. Replace them, or leave them out: npx ablate setup --data ${name} --leave-out${options.verify === true ? ' --verify' : ''}`,
      }),
    };
  } catch (error) {
    throw error instanceof DataError ? new UsageError(error.code, error.message, { cause: error }) : fileError(error);
  }
}

/** Where stages are no longer known by the keys that they had with the index before. */
function differences(name: string, { fingerprint, contents, leftOut }: FolderIndex, before: IndexHeader | undefined): string[] {
  if (before === undefined) return [];
  const back = `To go back to those: npx ablate setup --data ${name}${leftOut.length > 0 ? ' --leave-out' : ''}`;
  const otherKeys = 'so stages that were run with them are not taken for these';
  if (before.fingerprint !== fingerprint) return [`The fingerprint was ${before.fingerprint}: other files were there, or left out, ${otherKeys}.`];
  if (before.contents === contents) return [];
  if (before.contents === null) return [`Recipes name the contents from now on; stages that were run before they were verified are not taken for these. ${back}`];
  if (contents === null) return [`The contents are no longer verified, and recipes do not name them; stages that were run with verified ones are not taken for these. ${back} --verify`];
  return [`The contents were ${before.contents}: files of the same sizes hold other bytes, ${otherKeys}.`];
}
