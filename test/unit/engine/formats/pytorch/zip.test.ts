/** What no small file of PyTorch has: zip64, and what is wrong with an archive beside damage. */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytesInMemory } from '../../../../../src/engine/formats/bytes.ts';
import { zipRecords } from '../../../../../src/engine/formats/pytorch/zip.ts';

interface Parts {
  readonly flags?: number;
  readonly method?: number;
  /** Names of the records; each holds its name. */
  readonly names?: readonly string[];
  readonly sixtyFour?: boolean;
  /** Bytes of the zip64 field that are left out. */
  readonly lacking?: number;
  readonly comment?: string;
}

/** Numbers of so many bytes each, little-endian. */
const pack = (...fields: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Buffer =>
  Buffer.concat(
    fields.map(([bytes, value]) => {
      const buffer = Buffer.alloc(8);
      buffer.writeBigUInt64LE(BigInt(value));
      return buffer.subarray(0, bytes);
    }),
  );
const FULL = 0xffffffff;

/** As APPNOTE.TXT lays it out. */
function archive({ flags = 0, method = 0, names = ['a/data.pkl', 'a/data/0'], sixtyFour = false, lacking = 0, comment = '' }: Parts = {}): Buffer {
  const locals: Buffer[] = [],
    entries: Buffer[] = [];
  let offset = 0;
  for (const name of names) {
    const data = Buffer.from(name),
      crc = crc32(data);
    const local = Buffer.concat([pack([4, 0x04034b50], [2, 45], [2, flags], [2, method], [4, 0], [4, crc], [4, data.length], [4, data.length], [2, data.length], [2, 0]), data, data]);
    const field = Buffer.concat([pack([2, 1], [2, 24 - lacking]), pack([8, data.length], [8, data.length], [8, offset]).subarray(0, 24 - lacking)]);
    const extra = sixtyFour ? Buffer.concat([pack([2, 0x4246], [2, 2], [2, 0]), field]) : Buffer.alloc(0);
    const sizes = sixtyFour ? [FULL, FULL, FULL] : [data.length, data.length, offset];
    entries.push(
      pack(
        [4, 0x02014b50],
        [2, 45],
        [2, 45],
        [2, flags],
        [2, method],
        [4, 0],
        [4, crc],
        [4, sizes[0]!],
        [4, sizes[1]!],
        [2, data.length],
        [2, extra.length],
        [2, 0],
        [2, 0],
        [2, 0],
        [4, 0],
        [4, sizes[2]!],
      ),
      data,
      extra,
    );
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(entries);
  const end64 = pack([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, names.length], [8, names.length], [8, directory.length], [8, offset]);
  const locator = pack([4, 0x07064b50], [4, 0], [8, offset + directory.length], [4, 1]);
  const small = sixtyFour ? [0xffff, FULL, FULL] : [names.length, directory.length, offset];
  const end = pack([4, 0x06054b50], [2, 0], [2, 0], [2, small[0]!], [2, small[0]!], [4, small[1]!], [4, small[2]!], [2, comment.length]);
  return Buffer.concat([...locals, directory, ...(sixtyFour ? [end64, locator] : []), end, Buffer.from(comment)]);
}

const read = (bytes: Buffer): Record<string, string> =>
  Object.fromEntries([...zipRecords(bytesInMemory(bytes, 'file'))].map(([name, record]) => [name, Buffer.from(record.read(0, record.size)).toString()]));

describe('records of a zip archive', () => {
  it.each([
    ['with sizes of 32 bits', {}],
    ['with sizes of 64 bits', { sixtyFour: true }],
    ['with a comment', { comment: 'a comment' }],
  ])('%s are read', (_, parts) => {
    expect(read(archive(parts))).toEqual({ 'a/data.pkl': 'a/data.pkl', 'a/data/0': 'a/data/0' });
  });

  it.each<[string, Parts, RegExp]>([
    ['that are compressed', { method: 8 }, /record "a\/data\.pkl" stored, as PyTorch writes it, got a compressed one/],
    ['that are encrypted', { flags: 1 }, /got an encrypted one/],
    ['of one name', { names: ['a', 'b', 'a'] }, /records of different names, got "a" twice/],
    ['whose zip64 field is short', { sixtyFour: true, lacking: 8 }, /a zip64 field with all its numbers/],
  ])('%s are refused', (_, parts, message) => {
    expect(() => read(archive(parts))).toThrow(message);
  });

  it('are refused wherever the archive is cut', () => {
    const whole = archive({ sixtyFour: true });
    for (let length = 0; length < whole.length; length++) expect(() => read(whole.subarray(0, length)), `${length} bytes`).toThrow(expect.objectContaining({ name: 'CheckpointError' }) as Error);
  });
});
