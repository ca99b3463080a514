/** How large an image may be. */
import { DecodeError } from './errors.ts';

/** As PIL: twice `Image.MAX_IMAGE_PIXELS`, above which it takes an image for an attack. */
const MOST_PIXELS = 2 * Math.floor((1024 * 1024 * 1024) / 4 / 3);

/** @throws DecodeError for one of no pixels, or of more than PIL takes */
export function expectFits(height: number, width: number): void {
  if (height < 1 || width < 1) throw new DecodeError(`it has ${width} x ${height} pixels`);
  if (height * width > MOST_PIXELS) throw new DecodeError(`its ${width} x ${height} pixels are more than the ${MOST_PIXELS.toLocaleString('en-US')} that an image may have`);
}
