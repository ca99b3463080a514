/**
 * Scenes in files, in the form of ADE20K (ADEChallengeData2016) and CamVid: `images/<split>/NAME.jpg` and, under the same name,
 * `annotations/<split>/NAME.png`, a grey image whose levels are labels. What was found stands beside the other data sets,
 * `folders/<hash of the path>.scenes`.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { z } from 'zod';
import type { NotReady } from '../../../core/ablation/declaration.ts';
import { DataError } from '../errors.ts';
import type { PrintLine } from '../files.ts';
import { folderVariable, indexPath, knownFolder, rememberedFolder, rememberFolder } from '../folder/known.ts';
import type { FileNames } from '../folder/read.ts';
import { UNKNOWN_CLASS, type MapFiles } from '../image-set.ts';
import type { SceneSet } from './compose.ts';
import { IGNORED, sceneTitle, type SceneSpec, type SceneSplit } from './spec.ts';

export type SceneFolderSpec = Extract<SceneSpec, { name: 'folder' }>;

export const isSceneFolder = (spec: SceneSpec): spec is SceneFolderSpec => spec.name === 'folder';

/** A scene's image and map, below `images` and `annotations`, with their bytes. */
const pair = z.tuple([z.string(), z.number(), z.string(), z.number()]);
const sceneIndex = z.strictObject({
  folder: z.string(),
  train: z.array(pair),
  test: z.array(pair),
  fingerprint: z.string(),
  /** Folders with when they changed last (ms): files come and go with that. */
  folders: z.array(z.tuple([z.string(), z.number()])),
});
export type SceneIndex = z.infer<typeof sceneIndex>;

const SPLITS = ['train', 'test'] as const satisfies readonly SceneSplit[];
/** Habits of naming the folders of a split, the first that is there. */
const NAMES: Readonly<Record<SceneSplit, readonly string[]>> = { train: ['training', 'train'], test: ['validation', 'val', 'test'] };
const IMAGE = /\.(?:jpe?g|png)$/i;

/** Whether a folder holds scenes rather than a folder for each class. */
export const holdsScenes = (path: string): boolean => ['images', 'annotations'].every(name => statSync(join(path, name), { throwIfNoEntry: false })?.isDirectory() === true);

const indexFile = (path: string, dataDir: string): string => indexPath(path, dataDir).replace(/index2$/, 'scenes');

/**
 * Lists the scenes of a folder and writes its index.
 * @param path absolute
 * @throws DataError `DATA_MISSING`, `DATA_INVALID` for a folder that is not of this form
 */
export function indexScenes(path: string, dataDir: string): SceneIndex {
  const hash = createHash('sha256'),
    folders: [string, number][] = [];
  const list = (...names: readonly string[]): string[] => {
    const folder = join(path, ...names);
    folders.push([folder, statSync(folder).mtimeMs]);
    return readdirSync(folder)
      .filter(name => IMAGE.test(name) && !name.startsWith('.'))
      .sort();
  };
  const splits = Object.fromEntries(SPLITS.map(split => [split, pairsOf(path, split, list)])) as Record<SceneSplit, SceneIndex[SceneSplit]>;
  for (const split of SPLITS) for (const [image, bytes, map, mapBytes] of splits[split]) hash.update(`${split} ${image} ${bytes} ${map} ${mapBytes}\n`);
  const index: SceneIndex = { folder: path, ...splits, fingerprint: hash.digest('hex'), folders };
  const file = indexFile(path, dataDir),
    temporary = `${file}.${process.pid}.tmp`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(temporary, JSON.stringify(index));
  renameSync(temporary, file);
  return index;
}

function pairsOf(path: string, split: SceneSplit, list: (...names: readonly string[]) => string[]): SceneIndex[SceneSplit] {
  const folder = NAMES[split].find(name => statSync(join(path, 'images', name), { throwIfNoEntry: false })?.isDirectory() === true);
  if (folder === undefined) throw new DataError('DATA_MISSING', `Expected a folder ${NAMES[split].map(name => `images/${name}`).join(' or ')} in ${path}, got none.`);
  const maps = new Set(list('annotations', folder)),
    bytes = (...names: readonly string[]): number => statSync(join(path, ...names)).size;
  const pairs = list('images', folder).map(image => {
    const map = `${image.replace(IMAGE, '')}.png`;
    if (!maps.has(map)) throw new DataError('DATA_INVALID', `Expected a map annotations/${folder}/${map} for images/${folder}/${image} in ${path}, got none.`);
    return [`${folder}${sep}${image}`, bytes('images', folder, image), `${folder}${sep}${map}`, bytes('annotations', folder, map)] satisfies z.infer<typeof pair>;
  });
  if (pairs.length === 0) throw new DataError('DATA_MISSING', `Expected images in images/${folder} of ${path}, got none.`);
  return pairs;
}

function readSceneIndex(path: string, dataDir: string): SceneIndex | undefined {
  try {
    return sceneIndex.parse(JSON.parse(readFileSync(indexFile(path, dataDir), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Lists the folder of these scenes where it is known and was not listed yet. @throws DataError as `indexScenes` */
export function indexScenesAtFirstUse(spec: SceneFolderSpec, dataDir: string, say: PrintLine): void {
  const known = knownFolder(spec.folder, dataDir);
  if (known === undefined || readSceneIndex(known.path, dataDir) !== undefined) return;
  const index = indexScenes(known.path, dataDir);
  if (rememberedFolder(spec.folder, dataDir) === undefined) rememberFolder(spec.folder, known.path, dataDir);
  for (const line of sceneLines(spec.folder, index)) say(line);
}

/** What a listing found, for people. */
export const sceneLines = (name: string, { folder, train, test, fingerprint }: SceneIndex): string[] => [
  `${name}: ${folder}`,
  `${train.length.toLocaleString('en-US')} training and ${test.length.toLocaleString('en-US')} test scenes, each with its map; fingerprint ${fingerprint.slice(0, 12)}`,
];

/** The spec with what is known of the folder that is here, unless it names its fingerprint. */
export function withSceneFingerprint(spec: SceneFolderSpec, dataDir: string): SceneFolderSpec {
  if (spec.fingerprint !== undefined && spec.fingerprint !== null) return spec;
  const known = knownFolder(spec.folder, dataDir),
    index = known && readSceneIndex(known.path, dataDir);
  return index ? { ...spec, fingerprint: index.fingerprint } : spec;
}

/** What is against the use of these scenes, or undefined. */
export function sceneFolderProblem(spec: SceneFolderSpec, dataDir: string): NotReady | undefined {
  const { folder: name, fingerprint } = spec,
    title = sceneTitle(spec),
    mend = ['setup', '--data', `${name}=/path/to/folder`];
  const known = knownFolder(name, dataDir);
  if (known === undefined) return { what: `Expected the folder of ${title}, got none: nobody has said where it lies, with this command or with ${folderVariable(name)}=/path/to/folder`, mend };
  const index = readSceneIndex(known.path, dataDir);
  if (index === undefined) return { what: `Expected a list of the scenes of ${title} in ${known.path} (${known.by}), got none`, mend: ['setup', '--data', `${name}=${known.path}`] };
  const changed = index.folders.find(([path, when]) => statSync(path, { throwIfNoEntry: false })?.mtimeMs !== when);
  if (changed) return { what: `Expected ${changed[0]} to be as it was when ${title} was listed, got a folder that has changed or is gone`, mend: ['setup', '--data', name] };
  const wrong = SPLITS.filter(split => spec[split] !== index[split].length);
  if (wrong.length > 0) {
    const counts = (of: (split: SceneSplit) => number): string => wrong.map(split => `${of(split).toLocaleString('en-US')} ${split === 'train' ? 'training' : 'test'} scenes`).join(' and ');
    const fields = wrong.map(split => `--set segment.data.${split}=${index[split].length}`).join(' ');
    return { what: `Expected ${title} with ${counts(split => spec[split])}, got ${counts(split => index[split].length)} in ${index.folder}. If this is what you mean, say so with ${fields}`, mend };
  }
  if (fingerprint !== undefined && fingerprint !== null && fingerprint !== index.fingerprint)
    return { what: `Expected ${title} with the fingerprint ${fingerprint.slice(0, 12)} of names and sizes, got ${index.fingerprint.slice(0, 12)} in ${index.folder}, which holds other files`, mend };
  return undefined;
}

/** @throws DataError `DATA_MISSING` with what to do */
export function openSceneFolder(spec: SceneFolderSpec, dataDir: string): Record<SceneSplit, SceneSet> {
  const problem = sceneFolderProblem(spec, dataDir);
  if (problem) throw new DataError('DATA_MISSING', `${problem.what}. To mend it: npx ablate ${problem.mend.join(' ')}`);
  const index = readSceneIndex(knownFolder(spec.folder, dataDir)!.path, dataDir)!;
  return { train: setOf(spec, index, 'train'), test: setOf(spec, index, 'test') };
}

function setOf(spec: SceneFolderSpec, index: SceneIndex, split: SceneSplit): SceneSet {
  const pairs = index[split],
    rows = new Uint32Array(new SharedArrayBuffer(4 * pairs.length)).map((_, i) => i);
  const files = (part: string, names: FileNames) => ({ folder: join(index.folder, part), name: spec.folder, names, rows });
  const mapFiles: MapFiles = { ...files('annotations', fileNames(pairs.map(([, , map, bytes]) => [map, bytes]))), classOf: classOfLevel(spec) };
  return {
    name: `${sceneTitle(spec)}/${split}`,
    count: pairs.length,
    height: 0,
    width: 0,
    channels: 3,
    classes: Array.from({ length: spec.classes }, (_, c) => String(c)),
    images: new Uint8Array(0),
    labels: new Uint8Array(0),
    maps: new Uint8Array(0),
    files: files('images', fileNames(pairs.map(([image, bytes]) => [image, bytes]))),
    mapFiles,
  };
}

/** Names in one block of memory that threads share. */
function fileNames(files: readonly (readonly [name: string, bytes: number])[]): FileNames {
  const names = files.map(([name]) => Buffer.from(name)),
    length = names.reduce((sum, name) => sum + name.length, 0);
  const bytes = new Uint8Array(new SharedArrayBuffer(length)),
    ends = new Uint32Array(new SharedArrayBuffer(4 * files.length)),
    sizes = new Float64Array(new SharedArrayBuffer(8 * files.length));
  let end = 0;
  files.forEach(([, size], i) => {
    bytes.set(names[i]!, end);
    end += names[i]!.length;
    ends[i] = end;
    sizes[i] = size;
  });
  return { bytes, ends, sizes };
}

/** `[256]`: the class of each level; with `reduce_zero_label` 0 is no class, and all others are one less. */
function classOfLevel({ classes, reduce_zero_label, ignored }: SceneFolderSpec): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, level) => {
    const label = reduce_zero_label ? level - 1 : level;
    if (label < 0 || level === IGNORED || level === ignored) return IGNORED;
    return label < classes ? label : UNKNOWN_CLASS;
  });
}
