/** Pictures of the same things that look otherwise than those of the training. How far is ours to choose, and no source's: the middle severities of MNIST-C. */
import type { Pixels } from '../resize.ts';
import { invert } from '../tone.ts';
import { both, move, scaling, shearing } from './geometry.ts';
import { between, eitherWay, type Draws } from './picture.ts';

/** Radians. */
const SHEAR = [0.2, 0.6] as const,
  SLIGHT_SHEAR = [0, 0.2] as const;
/** Of the size of what is seen. */
const SCALE = [0.6, 0.9] as const;

/** Changes an image in place. Each draws an angle and its direction first. */
const SHIFTS = {
  'sheared-scaled': (image: Pixels, draws: Draws) => {
    const shear = shearing(eitherWay(between(draws, ...SHEAR), draws));
    move(image, both(shear, scaling(between(draws, ...SCALE))));
  },
  'shade-inverted': (image: Pixels, draws: Draws) => {
    move(image, shearing(eitherWay(between(draws, ...SLIGHT_SHEAR), draws)));
    invert(image);
  },
};

export type ShiftName = keyof typeof SHIFTS;

/** Changes an image in place. */
export function shift(image: Pixels, name: ShiftName, draws: Draws): void {
  SHIFTS[name](image, draws);
}
