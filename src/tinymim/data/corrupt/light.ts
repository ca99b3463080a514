/** Fog, brightness and contrast. */
import { between, mapPicture, type Draws, type Picture } from './picture.ts';

/**
 * Fog that is denser here than there is laid over the picture, which then has its largest level again.
 * Source: hendrycks/robustness, make_cifar_c.py, `fog`.
 * @param density of the fog, where white is 1
 * @param decay see `plasma`
 */
export function fog(picture: Picture, [density, decay]: readonly [number, number], draws: Draws): Picture {
  const { height, width, channels, levels } = picture;
  const size = 2 ** Math.ceil(Math.log2(Math.max(height, width, 2))),
    dense = plasma(size, decay, draws),
    largest = levels.reduce((a, b) => Math.max(a, b), 0);
  const share = largest / (largest + density);
  return mapPicture(picture, (level, i) => {
    const pixel = Math.floor(i / channels);
    return (level + density * dense[Math.floor(pixel / width) * size + (pixel % width)]!) * share;
  });
}

/**
 * A random surface that has no edges: midpoints of squares and then of diamonds, ever smaller ones, are the mean of their corners and a number drawn
 * from [-s, s), row by row; s falls by the square of `decay` from one size to the next. Of diamonds those between two corners of a row come first.
 * Source: Fournier, Fussell, Carpenter, Computer rendering of stochastic models, 1982; `plasma_fractal` in hendrycks/robustness, make_cifar_c.py.
 * @returns `[size, size]`, from 0 to 1; it takes `size ** 2 - 1` uniform numbers
 */
function plasma(size: number, decay: number, draws: Draws): Float64Array {
  const surface = new Float64Array(size * size),
    last = size - 1; // its bits are those of a place
  const at = (row: number, column: number): number => surface[(row & last) * size + (column & last)]!;
  for (let step = size, spread = 1; step >= 2; step /= 2, spread /= decay * decay) {
    const half = step / 2;
    const fill = (top: number, left: number, corners: (row: number, column: number) => number): void => {
      for (let row = top; row < size; row += step) {
        for (let column = left; column < size; column += step) surface[row * size + column] = corners(row, column) / 4 + between(draws, -spread, spread);
      }
    };
    const diamond = (row: number, column: number): number => at(row - half, column) + at(row + half, column) + at(row, column - half) + at(row, column + half);
    fill(half, half, (row, column) => at(row - half, column - half) + at(row - half, column + half) + at(row + half, column - half) + at(row + half, column + half));
    fill(0, half, diamond);
    fill(half, 0, diamond);
  }
  const lowest = surface.reduce((a, b) => Math.min(a, b)),
    range = surface.reduce((a, b) => Math.max(a, b)) - lowest;
  return surface.map(value => (value - lowest) / range);
}

/** Raises the value of HSV, the largest of the channels, and keeps hue and saturation. @param added where white is 1 */
export function brightness(picture: Picture, added: number): Picture {
  const { levels, channels } = picture;
  if (channels === 1) return mapPicture(picture, level => level + added);
  return mapPicture(picture, (level, i) => {
    const first = i - (i % channels);
    let value = 0;
    for (let c = 0; c < channels; c++) value = Math.max(value, levels[first + c]!);
    const raised = Math.min(value + added, 1);
    return value === 0 ? raised : (level * raised) / value;
  });
}

/** Brings levels nearer to the mean of their channel. @param kept share of their distance to it */
export function contrast(picture: Picture, kept: number): Picture {
  const { levels, channels } = picture;
  const means = new Float64Array(channels);
  levels.forEach((level, i) => (means[i % channels]! += (level * channels) / levels.length));
  return mapPicture(picture, (level, i) => {
    const mean = means[i % channels]!;
    return mean + kept * (level - mean);
  });
}
