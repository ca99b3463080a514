/** Blurs: an image out of focus, a camera that moves, and one that zooms. Beyond its edges a picture is mirrored. */
import { between, mirrored, type Draws, type Picture } from './picture.ts';

/** A filter: weights at places relative to a pixel. */
type Tap = readonly [row: number, column: number, weight: number];

/**
 * A disc of whole pixels, smoothed by a normal filter of 3 x 3. Source: hendrycks/robustness, make_cifar_c.py, `disk` and `defocus_blur`.
 * @param radius in pixels
 * @param smoothing standard deviation of the second filter, in pixels
 */
export const defocusBlur = (picture: Picture, [radius, smoothing]: readonly [number, number]): Picture => filtered(picture, disc(radius, smoothing));

const discs = new Map<string, readonly Tap[]>();

function disc(radius: number, smoothing: number): readonly Tap[] {
  const key = `${radius} ${smoothing}`,
    known = discs.get(key);
  if (known) return known;
  const r = Math.floor(radius),
    size = r + 1;
  const side = Math.exp(-1 / (2 * smoothing ** 2)),
    smooth = [side, 1, side].map(w => w / (1 + 2 * side));
  const weights = new Map<string, number>();
  let inside = 0;
  for (let y = -r; y <= r; y++) {
    for (let x = -r; x <= r; x++) {
      if (x * x + y * y > radius * radius) continue;
      inside++;
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const place = `${y + dy} ${x + dx}`;
          weights.set(place, (weights.get(place) ?? 0) + smooth[dy + 1]! * smooth[dx + 1]!);
        }
      }
    }
  }
  const taps: Tap[] = [];
  for (let y = -size; y <= size; y++) {
    for (let x = -size; x <= size; x++) {
      const weight = weights.get(`${y} ${x}`);
      if (weight !== undefined) taps.push([y, x, weight / inside]);
    }
  }
  discs.set(key, taps);
  return taps;
}

/**
 * Each pixel is a mean of those in one direction, which is up to 45 degrees off the horizontal: one uniform number. Their weights fall as half of a
 * normal distribution. Source: ImageMagick, `MotionBlurImage`, which hendrycks/robustness calls.
 * @param length there are twice as many pixels behind each
 * @param deviation of the weights, in pixels
 */
export function motionBlur(picture: Picture, [length, deviation]: readonly [number, number], draws: Draws): Picture {
  const angle = between(draws, -Math.PI / 4, Math.PI / 4),
    weights = Array.from({ length: 2 * length + 1 }, (_, i) => Math.exp(-(i * i) / (2 * deviation * deviation))),
    sum = weights.reduce((a, b) => a + b, 0);
  return filtered(
    picture,
    weights.map((weight, i) => [Math.round(i * Math.sin(angle)), Math.round(i * Math.cos(angle)), weight / sum]),
  );
}

function filtered({ levels, height, width, channels }: Picture, taps: readonly Tap[]): Picture {
  const result = new Float64Array(levels.length);
  for (const [dy, dx, weight] of taps) {
    if (weight < NEGLIGIBLE) continue;
    const columns = Int32Array.from({ length: width }, (_, x) => mirrored(x + dx, width) * channels);
    for (let y = 0, to = 0; y < height; y++) {
      const row = mirrored(y + dy, height) * width * channels;
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) result[to++]! += weight * levels[row + columns[x]! + c]!;
      }
    }
  }
  return { levels: result, height, width, channels };
}

/** Of a level of 1/255 the ten-thousandth part. */
const NEGLIGIBLE = 4e-7;

/**
 * The mean of a picture, which counts twice, and of its enlargements about the centre, by 1.00, 1.01, ... and `1 + steps / 100`.
 * Source: hendrycks/robustness, make_cifar_c.py, `zoom_blur`.
 */
export function zoomBlur({ levels, height, width, channels }: Picture, steps: number): Picture {
  const sum = levels.map(level => 2 * level);
  for (let step = 1; step <= steps; step++) {
    const rows = enlarged(height, 1 + step / 100),
      columns = enlarged(width, 1 + step / 100);
    for (let y = 0, to = 0; y < height; y++) {
      const { first, share } = rows[y]!,
        upper = first * width,
        lower = Math.min(first + 1, height - 1) * width;
      for (let x = 0; x < width; x++) {
        const { first: left, share: part } = columns[x]!,
          right = Math.min(left + 1, width - 1);
        for (let c = 0; c < channels; c++) {
          const above = (1 - part) * levels[(upper + left) * channels + c]! + part * levels[(upper + right) * channels + c]!,
            below = (1 - part) * levels[(lower + left) * channels + c]! + part * levels[(lower + right) * channels + c]!;
          sum[to++]! += (1 - share) * above + share * below;
        }
      }
    }
  }
  return { levels: sum.map(level => level / (steps + 2)), height, width, channels };
}

/** For each pixel of an enlarged line the pixel before its place, and the share of the one behind it. */
function enlarged(length: number, factor: number): readonly { readonly first: number; readonly share: number }[] {
  const middle = (length - 1) / 2;
  return Array.from({ length }, (_, i) => {
    const at = middle + (i - middle) / factor,
      first = Math.floor(at);
    return { first, share: at - first };
  });
}
