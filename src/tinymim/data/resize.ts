/**
 * Bicubic resize with antialiasing, bit for bit that of PIL (`Image.resize` with `BICUBIC`), which torchvision's transforms use
 * on images: kernel with a = -0.5, widened by the scale where the image shrinks; the horizontal pass first, then the vertical,
 * each in fixed point and rounded to bytes; a pass that changes no size is left out. `BOX`, the mean of an area, is the same with another kernel.
 * Source: python-pillow/Pillow, src/libImaging/Resample.c (`precompute_coeffs`, `normalize_coeffs_8bpc`).
 */

import { nativeImages } from './native.ts';

/** An image `[height, width, channels]` within an array of bytes. */
export interface Pixels {
  readonly data: Uint8Array;
  /** Index of its first byte. */
  readonly offset: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A rectangle of whole pixels within an image. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Weights of one pass: output `i` is the weighted sum of the `count[i]` inputs from `start[i]`. */
interface Pass {
  readonly start: Int32Array;
  readonly count: Int32Array;
  /** `[outputs, stride]`, in units of 2^-22. */
  readonly weights: Int32Array;
  readonly stride: number;
}

interface Filter {
  /** Beyond this it is 0. */
  readonly support: number;
  weight(x: number): number;
}

const BICUBIC: Filter = { support: 2, weight: bicubic };
const BOX: Filter = { support: 0.5, weight: x => (x > -0.5 && x <= 0.5 ? 1 : 0) };

const PRECISION_BITS = 32 - 8 - 2; // 8 bits of pixel, and headroom for the kernel's overshoot
const HALF = 1 << (PRECISION_BITS - 1);

function bicubic(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
  return 0;
}

function computeCoefficients(filter: Filter, inputs: number, outputs: number): Pass {
  const scale = inputs / outputs;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const start = new Int32Array(outputs),
    count = new Int32Array(outputs),
    weights = new Int32Array(outputs * stride);
  for (let i = 0; i < outputs; i++) {
    const center = (i + 0.5) * scale;
    const first = Math.max(Math.trunc(center - support + 0.5), 0);
    const taps = Math.min(Math.trunc(center + support + 0.5), inputs) - first;
    const raw = Array.from({ length: taps }, (_, k) => filter.weight((k + first - center + 0.5) * (1 / filterScale)));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    raw.forEach((weight, k) => {
      const fixed = (weight / sum) * (1 << PRECISION_BITS);
      weights[i * stride + k] = Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    });
    start[i] = first;
    count[i] = taps;
  }
  return { start, count, weights, stride };
}

/** Crops of small images come in few sizes (at most as many as the image has rows or columns), so each is computed once. */
const caches = new Map<Filter, Map<number, Pass>>([BICUBIC, BOX].map(filter => [filter, new Map()]));
const MAX_SIZE = 2 ** 20;
const MOST_KEPT = 1024;

function coefficients(filter: Filter, inputs: number, outputs: number): Pass {
  const key = inputs * MAX_SIZE + outputs,
    cache = caches.get(filter)!;
  const known = cache.get(key);
  if (known) return known;
  if (cache.size >= MOST_KEPT) cache.clear(); // those of a crop of a large image are some 100 kB
  const found = computeCoefficients(filter, inputs, outputs);
  cache.set(key, found);
  return found;
}

/** Rows after the horizontal pass; grows to the largest image seen. */
let scratch = new Uint8Array(0);

type Size = Pick<Pixels, 'height' | 'width'>;

/** A part of a resized image. */
export interface Cutout extends Pick<Box, 'top' | 'left'> {
  /** Of all of the resized image. */
  readonly of: Size;
}

/**
 * Resizes the part `box` of `source` to the whole of `target`, or to an image that `target` is cut out of. Pixels outside the box have no
 * influence: as if it were cropped first. Source and target must not overlap.
 * @throws RangeError for a box outside the source, a target that is no part of the resized image, or different channels
 */
export function resizeBicubic(source: Pixels, box: Box, target: Pixels, cutout: Cutout = { of: target, top: 0, left: 0 }): void {
  resize(BICUBIC, source, box, target, cutout);
}

/** Resizes all of `source` to the whole of `target`: each pixel is the mean of the area that it covers. They must not overlap. */
export function resizeBox(source: Pixels, target: Pixels): void {
  resize(BOX, source, { top: 0, left: 0, height: source.height, width: source.width }, target, { of: target, top: 0, left: 0 });
}

function resize(filter: Filter, source: Pixels, box: Box, target: Pixels, { of, top, left }: Cutout): void {
  expectBox(source, box, target);
  expectPart(target, { of, top, left });
  const { channels, width: columns, height: rows } = target;
  const stride = source.width * channels,
    row = columns * channels;
  const across = passOf(filter, box.width, of.width, left, columns),
    down = passOf(filter, box.height, of.height, top, rows);
  // Of the box the rows that the target needs.
  const first = down ? down.start[0]! : top,
    last = down ? down.start[rows - 1]! + down.count[rows - 1]! : top + rows;
  const from = source.offset + (box.top + first) * stride + box.left * channels;
  const height = last - first;
  if (down && scratch.length < height * row) scratch = new Uint8Array(height * row);
  const [between, at] = down ? [scratch, 0] : [target.data, target.offset];
  if (!across) copyRows(source.data, from + left * channels, stride, between, at, height, row);
  else resizeRows(source.data, from, stride, across, between, at, height, columns, channels);
  if (!down) return;
  const before = -first * row; // where the first row of the box would be
  resizeColumns(between, before, row, down, target.data, target.offset, rows);
}

/** Of a pass the outputs from `first`; undefined where it changes nothing. */
function passOf(filter: Filter, inputs: number, outputs: number, first: number, count: number): Pass | undefined {
  if (inputs === outputs) return undefined;
  const all = coefficients(filter, inputs, outputs);
  if (count === outputs) return all;
  const end = first + count;
  return { start: all.start.subarray(first, end), count: all.count.subarray(first, end), weights: all.weights.subarray(first * all.stride, end * all.stride), stride: all.stride };
}

function copyRows(source: Uint8Array, from: number, stride: number, target: Uint8Array, to: number, rows: number, row: number): void {
  for (let y = 0; y < rows; y++) target.set(source.subarray(from + y * stride, from + y * stride + row), to + y * row);
}

/** `[rows, inputs, C]` at `from`, with rows `stride` bytes apart, to `[rows, columns, C]` at `to`. */
function resizeRows(
  source: Uint8Array,
  from: number,
  stride: number,
  { start, count, weights, stride: taps }: Pass,
  target: Uint8Array,
  to: number,
  rows: number,
  columns: number,
  channels: number,
): void {
  const native = nativeImages(channels);
  if (native) {
    native.resizeRows(source, from, stride, start, count, weights, taps, target, to, rows, columns);
    return;
  }
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const first = from + y * stride + start[x]! * channels;
      const n = count[x]!,
        w = x * taps;
      for (let c = 0; c < channels; c++) {
        let sum = HALF;
        for (let k = 0, p = first + c; k < n; k++, p += channels) sum += source[p]! * weights[w + k]!;
        target[to++] = toByte(sum);
      }
    }
  }
}

/** `[inputs, row]` at `from` to `[rows, row]` at `to`. */
function resizeColumns(source: Uint8Array, from: number, row: number, { start, count, weights, stride: taps }: Pass, target: Uint8Array, to: number, rows: number): void {
  const native = nativeImages();
  if (native) {
    native.resizeColumns(source, from, row, start, count, weights, taps, target, to, rows, row);
    return;
  }
  for (let y = 0; y < rows; y++) {
    const first = from + start[y]! * row;
    const n = count[y]!,
      w = y * taps;
    for (let x = 0; x < row; x++) {
      let sum = HALF;
      for (let k = 0, p = first + x; k < n; k++, p += row) sum += source[p]! * weights[w + k]!;
      target[to++] = toByte(sum);
    }
  }
}

/** Sums stay below 2^31: 255 * 2^22 times at most 1.4, the sum of a kernel's absolute weights. */
function toByte(sum: number): number {
  const value = sum >> PRECISION_BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function expectBox(source: Pixels, { top, left, height, width }: Box, target: Pixels): void {
  const inside = top >= 0 && left >= 0 && height >= 1 && width >= 1 && top + height <= source.height && left + width <= source.width;
  if (!inside || ![top, left, height, width].every(Number.isInteger)) {
    throw new RangeError(`Expected a box of whole pixels within ${source.height}x${source.width}, got ${height}x${width} at row ${top}, column ${left}.`);
  }
  if (source.channels !== target.channels) throw new RangeError(`Expected a target of ${source.channels} channels, got ${target.channels}.`);
}

function expectPart({ height, width }: Size, { of, top, left }: Cutout): void {
  if (top >= 0 && left >= 0 && top + height <= of.height && left + width <= of.width) return;
  throw new RangeError(`Expected a part of the resized image of ${of.height}x${of.width}, got ${height}x${width} at row ${top}, column ${left}.`);
}
