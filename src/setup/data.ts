/** Provisioning of the data. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { AblateError, UsageError } from '../core/ablation/errors.ts';
import { DataError } from '../tinymim/data/errors.ts';
import { ensureFashionMnist, fashionMnistStatus } from '../tinymim/data/fashion-mnist.ts';
import { buildIndex, type IndexOptions } from '../tinymim/data/folder/build.ts';
import { SPLITS, type FolderIndex } from '../tinymim/data/folder/index-file.ts';
import { folderVariable, indexHeader, knownFolder, rememberFolder } from '../tinymim/data/folder/known.ts';
import { LOADERS } from '../tinymim/data/loaders.ts';
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
  /** What is to be done before it can be used, if anything. */
  readonly more?: string;
}

/** An index of 1.28 million images. */
const INDEX_BYTES = 100e6;

/**
 * Remembers where the folder of a name lies, and indexes it.
 * @param path absent: where it is known to lie
 * @throws UsageError for a name that is none, a folder that nobody has named, or that is not of this form
 */
export async function indexFolder(name: string, path: string | undefined, options: IndexOptions, say: PrintLine): Promise<IndexedFolder> {
  const valid = folderName.safeParse(name);
  if (!valid.success) throw new UsageError('BAD_OPTION', `--data: ${valid.error.issues[0]!.message}, got '${name}'`);
  const cache = dataDir();
  const folder = path === undefined ? knownFolder(name, cache)?.path : resolve(path);
  if (folder === undefined) throw new UsageError('BAD_OPTION', `--data: expected where the folder lies, as in ${name}=/path/to/folder or in the variable ${folderVariable(name)}, got '${name}' alone`);
  const before = indexHeader(folder, cache);
  await prepareFolder(cache, INDEX_BYTES);
  try {
    const index = await buildIndex(folder, cache, options, say);
    if (path !== undefined) rememberFolder(name, folder, cache);
    return described(name, index, before);
  } catch (error) {
    throw error instanceof DataError ? new UsageError(error.code, error.message, { cause: error }) : fileError(error);
  }
}

const number = (n: number): string => n.toLocaleString('en-US');

function described(name: string, index: FolderIndex, before: { readonly contents: string | null; readonly fingerprint: string } | undefined): IndexedFolder {
  const { folder, classes, problems, leftOut, others, contents, fingerprint } = index;
  const splits = SPLITS.flatMap(role => {
    const split = index[role];
    return split ? [`${number(split.images.reduce((a, b) => a + b, 0))} images in ${split.folder} (${role})`] : [];
  });
  const sameFiles = before?.fingerprint === fingerprint;
  return {
    folder,
    found: [
      `Data: ${name} in ${folder}: ${number(classes.length)} classes, ${splits.join(', ')}.`,
      ...(others.count > 0 ? [`No images, and not used: ${number(others.count)} other files, such as ${others.some.slice(0, 3).join(', ')}.`] : []),
      ...(leftOut.length > 0 ? [`Left out: ${number(leftOut.length)} that cannot be read.`] : []),
      `Fingerprint of classes, names and sizes: ${fingerprint}`,
      ...(contents === null
        ? []
        : [
            `SHA-256 of all contents: ${contents}${sameFiles && before.contents !== null ? (before.contents === contents ? ', as before' : `, and before ${before.contents}: files have changed`) : ''}`,
          ]),
    ],
    unreadable: [...problems, ...leftOut],
    ...(problems.length > 0 && { more: `${number(problems.length)} images cannot be read, and no sweep begins. Replace them, or leave them out: npx ablate setup --data ${name} --leave-out` }),
  };
}
