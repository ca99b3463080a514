/** Folders of test sets alone: what is against one, and their images. Classes are those of the data by the names of their folders. */
import type { NotReady } from '../../../core/ablation/declaration.ts';
import { DataError } from '../errors.ts';
import type { ImageSet } from '../image-set.ts';
import { setsOf, testFolder, type TestFolderSpec } from '../test-spec.ts';
import { thousands } from './found.ts';
import type { IndexHeader } from './index-file.ts';
import { imagesOf, openIndex, problemOf, sum, type NamedFolder } from './open.ts';

const named = (spec: TestFolderSpec): NamedFolder => ({ ...spec, title: testFolder(spec).title });

/** What is against the use of these images, or undefined. */
export const testFolderProblem = (spec: TestFolderSpec, dataDir: string): NotReady | undefined => problemOf(named(spec), dataDir, header => misfit(spec, header));

const FORMS = { 'imagenet-a': 'class folders', 'imagenet-r': 'class folders', 'imagenet-c': 'folders <corruption>/<severity>/<class>/...' } as const;

function misfit(spec: TestFolderSpec, { sets = {}, classes, folder }: IndexHeader): NotReady | undefined {
  const { title, classes: expectedClasses, images } = testFolder(spec);
  const mend = ['setup', '--data', `${spec.name}=/path/to/folder`];
  if (setsOf(spec).some(name => sets[name] === undefined)) return { what: `Expected ${title} as ${FORMS[spec.name]}, got another form in ${folder}`, mend };
  const counts = [...new Set(Object.values(sets).map(set => sum(set.images)))];
  if (classes.length === expectedClasses && counts.join() === String(images)) return undefined;
  const column = spec.name.replace('-', '_');
  return {
    what:
      `Expected ${title} with ${thousands(expectedClasses)} classes and ${thousands(images)} images${spec.name === 'imagenet-c' ? ' of each corruption and severity' : ''}, got ${thousands(classes.length)} and ${counts.map(thousands).join(' or ')} in ${folder}.` +
      (counts.length === 1
        ? ` If this is what you mean, say so in the profile, or with --set robustness.${column}.classes=${classes.length} --set robustness.${column}.images=${counts[0]!}`
        : ' Each has to have the same'),
    mend,
  };
}

export interface TestFolder {
  /** By name of a set. Labels are places in `classes`. */
  set(name: string): ImageSet;
  /** Of each of its classes the place among those of the data. */
  readonly classes: readonly number[];
}

/**
 * @param size [H, W] of the images that models see
 * @param classes of the data that models were trained on
 * @throws DataError `DATA_MISSING` with what to do, `DATA_INVALID` for a class that is none of them
 */
export function openTestFolder(spec: TestFolderSpec, dataDir: string, size: readonly [number, number], classes: readonly string[]): TestFolder {
  const index = openIndex(named(spec), dataDir, testFolderProblem(spec, dataDir));
  const places = index.classes.map(name => {
    const place = classes.indexOf(name);
    if (place < 0)
      throw new DataError(
        'DATA_INVALID',
        `Expected the class folders of ${testFolder(spec).title} to be called as those of the training images, got ${name} in ${index.folder}, which no model knows.`,
      );
    return place;
  });
  return { set: name => imagesOf(spec.name, index, name, size), classes: places };
}

/**
 * The same images as several sets of a folder have them, one set after the other.
 * @throws DataError `DATA_INVALID` where a set has others than the first of the folder
 */
export function joinedSets(folder: TestFolder, names: readonly string[], first: string): ImageSet {
  const sets = names.map(name => folder.set(name)),
    expected = fileNames(folder.set(first), first);
  for (const [i, set] of sets.entries()) {
    const other = fileNames(set, names[i]!).findIndex((file, at) => !file.equals(expected[at]!));
    if (other >= 0) throw new DataError('DATA_INVALID', `Expected the same images in ${first} and ${names[i]!} of ${set.files!.folder}, got ${expected[other]!.toString()} in one of them alone.`);
  }
  const count = sets.reduce((sum, set) => sum + set.count, 0),
    rows = new Uint32Array(new SharedArrayBuffer(4 * count)),
    labels = new Uint16Array(new SharedArrayBuffer(2 * count));
  let at = 0;
  for (const set of sets) {
    rows.set(set.files!.rows, at);
    labels.set(set.labels, at);
    at += set.count;
  }
  return { ...sets[0]!, count, files: { ...sets[0]!.files!, rows }, labels };
}

/** Paths below the folder of a set. */
function fileNames({ files }: ImageSet, folder: string): Buffer[] {
  const { names, rows } = files!,
    bytes = Buffer.from(names.bytes.buffer, names.bytes.byteOffset, names.bytes.length);
  return Array.from(rows, row => bytes.subarray((row === 0 ? 0 : names.ends[row - 1]!) + Buffer.byteLength(folder) + 1, names.ends[row]));
}
