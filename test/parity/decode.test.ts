/** Files as folders in the wild hold them, decoded as PIL decodes them. Made by `decode/make.py`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../src/tinymim/data/decode/decode.ts';
import { fixturePath } from '../helpers/parity/fixtures.ts';

type Golden = { readonly size: readonly [width: number, height: number]; readonly sha256: string } | { readonly error: string };

const golden = Object.entries(JSON.parse(readFileSync(fixturePath('decode/golden.json'), 'utf8')) as Record<string, Golden>);
const file = (name: string): Uint8Array => readFileSync(fixturePath(`decode/${name}`));

describe('decodeImage', () => {
  it.each(golden.flatMap(([name, wanted]) => ('sha256' in wanted ? [[name, wanted] as const] : [])))('%s has the pixels of PIL', (name, { size, sha256 }) => {
    const { data, offset, height, width, channels } = decodeImage(file(name));
    expect([width, height, channels, offset, data.length]).toEqual([...size, 3, 0, size[0] * size[1] * 3]);
    expect(createHash('sha256').update(data).digest('hex')).toBe(sha256);
  });

  it.each(golden.flatMap(([name, wanted]) => ('error' in wanted ? [name] : [])))('%s is refused, as PIL refuses it', name => {
    expect(() => decodeImage(file(name))).toThrow(expect.objectContaining({ name: 'DecodeError', message: expect.stringMatching(/^(?:it|its) [a-z0-9]/) as string }));
  });

  it.each([
    ['without-end.jpg', 'it is truncated'],
    ['header.jpg', 'it ends within its header'],
    ['empty.jpg', 'it is empty'],
    ['text.jpg', 'it is no image'],
    ['checksum.png', 'it is damaged: a checksum is wrong'],
    ['lzw.tif', 'it is a TIFF file with compression 5, which is not read here (convert it to PNG)'],
    ['cut.tif', 'it is truncated'],
    ['cut.ppm', 'it is truncated'],
    ['huge.webp', 'its 16384 x 16384 pixels are more than the 178,956,970 that an image may have'],
    ['huge.png', 'its 40000 x 40000 pixels are more than the 178,956,970 that an image may have'],
  ])('%s: %s', (name, message) => {
    expect(() => decodeImage(file(name))).toThrow(message);
  });

  it('gives what PIL gives pixels of some kind, a file whose data are wrong and can be read', () => {
    expect(decodeImage(file('corrupt.jpg'))).toMatchObject({ width: 61, height: 43 });
  });

  it('decodes the next file as ever after one that is damaged', () => {
    const sound = decodeImage(file('rgb.jpg'));
    for (const name of ['half.jpg', 'unknown-marker.jpg', 'corrupt.jpg']) {
      try {
        decodeImage(file(name));
      } catch {
        // as it should be
      }
      expect(Buffer.compare(decodeImage(file('rgb.jpg')).data, sound.data), name).toBe(0);
    }
  });
});
