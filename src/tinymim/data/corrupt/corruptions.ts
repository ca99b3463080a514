/**
 * Corruptions of small pictures at five severities: each a function of the picture and what is drawn.
 *
 * Twelve are those of ImageNet-C (Hendrycks & Dietterich, arXiv:1903.12261), with the values that its authors chose for the 32 pixels of CIFAR-10
 * (hendrycks/robustness, make_cifar_c.py, at commit ca36008), here for 28. Frost and snow need photographs of them, and glass swaps pixels of a
 * sharp picture: in their place are shear, scale and rotation of MNIST-C (Mu & Gilmer, arXiv:1906.02337; google-research/mnist-c, corruptions.py, at
 * commit aa07569), with its values for 28 pixels. Where ours differ from theirs: bytes are rounded, not cut off; impulse noise takes one number for a
 * value, not two; pictures are mirrored beyond their edges by all blurs and by the elastic transform; geometry is sampled as PIL's bicubic does; and
 * JPEG keeps the resolution of colours.
 */
import type { Pixels } from '../resize.ts';
import { defocusBlur, motionBlur, zoomBlur } from './blur.ts';
import { elastic } from './elastic.ts';
import { move, pixelate, scaling, shearing, turning } from './geometry.ts';
import { jpeg } from './jpeg.ts';
import { brightness, contrast, fog } from './light.ts';
import { gaussianNoise, impulseNoise, shotNoise } from './noise.ts';
import { eitherWay, toPicture, writePicture, type Draws, type Picture } from './picture.ts';
import type { CorruptionName, Severity } from '../corruption-names.ts';

/** Changes an image in place. */
type Corrupt = (image: Pixels, severity: Severity, draws: Draws) => void;

/** One of five values, the mildest first. */
type Values<V> = readonly [V, V, V, V, V];

const onLevels =
  <V>(values: Values<V>, change: (picture: Picture, value: V, draws: Draws) => Picture): Corrupt =>
  (image, severity, draws) => {
    writePicture(change(toPicture(image), values[severity - 1]!, draws), image);
  };

const onBytes =
  <V>(values: Values<V>, change: (image: Pixels, value: V, draws: Draws) => void): Corrupt =>
  (image, severity, draws) => {
    change(image, values[severity - 1]!, draws);
  };

/** Radians, of shear and rotation. */
const ANGLES: Values<number> = [0.2, 0.4, 0.6, 0.8, 1];

const CORRUPTIONS: Readonly<Record<CorruptionName, Corrupt>> = {
  gaussian_noise: onLevels([0.04, 0.06, 0.08, 0.09, 0.1], gaussianNoise),
  shot_noise: onLevels([500, 250, 100, 75, 50], shotNoise),
  impulse_noise: onLevels([0.01, 0.02, 0.03, 0.05, 0.07], impulseNoise),
  defocus_blur: onLevels([[0.3, 0.4], [0.4, 0.5], [0.5, 0.6], [1, 0.2], [1.5, 0.1]], defocusBlur), // prettier-ignore
  motion_blur: onLevels([[6, 1], [6, 1.5], [6, 2], [8, 2], [9, 2.5]], motionBlur), // prettier-ignore
  zoom_blur: onLevels([5, 10, 15, 20, 25], zoomBlur),
  fog: onLevels([[0.2, 3], [0.5, 3], [0.75, 2.5], [1, 2], [1.5, 1.75]], fog), // prettier-ignore
  brightness: onLevels([0.05, 0.1, 0.15, 0.2, 0.3], brightness),
  contrast: onLevels([0.75, 0.5, 0.4, 0.3, 0.15], contrast),
  elastic_transform: onLevels([[0, 0, 0.08], [0.05, 0.2, 0.07], [0.08, 0.06, 0.06], [0.1, 0.04, 0.05], [0.1, 0.03, 0.03]], elastic), // prettier-ignore
  pixelate: onBytes([0.95, 0.9, 0.85, 0.75, 0.65], pixelate),
  jpeg_compression: onLevels([80, 65, 58, 50, 40], jpeg),
  shear: onBytes(ANGLES, (image, angle, draws) => {
    move(image, shearing(eitherWay(angle, draws)));
  }),
  scale: onBytes([0.9, 0.8, 0.7, 0.6, 0.5], (image, factor) => {
    move(image, scaling(factor));
  }),
  rotate: onBytes(ANGLES, (image, angle, draws) => {
    move(image, turning(eitherWay(angle, draws)));
  }),
};

/** Changes an image in place. */
export function corrupt(image: Pixels, name: CorruptionName, severity: Severity, draws: Draws): void {
  CORRUPTIONS[name](image, severity, draws);
}
