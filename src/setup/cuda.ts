/** The CUDA libraries that the GPU build of TensorFlow loads, as packages of the Python index. */
import path from 'node:path';
import { CUDA_UNPACKED_BYTES, type Library } from './library.ts';
import { CUDA_WHEELS } from './pinned-wheels.ts';
import type { PrintLine } from '../tinymim/data/files.ts';
import { ensureUnpacked } from './wheel.ts';

/**
 * Makes sure that the CUDA packages for `library` are in the cache.
 * @returns the folder `nvidia` that TensorFlow expects beside the folder from which it is loaded
 * @throws SetupError
 */
export async function ensureCuda(cache: string, library: Library, say: PrintLine, deep = false): Promise<string> {
  const folder = await ensureUnpacked(
    cache,
    {
      key: cudaFolder(library),
      label: `the CUDA packages of ${library.package} ${library.version}`,
      wheels: CUDA_WHEELS,
      prefixes: ['nvidia/'],
      unpackedBytes: CUDA_UNPACKED_BYTES,
    },
    say,
    deep,
  );
  return path.join(folder, 'nvidia');
}

/** Name of the folder of its CUDA packages in the cache. */
export const cudaFolder = (library: Library): string => `cuda-for-${library.key}`;
