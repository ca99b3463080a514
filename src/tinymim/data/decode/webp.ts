/** WebP by libwebp, compiled to WebAssembly (`@cwasm/webp`). Of a moving picture nothing: libwebp's simple interface refuses it. */
import type { Pixels } from '../resize.ts';
import { DecodeError } from './errors.ts';
import { expectFits } from './size.ts';
import { instantiate, type WasmLibrary } from './wasm.ts';

/** Of libwebp's C interface (`webp/decode.h`). */
interface Webp extends WasmLibrary {
  /** The address of `[H, W, 4]`, 0 for what cannot be decoded; writes width and height. */
  WebPDecodeRGBA(webp: number, bytes: number, width: number, height: number): number;
}

/** @returns `[H, W, 3]`, transparency dropped @throws DecodeError */
export function decodeWebp(file: Uint8Array): Pixels {
  const none = (): number => 0;
  // Such files are rare: each has a library of its own, whose memory goes with it.
  const library = instantiate('@cwasm/webp/webp.wasm', { wasi_snapshot_preview1: { fd_close: none, fd_seek: none, fd_write: none } }) as Webp;
  const { memory } = library;
  const webp = library.malloc(file.length),
    size = library.malloc(8);
  new Uint8Array(memory.buffer, webp, file.length).set(file);
  const pixels = library.WebPDecodeRGBA(webp, file.length, size, size + 4);
  if (pixels === 0) throw new DecodeError('it is damaged, or a moving picture');
  const [width, height] = new Int32Array(memory.buffer, size, 2) as unknown as [number, number];
  expectFits(height, width);
  const rgba = new Uint8Array(memory.buffer, pixels, height * width * 4);
  const rgb = new Uint8Array(height * width * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) for (let c = 0; c < 3; c++) rgb[to++] = rgba[from + c]!;
  return { data: rgb, offset: 0, height, width, channels: 3 };
}
