/**
 * Changes of levels that PIL's `ImageOps` and `ImageEnhance.Sharpness` make, on bytes and in place, bit for bit. Histograms are of each channel by itself.
 * Source: python-pillow/Pillow, src/PIL/ImageOps.py, src/PIL/ImageEnhance.py, src/libImaging/Filter.c.
 */
import { blend } from './color-jitter.ts';
import type { Pixels } from './resize.ts';

const LEVELS = 256;

/** Replaces levels, channel by channel. @param tableOf the new level of each, for a histogram `[256]` of a channel */
function mapLevels({ data, offset, height, width, channels }: Pixels, tableOf: (counts: Uint32Array) => ArrayLike<number> | undefined): void {
  const end = offset + height * width * channels;
  for (let channel = 0; channel < channels; channel++) {
    const counts = new Uint32Array(LEVELS);
    for (let i = offset + channel; i < end; i += channels) counts[data[i]!]!++;
    const table = tableOf(counts);
    if (table) for (let i = offset + channel; i < end; i += channels) data[i] = table[data[i]!]!;
  }
}

/** The same table for all channels. */
function mapAllLevels({ data, offset, height, width, channels }: Pixels, levelOf: (level: number) => number): void {
  const table = Uint8Array.from({ length: LEVELS }, (_, level) => levelOf(level)),
    end = offset + height * width * channels;
  for (let i = offset; i < end; i++) data[i] = table[data[i]!]!;
}

const byte = (value: number): number => Math.min(Math.max(Math.trunc(value), 0), LEVELS - 1);

/** The darkest level becomes 0, the lightest 255. */
export function autoContrast(image: Pixels): void {
  mapLevels(image, counts => {
    const darkest = counts.findIndex(n => n > 0),
      lightest = counts.findLastIndex(n => n > 0);
    if (lightest <= darkest) return undefined;
    const scale = (LEVELS - 1) / (lightest - darkest),
      shift = -darkest * scale;
    return Uint8Array.from({ length: LEVELS }, (_, level) => byte(level * scale + shift));
  });
}

/** Spreads levels so that they are equally frequent. */
export function equalize(image: Pixels): void {
  const pixels = image.height * image.width;
  mapLevels(image, counts => {
    const step = Math.floor((pixels - (counts.findLast(n => n > 0) ?? 0)) / (LEVELS - 1));
    if (step === 0) return undefined;
    let below = Math.floor(step / 2);
    return counts.map(n => {
      const level = byte(below / step); // of few pixels more than 255 can come out
      below += n;
      return level;
    });
  });
}

export function invert(image: Pixels): void {
  mapAllLevels(image, level => LEVELS - 1 - level);
}

/** Inverts levels from `threshold` on. */
export function solarize(image: Pixels, threshold: number): void {
  mapAllLevels(image, level => (level < threshold ? level : LEVELS - 1 - level));
}

/** Adds to levels below 128. Source: timm, `data/auto_augment.py`, `solarize_add`. */
export function solarizeAdd(image: Pixels, added: number): void {
  mapAllLevels(image, level => (level < LEVELS / 2 ? byte(level + added) : level));
}

/** Keeps the upper `bits` of 8; 0 makes the image black, as in the versions of PIL that do not refuse it (13.0 does). */
export function posterize(image: Pixels, bits: number): void {
  const mask = ~(2 ** (8 - bits) - 1);
  mapAllLevels(image, level => level & mask);
}

/** The image without its frame of one pixel, smoothed; grows to the largest image seen. */
let smooth = new Uint8Array(0);

/**
 * `smooth + factor * (image - smooth)`: 0 smooths, 1 changes nothing, more sharpens. PIL smooths by a kernel of 5/13 in the middle
 * and 1/13 around it, in float32 and rounded; the frame of one pixel stays. No sum of a kernel comes near a half, so that whole numbers give the same.
 */
export function sharpen(image: Pixels, factor: number): void {
  const { data, offset, height, width, channels } = image,
    row = width * channels,
    rounded = Math.fround(factor);
  if (factor === 1) return;
  if (smooth.length < height * row) smooth = new Uint8Array(height * row);
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * row + channels; i < (y + 1) * row - channels; i++) {
      const p = offset + i;
      let sum = 4 * data[p]!;
      for (let q = p - row; q <= p + row; q += row) sum += data[q - channels]! + data[q]! + data[q + channels]!;
      smooth[i] = (sum + 6) / 13; // an array of bytes truncates
    }
  }
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * row + channels; i < (y + 1) * row - channels; i++) data[offset + i] = blend(smooth[i]!, data[offset + i]!, rounded);
  }
}
