/** Images of a folder of splits as data sets see them, and what is against it. */
import { stream } from '../../../engine/random/rng.ts';
import type { NotReady } from '../../../core/ablation/declaration.ts';
import { DataError } from '../errors.ts';
import { balancedIndices, takeImages, type ImageSet } from '../image-set.ts';
import { classCount, dataTitle, folderOf, imageCount, type FolderSpec, type Split } from '../spec.ts';
import type { PrintLine } from '../files.ts';
import { foundLines, thousands } from './found.ts';
import { partsOf, readIndex, type FolderIndex, type IndexHeader } from './index-file.ts';
import { changedFolder, folderVariable, indexHeader, indexPath, knownFolder, rememberedFolder, rememberFolder } from './known.ts';

/** What is known of any folder. */
export interface NamedFolder {
  /** That machines know it by. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly fingerprint?: string | null | undefined;
  readonly contents?: string | null | undefined;
}

const named = (spec: FolderSpec): NamedFolder => ({ ...spec, name: folderOf(spec), title: dataTitle(spec) });

/** The spec with what is known of the folder that is here, unless it names its fingerprint. */
export function withFingerprint<S extends Omit<NamedFolder, 'name' | 'title'>>(spec: S, name: string, dataDir: string): S {
  if (spec.fingerprint !== undefined && spec.fingerprint !== null) return spec;
  const known = knownFolder(name, dataDir);
  const header = known && indexHeader(known.path, dataDir);
  if (header === undefined) return spec;
  const contents = spec.contents ?? header.contents;
  return { ...spec, fingerprint: header.fingerprint, ...(contents !== null && { contents }) };
}

/**
 * Indexes a folder where it is known and has no index yet, and says what it found. Where a variable alone tells where it lies,
 * that is remembered: commands that are called without the variable mean the same images.
 * @throws DataError as `buildIndex`
 */
export async function indexAtFirstUse(name: string, dataDir: string, say: PrintLine): Promise<void> {
  const known = knownFolder(name, dataDir);
  if (known === undefined || indexHeader(known.path, dataDir) !== undefined) return;
  say(`Indexing ${known.path}, which is done once (stop it as you like, the next call goes on from there) ...`);
  const { buildIndex } = await import('./build.ts');
  const index = await buildIndex(known.path, dataDir, {}, say);
  if (rememberedFolder(name, dataDir) === undefined) rememberFolder(name, known.path, dataDir);
  for (const line of foundLines(name, index)) say(line);
}

const setup = (name: string, ...more: readonly string[]): string[] => ['setup', '--data', name, ...more];

/** Indexes anew as it was indexed before. */
const again = (name: string, { leftOut, contents }: IndexHeader): string[] => setup(name, ...(leftOut.length > 0 ? ['--leave-out'] : []), ...(contents === null ? [] : ['--verify']));

/** What is against the use of these images, or undefined. */
export const folderProblem = (spec: FolderSpec, dataDir: string): NotReady | undefined => problemOf(named(spec), dataDir, header => miscounted(spec, header));

/** What is against the use of a folder, or undefined. @param misfit what of an index is not as it should be */
export function problemOf(folder: NamedFolder, dataDir: string, misfit: (header: IndexHeader) => NotReady | undefined): NotReady | undefined {
  const { name, title } = folder;
  const known = knownFolder(name, dataDir);
  if (known === undefined) {
    return {
      what: `Expected the folder of ${title}, got none: nobody has said where it lies, with this command or with ${folderVariable(name)}=/path/to/folder`,
      mend: setup(`${name}=/path/to/folder`),
    };
  }
  const header = indexHeader(known.path, dataDir);
  if (header === undefined) return { what: `Expected an index of ${title} in ${known.path} (${known.by}), got none`, mend: setup(`${name}=${known.path}`) };
  const changed = changedFolder(header);
  if (changed !== undefined) return { what: `Expected ${changed} to be as it was when ${title} was indexed, got a folder that has changed or is gone`, mend: again(name, header) };
  return misfit(header) ?? unreadable(folder, header) ?? misprinted(folder, header) ?? unlike(folder, header);
}

export const sum = (counts: readonly number[] = []): number => counts.reduce((a, b) => a + b, 0);

function miscounted(spec: FolderSpec, { classes, train, validation, test, folder }: IndexHeader): NotReady | undefined {
  const mend = setup(`${folderOf(spec)}=/path/to/folder`);
  if (!train || !test) return { what: `Expected ${dataTitle(spec)} in folders train/<class>/... and val/<class>/..., got test sets alone in ${folder}`, mend };
  const held = validation ? 0 : imageCount(spec, 'validation'),
    trained = sum(train.images) - held;
  const counts: readonly (readonly [what: string, expected: number, got: number])[] = [
    ['classes', classCount(spec), classes.length],
    [held > 0 ? `training images (${thousands(held)} of them held out)` : 'training images', imageCount(spec, 'train') + held, sum(train.images)],
    ...(validation ? [['validation images', imageCount(spec, 'validation'), sum(validation.images)] as const] : []),
    ['test images', imageCount(spec, 'test'), sum(test.images)],
  ];
  const wrong = counts.filter(([, expected, got]) => expected !== got);
  if (wrong.length === 0) return undefined;
  const fields = [
    `classes=${classes.length}`,
    ...(trained > 0 ? [`train=${trained}`] : [`train=${sum(train.images)}`, 'validation=0']),
    ...(validation ? [`validation=${sum(validation.images)}`] : []),
    `test=${sum(test.images)}`,
  ];
  return {
    what:
      `Expected ${dataTitle(spec)} with ${wrong.map(([what, expected]) => `${thousands(expected)} ${what}`).join(', ')}, got ${wrong.map(([, , got]) => thousands(got)).join(', ')} in ${folder}. ` +
      `If this is what you mean, say so in the profile, or with ${fields.map(field => `--set data.${field}`).join(' ')}`,
    mend,
  };
}

const SHOWN = 5;

function unreadable({ name, title }: NamedFolder, { problems, folder, contents }: IndexHeader): NotReady | undefined {
  if (problems.length === 0) return undefined;
  const shown = problems.slice(0, SHOWN).map(({ path, why }) => `  ${folder}/${path}: ${why}`);
  const more = problems.length > SHOWN ? [`  and ${thousands(problems.length - SHOWN)} more`] : [];
  return {
    what: [
      `Expected every image of ${title} to be readable, got ${thousands(problems.length)} that cannot be read:`,
      ...shown,
      ...more,
      'Replace them and index the folder again, or leave them out',
    ].join('\n'),
    mend: setup(name, '--leave-out', ...(contents === null ? [] : ['--verify'])),
  };
}

function misprinted({ name, title, fingerprint }: NamedFolder, header: IndexHeader): NotReady | undefined {
  if (fingerprint === undefined || fingerprint === null || fingerprint === header.fingerprint) return undefined;
  return {
    what: `Expected ${title} with the fingerprint ${fingerprint.slice(0, 12)} of classes, names and sizes, got ${header.fingerprint.slice(0, 12)} in ${header.folder}, which holds other files`,
    mend: setup(`${name}=/path/to/folder`),
  };
}

/** Of files of the right names and sizes. */
function unlike({ name, title, contents: declared }: NamedFolder, { contents, folder }: IndexHeader): NotReady | undefined {
  const expected = declared ?? null;
  if (expected === null || expected === contents) return undefined;
  const got = contents === null ? `a folder whose contents nobody has verified, ${folder}` : `${contents.slice(0, 12)} in ${folder}, where files have other contents`;
  return { what: `Expected ${title} with the SHA-256 ${expected.slice(0, 12)} of all contents, got ${got}`, mend: setup(name, '--verify') };
}

/**
 * @param size [H, W] of the images that models see
 * @throws DataError `DATA_MISSING` with what to do
 */
export function openFolder(spec: FolderSpec, dataDir: string, size: readonly [number, number]): Record<Split, ImageSet> {
  const index = openIndex(named(spec), dataDir, folderProblem(spec, dataDir));
  const all = (split: Split): ImageSet => imagesOf(folderOf(spec), index, split, size);
  const train = all('train'),
    test = all('test');
  return { ...(index.validation ? { train, validation: shuffled(all('validation')) } : holdOut(train, test, imageCount(spec, 'validation'))), test };
}

/** @throws DataError `DATA_MISSING` with what to do */
export function openIndex({ name, title }: NamedFolder, dataDir: string, problem: NotReady | undefined): FolderIndex {
  const known = knownFolder(name, dataDir);
  const index = problem === undefined && known ? readIndex(indexPath(known.path, dataDir)) : undefined;
  if (index !== undefined) return index;
  const { what, mend } = problem ?? { what: `Expected an index of ${title}, got a damaged one`, mend: setup(name) };
  throw new DataError('DATA_MISSING', `${what}. To mend it: npx ablate ${mend.join(' ')}`);
}

/** Images of a part that the index has. @param name of the folder @param size [H, W] of the images that models see */
export function imagesOf(name: string, index: FolderIndex, part: string, [height, width]: readonly [number, number]): ImageSet {
  const parts = partsOf(index),
    at = parts.findIndex(([other]) => other === part);
  const before = parts.slice(0, at).reduce((rows, [, { images }]) => rows + sum(images), 0);
  const counts = parts[at]![1].images,
    count = sum(counts);
  const rows = new Uint32Array(new SharedArrayBuffer(4 * count)).map((_, i) => before + i),
    labels = new Uint16Array(new SharedArrayBuffer(2 * count));
  counts.reduce((from, n, label) => (labels.fill(label, from, from + n), from + n), 0);
  return {
    name: `${name}/${part}`,
    images: new Uint8Array(0),
    files: { folder: index.folder, name, names: index.names, rows },
    labels,
    count,
    height,
    width,
    channels: 3,
    classes: index.classes,
  };
}

/** In an order of its own, always the same: what looks at the first images of a set sees every class. */
const shuffled = (set: ImageSet): ImageSet => takeImages(set, stream(0, 'folder/order', 0).permutation(set.count), set.name);

/**
 * Splits off training images with balanced classes, always the same ones. Where none are held out, what is measured during a training is
 * measured on test images, as in the paper's code; nothing is chosen by it.
 */
function holdOut(train: ImageSet, test: ImageSet, count: number): { train: ImageSet; validation: ImageSet } {
  if (count === 0) return { train, validation: shuffled(test) };
  const order = stream(0, 'folder/validation', 0).permutation(train.count);
  const validation = balancedIndices(train, count, order);
  const held = new Set(validation);
  const rest = Uint32Array.from({ length: train.count }, (_, i) => i).filter(i => !held.has(i));
  return { train: takeImages(train, rest, train.name), validation: shuffled(takeImages(train, validation, train.name.replace(/train$/, 'validation'))) };
}
