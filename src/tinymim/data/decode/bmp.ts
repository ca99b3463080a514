/**
 * BMP: of Windows and OS/2, 1 to 32 bits, run lengths and fields of bits. Source: Microsoft, Bitmap Header Types; PIL's choices:
 * BmpImagePlugin.py (alpha is dropped, what a palette lacks is black, pixels that run lengths leave out have index 0).
 */
import type { Pixels } from '../resize.ts';
import { DecodeError } from './errors.ts';
import { numbersOf, type Numbers } from './numbers.ts';
import { expectFits } from './size.ts';

const OS2 = 12;
const HEADERS: readonly number[] = [OS2, 40, 52, 56, 64, 108, 124];
const DEPTHS: readonly number[] = [1, 4, 8, 16, 24, 32];
const RAW = 0,
  RLE8 = 1,
  RLE4 = 2,
  FIELDS = 3;

interface Header {
  readonly width: number;
  readonly height: number;
  /** Bits of a pixel. */
  readonly depth: number;
  readonly compression: number;
  readonly fromTop: boolean;
  /** Where the pixels begin. */
  readonly data: number;
  /** `[colours, 3]` red, green, blue; empty above 8 bits. */
  readonly palette: Uint8Array;
}

/** @returns `[H, W, 3]` @throws DecodeError */
export function decodeBmp(file: Uint8Array): Pixels {
  const numbers = numbersOf(file);
  const header = readHeader(numbers);
  const { width, height, depth, fromTop, palette } = header;
  const image = new Uint8Array(height * width * 3);
  const row = rowReader(file, numbers, header);
  for (let y = 0; y < height; y++) {
    const pixels = row(y);
    let to = (fromTop ? y : height - 1 - y) * width * 3;
    for (let x = 0; x < width; x++) {
      const pixel = pixels(x);
      for (let c = 0; c < 3; c++) image[to++] = depth <= 8 ? (palette[pixel * 3 + c] ?? 0) : (pixel >> (16 - 8 * c)) & 255;
    }
  }
  return { data: image, offset: 0, height, width, channels: 3 };
}

function readHeader({ u8, u16, u32, bytes }: Numbers): Header {
  const size = u32(14);
  if (!HEADERS.includes(size)) throw new DecodeError('its header cannot be read');
  const old = size === OS2;
  const fromTop = !old && u8(25) === 0xff;
  const [width, height, depth] = old ? [u16(18), u16(20), u16(24)] : [u32(18), fromTop ? 2 ** 32 - u32(22) : u32(22), u16(28)];
  const compression = old ? RAW : u32(30);
  expectFits(height, width);
  const suits = compression === RAW || (compression === FIELDS ? depth >= 16 : (compression === RLE8 || compression === RLE4) && depth <= 8);
  if (!DEPTHS.includes(depth) || !suits) throw new DecodeError(`it is a BMP file of ${depth} bits with compression ${compression}, which is not read here (convert it to PNG)`);
  const entry = old ? 3 : 4,
    colours = depth > 8 ? 0 : (old ? 0 : u32(46)) || 2 ** depth;
  if (colours > 65536) throw new DecodeError('its header cannot be read');
  const masks = compression === FIELDS && size === 40 ? 12 : 0,
    end = 14 + size;
  const named = u32(10);
  return {
    width,
    height,
    depth,
    compression,
    fromTop,
    data: named === 0 || (named === end && depth <= 8) ? end + masks + entry * colours : named,
    palette: depth > 8 ? new Uint8Array(0) : paletteOf(bytes(end, entry * colours), entry, depth),
  };
}

/** Colours are stored blue first. One that holds the greys in their order means all of them, as for PIL. */
function paletteOf(stored: Uint8Array, entry: number, depth: number): Uint8Array {
  const colours = stored.length / entry;
  const grey = (index: number): number => (depth === 1 ? 255 * index : index & 255);
  const channel = (index: number, c: number): number => stored[index * entry + 2 - c]!;
  const isGrey = Array.from({ length: colours }, (_, i) => i).every(i => [0, 1, 2].every(c => channel(i, c) === grey(i)));
  return Uint8Array.from({ length: 3 * (isGrey ? 2 ** depth : colours) }, (_, i) => (isGrey ? grey(Math.floor(i / 3)) : channel(Math.floor(i / 3), i % 3)));
}

type PixelOfRow = (x: number) => number;

/** Pixels of a row, in the order of the file: an index, or 0xrrggbb. */
function rowReader(file: Uint8Array, numbers: Numbers, header: Header): (y: number) => PixelOfRow {
  const { width, height, depth, compression, data } = header;
  if (compression === RLE8 || compression === RLE4) {
    const indices = runLengths(file, data, width, height, compression === RLE4);
    return y => x => indices[y * width + x]!;
  }
  const stride = ((width * depth + 31) >> 3) & ~3,
    used = Math.ceil((width * depth) / 8);
  const pixel = pixelReader(numbers, header);
  return y => {
    const row = numbers.bytes(data + y * stride, used); // of the last row nothing else need be there
    return x => pixel(row, x);
  };
}

function pixelReader({ u32 }: Numbers, { depth, compression }: Header): (row: Uint8Array, x: number) => number {
  if (depth <= 8) return (row, x) => (row[(x * depth) >> 3]! >> (8 - depth - ((x * depth) & 7))) & (2 ** depth - 1);
  const fields = compression === FIELDS ? [u32(54), u32(58), u32(62)] : [];
  if (depth === 16) {
    const greens = fields.length === 0 || fields.join() === '31744,992,31' ? 5 : 6;
    if (greens === 6 && fields.join() !== '63488,2016,31') throw new DecodeError('its header cannot be read');
    const scale = (value: number, bits: number): number => Math.floor(((value & (2 ** bits - 1)) * 255) / (2 ** bits - 1));
    return (row, x) => {
      const value = row[2 * x]! | (row[2 * x + 1]! << 8);
      return (scale(value >> (5 + greens), 5) << 16) | (scale(value >> 5, greens) << 8) | scale(value, 5);
    };
  }
  const bytes = depth / 8;
  const [red, green, blue] = (fields.some(mask => mask !== 0) ? fields : [0xff0000, 0xff00, 0xff]).map(mask => BYTES.indexOf(mask)) as [number, number, number];
  if ([red, green, blue].some(place => place < 0 || place >= bytes)) throw new DecodeError('its header cannot be read');
  return (row, x) => (row[bytes * x + red]! << 16) | (row[bytes * x + green]! << 8) | row[bytes * x + blue]!;
}

/** Fields of whole bytes, by place. */
const BYTES = [0xff, 0xff00, 0xff0000, 0xff000000];

/** Indices `[H, W]` in the order of the file. */
function runLengths(file: Uint8Array, from: number, width: number, height: number, isHalf: boolean): Uint8Array {
  const indices = new Uint8Array(width * height);
  let used = 0,
    x = 0,
    at = from;
  const put = (index: number): void => {
    if (used < indices.length) indices[used++] = index;
  };
  const half = (byte: number, i: number): number => (isHalf ? (i % 2 === 0 ? byte >> 4 : byte & 15) : byte);
  while (used < indices.length) {
    const count = file[at++],
      byte = file[at++];
    if (count === undefined || byte === undefined) throw new DecodeError('it is truncated');
    if (count > 0) {
      const fitting = Math.max(Math.min(count, width - x), 0);
      for (let i = 0; i < fitting; i++) put(half(byte, i));
      x += fitting;
    } else if (byte === 0) {
      used = Math.ceil(used / width) * width;
      x = 0;
    } else if (byte === 1) {
      throw new DecodeError('it is truncated');
    } else if (byte === 2) {
      used = Math.min(used + (file[at++] ?? 0) + (file[at++] ?? 0) * width, indices.length);
      x = used % width;
    } else {
      const here = Math.min(byte, indices.length - used),
        taken = isHalf ? Math.ceil(here / 2) : here;
      if (at + taken > file.length) throw new DecodeError('it is truncated');
      for (let i = 0; i < here; i++) put(half(file[at + (isHalf ? i >> 1 : i)]!, i));
      at += taken;
      x += byte;
      at += at % 2;
    }
  }
  return indices;
}
