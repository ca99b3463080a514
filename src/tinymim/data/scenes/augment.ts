/**
 * What a scene goes through before a training step, as mmsegmentation 0.11 does it for ADE20K (Resize, RandomCrop, RandomFlip,
 * PhotoMetricDistortion, Pad; mmseg/datasets/pipelines/transforms.py): image and map alike. What is drawn is apart from what is done with it.
 */
import type { Stream } from '../../../engine/random/rng.ts';
import type { Pixels } from '../resize.ts';
import { IGNORED } from './spec.ts';
import { distort, drawDistortion, type Distortion } from './distort.ts';

export interface SceneAugment {
  /** [H, W] of what a step sees. */
  readonly crop: readonly [number, number];
  /** Factor of size: drawn from `ratio`, times what brings the scene within `within`, [longer, shorter side]. `null`: as it is. */
  readonly resize: { readonly within: readonly [number, number]; readonly ratio: readonly [number, number] } | null;
  /** Most of a crop that one class may have, beside which there must be another; of ten crops the last is taken in any case. 1: the first is. */
  readonly cat_max_ratio: number;
  readonly flip: boolean;
  readonly photometric: boolean;
}

/** An image, `[H, W, C]`, and the class of each pixel. */
export interface Scene {
  readonly image: Pixels;
  readonly map: Uint8Array;
}

/** Where a crop lies in a scene that is resized first; what lies beyond is padded. */
interface Placement {
  /** Of the whole scene, resized. */
  readonly size: readonly [height: number, width: number];
  readonly top: number;
  readonly left: number;
  readonly flip: boolean;
}

/** All that is drawn for one scene. */
export interface SceneDraw extends Placement {
  readonly distortion: Distortion | null;
}

const CROP_TRIES = 10;

/** Draws, in this order: the ratio of size; row and column of each crop that is tried; the flip; the distortion. What is turned off, or has one way, draws nothing. */
export function drawScene(draws: Stream, { image, map }: Scene, augment: SceneAugment): SceneDraw {
  const size = drawnSize(draws, image, augment.resize);
  const at = (length: number, crop: number): number => (length > crop ? draws.integer(length - crop + 1) : 0);
  let place: Placement = { size, top: 0, left: 0, flip: false };
  for (let tries = 0; tries < CROP_TRIES; tries++) {
    place = { ...place, top: at(size[0], augment.crop[0]), left: at(size[1], augment.crop[1]) };
    if (augment.cat_max_ratio === 1 || isMixed(cropMap(map, image, place, augment.crop), augment.cat_max_ratio)) break;
  }
  return { ...place, flip: augment.flip && draws.uniform() < 0.5, distortion: augment.photometric ? drawDistortion(draws, image.channels) : null };
}

function drawnSize(draws: Stream, { height, width }: Pixels, resize: SceneAugment['resize']): readonly [number, number] {
  if (resize === null) return [height, width];
  const [low, high] = resize.ratio;
  return fittedSize([height, width], resize.within, low === high ? low : low + (high - low) * draws.uniform());
}

/** The size at which a scene just fits into `ratio` times [longer, shorter side] (`mmcv.imrescale`). */
export function fittedSize([height, width]: readonly [number, number], [long, short]: readonly [number, number], ratio = 1): readonly [number, number] {
  const bounds = [long, short].map(side => Math.trunc(side * ratio + 0.5)) as [number, number];
  const factor = Math.min(Math.max(...bounds) / Math.max(height, width), Math.min(...bounds) / Math.min(height, width));
  return [Math.max(1, Math.trunc(height * factor + 0.5)), Math.max(1, Math.trunc(width * factor + 0.5))];
}

/** Whether a crop has more than one class, none of which has more than its share. */
function isMixed(map: Uint8Array, share: number): boolean {
  const counts = new Float64Array(256);
  for (const label of map) counts[label]!++;
  counts[IGNORED] = 0;
  const present = counts.filter(count => count > 0);
  return present.length > 1 && Math.max(...present) / present.reduce((a, b) => a + b) < share;
}

/** The classes of a crop: those of the nearest pixels (OpenCV's), `IGNORED` beyond the scene. */
function cropMap(map: Uint8Array, { height, width }: Pixels, { size, top, left, flip }: Placement, [cropHeight, cropWidth]: readonly [number, number]): Uint8Array {
  const target = new Uint8Array(cropHeight * cropWidth).fill(IGNORED);
  const columns = Array.from({ length: Math.min(cropWidth, size[1]) }, (_, x) => Math.min(Math.floor(((left + x) * width) / size[1]), width - 1));
  for (let y = 0; y < Math.min(cropHeight, size[0]); y++) {
    const row = Math.min(Math.floor(((top + y) * height) / size[0]), height - 1) * width;
    columns.forEach((column, x) => {
      target[y * cropWidth + (flip ? cropWidth - 1 - x : x)] = map[row + column]!;
    });
  }
  return target;
}

/**
 * Fills a crop of a scene and its map. What lies beyond the scene is `IGNORED`, with `padding` as its image.
 * @param padding level of each channel; mmsegmentation pads what is normalised with 0, which is the mean of the data
 */
export function cropScene({ image, map }: Scene, draw: SceneDraw, target: { readonly image: Pixels; readonly map: Uint8Array }, padding: readonly number[]): void {
  const crop = [target.image.height, target.image.width] as const;
  target.map.set(cropMap(map, image, draw, crop));
  cropImage(image, draw, target.image);
  if (draw.distortion) distort(target.image, draw.distortion);
  const { data, offset, channels } = target.image;
  const beyond = (y: number, x: number): boolean => y >= draw.size[0] || (draw.flip ? crop[1] - 1 - x : x) >= draw.size[1];
  for (let y = 0, i = offset; y < crop[0]; y++) {
    for (let x = 0; x < crop[1]; x++, i += channels) if (beyond(y, x)) for (let c = 0; c < channels; c++) data[i + c] = padding[c]!;
  }
}

/** The two pixels between which one lies, and how far from the first. */
export interface Tap {
  readonly before: number;
  readonly after: number;
  readonly share: number;
}

/** The two pixels between which each lies (`cv2.INTER_LINEAR`). */
export function linearTaps(from: number, to: number, start: number, count: number): Tap[] {
  return Array.from({ length: Math.min(count, to) }, (_, i) => {
    const at = Math.min(Math.max(((start + i + 0.5) * from) / to - 0.5, 0), from - 1),
      before = Math.floor(at);
    return { before, after: Math.min(before + 1, from - 1), share: at - before };
  });
}

/** The whole image at another size. */
export function resizedImage(source: Pixels, [height, width]: readonly [number, number]): Pixels {
  const target: Pixels = { data: new Uint8Array(height * width * source.channels), offset: 0, height, width, channels: source.channels };
  cropImage(source, { size: [height, width], top: 0, left: 0, flip: false }, target);
  return target;
}

/** Bilinear interpolation between the nearest four pixels, rounded. */
function cropImage(source: Pixels, { size, top, left, flip }: Placement, target: Pixels): void {
  const { data, offset, width, channels } = source;
  const rows = linearTaps(source.height, size[0], top, target.height),
    columns = linearTaps(width, size[1], left, target.width);
  rows.forEach((row, y) => {
    const upper = offset + row.before * width * channels,
      lower = offset + row.after * width * channels;
    columns.forEach((column, x) => {
      const to = target.offset + (y * target.width + (flip ? target.width - 1 - x : x)) * channels;
      const [a, b] = [column.before * channels, column.after * channels];
      for (let c = 0; c < channels; c++) {
        const above = data[upper + a + c]! * (1 - column.share) + data[upper + b + c]! * column.share,
          below = data[lower + a + c]! * (1 - column.share) + data[lower + b + c]! * column.share;
        target.data[to + c] = Math.round(above * (1 - row.share) + below * row.share);
      }
    });
  });
}
