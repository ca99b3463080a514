/** How training steps run in this process. */
import { PermanentError } from '../ablation/errors.ts';
import type { Mode } from '../tensor/compile/compile-step.ts';

const MODES: readonly Mode[] = ['eager', 'graph'];

/** `TINYMIM_ENGINE_MODE`, or `eager`. @throws PermanentError for another mode */
export function engineMode(): Mode {
  const { TINYMIM_ENGINE_MODE: asked = 'eager' } = process.env;
  const mode = MODES.find(known => known === asked);
  if (mode === undefined) throw new PermanentError('ENGINE_MODE', `Expected TINYMIM_ENGINE_MODE to be ${MODES.join(' or ')}, got '${asked}'.`);
  return mode;
}
