/** Numbers in a file, which may end before them. */
import { DecodeError } from './errors.ts';

export interface Numbers {
  readonly u8: (at: number) => number;
  readonly u16: (at: number) => number;
  readonly u32: (at: number) => number;
  /** @returns so many bytes from `at`; not a copy */
  readonly bytes: (at: number, count: number) => Uint8Array;
}

/** Each function throws DecodeError for what lies past the end. */
export function numbersOf(file: Uint8Array, littleEndian = true): Numbers {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const within = (at: number, count: number): number => {
    if (at + count > file.length) throw new DecodeError('it is truncated');
    return at;
  };
  return {
    u8: at => view.getUint8(within(at, 1)),
    u16: at => view.getUint16(within(at, 2), littleEndian),
    u32: at => view.getUint32(within(at, 4), littleEndian),
    bytes: (at, count) => file.subarray(within(at, count), at + count),
  };
}
