/** Test sets beside that of the data, as plain data: part of a recipe. Light, since planning parses it; `test-sets.ts` opens them. */
import { z } from 'zod';
import { asBefore } from '../../core/ablation/as-before.ts';
import { CORRUPTION_NAMES, IMAGENET_C, SEVERITIES } from './corruption-names.ts';
import { identity } from './spec.ts';

const positive = z.int().positive();

/** Sets that are made of a split's images. `images`: of how many, with balanced classes and always the same ones; `null`: of all. */
const made = <N extends string>(name: N) => z.strictObject({ name: z.literal(name), images: positive.nullable() });

/** Sets in a folder, where `ablate setup --data <name>=/path` says. Images of each, and their classes, by the names that those of the data have. */
const folder = <N extends string>(name: N, classes: number, images: number) =>
  z.strictObject({ name: z.literal(name), classes: asBefore(positive, classes), images: asBefore(positive, images), ...identity });

/**
 * What each folder holds. Source: huggingface/pytorch-image-models, results/README.md (ImageNet-A), hendrycks/imagenet-r, README.md; of ImageNet-C each set
 * has the validation images of ImageNet.
 */
const FOLDERS = {
  'imagenet-a': { title: 'ImageNet-A', classes: 200, images: 7500 },
  'imagenet-r': { title: 'ImageNet-R', classes: 200, images: 30_000 },
  'imagenet-c': { title: 'ImageNet-C', classes: 1000, images: 50_000 },
} as const;

const folderOf = <N extends keyof typeof FOLDERS>(name: N) => folder(name, FOLDERS[name].classes, FOLDERS[name].images);

/**
 * Images that are otherwise than those that classifiers were trained on; accuracy tells who copes. Made here: `sheared-scaled`, in the place of ImageNet-A, and
 * `shade-inverted`, with a slight shear, in that of ImageNet-R (`corrupt/shifts.ts`). Folders have a part of the classes, and the others are no answers.
 */
export const shiftedSpec = z.discriminatedUnion('name', [made('sheared-scaled'), made('shade-inverted'), folderOf('imagenet-a'), folderOf('imagenet-r')]);

/** The same images 75 times, corrupted in fifteen ways at five severities. `simulated`: made here (`corrupt/corruptions.ts`). */
export const corruptedSpec = z.discriminatedUnion('name', [made('simulated'), folderOf('imagenet-c')]);

export type ShiftedSpec = z.infer<typeof shiftedSpec>;
export type CorruptedSpec = z.infer<typeof corruptedSpec>;
type MadeSpec = Extract<ShiftedSpec | CorruptedSpec, { name: 'sheared-scaled' | 'shade-inverted' | 'simulated' }>;
export type TestFolderSpec = Exclude<ShiftedSpec | CorruptedSpec, MadeSpec>;

export const isTestFolder = <S extends ShiftedSpec | CorruptedSpec>(spec: S): spec is Extract<S, TestFolderSpec> => spec.name in FOLDERS;

/** What a folder is called, and how many classes and images each of its sets has. */
export const testFolder = (spec: TestFolderSpec): { readonly title: string; readonly classes: number; readonly images: number } => ({ ...FOLDERS[spec.name], ...spec });

/** Images of a set, where `all` is how many a split has. */
export const testImages = (spec: ShiftedSpec | CorruptedSpec, all: number): number => (isTestFolder(spec) ? testFolder(spec).images : (spec.images ?? all));

export const corruptionsOf = ({ name }: CorruptedSpec): readonly string[] => (name === 'imagenet-c' ? IMAGENET_C : CORRUPTION_NAMES);

/** Names of the sets of a folder: of one with corruptions as the folders in which they lie. */
export const setsOf = (spec: TestFolderSpec): string[] => (spec.name === 'imagenet-c' ? IMAGENET_C.flatMap(corruption => SEVERITIES.map(severity => corruptedSet(corruption, severity))) : ['test']);

export const corruptedSet = (corruption: string, severity: number): string => `${corruption}/${severity}`;
