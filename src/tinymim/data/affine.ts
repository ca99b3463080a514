/**
 * Affine transforms of bytes, bit for bit those of PIL (`Image.transform` with `AFFINE` and `BICUBIC`, `Image.rotate`). This bicubic is
 * another than that of a resize: a = -1 (not -0.5), four by four pixels whatever the scale, truncated and not rounded.
 * Source: python-pillow/Pillow, src/libImaging/Geometry.c (`affine_transform`, `bicubic_filter32RGB`) and src/PIL/Image.py (`rotate`).
 */
import type { Pixels } from './resize.ts';

/** Where a pixel comes from: `[a x + b y + c, d x + e y + f]` for the centre (x, y) of a pixel of the result. */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** The image as it was, while it is written over; grows to the largest image seen. */
let scratch = new Uint8Array(0);

/** Changes the image in place. @param fill level of each channel where a pixel would come from outside the image */
export function transformAffine({ data, offset, height, width, channels }: Pixels, [a, b, c, d, e, f]: Affine, fill: readonly number[]): void {
  const bytes = height * width * channels,
    stride = width * channels;
  if (scratch.length < bytes) scratch = new Uint8Array(bytes);
  scratch.set(data.subarray(offset, offset + bytes));
  let to = offset;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const fromX = a * (x + 0.5) + b * (y + 0.5) + c,
        fromY = d * (x + 0.5) + e * (y + 0.5) + f;
      if (!(fromX >= 0 && fromX < width && fromY >= 0 && fromY < height)) {
        for (let channel = 0; channel < channels; channel++) data[to++] = fill[channel]!;
        continue;
      }
      const column = Math.floor(fromX - 0.5),
        row = Math.floor(fromY - 0.5),
        dx = fromX - 0.5 - column,
        dy = fromY - 0.5 - row;
      // Of four columns and rows where the first byte is; beyond an edge its outermost pixels go on.
      const x0 = clamp(column - 1, width) * channels,
        x1 = clamp(column, width) * channels,
        x2 = clamp(column + 1, width) * channels,
        x3 = clamp(column + 2, width) * channels;
      const y0 = clamp(row - 1, height) * stride,
        y1 = clamp(row, height) * stride,
        y2 = clamp(row + 1, height) * stride,
        y3 = clamp(row + 2, height) * stride;
      for (let channel = 0; channel < channels; channel++) {
        const middle = ofRow(scratch, y1 + channel, x0, x1, x2, x3, dx);
        const value =
          dy === 0 ? middle : cubic(ofRow(scratch, y0 + channel, x0, x1, x2, x3, dx), middle, ofRow(scratch, y2 + channel, x0, x1, x2, x3, dx), ofRow(scratch, y3 + channel, x0, x1, x2, x3, dx), dy);
        data[to++] = value <= 0 ? 0 : value >= 255 ? 255 : value; // an array of bytes truncates
      }
    }
  }
}

const clamp = (at: number, length: number): number => (at < 0 ? 0 : at >= length ? length - 1 : at);

/** Between the bytes at `x1` and `x2`, from where a row begins. Apart from `cubic`, which is of other numbers than bytes: each is compiled for its own. */
function ofRow(source: Uint8Array, row: number, x0: number, x1: number, x2: number, x3: number, d: number): number {
  const v2 = source[row + x1]!;
  if (d === 0) return v2;
  const v1 = source[row + x0]!,
    v3 = source[row + x2]!,
    v4 = source[row + x3]!;
  return v2 + d * (v3 - v1 + d * (2 * (v1 - v2) + v3 - v4 + d * (v2 - v1 - v3 + v4)));
}

/** Between `v2` and `v3`, in PIL's order of operations: the last bit decides what is truncated. */
function cubic(v1: number, v2: number, v3: number, v4: number, d: number): number {
  return v2 + d * (-v1 + v3 + d * (2 * (v1 - v2) + v3 - v4 + d * (-v1 + v2 - v3 + v4)));
}

/** Of `Image.rotate` about the centre. @param degrees counter-clockwise, less than a right angle */
export function rotation(degrees: number, height: number, width: number): Affine {
  const turned = degrees % 360,
    angle = -((turned < 0 ? turned + 360 : turned) * (Math.PI / 180));
  const cos = round15(Math.cos(angle)),
    sin = round15(Math.sin(angle)),
    x = width / 2,
    y = height / 2;
  return [cos, sin, cos * -x + sin * -y + 0 + x, -sin, cos, -sin * -x + cos * -y + 0 + y];
}

const round15 = (value: number): number => Number(value.toFixed(15));
