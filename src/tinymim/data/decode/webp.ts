/**
 * WebP by libwebp, compiled to WebAssembly (`@cwasm/webp`). Of a moving picture the first frame, on the canvas, as PIL shows it: libwebp's simple
 * interface refuses it, so the frame is given to it as a picture of its own. Source: Google, WebP Container Specification; libwebp, demux/anim_decode.c.
 */
import type { Pixels } from '../resize.ts';
import { DecodeError } from './errors.ts';
import { numbersOf } from './numbers.ts';
import { expectFits } from './size.ts';
import { instantiate, type WasmLibrary } from './wasm.ts';

/** Of libwebp's C interface (`webp/decode.h`). */
interface Webp extends WasmLibrary {
  /** The address of `[H, W, 4]`, 0 for what cannot be decoded; writes width and height. */
  WebPDecodeRGBA(webp: number, bytes: number, width: number, height: number): number;
}

/** @returns `[H, W, 3]`, transparency dropped @throws DecodeError */
export function decodeWebp(file: Uint8Array): Pixels {
  const { u8, u24, chunks } = riff(file);
  const [size] = chunks(12, file.length);
  if (size?.kind !== 'VP8X') return decodePicture(file);
  const width = u24(size.start + 4) + 1,
    height = u24(size.start + 7) + 1;
  expectFits(height, width);
  if ((u8(size.start) & MOVING) === 0) return decodePicture(file);
  const frames = chunks(size.end, file.length);
  const first = frames.find(({ kind }) => kind === 'ANMF');
  if (first === undefined) throw new DecodeError('it has no picture');
  const left = 2 * u24(first.start),
    top = 2 * u24(first.start + 3);
  const frame = decodePicture(asPicture(file.subarray(first.start + 6, first.start + 12), file.subarray(first.start + 16, first.end)));
  if (top + frame.height > height || left + frame.width > width) throw new DecodeError('its data make no sense');
  const canvas = new Uint8Array(height * width * 3);
  for (let y = 0; y < frame.height; y++) {
    canvas.set(frame.data.subarray(y * frame.width * 3, (y + 1) * frame.width * 3), ((top + y) * width + left) * 3);
  }
  return { data: canvas, offset: 0, height, width, channels: 3 };
}

/** Flags of the chunk VP8X. */
const MOVING = 0x02,
  ALPHA = 0x10;

interface Chunk {
  readonly kind: string;
  /** Of what it holds; the end excluded. */
  readonly start: number;
  readonly end: number;
}

function riff(file: Uint8Array): { u8: (at: number) => number; u24: (at: number) => number; chunks: (from: number, to: number) => Chunk[] } {
  const { u8, u16, u32, bytes } = numbersOf(file);
  return {
    u8,
    u24: at => u16(at) + 65536 * u8(at + 2),
    chunks: (from, to) => {
      const found: Chunk[] = [];
      for (let at = from; at + 8 <= to;) {
        const end = Math.min(at + 8 + u32(at + 4), to);
        found.push({ kind: Buffer.from(bytes(at, 4)).toString('latin1'), start: at + 8, end });
        at = end + (end % 2);
      }
      return found;
    },
  };
}

/** @param size as a frame has it: three bytes of width and of height, each less one. @param chunks of the frame */
function asPicture(size: Uint8Array, chunks: Uint8Array): Uint8Array {
  const length = (bytes: number): Buffer => {
    const number = Buffer.alloc(4);
    number.writeUInt32LE(bytes);
    return number;
  };
  const canvas = Buffer.concat([Buffer.from('VP8X'), length(10), Buffer.from([ALPHA, 0, 0, 0]), size]);
  return Buffer.concat([Buffer.from('RIFF'), length(4 + canvas.length + chunks.length), Buffer.from('WEBP'), canvas, chunks]);
}

/** @throws DecodeError for what libwebp's simple interface does not read */
function decodePicture(file: Uint8Array): Pixels {
  const none = (): number => 0;
  // Such files are rare: each has a library of its own, whose memory goes with it.
  const library = instantiate('@cwasm/webp/webp.wasm', { wasi_snapshot_preview1: { fd_close: none, fd_seek: none, fd_write: none } }) as Webp;
  const { memory } = library;
  const webp = library.malloc(file.length),
    size = library.malloc(8);
  new Uint8Array(memory.buffer, webp, file.length).set(file);
  const pixels = library.WebPDecodeRGBA(webp, file.length, size, size + 4);
  if (pixels === 0) throw new DecodeError('it is damaged');
  const [width, height] = new Int32Array(memory.buffer, size, 2) as unknown as [number, number];
  expectFits(height, width);
  const rgba = new Uint8Array(memory.buffer, pixels, height * width * 4);
  const rgb = new Uint8Array(height * width * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) for (let c = 0; c < 3; c++) rgb[to++] = rgba[from + c]!;
  return { data: rgb, offset: 0, height, width, channels: 3 };
}
