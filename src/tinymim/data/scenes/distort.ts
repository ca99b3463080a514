/** Photometric distortion (SSD's; mmsegmentation's PhotoMetricDistortion): brightness, contrast, saturation and hue, each for half of the images. */
import type { Stream } from '../../../engine/random/rng.ts';
import type { Pixels } from '../resize.ts';

/** `null` where nothing is done. */
export interface Distortion {
  /** Added, in levels. */
  readonly brightness: number | null;
  readonly contrast: number | null;
  /** Whether contrast comes before saturation and hue. */
  readonly contrastFirst: boolean;
  readonly saturation: number | null;
  /** Turn of the hue, in degrees. */
  readonly hue: number | null;
}

const BRIGHTNESS = 32;
const FACTOR = [0.5, 1.5] as const;
/** In the units of OpenCV's bytes, in which a whole turn is 180. */
const HUE = 18;
const DEGREES = 2;

/** Draws brightness, order, contrast, saturation, hue: of each whether, then how much. Images of other than three channels have no saturation and no hue. */
export function drawDistortion(draws: Stream, channels: number): Distortion {
  const maybe = (draw: () => number): number | null => (draws.uniform() < 0.5 ? draw() : null);
  const factor = (): number => FACTOR[0] + (FACTOR[1] - FACTOR[0]) * draws.uniform();
  const brightness = maybe(() => BRIGHTNESS * (2 * draws.uniform() - 1)),
    contrastFirst = draws.uniform() < 0.5,
    contrast = maybe(factor);
  if (channels !== 3) return { brightness, contrastFirst, contrast, saturation: null, hue: null };
  return { brightness, contrastFirst, contrast, saturation: maybe(factor), hue: maybe(() => DEGREES * (draws.integer(2 * HUE + 1) - HUE)) };
}

/** Changes an image in place. Levels are cut off at 0 and 255 after each change, and their fractions dropped, as numpy's bytes are. */
export function distort({ data, offset, height, width, channels }: Pixels, { brightness, contrast, contrastFirst, saturation, hue }: Distortion): void {
  const levels = data.subarray(offset, offset + height * width * channels);
  const scaled = (factor: number, more = 0): void => {
    for (let i = 0; i < levels.length; i++) levels[i] = Math.min(Math.max(levels[i]! * factor + more, 0), 255);
  };
  if (brightness !== null) scaled(1, brightness);
  if (contrast !== null && contrastFirst) scaled(contrast);
  if (saturation !== null || hue !== null) for (let i = 0; i < levels.length; i += 3) recolour(levels, i, saturation ?? 1, hue ?? 0);
  if (contrast !== null && !contrastFirst) scaled(contrast);
}

/** Changes saturation and hue of a pixel at the value that it has (HSV). */
function recolour(levels: Uint8Array, at: number, saturation: number, hue: number): void {
  const [red, green, blue] = [levels[at]!, levels[at + 1]!, levels[at + 2]!];
  const value = Math.max(red, green, blue),
    chroma = value - Math.min(red, green, blue);
  if (chroma === 0) return;
  const sector = value === red ? (green - blue) / chroma : value === green ? 2 + (blue - red) / chroma : 4 + (red - green) / chroma;
  const turned = sector + hue / 60,
    width = Math.min(chroma * saturation, value);
  // Distance of each channel from the hue, in sectors of 60 degrees: red lies at 0, green at 2, blue at 4.
  [0, 2, 4].forEach((place, c) => {
    const away = Math.abs(((((turned - place) % 6) + 9) % 6) - 3);
    levels[at + c] = Math.round(value - width * Math.min(Math.max(away - 1, 0), 1));
  });
}
