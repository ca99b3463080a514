/** An elastic transform: the picture is skewed a little, then its pixels come from places that move smoothly. */
import { between, mirrored, type Draws, type Picture } from './picture.ts';

/**
 * Source: Simard, Steinkraus, Platt, Best practices for convolutional neural networks, 2003; hendrycks/robustness, make_cifar_c.py, `elastic_transform`.
 * Draws x and y of three corners, which decide an affine map, then a uniform number for each row's pixels of the movement across, and of that along; where
 * nothing is moved, none of those.
 * @param distance that smoothed uniform numbers of [-1, 1) are multiplied by, `smoothness` of them (a standard deviation) and the largest move of a corner:
 *   as shares of the width
 */
export function elastic(picture: Picture, [distance, smoothness, skew]: readonly [number, number, number], draws: Draws): Picture {
  const { height, width } = picture;
  const skewed = sampled(picture, skewing(picture, skew * width, draws));
  if (distance === 0) return skewed;
  const field = (): Float64Array =>
    smoothed(
      Float64Array.from({ length: height * width }, () => between(draws, -1, 1)),
      height,
      width,
      smoothness * width,
    );
  const across = field(),
    along = field(),
    far = distance * width;
  return sampled(skewed, { rows: along.map((move, i) => Math.floor(i / width) + far * move), columns: across.map((move, i) => (i % width) + far * move) });
}

/** Where each pixel comes from, `[height, width]`. */
interface Places {
  readonly rows: Float64Array;
  readonly columns: Float64Array;
}

/** By the affine map that takes three corners of a square in the middle to places nearby. */
function skewing({ height, width }: Picture, most: number, draws: Draws): Places {
  const middleX = Math.floor(width / 2),
    middleY = Math.floor(height / 2),
    side = Math.max(Math.floor(Math.min(height, width) / 3), 1);
  const corners = ([[side, side], [side, -side], [-side, -side]] as const).map(([dx, dy]) => [middleX + dx, middleY + dy] as const); // prettier-ignore
  const [p, q, r] = corners.map(([x, y]) => [x + between(draws, -most, most), y + between(draws, -most, most)] as const) as unknown as readonly [Point, Point, Point];
  const [[px, py], [, qy], [rx]] = corners as unknown as readonly [Point, Point, Point];
  // From moved to unmoved: the sides of the triangle, p - q and q - r, were 2 side down and 2 side to the right.
  const ux = (p[0] - q[0]) / (py - qy),
    uy = (p[1] - q[1]) / (py - qy),
    vx = (q[0] - r[0]) / (px - rx),
    vy = (q[1] - r[1]) / (px - rx);
  const determinant = vx * uy - ux * vy;
  const rows = new Float64Array(height * width),
    columns = new Float64Array(height * width);
  for (let i = 0; i < rows.length; i++) {
    const dx = (i % width) - p[0],
      dy = Math.floor(i / width) - p[1];
    rows[i] = py + (vx * dy - vy * dx) / determinant;
    columns[i] = px + (uy * dx - ux * dy) / determinant;
  }
  return { rows, columns };
}

type Point = readonly [x: number, y: number];

/** Bilinear; beyond its edges the picture is mirrored. */
function sampled({ levels, height, width, channels }: Picture, { rows, columns }: Places): Picture {
  const result = new Float64Array(levels.length);
  for (let i = 0, to = 0; i < rows.length; i++) {
    const top = Math.floor(rows[i]!),
      left = Math.floor(columns[i]!),
      down = rows[i]! - top,
      right = columns[i]! - left;
    const upper = mirrored(top, height) * width,
      lower = mirrored(top + 1, height) * width,
      west = mirrored(left, width),
      east = mirrored(left + 1, width);
    for (let c = 0; c < channels; c++) {
      const above = (1 - right) * levels[(upper + west) * channels + c]! + right * levels[(upper + east) * channels + c]!,
        below = (1 - right) * levels[(lower + west) * channels + c]! + right * levels[(lower + east) * channels + c]!;
      result[to++] = (1 - down) * above + down * below;
    }
  }
  return { levels: result, height, width, channels };
}

/** Standard deviations at which the filter ends. */
const REACH = 3;

/** By a normal filter, along columns and then rows. @param values `[height, width]` */
function smoothed(values: Float64Array, height: number, width: number, deviation: number): Float64Array {
  const reach = Math.floor(REACH * deviation + 0.5),
    raw = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2))),
    sum = raw.reduce((a, b) => a + b, 0),
    weights = Float64Array.from(raw, weight => weight / sum);
  const pass = (source: Float64Array, length: number, lines: number, next: number, nextLine: number): Float64Array => {
    const result = new Float64Array(source.length),
      line = new Float64Array(length + 2 * reach);
    for (let l = 0; l < lines; l++) {
      for (let i = 0; i < line.length; i++) line[i] = source[l * nextLine + mirrored(i - reach, length) * next]!;
      for (let i = 0; i < length; i++) {
        let total = 0;
        for (let k = 0; k < weights.length; k++) total += weights[k]! * line[i + k]!;
        result[l * nextLine + i * next] = total;
      }
    }
    return result;
  };
  return pass(pass(values, height, width, width, 1), width, height, 1, width);
}
