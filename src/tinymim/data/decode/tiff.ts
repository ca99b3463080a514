/**
 * TIFF without compression, the first picture: bits, grey, palettes, RGB and CMYK in strips or tiles. Source: Adobe, TIFF Revision 6.0;
 * PIL's choices: TiffImagePlugin.py (a TIFF is turned as its orientation says, which no other format is; alpha is dropped; of 16 bits the
 * upper eight are kept, but a grey value is cut off at 255).
 */
import type { Pixels } from '../resize.ts';
import { rgbOfInk } from './ink.ts';
import { DecodeError } from './errors.ts';
import { numbersOf, type Numbers } from './numbers.ts';
import { expectFits } from './size.ts';

const TAG = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  orientation: 274,
  samples: 277,
  rowsPerStrip: 278,
  planar: 284,
  palette: 320,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  extraSamples: 338,
  sampleFormat: 339,
} as const;

const WHITE_IS_ZERO = 0,
  BLACK_IS_ZERO = 1,
  RGB = 2,
  PALETTE = 3,
  INKS = 5;

/** Samples of a pixel, without those that are no colour, and depths of which we read it. */
const COLOURS = {
  [WHITE_IS_ZERO]: { samples: 1, depths: [1, 2, 4, 8] },
  [BLACK_IS_ZERO]: { samples: 1, depths: [1, 2, 4, 8, 16] },
  [RGB]: { samples: 3, depths: [8, 16] },
  [PALETTE]: { samples: 1, depths: [1, 2, 4, 8] },
  [INKS]: { samples: 4, depths: [8] },
} as const satisfies Record<number, { samples: number; depths: readonly number[] }>;
type Photometric = keyof typeof COLOURS;

/** How samples of a pixel are stored, one after the other. */
interface Layout {
  readonly photometric: Photometric;
  /** Bits of a sample. */
  readonly depth: number;
  readonly samples: number;
  readonly littleEndian: boolean;
  /** `[3, 2^depth]`, of 16 bits. */
  readonly palette: readonly number[];
}

/** A number of a tag, the first of several. */
type Tags = (tag: number) => readonly number[] | undefined;

/** @returns `[H, W, 3]` @throws DecodeError */
export function decodeTiff(file: Uint8Array): Pixels {
  const littleEndian = file[0] === 0x49;
  const numbers = numbersOf(file, littleEndian);
  const tags = readTags(numbers);
  const [width = 0] = tags(TAG.width) ?? [],
    [height = 0] = tags(TAG.height) ?? [];
  expectFits(height, width);
  const layout = layoutOf(tags, littleEndian);
  const image = new Uint8Array(height * width * 3);
  const turned = turning((tags(TAG.orientation) ?? [1])[0]!, height, width);
  for (const { top, left, rows, columns, stride, offset } of pieces(tags, height, width, layout)) {
    for (let y = 0; y < rows; y++) {
      const row = numbers.bytes(offset + y * stride, Math.ceil((columns * layout.samples * layout.depth) / 8));
      for (let x = 0; x < columns; x++) writePixel(image, turned.place(left + x, top + y) * 3, row, x, layout);
    }
  }
  return { data: image, offset: 0, height: turned.height, width: turned.width, channels: 3 };
}

const BYTES_OF_TYPE: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4 };

function readTags({ u8, u16, u32, bytes }: Numbers): Tags {
  const start = u32(4),
    count = u16(start);
  const entries = new Map<number, number>();
  for (let i = 0; i < count; i++) entries.set(u16(start + 2 + 12 * i), start + 2 + 12 * i);
  return tag => {
    const entry = entries.get(tag);
    const size = entry === undefined ? undefined : BYTES_OF_TYPE[u16(entry + 2)];
    if (entry === undefined || size === undefined) return undefined;
    const length = u32(entry + 4),
      from = size * length <= 4 ? entry + 8 : u32(entry + 8);
    bytes(from, size * length); // all of them are there
    return Array.from({ length }, (_, i) => (size === 1 ? u8 : size === 2 ? u16 : u32)(from + size * i));
  };
}

function layoutOf(tags: Tags, littleEndian: boolean): Layout {
  const first = (tag: number, otherwise: number): number => tags(tag)?.[0] ?? otherwise;
  const refuse = (what: string): never => {
    throw new DecodeError(`it is a TIFF file ${what}, which is not read here (convert it to PNG)`);
  };
  const compression = first(TAG.compression, 1),
    photometric = first(TAG.photometric, WHITE_IS_ZERO),
    samples = first(TAG.samples, 1);
  if (compression !== 1) refuse(`with compression ${compression}`);
  if (!(photometric in COLOURS)) refuse(`with colours of the kind ${photometric}`);
  const colours: { samples: number; depths: readonly number[] } = COLOURS[photometric as Photometric];
  const bits = tags(TAG.bits) ?? [1],
    depth = bits[0]!;
  if (!colours.depths.includes(depth) || bits.some(other => other !== depth)) refuse(`of ${bits.join(', ')} bits`);
  const extra = tags(TAG.extraSamples) ?? [];
  if (samples < colours.samples || samples > 8 || (samples > colours.samples && depth < 8) || extra.includes(PREMULTIPLIED)) refuse(`of ${samples} samples a pixel`);
  if (first(TAG.planar, 1) !== 1 && samples > 1) refuse('with a plane for each colour');
  if (first(TAG.fillOrder, 1) !== 1) refuse('with its bits in reverse order');
  if (first(TAG.sampleFormat, 1) !== 1) refuse('of numbers that are no unsigned integers');
  const palette = tags(TAG.palette) ?? [];
  if (photometric === PALETTE && palette.length < 3 * 2 ** depth) throw new DecodeError('its header cannot be read');
  return { photometric: photometric as Photometric, depth, samples, littleEndian, palette };
}

/** Of `extraSamples`: colours are stored times alpha. */
const PREMULTIPLIED = 1;

/** Strips or tiles: where each lies in the image, and in the file; a tile may reach beyond the image. */
function pieces(tags: Tags, height: number, width: number, { samples, depth }: Layout) {
  const strips = tags(TAG.stripOffsets);
  const offsets = strips ?? tags(TAG.tileOffsets) ?? [];
  const columns = strips ? width : (tags(TAG.tileWidth)?.[0] ?? 0),
    rows = Math.min((strips ? tags(TAG.rowsPerStrip)?.[0] : (tags(TAG.tileHeight)?.[0] ?? 0)) ?? height, strips ? height : Infinity);
  if (columns < 1 || rows < 1) throw new DecodeError('its header cannot be read');
  const across = Math.ceil(width / columns),
    count = across * Math.ceil(height / rows);
  if (offsets.length < count) throw new DecodeError('it is truncated');
  const stride = Math.ceil((columns * samples * depth) / 8);
  return offsets.slice(0, count).map((offset, i) => {
    const left = (i % across) * columns,
      top = Math.floor(i / across) * rows;
    return { top, left, rows: Math.min(rows, height - top), columns: Math.min(columns, width - left), stride, offset };
  });
}

/** Where the pixel at (x, y) of the file is in the image, whose rows and columns may be exchanged. */
function turning(orientation: number, height: number, width: number): { readonly height: number; readonly width: number; readonly place: (x: number, y: number) => number } {
  const isLying = orientation >= 5 && orientation <= 8;
  const [rows, columns] = isLying ? [width, height] : [height, width];
  const fromRight = [2, 3, 6, 7].includes(orientation),
    fromBottom = [3, 4, 7, 8].includes(orientation);
  return {
    height: rows,
    width: columns,
    place: (x, y) => {
      const [column, row] = isLying ? [y, x] : [x, y];
      return (fromBottom ? rows - 1 - row : row) * columns + (fromRight ? columns - 1 - column : column);
    },
  };
}

function writePixel(image: Uint8Array, to: number, row: Uint8Array, x: number, { photometric, depth, samples, littleEndian, palette }: Layout): void {
  const bytes = depth >> 3,
    from = x * samples * bytes;
  switch (photometric) {
    case RGB:
      for (let c = 0; c < 3; c++) image[to + c] = row[from + c * bytes + (bytes === 2 && littleEndian ? 1 : 0)]!;
      return;
    case INKS:
      for (let c = 0; c < 3; c++) image[to + c] = rgbOfInk(row[from + c]!, 255 - row[from + 3]!);
      return;
    case PALETTE: {
      const index = depth === 8 ? row[from]! : bitsAt(row, x, depth);
      for (let c = 0; c < 3; c++) image[to + c] = palette[c * 2 ** depth + index]! >> 8;
      return;
    }
    default: {
      const level = depth === 16 ? grey16(row, from, littleEndian) : depth === 8 ? row[from]! : (bitsAt(row, x, depth) * 255) / (2 ** depth - 1);
      image.fill(photometric === WHITE_IS_ZERO ? 255 - level : level, to, to + 3);
    }
  }
}

const bitsAt = (row: Uint8Array, x: number, depth: number): number => (row[(x * depth) >> 3]! >> (8 - depth - ((x * depth) & 7))) & (2 ** depth - 1);

/** Mode I;16 of PIL, which has no scale. */
function grey16(row: Uint8Array, from: number, littleEndian: boolean): number {
  const [low, high] = littleEndian ? [row[from]!, row[from + 1]!] : [row[from + 1]!, row[from]!];
  return high > 0 ? 255 : low;
}
