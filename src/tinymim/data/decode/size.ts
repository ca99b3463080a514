/** How large an image may be. */
import { DecodeError } from './errors.ts';

/** As PIL: twice `Image.MAX_IMAGE_PIXELS`, above which it takes an image for an attack. */
const MOST_PIXELS = 2 * Math.floor((1024 * 1024 * 1024) / 4 / 3);

/** What is wrong with an image of this size, as a clause about its file: no pixels, or more than PIL takes. */
export function misfit(height: number, width: number): string | undefined {
  if (height < 1 || width < 1) return `it has ${width} x ${height} pixels`;
  return height * width > MOST_PIXELS ? `its ${width} x ${height} pixels are more than the ${MOST_PIXELS.toLocaleString('en-US')} that an image may have` : undefined;
}

/** @throws DecodeError */
export function expectFits(height: number, width: number): void {
  const problem = misfit(height, width);
  if (problem !== undefined) throw new DecodeError(problem);
}
