import { EngineError } from './engine-error.ts';

/** `tensorflow`: native TensorFlow. `wasm`: WebAssembly, one thread, no native code. The name is recorded with every result. */
export type EngineName = 'tensorflow' | 'wasm';

/**
 * The engine that the environment variable `ENGINE` asks for (`native` or `wasm`); undefined where it is unset or empty.
 * Loads no engine, so that set-up can ask before there is one.
 * @throws EngineError `ENGINE_OPTIONS` for any other value
 */
export function engineFromEnvironment(env: Readonly<Record<string, string | undefined>>): EngineName | undefined {
  const asked = env['ENGINE'] ?? '';
  switch (asked) {
    case '':
      return undefined;
    case 'native':
      return 'tensorflow';
    case 'wasm':
      return 'wasm';
    default:
      throw new EngineError('ENGINE_OPTIONS', `Expected ENGINE to be native or wasm, got ${JSON.stringify(asked)}.`);
  }
}
