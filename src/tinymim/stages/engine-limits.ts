/** What an engine cannot do. Loads none: planning asks it, too. */
import type { EngineName } from '../../engine/engine-name.ts';
import type { EngineRecipe } from './recipes.ts';

/** Why a recipe cannot run on an engine; undefined where it can. */
export function notOnEngine({ precision }: EngineRecipe, engine: EngineName): string | undefined {
  if (engine !== 'wasm' || precision === 'float32') return undefined;
  return `expected float32 on WebAssembly, which has no other precision, got ${precision}; set engine.precision to float32, or run on native TensorFlow (ENGINE=native)`;
}
