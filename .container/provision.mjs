/** Provides the engine while an image is built: `ablate setup --engine` by itself, so that its layer outlives changes of all other sources. */
import { ensureEngine } from '../src/setup/engine.ts';

const { what, choice } = await ensureEngine(line => console.error(line));
console.error(`Engine: ${what} (${choice.why}).`);
