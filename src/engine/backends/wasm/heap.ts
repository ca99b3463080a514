/** The heap of WebAssembly: 4 GB at most, since its pointers have 32 bits. */
import type { WasmBackend } from './backend.ts';

const GIB = 2 ** 30;

/**
 * Kept free for what the kernels allocate themselves (packed weights, tables): where that fails they only print a warning,
 * and leave in their output what was there before.
 */
const RESERVE = GIB / 4;
const MOST = 4 * GIB - RESERVE;

/**
 * Makes a full heap an error. The package does not look at what it gets: a failed allocation is address 0, where it would
 * write the tensor over whatever is there (tensorflow/tfjs issue 4208).
 */
export function guardHeap({ wasm }: WasmBackend): void {
  wasm._free(wasm._malloc(1)); // both replace themselves at their first call
  const { _malloc: allocate } = wasm;
  wasm._malloc = bytes => {
    const address = allocate(bytes) >>> 0; // it comes as a signed number
    if (address !== 0 && address + bytes <= MOST) return address;
    if (address !== 0) wasm._free(address);
    throw new RangeError(
      `Expected room for ${bytes} bytes on the heap of WebAssembly, got none: out of memory, its limit is 4 GiB. Use smaller micro-batches (schedule.accumulation_steps), or the native engine.`,
    );
  };
}
