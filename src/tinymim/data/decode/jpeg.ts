/**
 * JPEG by libjpeg-turbo, compiled to WebAssembly (`@cwasm/jpeg-turbo`): exact inverse transform, smooth upsampling of colours, as PIL
 * decodes. Its code has no vector instructions, and so the same speed and the same bits on every machine.
 * What PIL refuses is refused: a file that ends before its end marker, or data that make no sense.
 */
import type { Pixels } from '../resize.ts';
import { DecodeError } from './errors.ts';
import { rgbOfInk } from './ink.ts';
import { expectFits } from './size.ts';
import { instantiate, isTrap, type WasmLibrary } from './wasm.ts';

/** Of TurboJPEG's C interface, 2.0 (`turbojpeg.h`). */
interface TurboJpeg extends WasmLibrary {
  tjInitDecompress(): number;
  /** Writes width, height, subsampling and colour space, as four int32. */
  tjDecompressHeader3(handle: number, jpeg: number, bytes: number, width: number, height: number, subsampling: number, space: number): number;
  tjDecompress2(handle: number, jpeg: number, bytes: number, pixels: number, width: number, pitch: number, height: number, format: number, flags: number): number;
}

const FORMAT = { rgb: 0, cmyk: 11 } as const;
/** Colour spaces of four channels. */
const CMYK = 3,
  YCCK = 4;

let loaded: { readonly library: TurboJpeg; readonly handle: number } | undefined;

function load(): { readonly library: TurboJpeg; readonly handle: number } {
  if (loaded) return loaded;
  const never = (): never => {
    throw new DecodeError('its data make no sense'); // where C would jump out of the library
  };
  const none = (): number => 0;
  const library = instantiate('@cwasm/jpeg-turbo/jpeg-turbo.wasm', {
    env: { setjmp: none, longjmp: never },
    wasi_snapshot_preview1: { environ_sizes_get: none, environ_get: none, proc_exit: none, fd_close: none, fd_seek: none, fd_write: none },
  }) as TurboJpeg;
  return (loaded = { library, handle: library.tjInitDecompress() });
}

const BIG = 64 * 2 ** 20;

/** @returns `[H, W, 3]`: grey is repeated, CMYK converted as PIL does. @throws DecodeError */
export function decodeJpeg(file: Uint8Array): Pixels {
  expectWhole(file);
  const { library, handle } = load();
  let image: Pixels;
  try {
    image = decode(library, handle, file);
  } catch (error) {
    loaded = undefined; // in the middle of something
    if (isTrap(error)) throw new DecodeError('its data make no sense', { cause: error });
    throw error;
  }
  if (library.memory.buffer.byteLength > BIG) loaded = undefined; // memory only grows
  return image;
}

function decode(library: TurboJpeg, handle: number, file: Uint8Array): Pixels {
  const jpeg = library.malloc(file.length),
    header = library.malloc(16);
  try {
    new Uint8Array(library.memory.buffer, jpeg, file.length).set(file);
    if (library.tjDecompressHeader3(handle, jpeg, file.length, header, header + 4, header + 8, header + 12) !== 0) throw new DecodeError('its header cannot be read');
    const [width, height, , space] = new Int32Array(library.memory.buffer, header, 4) as unknown as [number, number, number, number];
    expectFits(height, width);
    const inks = space === CMYK || space === YCCK;
    const channels = inks ? 4 : 3;
    const bytes = height * width * channels;
    const pixels = library.malloc(bytes);
    if (pixels === 0) throw new DecodeError(`there is no memory for its ${width} x ${height} pixels`);
    try {
      // Fatal errors throw; what is returned is whether there were warnings, which PIL ignores, too.
      library.tjDecompress2(handle, jpeg, file.length, pixels, width, width * channels, height, inks ? FORMAT.cmyk : FORMAT.rgb, 0);
      const decoded = new Uint8Array(library.memory.buffer, pixels, bytes);
      return { data: inks ? rgbOfInverted(decoded) : decoded.slice(), offset: 0, height, width, channels: 3 };
    } finally {
      library.free(pixels);
    }
  } finally {
    library.free(header);
    library.free(jpeg);
  }
}

/** Inks as Adobe stores them, inverted, to RGB. */
function rgbOfInverted(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4) {
    for (let c = 0; c < 3; c++) rgb[to++] = rgbOfInk(255 - cmyk[from + c]!, cmyk[from + 3]!);
  }
  return rgb;
}

const SOI = 0xd8,
  SOS = 0xda;
const END = Buffer.from([0xff, 0xd9]);

/** Whether the end marker is there: libjpeg would fill what is missing with grey. */
function expectWhole(file: Uint8Array): void {
  const scan = startOfScan(file);
  if (scan === undefined) throw new DecodeError('it ends within its header');
  if (Buffer.from(file.buffer, file.byteOffset, file.length).indexOf(END, scan) < 0) throw new DecodeError('it is truncated');
}

/** Past the segments before the first scan: a thumbnail in them has an end marker of its own. */
function startOfScan(file: Uint8Array): number | undefined {
  for (const { marker, at } of segments(file)) if (marker === SOS) return at;
  return undefined;
}

/** Width and height, if their segment is among the bytes that are there. @param head of a file */
export function jpegSize(head: Buffer): readonly [width: number, height: number] | undefined {
  for (const { marker, at } of segments(head)) {
    if (marker === SOS) return undefined;
    if (marker >= 0xc0 && marker <= 0xcf && !NO_FRAME.includes(marker)) return at + 9 > head.length ? undefined : [head.readUInt16BE(at + 7), head.readUInt16BE(at + 5)];
  }
  return undefined;
}

/** Markers among those of frames that begin none: of tables and extensions. */
const NO_FRAME = [0xc4, 0xc8, 0xcc];

/** Segments with a length, up to the first scan. */
function* segments(file: Uint8Array): Generator<{ readonly marker: number; readonly at: number }, void> {
  let at = 2;
  while (at + 3 < file.length) {
    const marker = file[at + 1]!;
    const alone = marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= SOI);
    if (file[at] !== 0xff || marker === 0xff)
      at += 1; // filling
    else if (alone) at += 2;
    else {
      yield { marker, at };
      at += 2 + file[at + 2]! * 256 + file[at + 3]!;
    }
  }
}
