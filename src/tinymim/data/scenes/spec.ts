/** Scenes for segmentation, as plain data: images each of whose pixels has a class. Part of recipes; `open.ts` opens them. */
import { z } from 'zod';
import { asBefore } from '../../../core/ablation/as-before.ts';
import { channels, classCount, dataSpec, dataTitle, folderName, IMAGENET_STATISTICS, imageShape, isFolder, sha256 } from '../spec.ts';

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
  /** Photographs in a folder, each with a map; see `folder.ts`. Where it lies is told to each machine (`ablate setup --data <folder>=/path`). */
  z.strictObject({
    name: z.literal('folder'),
    /** Name that machines know it by. */
    folder: folderName,
    classes: positive.max(250),
    train: positive,
    test: positive,
    /** As ADE20K's maps are read: label 0 is none of the classes, and all others count from 1. */
    reduce_zero_label: z.boolean(),
    /** A further label that is none of the classes, as CamVid's void; 255 is none in any case. */
    ignored: z.int().min(0).max(255).nullable(),
    mean: channels.default([...IMAGENET_STATISTICS.mean]),
    std: channels.default([...IMAGENET_STATISTICS.std]),
    /** Of names and sizes; absent: whatever has the name on this machine, which then fills it in. */
    fingerprint: asBefore(sha256, null),
  }),
]);

export type SceneSpec = z.infer<typeof sceneSpec>;
export type SceneSplit = 'train' | 'test';

/** Label of pixels that belong to no class: no loss and no score counts them. */
export const IGNORED = 255;

export const sceneCount = (spec: SceneSpec, split: SceneSplit): number => spec[split];

export const sceneClasses = (spec: SceneSpec): number => (spec.name === 'folder' ? spec.classes : 1 + classCount(spec.source));

/** Channels of the scenes, and their [H, W] where all have one size. */
export const sceneShape = (spec: SceneSpec): { readonly channels: number; readonly size?: readonly [number, number] } =>
  spec.name === 'folder' ? { channels: 3 } : { channels: imageShape(spec.source).channels, size: spec.canvas };

export function sceneTitle(spec: SceneSpec): string {
  if (spec.name === 'composed') return `Scenes of ${dataTitle(spec.source)}, ${spec.canvas.join(' x ')}`;
  return spec.folder === 'ade20k' ? 'ADE20K' : spec.folder;
}
