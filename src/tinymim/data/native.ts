/** Functions of `images.cc`, where the process computes with the binding that they are compiled into. */
import { isMainThread, workerData } from 'node:worker_threads';
import { loadedBinding } from '../../engine/binding.ts';

interface NativeImages {
  /** Fills `pixels`, `[H, W, 3]`, with what the file holds. @returns whether it did: what is odd about a file is for others to tell */
  decodeJpeg(file: Uint8Array, pixels: Uint8Array): boolean;
  /** Each row of pixels of three bytes `[rows, inputs]` at `from`, `stride` bytes apart, to `[rows, columns]` at `to`. */
  resizeRows(source: Uint8Array, from: number, stride: number, ...pass: PassArguments): void;
  /** Each column of bytes `[inputs, row]` at `from` to `[rows, row]` at `to`. */
  resizeColumns(source: Uint8Array, from: number, row: number, ...pass: PassArguments): void;
  // In place, of `pixels` of three bytes from `offset`:
  /** Mirrors each row. */
  flipPixels(data: Uint8Array, offset: number, pixels: number, columns: number): void;
  /** @param table `[256]` */
  replaceLevels(data: Uint8Array, offset: number, pixels: number, table: Uint8Array): void;
  sumLuma(data: Uint8Array, offset: number, pixels: number): number;
  blendWithLuma(data: Uint8Array, offset: number, pixels: number, factor: number): void;
}

type PassArguments = readonly [start: Int32Array, count: Int32Array, weights: Int32Array, stride: number, target: Uint8Array, to: number, rows: number, columns: number];

let loaded: NativeImages | undefined;

/** What a thread that loads images is started with: the engine belongs to the main thread, which knows. */
export interface LoaderThreadData {
  readonly binding: string | undefined;
}

/** @returns undefined without native TensorFlow, and for other than three channels: all have a counterpart in TypeScript, which gives the same bytes */
export function nativeImages(channels = 3): NativeImages | undefined {
  if (channels !== 3) return undefined;
  if (loaded) return loaded;
  const file = isMainThread ? loadedBinding() : (workerData as LoaderThreadData | null)?.binding;
  if (file === undefined) return undefined;
  const module = { exports: { imagesAlone: true } }; // an engine of its own is not what a thread needs
  process.dlopen(module, file);
  return (loaded = module.exports as unknown as NativeImages);
}
