/**
 * Small pictures of at most sixteen colours as PNG. Written here, since the bytes of zlib depend on its version and on the processor, and results have
 * the same bytes everywhere: runs of a byte and single bytes in fixed Huffman codes (RFC 1951, 3.2.6), each row as its difference to the one above.
 */

type Colour = readonly [red: number, green: number, blue: number];

/** @param pixels places in the palette, `[height, width]` */
export function palettePng(pixels: Uint8Array, width: number, palette: readonly Colour[]): Buffer {
  const height = pixels.length / width;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([4, 3, 0, 0, 0], 8); // bits of a pixel, palette, and the only methods that there are
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.flat())),
    chunk('IDAT', compressed(filteredRows(pixels, width, height))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** For a result: text. */
export const pngAddress = (png: Buffer): string => `data:image/png;base64,${png.toString('base64')}`;

/** Two pixels a byte, each row after a byte that names its filter. */
function filteredRows(pixels: Uint8Array, width: number, height: number): Uint8Array {
  const bytes = Math.ceil(width / 2),
    rows = new Uint8Array(height * (bytes + 1));
  let above = new Uint8Array(bytes);
  for (let y = 0; y < height; y++) {
    const row = Uint8Array.from({ length: bytes }, (_, i) => (pixels[y * width + 2 * i]! << 4) | (2 * i + 1 < width ? pixels[y * width + 2 * i + 1]! : 0));
    rows[y * (bytes + 1)] = 2; // "Up"
    row.forEach((byte, i) => (rows[y * (bytes + 1) + 1 + i] = byte - above[i]!));
    above = row;
  }
  return rows;
}

/** Shortest and longest match, and what the length codes from 257 on stand for (3.2.5). */
const SHORTEST = 3,
  LONGEST = 258;
const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const END = 256;

/** A zlib stream (RFC 1950). */
function compressed(data: Uint8Array): Buffer {
  const bits = new Bits();
  bits.add(0b011, 3); // the last block, of fixed codes
  for (let at = 0; at < data.length;) {
    const run = at === 0 ? 0 : runLength(data, at);
    if (run >= SHORTEST) {
      addRun(bits, run);
      at += run;
    } else bits.addCode(...symbolCode(data[at++]!));
  }
  bits.addCode(...symbolCode(END));
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(adler32(data));
  return Buffer.concat([Buffer.from([0x78, 0x01]), bits.bytes(), sum]);
}

/** How often the byte before a place follows there. */
function runLength(data: Uint8Array, at: number): number {
  let length = 0;
  while (length < LONGEST && at + length < data.length && data[at + length] === data[at - 1]) length++;
  return length;
}

/** A match of the byte before: its length, and the distance 1. */
function addRun(bits: Bits, length: number): void {
  const code = LENGTHS.findLastIndex(least => least <= length);
  bits.addCode(...symbolCode(257 + code));
  if (code >= 8 && code < 28) bits.add(length - LENGTHS[code]!, (code >> 2) - 1);
  bits.addCode(0, 5);
}

/** Fixed code of a literal, a length or the end, and its bits. */
function symbolCode(symbol: number): readonly [code: number, length: number] {
  if (symbol < 144) return [0x30 + symbol, 8];
  if (symbol < 256) return [0x190 + symbol - 144, 9];
  return symbol < 280 ? [symbol - 256, 7] : [0xc0 + symbol - 280, 8];
}

/** Bits of bytes, the lowest first. */
class Bits {
  readonly #bytes: number[] = [];
  #used = 0;

  /** Numbers: their lowest bit first. */
  add(value: number, count: number): void {
    for (let i = 0; i < count; i++) this.#bit((value >> i) & 1);
  }

  /** Huffman codes: their highest bit first. */
  addCode(code: number, length: number): void {
    for (let i = length - 1; i >= 0; i--) this.#bit((code >> i) & 1);
  }

  bytes(): Buffer {
    return Buffer.from(this.#bytes);
  }

  #bit(bit: number): void {
    if (this.#used % 8 === 0) this.#bytes.push(0);
    this.#bytes[this.#bytes.length - 1]! |= bit << (this.#used++ % 8);
  }
}

function adler32(data: Uint8Array): number {
  let a = 1,
    b = 0;
  for (const byte of data) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]),
    [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
