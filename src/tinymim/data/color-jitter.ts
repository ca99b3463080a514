/** torchvision's ColorJitter on bytes (brightness, contrast, saturation), with the arithmetic of PIL's `ImageEnhance`. */
import type { Stream } from '../../engine/random/rng.ts';
import { nativeImages } from './native.ts';
import type { Pixels } from './resize.ts';

/** Each factor is drawn from [max(0, 1 - x), 1 + x]; 0 leaves the image as it is. */
export interface JitterOptions {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation?: number;
}

export type Adjustment = 'brightness' | 'contrast' | 'saturation';

/** What to do to one image: factors, in the order of their application. */
export type Jitter = readonly (readonly [Adjustment, factor: number])[];

const ADJUSTMENTS = ['brightness', 'contrast', 'saturation'] as const;

/**
 * Draws factors and order: three uniforms, then a permutation, whatever is turned on, so that turning one off changes no other.
 * Source: torchvision/transforms/transforms.py, `ColorJitter.get_params`.
 */
export function drawJitter(draws: Stream, options: JitterOptions): Jitter {
  const factors = ADJUSTMENTS.map(name => {
    const x = options[name] ?? 0;
    const low = Math.max(0, 1 - x);
    return [name, low + (1 + x - low) * draws.uniform()] as const;
  });
  return Array.from(draws.permutation(ADJUSTMENTS.length), i => factors[i]!);
}

/** Changes the image in place. On grey images saturation has nothing to act on. */
export function applyJitter(image: Pixels, jitter: Jitter): void {
  for (const [adjustment, factor] of jitter) {
    if (factor === 1) continue; // PIL's blend then returns its input
    if (adjustment === 'brightness') blendWithLevel(image, 0, factor);
    else if (adjustment === 'contrast') blendWithLevel(image, Math.floor(meanLuma(image) + 0.5), factor);
    else if (image.channels === 3) blendWithLuma(image, factor);
  }
}

/**
 * `from + factor * (to - from)` in float32, clipped and truncated to a byte. @param factor rounded to float32
 * Source: python-pillow/Pillow, src/libImaging/Blend.c.
 */
export function blend(from: number, to: number, factor: number): number {
  const value = Math.fround(from + Math.fround(factor * (to - from)));
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
}

const table = new Uint8Array(256);

function blendWithLevel({ data, offset, height, width, channels }: Pixels, level: number, factor: number): void {
  const rounded = Math.fround(factor);
  for (let v = 0; v < 256; v++) table[v] = blend(level, v, rounded);
  const native = nativeImages(channels);
  if (native) {
    native.replaceLevels(data, offset, height * width, table);
    return;
  }
  const end = offset + height * width * channels;
  for (let i = offset; i < end; i++) data[i] = table[data[i]!]!;
}

function blendWithLuma({ data, offset, height, width }: Pixels, factor: number): void {
  const native = nativeImages();
  if (native) {
    native.blendWithLuma(data, offset, height * width, factor);
    return;
  }
  const rounded = Math.fround(factor);
  const end = offset + height * width * 3;
  for (let i = offset; i < end; i += 3) {
    const grey = luma(data[i]!, data[i + 1]!, data[i + 2]!);
    for (let c = 0; c < 3; c++) data[i + c] = blend(grey, data[i + c]!, rounded);
  }
}

/** ITU-R 601 luma as PIL's `convert('L')` rounds it. */
function luma(red: number, green: number, blue: number): number {
  return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
}

/** Mean grey level; images of one channel are grey already. */
function meanLuma({ data, offset, height, width, channels }: Pixels): number {
  const native = nativeImages(channels);
  if (native) return native.sumLuma(data, offset, height * width) / (height * width);
  const end = offset + height * width * channels;
  let sum = 0;
  if (channels === 3) {
    for (let i = offset; i < end; i += 3) sum += luma(data[i]!, data[i + 1]!, data[i + 2]!);
    return sum / (height * width);
  }
  for (let i = offset; i < end; i++) sum += data[i]!;
  return sum / (height * width * channels);
}
