/**
 * PNG: every colour type, depth and interlacing. Of what PIL makes RGB of: palettes are looked up, grey is repeated, transparency is
 * dropped; of 16 bits the upper eight are kept, but a grey value is cut off at 255. Source: W3C, Portable Network Graphics (Third Edition); PIL's choices: PngImagePlugin.py.
 */
import { constants, crc32, inflateSync } from 'node:zlib';
import type { Pixels } from '../resize.ts';
import { DecodeError } from './errors.ts';
import { expectFits } from './size.ts';

const SIGNATURE = 8;

interface Header {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: number;
  readonly colour: Colour;
  readonly interlaced: boolean;
}

/** Samples of a pixel, and depths, by colour type. */
const COLOURS = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
} as const satisfies Record<number, { samples: number; depths: readonly number[] }>;
type Colour = keyof typeof COLOURS;

const PALETTE = 3;

/** @returns `[H, W, 3]` @throws DecodeError */
export function decodePng(file: Uint8Array): Pixels {
  const { header, palette, data } = readChunks(file);
  const { width, height } = header;
  expectFits(height, width);
  const passes = header.interlaced ? ADAM7 : [{ x: 0, y: 0, dx: 1, dy: 1 }];
  const bytes = inflate(data);
  const image = new Uint8Array(height * width * 3);
  let at = 0;
  for (const { x, y, dx, dy } of passes) {
    const columns = Math.ceil((width - x) / dx),
      rows = Math.ceil((height - y) / dy);
    if (columns <= 0 || rows <= 0) continue;
    const samples = unfilter(bytes, at, rows, columns, header);
    at += samples.consumed;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        writePixel(image, ((y + row * dy) * width + x + column * dx) * 3, samples.lines, row * samples.stride, column, header, palette);
      }
    }
  }
  return { data: image, offset: 0, height, width, channels: 3 };
}

/** First column and row of each pass, and steps. */
const ADAM7 = [
  { x: 0, y: 0, dx: 8, dy: 8 },
  { x: 4, y: 0, dx: 8, dy: 8 },
  { x: 0, y: 4, dx: 4, dy: 8 },
  { x: 2, y: 0, dx: 4, dy: 4 },
  { x: 0, y: 2, dx: 2, dy: 4 },
  { x: 1, y: 0, dx: 2, dy: 2 },
  { x: 0, y: 1, dx: 1, dy: 2 },
];

function readChunks(file: Uint8Array): { header: Header; palette: Uint8Array; data: Uint8Array[] } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const data: Uint8Array[] = [];
  let header: Header | undefined,
    palette: Uint8Array = new Uint8Array(0);
  for (let at = SIGNATURE; at + 8 <= file.length;) {
    const length = view.getUint32(at),
      type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (type === 'IEND') break;
    const body = file.subarray(at + 8, at + 8 + length);
    const end = at + 8 + length + 4;
    const critical = type === 'IHDR' || type === 'PLTE';
    if (critical && (end > file.length || checksum(file.subarray(at + 4, at + 8 + length)) !== view.getUint32(end - 4))) throw new DecodeError('it is damaged: a checksum is wrong');
    if (type === 'IHDR') header = parseHeader(body);
    else if (type === 'PLTE') palette = body;
    else if (type === 'IDAT') data.push(body);
    at = end;
  }
  if (header === undefined || data.length === 0) throw new DecodeError('it is truncated');
  return { header, palette, data };
}

function parseHeader(body: Uint8Array): Header {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length !== 13) throw new DecodeError('its header cannot be read');
  const depth = body[8]!,
    colour = body[9]!;
  const known: readonly number[] | undefined = colour in COLOURS ? COLOURS[colour as Colour].depths : undefined;
  if (known?.includes(depth) !== true || body[10] !== 0 || body[11] !== 0 || body[12]! > 1) throw new DecodeError('its header cannot be read');
  return { width: view.getUint32(0), height: view.getUint32(4), depth, colour: colour as Colour, interlaced: body[12] === 1 };
}

const checksum: (data: Uint8Array) => number = crc32;

/** As much as there is: a file that lacks its end may have all of its pixels. */
function inflate(data: readonly Uint8Array[]): Uint8Array {
  try {
    return inflateSync(Buffer.concat(data), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    throw new DecodeError('its data make no sense', { cause });
  }
}

/** The lines of a pass from `at`, each `stride` bytes. */
function unfilter(bytes: Uint8Array, at: number, rows: number, columns: number, { depth, colour }: Header): { lines: Uint8Array; stride: number; consumed: number } {
  const bits = depth * COLOURS[colour].samples;
  const stride = Math.ceil((columns * bits) / 8),
    back = Math.max(bits >> 3, 1);
  const consumed = rows * (stride + 1);
  if (at + consumed > bytes.length) throw new DecodeError('it is truncated');
  const lines = new Uint8Array(rows * stride);
  for (let row = 0; row < rows; row++, at += stride + 1) {
    const to = row * stride;
    const filter = bytes[at]!;
    if (filter > 4) throw new DecodeError('its data make no sense');
    for (let i = 0; i < stride; i++) {
      const left = i >= back ? lines[to + i - back]! : 0,
        up = row > 0 ? lines[to + i - stride]! : 0,
        corner = i >= back && row > 0 ? lines[to + i - stride - back]! : 0;
      lines[to + i] = bytes[at + 1 + i]! + predicted(filter, left, up, corner);
    }
  }
  return { lines, stride, consumed };
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4: {
      const guess = left + up - corner;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      return a <= b && a <= c ? left : b <= c ? up : corner;
    }
    default:
      return 0;
  }
}

function writePixel(image: Uint8Array, to: number, lines: Uint8Array, line: number, column: number, { depth, colour }: Header, palette: Uint8Array): void {
  const { samples } = COLOURS[colour];
  if (colour === 2 || colour === 6) {
    const bytes = depth >> 3,
      from = line + column * samples * bytes;
    for (let c = 0; c < 3; c++) image[to + c] = lines[from + c * bytes]!;
    return;
  }
  const value = greyOrIndex(lines, line, column, depth, samples);
  for (let c = 0; c < 3; c++) image[to + c] = colour === PALETTE ? (palette[value * 3 + c] ?? 0) : depth >= 8 ? value : (value * 255) / (2 ** depth - 1);
}

function greyOrIndex(lines: Uint8Array, line: number, column: number, depth: number, samples: number): number {
  if (depth < 8) return smallSample(lines, line, column, depth);
  const from = line + column * samples * (depth >> 3);
  const isGrey16 = depth === 16 && samples === 1; // mode I;16 of PIL, which has no scale
  return isGrey16 && lines[from]! > 0 ? 255 : lines[isGrey16 ? from + 1 : from]!;
}

/** Of less than a byte; the first is in the upper bits. */
function smallSample(lines: Uint8Array, line: number, column: number, depth: number): number {
  const bit = column * depth;
  return (lines[line + (bit >> 3)]! >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
}
