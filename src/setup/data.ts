/** Provisioning of the data. */
import { AblateError } from '../core/ablation/errors.ts';
import { DataError } from '../tinymim/data/errors.ts';
import { ensureFashionMnist, fashionMnistStatus } from '../tinymim/data/fashion-mnist.ts';
import { dataDir, prepareFolder } from './cache.ts';
import { fileError } from './errors.ts';
import type { PrintLine } from '../tinymim/data/files.ts';

/** The data themselves, and what is downloaded and unpacked on the way. */
const BYTES = 150e6;

/**
 * Makes sure that Fashion-MNIST is in the cache and unharmed. Does nothing where it is.
 * @returns its folder
 * @throws AblateError `DATA_FETCH`, SetupError `CACHE_NOT_WRITABLE`, `NO_SPACE`, `NO_HOME`
 */
export async function ensureData(say: PrintLine): Promise<string> {
  const folder = dataDir();
  try {
    if (fashionMnistStatus(folder).state === 'present') return folder;
    await prepareFolder(folder, BYTES);
    await ensureFashionMnist(folder, say);
    return folder;
  } catch (error) {
    // The layer of the data stands below the one with the errors that end a command.
    throw error instanceof DataError ? new AblateError(error.code, error.message, { cause: error }) : fileError(error);
  }
}
