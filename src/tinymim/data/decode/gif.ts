/** GIF: the first picture, as PIL gives it. Source: CompuServe, Graphics Interchange Format, version 89a. */
import type { Pixels } from '../resize.ts';
import { DecodeError } from './errors.ts';
import { expectFits } from './size.ts';

const EXTENSION = 0x21,
  IMAGE = 0x2c;

/** @returns `[H, W, 3]` @throws DecodeError */
export function decodeGif(file: Uint8Array): Pixels {
  const u16 = (at: number): number => byteAt(file, at) + 256 * byteAt(file, at + 1);
  const width = u16(6),
    height = u16(8);
  expectFits(height, width);
  let at = 13;
  const table = (flags: number): Uint8Array => {
    if ((flags & 0x80) === 0) return new Uint8Array(0);
    const bytes = 3 * 2 ** ((flags & 7) + 1);
    at += bytes;
    return file.subarray(at - bytes, at);
  };
  const common = table(byteAt(file, 10));
  let transparent: number | undefined;
  while (byteAt(file, at) === EXTENSION) {
    if (byteAt(file, at + 1) === 0xf9 && (byteAt(file, at + 3) & 1) === 1) transparent = byteAt(file, at + 6);
    at += 2;
    while (byteAt(file, at) !== 0) at += 1 + byteAt(file, at);
    at++;
  }
  if (byteAt(file, at) !== IMAGE) throw new DecodeError('it has no picture');
  const [left, top, columns, rows] = [u16(at + 1), u16(at + 3), u16(at + 5), u16(at + 7)];
  const flags = byteAt(file, at + 9);
  at += 10;
  const own = table(flags);
  const palette = own.length > 0 ? own : common;
  const indices = unpack(file, at, columns * rows);
  const image = new Uint8Array(height * width * 3);
  const paint = (pixel: number, index: number): void => {
    for (let c = 0; c < 3; c++) image[pixel * 3 + c] = palette[index * 3 + c] ?? 0;
  };
  for (let i = 0; i < height * width; i++) paint(i, transparent ?? 0);
  rowOrder(rows, (flags & 0x40) !== 0).forEach((row, line) => {
    for (let column = 0; column < columns; column++) {
      if (top + row < height && left + column < width) paint((top + row) * width + left + column, indices[line * columns + column]!);
    }
  });
  return { data: image, offset: 0, height, width, channels: 3 };
}

function byteAt(file: Uint8Array, at: number): number {
  const byte = file[at];
  if (byte === undefined) throw new DecodeError('it is truncated');
  return byte;
}

/** Rows in the order of the file. */
function rowOrder(rows: number, interlaced: boolean): number[] {
  const passes = interlaced
    ? [
        [0, 8],
        [4, 8],
        [2, 4],
        [1, 2],
      ]
    : [[0, 1]];
  return passes.flatMap(([first, step]) => Array.from({ length: Math.max(Math.ceil((rows - first!) / step!), 0) }, (_, i) => first! + i * step!));
}

/** LZW, as GIF has it. @param at of the number of bits, before the blocks */
function unpack(file: Uint8Array, at: number, count: number): Uint8Array {
  const first = byteAt(file, at);
  if (first < 1 || first > 11) throw new DecodeError('its data make no sense');
  const clear = 2 ** first,
    end = clear + 1;
  const prefix = new Int16Array(4096),
    suffix = new Uint8Array(4096),
    stack = new Uint8Array(4097);
  const out = new Uint8Array(count);
  let used = 0,
    bits = first + 1,
    next = end + 1,
    last = -1,
    head = 0;
  let buffer = 0,
    held = 0,
    block = 0;
  at++;
  const read = (): number => {
    while (held < bits) {
      if (block === 0) {
        block = byteAt(file, at++);
        if (block === 0) throw new DecodeError('it is truncated');
      }
      buffer |= byteAt(file, at++) << held;
      held += 8;
      block--;
    }
    const code = buffer & (2 ** bits - 1);
    buffer >>>= bits;
    held -= bits;
    return code;
  };
  while (used < count) {
    const code = read();
    if (code === end) throw new DecodeError('it is truncated');
    if (code === clear) {
      bits = first + 1;
      next = end + 1;
      last = -1;
      continue;
    }
    if (code > next || (last < 0 && code >= clear)) throw new DecodeError('its data make no sense');
    let depth = 0,
      at = code;
    if (code === next) {
      stack[depth++] = head;
      at = last;
    }
    for (; at >= clear; at = prefix[at]!) stack[depth++] = suffix[at]!;
    head = stack[depth++] = at;
    if (last >= 0 && next < 4096) {
      prefix[next] = last;
      suffix[next++] = head;
      if (next === 2 ** bits && bits < 12) bits++;
    }
    while (depth > 0 && used < count) out[used++] = stack[--depth]!;
    last = code;
  }
  return out;
}
