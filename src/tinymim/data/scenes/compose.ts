/**
 * Scenes composed of small images: several items on one canvas, scaled, the later over the earlier, each pixel with the class of what is seen there.
 * Scene i of a split is a function of the seed and i: it draws the levels of the background at three corners, the number of items, and of each
 * item which image it is, its factor of size, and row and column of its centre.
 */
import { stream, type Stream } from '../../../engine/random/rng.ts';
import { allocateImageSet, imageAt, imageBytes, type ImageSet } from '../image-set.ts';
import { resizeBicubic, type Pixels } from '../resize.ts';
import type { SceneSpec, SceneSplit } from './spec.ts';

/** Images whose pixels have classes. */
export interface SceneSet extends ImageSet {
  /** `[N, H, W]` on a SharedArrayBuffer: indices into `classes`, or `IGNORED`. Empty where the scenes are in files. */
  readonly maps: Uint8Array;
}

type ComposedSpec = Pick<Extract<SceneSpec, { name: 'composed' }>, 'canvas' | 'items' | 'scale' | 'seed'>;

/** @param source images of items on black */
export function composeScenes(source: ImageSet, spec: ComposedSpec, split: SceneSplit, count: number): SceneSet {
  const [height, width] = spec.canvas;
  const set = allocateImageSet({ name: `scenes of ${source.name}`, count, height, width, channels: source.channels, classes: ['background', ...source.classes] });
  const maps = new Uint8Array(new SharedArrayBuffer(count * height * width));
  for (let i = 0; i < count; i++) {
    const canvas: Pixels = { data: set.images, offset: i * imageBytes(set), height, width, channels: set.channels };
    composeScene(stream(spec.seed, `scenes/${split}`, i), source, spec, canvas, maps.subarray(i * height * width, (i + 1) * height * width));
  }
  return { ...set, maps };
}

/** Level that a corner of the background has at most; an item may be darker. */
const BRIGHTEST_BACKGROUND = 64;

function composeScene(draws: Stream, source: ImageSet, { items, scale }: ComposedSpec, canvas: Pixels, map: Uint8Array): void {
  const { height, width } = canvas;
  paintBackground(draws, canvas);
  const count = items[0] + draws.integer(items[1] - items[0] + 1);
  for (let item = 0; item < count; item++) {
    const index = draws.integer(source.count),
      factor = scale[0] + (scale[1] - scale[0]) * draws.uniform();
    const row = draws.uniform() * height,
      column = draws.uniform() * width;
    const image = resized(imageAt(source, index), factor);
    paste(image, canvas, map, { top: Math.round(row - image.height / 2), left: Math.round(column - image.width / 2), label: 1 + source.labels[index]! });
  }
}

/** A slope of grey, from the first corner to the one beside it and to the one below. */
function paintBackground(draws: Stream, { data, offset, height, width, channels }: Pixels): void {
  const corner = (): number => BRIGHTEST_BACKGROUND * draws.uniform();
  const first = corner(),
    right = (corner() - first) / width,
    down = (corner() - first) / height;
  for (let y = 0, i = offset; y < height; y++) {
    for (let x = 0; x < width; x++, i += channels) data.fill(Math.min(Math.max(Math.round(first + right * x + down * y), 0), 255), i, i + channels);
  }
}

function resized(image: Pixels, factor: number): Pixels {
  const [height, width] = [image.height, image.width].map(side => Math.max(1, Math.round(factor * side))) as [number, number];
  const target: Pixels = { data: new Uint8Array(height * width * image.channels), offset: 0, height, width, channels: image.channels };
  resizeBicubic(image, { top: 0, left: 0, height: image.height, width: image.width }, target);
  return target;
}

/** Puts the pixels of an item on the canvas, as far as they lie on it. */
function paste(item: Pixels, canvas: Pixels, map: Uint8Array, { top, left, label }: Readonly<Record<'top' | 'left' | 'label', number>>): void {
  const inside = itemPixels(item),
    { channels } = canvas;
  for (let y = Math.max(0, -top); y < Math.min(item.height, canvas.height - top); y++) {
    for (let x = Math.max(0, -left); x < Math.min(item.width, canvas.width - left); x++) {
      const from = y * item.width + x,
        to = (top + y) * canvas.width + left + x;
      if (!inside[from]) continue;
      map[to] = label;
      for (let c = 0; c < channels; c++) canvas.data[canvas.offset + to * channels + c] = item.data[item.offset + from * channels + c]!;
    }
  }
}

/** Darker is the black around an item: what interpolation leaves of its edge. */
const LEAST_LEVEL = 26;

/**
 * Which pixels belong to an item on black: those that are not dark, and dark ones within it, which have such pixels above, below, left and right.
 * So the gap between two legs is background, and a dark print is not. @internal
 */
export function itemPixels({ data, offset, height, width, channels }: Pixels): Uint8Array {
  const bright = (y: number, x: number): boolean => {
    for (let c = 0; c < channels; c++) if (data[offset + (y * width + x) * channels + c]! >= LEAST_LEVEL) return true;
    return false;
  };
  const rows = spans(height, width, bright),
    columns = spans(width, height, (x, y) => bright(y, x));
  const inside = new Uint8Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) inside[y * width + x] = Number(isWithin(x, rows[y]!) && isWithin(y, columns[x]!));
  }
  return inside;
}

type Span = readonly [first: number, last: number];

const isWithin = (at: number, [first, last]: Span): boolean => at >= first && at <= last;

/** Of each line the first and the last place that holds; none: from 0 to -1. */
function spans(lines: number, places: number, holds: (line: number, place: number) => boolean): Span[] {
  return Array.from({ length: lines }, (_, line) => {
    let first = 0;
    while (first < places && !holds(line, first)) first++;
    if (first === places) return [0, -1];
    let last = places - 1;
    while (!holds(line, last)) last--;
    return [first, last];
  });
}
