/** Provides the engine while an image is built: `ablate setup --engine` by itself, so that its layer outlives changes of all other sources. */
import { wantedEngine, wasmText } from '../src/setup/choice.ts';
import { ensureEngine } from '../src/setup/engine.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const choice = await wantedEngine();
say(`Engine: ${await ensureEngine(choice, say)} (${wasmText(choice) ?? choice.why}).`);
