/** Scenes for segmentation, as plain data: images each of whose pixels has a class. Part of recipes; `open.ts` opens them. */
import { z } from 'zod';
import { classCount, dataSpec, dataTitle, imageShape, isFolder } from '../spec.ts';

const positive = z.int().positive();
const ordered = ([low, high]: readonly [number, number]): boolean => low <= high;
const EXPECTED_RANGE = 'expected a range, the smaller bound first';

export const sceneSpec = z.discriminatedUnion('name', [
  /** Several images of a data set on one canvas, scaled and overlapping; see `compose.ts`. Classes are the background, then those of the source. */
  z.strictObject({
    name: z.literal('composed'),
    /** What the scenes of a split are made of: images of its split of that name. */
    source: dataSpec.refine(spec => !isFolder(spec), 'expected images that are in memory: fashion-mnist or procedural'),
    canvas: z.tuple([positive, positive]),
    /** Fewest and most in a scene. */
    items: z.tuple([z.int().min(1), z.int().min(1)]).refine(ordered, EXPECTED_RANGE),
    /** Least and largest factor of an item's size. */
    scale: z.tuple([z.number().positive(), z.number().positive()]).refine(ordered, EXPECTED_RANGE),
    train: positive,
    test: positive,
    seed: z.int().min(0),
  }),
]);

export type SceneSpec = z.infer<typeof sceneSpec>;
export type SceneSplit = 'train' | 'test';

/** Label of pixels that belong to no class: no loss and no score counts them. */
export const IGNORED = 255;

export const sceneCount = (spec: SceneSpec, split: SceneSplit): number => spec[split];

export const sceneClasses = ({ source }: SceneSpec): number => 1 + classCount(source);

/** Channels of the scenes, and their [H, W] where all have one size. */
export const sceneShape = ({ source, canvas }: SceneSpec): { readonly channels: number; readonly size?: readonly [number, number] } => ({ channels: imageShape(source).channels, size: canvas });

export const sceneTitle = ({ source, canvas }: SceneSpec): string => `Scenes of ${dataTitle(source)}, ${canvas.join(' x ')}`;
