/** What an engine cannot do. Loads none: planning asks it, too. */
import type { Device } from '../../engine/engine.ts';
import type { EngineName } from '../../engine/engine-name.ts';
import type { EngineRecipe } from './recipes.ts';

/**
 * Why a recipe cannot run on an engine; undefined where it can.
 * @param devices that it would run on, as far as they are known
 */
export function notOnEngine({ precision }: EngineRecipe, engine: EngineName, devices: readonly Device[] = []): string | undefined {
  if (precision === 'float32') return undefined;
  if (engine !== 'wasm') {
    // The CPU would compute float32, and the result be called tf32.
    if (precision !== 'tf32' || !devices.includes('cpu')) return undefined;
    return 'expected workers on NVIDIA GPUs alone for tf32, which no CPU computes, got workers on the CPU; set engine.precision to float32 or bfloat16, or name GPUs (--devices gpu:0)';
  }
  return `expected float32 on WebAssembly, which has no other precision, got ${precision}; set engine.precision to float32, or run on native TensorFlow (ENGINE=native)`;
}
