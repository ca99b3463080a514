/** A program whose functions run op by op: the reference for graphs. */
import * as tf from '../tf.ts';
import { disposeReplaced, type Params } from '../formats/weights.ts';
import { isByteTensor, widened } from './bytes.ts';
import { checkInputs, checkState, typesOf } from './checks.ts';
import { CompileError } from './errors.ts';
import type { Frozen } from './frozen.ts';
import type { Compilable, Program } from './program.ts';
import { readScalars } from './scalars.ts';

export function eagerProgram(functions: Readonly<Record<string, Compilable>>, { state: initial }: { readonly state: Params }): Program {
  let state = copies(initial);
  const types = typesOf(initial);
  const replace = (next: Params): void => {
    disposeReplaced(state, next);
    state = { ...next };
  };
  const compute = (name: string, inputs: Params, frozen: Frozen = {}): Record<string, tf.Tensor> => {
    const called = functions[name];
    if (called === undefined) throw unknownFunction(name, Object.keys(functions));
    checkInputs(called.inputs, inputs);
    const { next, outputs } = tf.tidy(() => {
      const { state: changed, outputs } = called.fn(state, {
        ...Object.fromEntries(Object.entries(frozen).map(([own, held]) => [own, held.read()])),
        ...mapTensors(inputs, tensor => (isByteTensor(tensor) ? widened(tensor) : tensor)),
      });
      checkState(types, typesOf(changed));
      const given = new Set(Object.values(inputs));
      return { next: { ...state, ...mapTensors(changed, tensor => (given.has(tensor) ? tensor.clone() : tensor)) }, outputs: { ...outputs } };
    });
    const lent = new Set([...Object.values(next), ...Object.values(inputs)]);
    const own = mapTensors(outputs, tensor => (lent.has(tensor) ? tensor.clone() : tensor));
    replace(next);
    return own;
  };
  return {
    run: (name, inputs) => readScalars(compute(name, inputs)),
    compute,
    readState: () => copies(state),
    writeState: values => {
      checkState(types, typesOf(values));
      replace({ ...state, ...copies(values) });
    },
    dispose: () => {
      tf.dispose(state);
    },
  };
}

const mapTensors = (tensors: Params, change: (tensor: tf.Tensor) => tf.Tensor): Record<string, tf.Tensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, change(tensor)]));

const copies = (tensors: Params): Record<string, tf.Tensor> => mapTensors(tensors, tensor => tensor.clone());

export function unknownFunction(name: string, known: readonly string[]): CompileError {
  return new CompileError('INPUTS', `Expected one of the functions ${known.join(', ')}, got '${name}'.`);
}
