/** Sliding windows over an image that is larger than what a model sees. */

/** Upper left corner of a window. */
export type Corner = readonly [top: number, left: number];

/**
 * Corners of windows that together see the whole image; the last of a row or column is moved back so that it lies on it.
 * Source: open-mmlab/mmsegmentation 0.11, mmseg/models/segmentors/encoder_decoder.py, `slide_inference`.
 */
export function windowCorners([height, width]: readonly [number, number], [down, across]: readonly [number, number], stride: readonly [number, number]): Corner[] {
  const starts = (length: number, window: number, by: number): number[] =>
    Array.from({ length: Math.floor(Math.max(length - window + by - 1, 0) / by) + 1 }, (_, i) => Math.max(Math.min(i * by + window, length) - window, 0));
  return starts(height, down, stride[0]).flatMap(top => starts(width, across, stride[1]).map((left): Corner => [top, left]));
}
