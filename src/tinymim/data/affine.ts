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
export function transformAffine(image: Pixels, [a, b, c, d, e, f]: Affine, fill: readonly number[]): void {
  const { data, offset, height, width, channels } = image,
    bytes = height * width * channels;
  if (scratch.length < bytes) scratch = new Uint8Array(bytes);
  scratch.set(data.subarray(offset, offset + bytes));
  let to = offset;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += channels) {
      const fromX = a * (x + 0.5) + b * (y + 0.5) + c,
        fromY = d * (x + 0.5) + e * (y + 0.5) + f;
      if (fromX >= 0 && fromX < width && fromY >= 0 && fromY < height) interpolate(scratch, image, fromX - 0.5, fromY - 0.5, to);
      else for (let channel = 0; channel < channels; channel++) data[to + channel] = fill[channel]!;
    }
  }
}

/** Writes the pixel of `source` at (x, y), counted from the centre of the first pixel; beyond the edge its outermost pixels go on. */
function interpolate(source: Uint8Array, { data, height, width, channels }: Pixels, x: number, y: number, to: number): void {
  const column = Math.floor(x),
    row = Math.floor(y),
    dx = x - column,
    dy = y - row,
    stride = width * channels;
  const at = (i: number, last: number): number => (i < 0 ? 0 : i > last ? last : i);
  const x0 = at(column - 1, width - 1) * channels,
    x1 = at(column, width - 1) * channels,
    x2 = at(column + 1, width - 1) * channels,
    x3 = at(column + 2, width - 1) * channels;
  const y0 = at(row - 1, height - 1) * stride,
    y1 = at(row, height - 1) * stride,
    y2 = at(row + 1, height - 1) * stride,
    y3 = at(row + 2, height - 1) * stride;
  for (let channel = 0; channel < channels; channel++) {
    const along = (start: number): number => {
      const p = start + channel;
      return dx === 0 ? source[p + x1]! : cubic(source[p + x0]!, source[p + x1]!, source[p + x2]!, source[p + x3]!, dx);
    };
    const value = dy === 0 ? along(y1) : cubic(along(y0), along(y1), along(y2), along(y3), dy);
    data[to + channel] = value <= 0 ? 0 : value >= 255 ? 255 : value; // an array of bytes truncates
  }
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
