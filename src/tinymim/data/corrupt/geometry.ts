/** Pictures that are sheared, turned or made smaller about their centre, on bytes: sampled as `transformAffine` does; beyond their edges all is black. */
import { transformAffine, type Affine } from '../affine.ts';
import { resizeBox, type Pixels } from '../resize.ts';

/** Where a place relative to the centre comes from: `[a x + b y, c x + d y]`. */
type Linear = readonly [a: number, b: number, c: number, d: number];

/**
 * Slants to a side, and stretches from top to bottom.
 * Source of this and the next two, with their matrices: google-research/mnist-c, corruptions.py, `shear`, `rotate`, `scale`.
 * @param angle in radians
 */
export const shearing = (angle: number): Linear => [1, -Math.sin(angle), 0, Math.cos(angle)];
/** @param angle in radians */
export const turning = (angle: number): Linear => [Math.cos(angle), -Math.sin(angle), Math.sin(angle), Math.cos(angle)];
/** @param factor of the size of what is seen; below 1 it becomes smaller */
export const scaling = (factor: number): Linear => [1 / factor, 0, 0, 1 / factor];

/** The picture moved by `first`, and then by `then`. */
export const both = ([a, b, c, d]: Linear, [e, f, g, h]: Linear): Linear => [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h];

/** In place, about the centre. */
export function move(image: Pixels, [a, b, c, d]: Linear): void {
  const x = image.width / 2,
    y = image.height / 2;
  const affine: Affine = [a, b, x - a * x - b * y, c, d, y - c * x - d * y];
  transformAffine(image, affine, new Array<number>(image.channels).fill(0));
}

/** In place: fewer, larger pixels. @param share of the pixels of a row that is left. Source: hendrycks/robustness, make_cifar_c.py, `pixelate` */
export function pixelate(image: Pixels, share: number): void {
  const { height, width, channels } = image,
    rows = Math.max(Math.trunc(height * share), 1),
    columns = Math.max(Math.trunc(width * share), 1);
  const coarse: Pixels = { data: new Uint8Array(rows * columns * channels), offset: 0, height: rows, width: columns, channels };
  resizeBox(image, coarse);
  resizeBox(coarse, image);
}
