import * as tf from '../tf.ts';
import type { Params } from '../formats/weights.ts';
import { checkScalars, typesOf } from './checks.ts';

/** Reads and disposes of them. @throws CompileError `OUTPUTS` unless they are float32 scalars */
export function readScalars(outputs: Params): Record<string, number> {
  try {
    checkScalars(typesOf(outputs));
    return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, value.dataSync()[0]!]));
  } finally {
    tf.dispose(outputs);
  }
}
