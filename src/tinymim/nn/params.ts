/** Parameters of a model: tensors (or variables) by their PyTorch names, in PyTorch's layouts. */
import type * as tf from '../../engine/tf.ts';
import type { Params } from '../../engine/formats/weights.ts';
import { ModelError } from './errors.ts';

/** @throws ModelError when the model has no such parameter */
export function param(params: Params, name: string): tf.Tensor {
  const tensor = params[name];
  if (tensor === undefined) {
    const names = Object.keys(params);
    throw new ModelError('PARAMETER_MISSING', `Expected a parameter "${name}", got ${names.length} others (${names.slice(0, 4).join(', ')}, ...). Check that the weights are of this model and depth.`);
  }
  return tensor;
}
