/** Which folder is which split: there are several habits. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGENET_C, SEVERITIES } from '../corruption-names.ts';
import { DataError } from '../errors.ts';

/** Names of the folders below the root: of splits, among them perhaps a validation of its own; or of test sets alone, by their names. */
export type Roles = { readonly train: string; readonly validation?: string; readonly test: string } | { readonly sets: Readonly<Record<string, string>> };

const VALIDATION = ['val', 'validation', 'valid'];

/**
 * `train` beside `test`, or else `val` or `validation`, as ImageNet has it, whose test has no labels. With both, the latter are for choosing. Or test sets: class
 * folders by the names of WordNet alone, as ImageNet-A and ImageNet-R have them, or the corruptions and severities of ImageNet-C.
 * @throws DataError `DATA_MISSING` with what is there instead, and how to sort it
 */
export async function findSplits(root: string): Promise<Roles> {
  const stats = await stat(root).catch(() => undefined);
  if (!stats?.isDirectory()) throw new DataError('DATA_MISSING', `Expected a folder with train/<class>/... and val/<class>/..., got ${stats ? 'a file' : 'nothing'} at ${root}.`);
  const names = (await readable(root, readdir(root))).filter(name => !name.startsWith('.')).sort();
  const sets = names.includes('train') ? undefined : await testSets(root, names);
  if (sets !== undefined) return { sets };
  const train = names.find(name => name === 'train');
  if (train === undefined) throw new DataError('DATA_MISSING', `Expected a folder train/<class>/... in ${root}, got ${listed(names)}.`);
  const test = (await hasClasses(root, 'test')) ? 'test' : undefined;
  const validation = names.find(name => VALIDATION.includes(name));
  if (validation !== undefined && !(await hasClasses(root, validation))) throw new DataError('DATA_MISSING', flat(root, validation));
  if (test !== undefined) return { train, test, ...(validation !== undefined && { validation }) };
  if (validation !== undefined) return { train, test: validation };
  throw new DataError('DATA_MISSING', names.includes('test') ? flat(root, 'test') : `Expected a folder val/<class>/..., validation/<class>/... or test/<class>/... in ${root}, got ${listed(names)}.`);
}

const WORDNET = /^n\d{8}$/;

/** @throws DataError `DATA_MISSING` where some corruptions and not all are there */
async function testSets(root: string, names: readonly string[]): Promise<Record<string, string> | undefined> {
  if (names.some(name => (IMAGENET_C as readonly string[]).includes(name))) {
    const expected = IMAGENET_C.flatMap(corruption => SEVERITIES.map(severity => `${corruption}/${severity}`));
    const there = await Promise.all(expected.map(folder => hasClasses(root, folder)));
    const missing = expected.filter((_, i) => !there[i]);
    if (missing.length === 0) return Object.fromEntries(expected.map(folder => [folder, folder]));
    throw new DataError(
      'DATA_MISSING',
      `Expected folders <corruption>/<severity>/<class>/... of ${IMAGENET_C.length} corruptions at ${SEVERITIES.length} severities in ${root}, got none in ${listed(missing)}.`,
    );
  }
  return names.some(name => WORDNET.test(name)) ? { test: '.' } : undefined;
}

const listed = (names: readonly string[]): string => (names.length === 0 ? 'nothing' : `${names.slice(0, 10).join(', ')}${names.length > 10 ? ` and ${names.length - 10} more` : ''}`);

async function hasClasses(root: string, name: string): Promise<boolean> {
  const entries = await readdir(join(root, name), { withFileTypes: true }).catch(() => []);
  return entries.some(entry => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'));
}

const flat = (root: string, name: string): string =>
  `Expected a folder for each class in ${join(root, name)}, got its images without any. ` +
  `Sort them into ${name}/<class>/..., with the names of the folders in train: for ImageNet the script valprep.sh does it (soumith/imagenetloader.torch), from the published list of labels.`;

/** Whether there is anything but folders. @param path as Latin-1 */
export async function hasFiles(path: string): Promise<boolean> {
  return (await readdir(Buffer.from(path, 'latin1'))).length > 0;
}

/** @throws DataError where the system does not give what was asked of a folder */
export async function readable<T>(folder: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (cause) {
    throw new DataError('DATA_INVALID', `Expected to be able to list ${folder}, got: ${(cause as Error).message}. Let this user read it (chmod -R a+rX), or move it away.`, { cause });
  }
}
