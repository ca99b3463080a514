/** What corruptions work on: the levels of one image as numbers that need not be whole. */
import type { Stream } from '../../../engine/random/rng.ts';
import type { Pixels } from '../resize.ts';

/** Levels `[H, W, C]`, of which 0 is black and 1 white; what is outside is cut off at the end. */
export interface Picture {
  readonly levels: Float64Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Where random numbers come from; how many a corruption takes, and in which order, is part of it. */
export type Draws = Pick<Stream, 'uniform' | 'normal'>;

const WHITE = 255;

export function toPicture({ data, offset, height, width, channels }: Pixels): Picture {
  const levels = new Float64Array(height * width * channels);
  for (let i = 0; i < levels.length; i++) levels[i] = data[offset + i]! / WHITE;
  return { levels, height, width, channels };
}

/** Rounds halves up, also those that come out a little smaller because sums were rounded. */
export const roundHalfUp = (value: number): number => Math.floor(value + 0.5 + 1e-9);

/** Rounds to bytes. */
export function writePicture({ levels }: Picture, { data, offset }: Pick<Pixels, 'data' | 'offset'>): void {
  for (let i = 0; i < levels.length; i++) {
    const level = roundHalfUp(levels[i]! * WHITE);
    data[offset + i] = level < 0 ? 0 : level > WHITE ? WHITE : level;
  }
}

/** The picture with other levels, each of them a function of the one before. */
export const mapPicture = (picture: Picture, level: (level: number, index: number) => number): Picture => ({ ...picture, levels: picture.levels.map(level) });

/** Index within `0 ... length - 1`; beyond an edge the picture goes on as in a mirror that stands on it (`b a | a b c`). */
export function mirrored(index: number, length: number): number {
  if (index >= 0 && index < length) return index;
  let at = index % (2 * length);
  if (at < 0) at += 2 * length;
  return at < length ? at : 2 * length - 1 - at;
}

/** Uniform in `[low, high)`. */
export const between = (draws: Draws, low: number, high: number): number => low + (high - low) * draws.uniform();

/** In one direction or the other. */
export const eitherWay = (value: number, draws: Draws): number => (draws.uniform() < 0.5 ? -value : value);
