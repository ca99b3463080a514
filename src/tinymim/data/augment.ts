/** torchvision's random transforms on bytes, with PIL's arithmetic. What is drawn is apart from what is done with it. */
import type { Stream } from '../../engine/random/rng.ts';
import { nativeImages } from './native.ts';
import { resizeBicubic, type Box, type Pixels } from './resize.ts';

/** Parameters of RandomResizedCrop: ranges of the part of the area that is kept, and of its aspect ratio width / height. */
export interface CropOptions {
  readonly scale: readonly [number, number];
  readonly ratio: readonly [number, number];
}

const uniform = (draws: Stream, low: number, high: number): number => low + (high - low) * draws.uniform();

/** Python's `round`: halves go to the even neighbour. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest === 0.5 ? floor + (floor % 2) : Math.round(x);
}

const CROP_TRIES = 10;

/**
 * The box of RandomResizedCrop: area uniform in `scale`, ratio log-uniform in `ratio`; after ten boxes that do not fit, the
 * largest central one. Each try draws area and ratio, the last also row and column.
 * Source: pytorch/vision, torchvision/transforms/transforms.py, `RandomResizedCrop.get_params`.
 */
export function randomResizedCrop(draws: Stream, height: number, width: number, { scale, ratio }: CropOptions): Box {
  const logLow = Math.log(ratio[0]),
    logHigh = Math.log(ratio[1]);
  for (let attempt = 0; attempt < CROP_TRIES; attempt++) {
    const area = height * width * uniform(draws, scale[0], scale[1]);
    const aspect = Math.exp(uniform(draws, logLow, logHigh));
    const w = roundHalfEven(Math.sqrt(area * aspect)),
      h = roundHalfEven(Math.sqrt(area / aspect));
    if (w > 0 && w <= width && h > 0 && h <= height) {
      return { top: draws.integer(height - h + 1), left: draws.integer(width - w + 1), height: h, width: w };
    }
  }
  return largestCentralBox(height, width, ratio);
}

function largestCentralBox(height: number, width: number, ratio: readonly [number, number]): Box {
  const own = width / height;
  const w = own > ratio[1] ? Math.max(roundHalfEven(height * ratio[1]), 1) : width;
  const h = own < ratio[0] ? Math.max(roundHalfEven(width / ratio[0]), 1) : height;
  return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w };
}

/**
 * Resize and CenterCrop: the shorter side of the image becomes `resize`, then the centre is cut out. Source: torchvision/transforms/functional.py,
 * `_compute_resized_output_size` and `center_crop`.
 * @param target no larger than the resized image
 * @param resize default: the least that fills `target`, so that of an image of its shape nothing is cut off
 */
export function centralImage(source: Pixels, target: Pixels, resize?: number): void {
  const of = resizedSize(source, target, resize);
  const top = roundHalfEven((of.height - target.height) / 2),
    left = roundHalfEven((of.width - target.width) / 2);
  resizeBicubic(source, { top: 0, left: 0, height: source.height, width: source.width }, target, { of, top, left });
}

type Size = Pick<Pixels, 'height' | 'width'>;

function resizedSize({ height, width }: Size, target: Size, resize?: number): Size {
  const byHeight = (side: number): Size => ({ height: side, width: Math.trunc((side * width) / height) });
  const byWidth = (side: number): Size => ({ height: Math.trunc((side * height) / width), width: side });
  if (resize !== undefined) return height <= width ? byHeight(resize) : byWidth(resize);
  return target.height * width >= target.width * height ? byHeight(target.height) : byWidth(target.width);
}

/** Mirrors the image left to right, in place. */
export function flipHorizontal({ data, offset, height, width, channels }: Pixels): void {
  const native = nativeImages(channels);
  if (native) {
    native.flipPixels(data, offset, height * width, width);
    return;
  }
  for (let y = 0; y < height; y++) {
    let left = offset + y * width * channels,
      right = left + (width - 1) * channels;
    for (; left < right; left += channels, right -= channels) {
      for (let c = 0; c < channels; c++) {
        const byte = data[left + c]!;
        data[left + c] = data[right + c]!;
        data[right + c] = byte;
      }
    }
  }
}
