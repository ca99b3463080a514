/**
 * JPEG by libjpeg-turbo, compiled to WebAssembly (`@cwasm/jpeg-turbo`): exact inverse transform, smooth upsampling of colours, as PIL
 * decodes. Its code has no vector instructions, and so the same speed and the same bits on every machine.
 * What PIL refuses is refused: a file that ends before its end marker, or data that make no sense.
 */
import { nativeImages } from '../native.ts';
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
  const frame = expectWhole(file);
  return (frame && decodeNatively(file, frame)) ?? decodeInWasm(file);
}

/**
 * By the library of the same name within TensorFlow, which has vector instructions: of sound files the same bits, in 2.2 ms instead of 6.0 (500 x
 * 375 pixels, 95 kB, on a core that others used as well). What it refuses, and inks, are for the other to tell, so that a file which
 * was read once without it is never refused. `DecodeAndCropJpeg` gives other bits at the edges of a part (of 45 of 192) unless 16 pixels around it are
 * decoded, too, and would then save a sixth of the time.
 */
function decodeNatively(file: Uint8Array, { height, width, channels }: Frame): Pixels | undefined {
  const native = nativeImages();
  if (!native || (channels !== 1 && channels !== 3)) return undefined;
  expectFits(height, width);
  const data = new Uint8Array(Buffer.allocUnsafeSlow(height * width * 3).buffer);
  return native.decodeJpeg(file, data) ? { data, offset: 0, height, width, channels: 3 } : undefined;
}

function decodeInWasm(file: Uint8Array): Pixels {
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

/** What the header of a picture says. */
interface Frame {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Whether the end marker is there: libjpeg would fill what is missing with grey. */
function expectWhole(file: Uint8Array): Frame | undefined {
  const { frame, scan } = readHeader(file);
  if (scan === undefined) throw new DecodeError('it ends within its header');
  if (Buffer.from(file.buffer, file.byteOffset, file.length).indexOf(END, scan) < 0) throw new DecodeError('it is truncated');
  return frame;
}

/** Width and height, if their segment is among the bytes that are there. @param head of a file */
export function jpegSize(head: Uint8Array): readonly [width: number, height: number] | undefined {
  const { frame } = readHeader(head);
  return frame && [frame.width, frame.height];
}

/** The segments up to the first scan, past which it begins: a thumbnail in them has an end marker of its own. */
function readHeader(file: Uint8Array): { frame?: Frame; scan?: number } {
  const u16 = (at: number): number => file[at]! * 256 + file[at + 1]!;
  let frame: Frame | undefined;
  for (const { marker, at } of segments(file)) {
    if (marker === SOS) return { ...(frame && { frame }), scan: at };
    if (isFrame(marker) && at + 9 < file.length) frame = { height: u16(at + 5), width: u16(at + 7), channels: file[at + 9]! };
  }
  return frame ? { frame } : {};
}

/** Of the 16 markers of frames three mean tables, and one nothing. */
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Segments with a length. */
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
