/** Small PNGs written here are what other programs read. */
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../../../src/tinymim/data/decode/decode.ts';
import { palettePng, pngAddress } from '../../../../../src/tinymim/data/scenes/png.ts';

const palette = Array.from({ length: 16 }, (_, i) => [i, 2 * i, 255 - i] as const);

describe('a picture of few colours', () => {
  it('is read back pixel by pixel by the decoder of image files, and by zlib, for any pixels', () => {
    const size = fc.integer({ min: 1, max: 40 });
    const runs = fc.array(fc.tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 1, max: 400 })), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(size, size, runs, (width, height, drawn) => {
        const all = drawn.flatMap(([value, length]) => Array<number>(length).fill(value));
        const pixels = Uint8Array.from({ length: width * height }, (_, i) => all[i % all.length]!);
        const png = palettePng(pixels, width, palette);
        const decoded = decodeImage(png);
        expect([decoded.width, decoded.height]).toEqual([width, height]);
        expect([...decoded.data.subarray(decoded.offset)]).toEqual([...pixels].flatMap(value => [...palette[value]!]));
        const at = png.indexOf('IDAT'),
          data = png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4));
        expect(inflateSync(data)).toHaveLength(height * (1 + Math.ceil(width / 2)));
      }),
      { numRuns: 60 },
    );
  });

  it('of large areas is small, and text in a result', () => {
    const pixels = Uint8Array.from({ length: 56 * 56 }, (_, i) => (i % 56 > 20 && i > 900 ? 3 : 0));
    const address = pngAddress(palettePng(pixels, 56, palette.slice(0, 11)));
    expect(address).toMatch(/^data:image\/png;base64,[A-Za-z0-9+/]+=*$/);
    expect(address.length).toBeLessThan(700);
  });
});
