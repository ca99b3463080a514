/**
 * Seeded procedural images for tests: a shape for each class, with position, size, contrast, brightness, tint, a background of
 * waves and noise drawn at random. Brightness is the same for all classes on average, so pixels have to be compared to
 * tell classes apart. All shapes look the same in a mirror, so flipping keeps the class.
 */
import { stream, type Stream } from '../../engine/random/rng.ts';
import { allocateImageSet, imageBytes, type ImageSet } from './image-set.ts';
import { SHAPES, type DataSpec, type Split } from './spec.ts';

export type ProceduralSpec = Extract<DataSpec, { name: 'procedural' }>;

/** Whether a point belongs to the shape. Its coordinates are relative to the shape's box: [-1, 1], x to the right, y down. */
const INSIDE: Readonly<Record<(typeof SHAPES)[number], (x: number, y: number) => boolean>> = {
  disc: (x, y) => x * x + y * y < 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.85,
  triangle: (x, y) => Math.abs(y) < 0.9 && Math.abs(x) < (y + 0.9) / 1.8,
  ring: (x, y) => x * x + y * y < 1 && x * x + y * y > 0.35,
  plus: (x, y) => Math.min(Math.abs(x), Math.abs(y)) < 0.28 && Math.max(Math.abs(x), Math.abs(y)) < 1,
  diamond: (x, y) => Math.abs(x) + Math.abs(y) < 1,
  'horizontal bars': (x, y) => Math.abs(x) < 0.9 && Math.abs(y) < 0.9 && Math.abs(y) > 0.35,
  'vertical bars': (x, y) => Math.abs(x) < 0.9 && Math.abs(y) < 0.9 && Math.abs(x) > 0.35,
  chevron: (x, y) => Math.abs(x) < 1 && Math.abs(y + 0.5 - Math.abs(x)) < 0.35,
  hourglass: (x, y) => Math.abs(y) < 0.95 && Math.abs(x) < Math.abs(y),
};

/** `spec[split]` images, in turn of each class. Image i of a split depends on the seed and i alone, not on how many there are. */
export function proceduralSet(spec: ProceduralSpec, split: Split): ImageSet {
  const [height, width] = spec.image_size;
  const set = allocateImageSet({
    name: `procedural/${split}`,
    count: spec[split],
    height,
    width,
    channels: spec.channels,
    classes: SHAPES.slice(0, spec.classes),
  });
  const bytes = imageBytes(set);
  for (let i = 0; i < set.count; i++) {
    set.labels[i] = i % spec.classes;
    draw(stream(spec.seed, `procedural/${split}`, i), SHAPES[i % spec.classes]!, set, set.images.subarray(i * bytes, (i + 1) * bytes));
  }
  return set;
}

const between = (draws: Stream, low: number, high: number): number => low + (high - low) * draws.uniform();

function draw(draws: Stream, shape: keyof typeof INSIDE, { height, width, channels }: ImageSet, target: Uint8Array): void {
  const radius = between(draws, 0.5, 0.85);
  const centerX = between(draws, -0.25, 0.25),
    centerY = between(draws, -0.25, 0.25);
  const contrast = between(draws, 0.3, 0.55),
    brightness = between(draws, 0.4, 0.6);
  const waveX = between(draws, -6, 6),
    waveY = between(draws, -6, 6),
    phase = between(draws, 0, 2 * Math.PI);
  const tint = Array.from({ length: channels }, () => (channels === 1 ? 1 : between(draws, 0.6, 1)));
  const pattern = new Float64Array(height * width);
  for (let i = 0; i < pattern.length; i++) {
    const x = (((i % width) + 0.5) * 2) / width - 1,
      y = ((Math.floor(i / width) + 0.5) * 2) / height - 1;
    const wave = 0.15 * Math.sin(waveX * x + waveY * y + phase);
    pattern[i] = (INSIDE[shape]((x - centerX) / radius, (y - centerY) / radius) ? contrast : 0) + wave;
  }
  const shift = brightness - pattern.reduce((sum, value) => sum + value, 0) / pattern.length; // else brightness would tell the shape
  for (let i = 0; i < target.length; i++) {
    const noise = between(draws, -0.1, 0.1);
    const value = (pattern[Math.floor(i / channels)]! + shift) * tint[i % channels]! + noise;
    target[i] = Math.min(Math.max(Math.round(value * 255), 0), 255);
  }
}
