/** Provisioning of the engine, whichever was chosen. */
import { SLOWER, type EngineChoice } from './choice.ts';
import { fileError, SetupError, type SetupErrorCode } from './errors.ts';
import { ensureNative } from './native.ts';
import { SETUP } from '../installation.ts';
import type { PrintLine } from '../tinymim/data/files.ts';
import { ensureWasm } from './wasm.ts';

/** WebAssembly is no way around these: they are about the machine's GPU or cache. */
const NO_WAY_AROUND: readonly SetupErrorCode[] = ['BAD_DEVICE', 'NO_HOME'];

/**
 * Makes sure that the engine works in this checkout. Says what it does, and nothing when there is nothing to do. An engine that cannot be
 * provisioned is not replaced by another.
 * @returns what was provisioned, for people: `tensorflow-cpu 2.21.0`
 * @throws SetupError with the cause and the command that mends it
 */
export async function ensureEngine({ engine, device }: EngineChoice, say: PrintLine, deep = false): Promise<string> {
  try {
    return await (engine === 'wasm' ? ensureWasm(say) : ensureNative(device, say, deep));
  } catch (error) {
    const cause = fileError(error);
    if (!(cause instanceof SetupError) || engine === 'wasm' || device.device === 'gpu' || NO_WAY_AROUND.includes(cause.code)) throw cause;
    throw new SetupError(cause.code, cause.reason, cause.mend, { cause, around: `ENGINE=wasm ${SETUP} (WebAssembly: ${SLOWER})` });
  }
}
