/** The CUDA libraries that the GPU build of TensorFlow loads, as packages of the Python index. */
import path from 'node:path';
import { CUDA_UNPACKED_BYTES, CUDA_WHEEL_BYTES, type Library } from './library.ts';
import type { PrintLine } from '../tinymim/data/files.ts';
import { ensureUnpacked, requirementsOfExtra } from './wheel.ts';

/**
 * Makes sure that the CUDA packages which the wheel of `library` names (its extra `and-cuda`) are in the cache.
 * @param libraryFolder the unpacked library, with its `METADATA`
 * @returns the folder `nvidia` that TensorFlow expects beside the folder from which it is loaded
 * @throws SetupError
 */
export async function ensureCuda(cache: string, library: Library, libraryFolder: string, say: PrintLine, deep = false): Promise<string> {
  const folder = await ensureUnpacked(
    cache,
    {
      key: cudaFolder(library),
      label: `the CUDA packages of ${library.package} ${library.version}`,
      requirements: await requirementsOfExtra(path.join(libraryFolder, metadataFile(library)), 'and-cuda'),
      platformTags: library.platformTags,
      prefixes: ['nvidia/'],
      wheelBytes: CUDA_WHEEL_BYTES,
      unpackedBytes: CUDA_UNPACKED_BYTES,
    },
    say,
    deep,
  );
  return path.join(folder, 'nvidia');
}

/** Name of the folder of its CUDA packages in the cache. */
export const cudaFolder = (library: Library): string => `cuda-for-${library.key}`;

/** Where a wheel states its requirements. */
export const metadataFile = (library: Library): string => `${library.package.replace('-', '_')}-${library.version}.dist-info/METADATA`;
