/**
 * What JPEG leaves of a picture: transform, quantisation and back, as libjpeg does it at a quality, but that colours keep their resolution (4:4:4)
 * and that the transforms are of real numbers, not of whole ones. A level may be off by some from what a file holds; no bits are written.
 * Source: ITU-T T.81, annexes A and K; ITU-T T.871 (colours); libjpeg, jcparam.c (`jpeg_quality_scaling`).
 */
import { roundHalfUp, type Picture } from './picture.ts';

/** Pixels of a side of a block. */
const N = 8;

/** Steps at quality 50, T.81 table K.1, and K.2 for colours. */
// prettier-ignore
const LUMINANCE = [
  16, 11, 10, 16, 24, 40, 51, 61,
  12, 12, 14, 19, 26, 58, 60, 55,
  14, 13, 16, 24, 40, 57, 69, 56,
  14, 17, 22, 29, 51, 87, 80, 62,
  18, 22, 37, 56, 68, 109, 103, 77,
  24, 35, 55, 64, 81, 104, 113, 92,
  49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
];
// prettier-ignore
const CHROMINANCE = [
  17, 18, 24, 47, 99, 99, 99, 99,
  18, 21, 26, 66, 99, 99, 99, 99,
  24, 26, 56, 99, 99, 99, 99, 99,
  47, 66, 99, 99, 99, 99, 99, 99,
  ...Array.from({ length: 4 * N }, () => 99),
];

/** @param quality 1 to 100 */
export function jpeg({ levels, height, width, channels }: Picture, quality: number): Picture {
  const bytes = levels.map(level => Math.round(level * 255));
  const planes = channels === 3 ? toYCbCr(bytes) : Array.from({ length: channels }, (_, c) => bytes.filter((_, i) => i % channels === c));
  const coded = planes.map((plane, c) => quantised(plane, height, width, steps(channels === 3 && c > 0 ? CHROMINANCE : LUMINANCE, quality)));
  const back = channels === 3 ? toRgb(coded) : levels.map((_, i) => coded[i % channels]![Math.floor(i / channels)]!);
  return { levels: back.map(level => level / 255), height, width, channels };
}

function steps(table: readonly number[], quality: number): Float64Array {
  const percent = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return Float64Array.from(table, step => Math.min(Math.max(Math.floor((step * percent + 50) / 100), 1), 255));
}

/** `COSINES[u * N + x]`: rows are the basis, orthonormal. */
const COSINES = Float64Array.from({ length: N * N }, (_, i) => {
  const u = Math.floor(i / N),
    x = i % N;
  return Math.sqrt((u === 0 ? 1 : 2) / N) * Math.cos(((2 * x + 1) * u * Math.PI) / (2 * N));
});
const TRANSPOSED = COSINES.map((_, i) => COSINES[(i % N) * N + Math.floor(i / N)]!);

/** `a b`, both `[N, N]`. */
function multiply(a: Float64Array, b: Float64Array, into: Float64Array): void {
  for (let row = 0; row < N; row++) {
    for (let column = 0; column < N; column++) {
      let sum = 0;
      for (let k = 0; k < N; k++) sum += a[row * N + k]! * b[k * N + column]!;
      into[row * N + column] = sum;
    }
  }
}

/** One channel of levels 0 to 255, block by block; what blocks have beyond an edge repeats its last pixels. */
function quantised(plane: Float64Array, height: number, width: number, step: Float64Array): Float64Array {
  const result = new Float64Array(plane.length),
    block = new Float64Array(N * N),
    between = new Float64Array(N * N);
  for (let top = 0; top < height; top += N) {
    for (let left = 0; left < width; left += N) {
      for (let i = 0; i < block.length; i++) {
        const y = Math.min(top + Math.floor(i / N), height - 1),
          x = Math.min(left + (i % N), width - 1);
        block[i] = plane[y * width + x]! - 128;
      }
      multiply(COSINES, block, between);
      multiply(between, TRANSPOSED, block);
      for (let i = 0; i < block.length; i++) block[i] = roundAway(block[i]! / step[i]!) * step[i]!;
      multiply(TRANSPOSED, block, between);
      multiply(between, COSINES, block);
      for (let y = top; y < Math.min(top + N, height); y++) {
        for (let x = left; x < Math.min(left + N, width); x++) result[y * width + x] = level(block[(y - top) * N + x - left]! + 128);
      }
    }
  }
  return result;
}

/** Halves away from 0, as coefficients are. */
const roundAway = (value: number): number => Math.sign(value) * roundHalfUp(Math.abs(value));

const level = (value: number): number => Math.min(Math.max(roundHalfUp(value), 0), 255);

/** @param rgb `[pixels, 3]` */
function toYCbCr(rgb: Float64Array): Float64Array[] {
  const pixels = rgb.length / 3;
  const plane = (of: (r: number, g: number, b: number) => number): Float64Array => Float64Array.from({ length: pixels }, (_, i) => level(of(rgb[3 * i]!, rgb[3 * i + 1]!, rgb[3 * i + 2]!)));
  return [plane((r, g, b) => 0.299 * r + 0.587 * g + 0.114 * b), plane((r, g, b) => 128 - 0.168736 * r - 0.331264 * g + 0.5 * b), plane((r, g, b) => 128 + 0.5 * r - 0.418688 * g - 0.081312 * b)];
}

function toRgb([luma, blue, red]: readonly Float64Array[]): Float64Array {
  return Float64Array.from({ length: 3 * luma!.length }, (_, i) => {
    const pixel = Math.floor(i / 3),
      y = luma![pixel]!,
      cb = blue![pixel]! - 128,
      cr = red![pixel]! - 128;
    return level([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb][i % 3]!);
  });
}
