/** Weights that never change, held once for all programs that read them. */
import * as tf from '../tf.ts';
import type { Params } from '../formats/weights.ts';
import { makeAll } from '../make-all.ts';
import { tensorType, type Types } from './checks.ts';
import { variable, type Variable } from './functions.ts';
import type { Mode } from './mode.ts';
import { executedMode } from './native.ts';

export type Frozen = Readonly<Record<string, Variable>>;

/** @param params stay the caller's, and are of no more use here once this returns */
export function freeze(params: Params, mode: Mode): Frozen {
  const held = (tensor: Params[string]): Variable => {
    const own = tf.keep(tensor.clone());
    return {
      id: -1,
      type: tensorType(own),
      read: () => own.clone(),
      write: () => {
        throw new Error('Expected frozen weights to stay as they are.');
      },
      dispose: () => {
        own.dispose();
      },
    };
  };
  return makeAll(params, executedMode(mode) === 'eager' ? held : variable);
}

export const frozenTypes = (frozen: Frozen): Types => Object.fromEntries(Object.entries(frozen).map(([name, { type }]) => [name, type]));

export function disposeFrozen(frozen: Frozen): void {
  for (const held of Object.values(frozen)) held.dispose();
}
