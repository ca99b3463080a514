/** Versions of our side, without loading the engine into the driver. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { TENSORFLOW_VERSION } from '../../../src/setup/library.ts';

export function ourVersions(): Record<string, string> {
  const tfjs = createRequire(import.meta.url).resolve('@tensorflow/tfjs-core/package.json');
  return { TensorFlow: TENSORFLOW_VERSION, tfjs: (JSON.parse(readFileSync(tfjs, 'utf8')) as { version: string }).version, Node: process.version.slice(1) };
}
