/** Images of a folder as data sets see them, and what is against it. */
import { stream } from '../../../engine/random/rng.ts';
import type { NotReady } from '../../../core/ablation/declaration.ts';
import { DataError } from '../errors.ts';
import { balancedIndices, takeImages, type ImageSet } from '../image-set.ts';
import { classCount, dataTitle, folderOf, imageCount, type FolderSpec, type Split } from '../spec.ts';
import type { PrintLine } from '../files.ts';
import { foundLines, thousands } from './found.ts';
import { readIndex, SPLITS, type FolderIndex, type IndexHeader } from './index-file.ts';
import { changedFolder, folderVariable, indexHeader, indexPath, knownFolder, rememberedFolder, rememberFolder } from './known.ts';

/** The spec with what is known of the folder that is here, unless it names its fingerprint. */
export function withFingerprint<S extends FolderSpec>(spec: S, dataDir: string): S {
  if (spec.fingerprint !== undefined && spec.fingerprint !== null) return spec;
  const known = knownFolder(folderOf(spec), dataDir);
  const header = known && indexHeader(known.path, dataDir);
  if (header === undefined) return spec;
  const contents = spec.contents ?? header.contents;
  return { ...spec, fingerprint: header.fingerprint, ...(contents !== null && { contents }) };
}

/**
 * Indexes the folder of these images where it is known and has no index yet, and says what it found. Where a variable alone tells where it lies,
 * that is remembered: commands that are called without the variable mean the same images.
 * @throws DataError as `buildIndex`
 */
export async function indexAtFirstUse(spec: FolderSpec, dataDir: string, say: PrintLine): Promise<void> {
  const name = folderOf(spec);
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
export function folderProblem(spec: FolderSpec, dataDir: string): NotReady | undefined {
  const name = folderOf(spec),
    title = dataTitle(spec);
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
  return miscounted(spec, header) ?? unreadable(spec, header) ?? misprinted(spec, header) ?? unlike(spec, header);
}

const sum = (counts: readonly number[] = []): number => counts.reduce((a, b) => a + b, 0);

function miscounted(spec: FolderSpec, { classes, train, validation, test, folder }: IndexHeader): NotReady | undefined {
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
    mend: setup(`${folderOf(spec)}=/path/to/folder`),
  };
}

const SHOWN = 5;

function unreadable(spec: FolderSpec, { problems, folder, contents }: IndexHeader): NotReady | undefined {
  if (problems.length === 0) return undefined;
  const shown = problems.slice(0, SHOWN).map(({ path, why }) => `  ${folder}/${path}: ${why}`);
  const more = problems.length > SHOWN ? [`  and ${thousands(problems.length - SHOWN)} more`] : [];
  return {
    what: [
      `Expected every image of ${dataTitle(spec)} to be readable, got ${thousands(problems.length)} that cannot be read:`,
      ...shown,
      ...more,
      'Replace them and index the folder again, or leave them out',
    ].join('\n'),
    mend: setup(folderOf(spec), '--leave-out', ...(contents === null ? [] : ['--verify'])),
  };
}

function misprinted(spec: FolderSpec, header: IndexHeader): NotReady | undefined {
  const { fingerprint } = spec;
  if (fingerprint === undefined || fingerprint === null || fingerprint === header.fingerprint) return undefined;
  return {
    what: `Expected ${dataTitle(spec)} with the fingerprint ${fingerprint.slice(0, 12)} of classes, names and sizes, got ${header.fingerprint.slice(0, 12)} in ${header.folder}, which holds other files`,
    mend: setup(`${folderOf(spec)}=/path/to/folder`),
  };
}

/** Of files of the right names and sizes. */
function unlike(spec: FolderSpec, { contents, folder }: IndexHeader): NotReady | undefined {
  const expected = spec.contents ?? null;
  if (expected === null || expected === contents) return undefined;
  const got = contents === null ? `a folder whose contents nobody has verified, ${folder}` : `${contents.slice(0, 12)} in ${folder}, where files have other contents`;
  return { what: `Expected ${dataTitle(spec)} with the SHA-256 ${expected.slice(0, 12)} of all contents, got ${got}`, mend: setup(folderOf(spec), '--verify') };
}

/**
 * @param size [H, W] of the images that models see
 * @throws DataError `DATA_MISSING` with what to do
 */
export function openFolder(spec: FolderSpec, dataDir: string, [height, width]: readonly [number, number]): Record<Split, ImageSet> {
  const problem = folderProblem(spec, dataDir);
  const known = knownFolder(folderOf(spec), dataDir);
  const index = problem === undefined && known ? readIndex(indexPath(known.path, dataDir)) : undefined;
  if (index === undefined) {
    const { what, mend } = problem ?? { what: `Expected an index of ${dataTitle(spec)}, got a damaged one`, mend: setup(folderOf(spec)) };
    throw new DataError('DATA_MISSING', `${what}. To mend it: npx ablate ${mend.join(' ')}`);
  }
  const all = (split: Split): ImageSet => imagesOf(spec, index, split, { height, width });
  const train = all('train'),
    test = all('test');
  return { ...(index.validation ? { train, validation: shuffled(all('validation')) } : holdOut(train, test, imageCount(spec, 'validation'))), test };
}

function imagesOf(spec: FolderSpec, index: FolderIndex, split: Split, size: Pick<ImageSet, 'height' | 'width'>): ImageSet {
  const before = SPLITS.slice(0, SPLITS.indexOf(split)).reduce((rows, other) => rows + sum(index[other]?.images), 0);
  const counts = index[split]!.images,
    count = sum(counts);
  const rows = new Uint32Array(new SharedArrayBuffer(4 * count)).map((_, i) => before + i),
    labels = new Uint16Array(new SharedArrayBuffer(2 * count));
  counts.reduce((from, n, label) => (labels.fill(label, from, from + n), from + n), 0);
  return {
    name: `${folderOf(spec)}/${split}`,
    images: new Uint8Array(0),
    files: { folder: index.folder, name: folderOf(spec), names: index.names, rows },
    labels,
    count,
    ...size,
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
