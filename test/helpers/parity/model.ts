/** What the parity tests of models share: configurations out of fixtures, and gradients by parameter name. */
import { expect } from 'vitest';
import type { ViTConfig } from '../../../src/tinymim/nn/config.ts';
import { typesOf } from '../../../src/engine/compile/checks.ts';
import { compileProgram } from '../../../src/engine/compile/compile-program.ts';
import type { Mode } from '../../../src/engine/compile/mode.ts';
import { nativeBackend } from '../../../src/engine/compile/native.ts';
import { withStandIns } from '../stand-ins.ts';
import * as tf from '../../../src/engine/tf.ts';
import type { Params } from '../../../src/engine/formats/weights.ts';
import { expectClose, expectCloseAbsolute } from './fixtures.ts';

/** Tolerances of the fixtures: several times the float32 noise of PyTorch, well below what a wrong formula gives. */
export const VALUE = 1e-5,
  GRADIENT = 2e-5;

/** The dimensions of an encoder, as all fixtures give them. */
export interface EncoderFields {
  readonly embed_dim: number;
  readonly depth: number;
  readonly num_heads: number;
  readonly mlp_ratio: number;
}

/** The number of channels is that of the images. */
export function vitConfig(
  { image_size, patch_size }: { readonly image_size: readonly [number, number]; readonly patch_size: number },
  { embed_dim, depth, num_heads, mlp_ratio }: EncoderFields,
  channels: number,
): ViTConfig {
  return { image_size, patch_size, in_chans: channels, embed_dim, depth, num_heads, mlp_ratio };
}

interface ValueAndGrads {
  value: tf.Scalar;
  grads: Record<string, tf.Tensor>;
}

/** How these tests compute: the whole suite runs once op by op and once as graphs (the projects of vitest.config.ts). */
const mode: Mode = process.env['PARITY_MODE'] === 'graph' ? 'graph' : 'eager';

/** Value and gradients of a scalar function of named tensors; tensors without a gradient are left out. */
export function valueAndGrads(f: (inputs: Params) => tf.Scalar, inputs: Params): ValueAndGrads {
  const { [VALUE_OUTPUT]: value, ...grads } = compute<Record<string, tf.Tensor>>(given => {
    const { value: result, grads: reached } = eagerValueAndGrads(f, given);
    return { [VALUE_OUTPUT]: result, ...reached };
  }, inputs);
  return { value: value as tf.Scalar, grads };
}

/** No parameter has this name. */
const VALUE_OUTPUT = 'value';

/** Tensors as functions of named tensors, in the mode of the suite. */
function compute<T extends Params>(f: (inputs: Params) => T, inputs: Params): T {
  if (mode === 'eager') return f(inputs);
  const { captured } = withCaptured(inputs, () => f(inputs));
  const all = { ...inputs, ...captured };
  const fn = (_: Params, given: Params) => {
    const standIns = new Map(Object.entries(all).map(([name, tensor]) => [tensor, given[name]!]));
    return { state: {}, outputs: withStandIns(standIns, () => f(given)) };
  };
  const program = compileProgram({ f: { fn, inputs: typesOf(all) } }, { state: {}, mode, precision: 'float32' });
  const outputs = program.compute('f', all);
  program.dispose();
  return outputs as T;
}

/** Tensors made before `run` that kernels read in it, beside its inputs. */
function withCaptured<T>(inputs: Params, run: () => T): { result: T; captured: Record<string, tf.Tensor> } {
  const backend = nativeBackend(),
    given = new Set(Object.values(inputs).map(({ dataId }) => dataId));
  const captured: Record<string, tf.Tensor> = {},
    newest = tf.scalar(0).id;
  const getInputTensorIds = backend.getInputTensorIds.bind(backend);
  backend.getInputTensorIds = tensors => {
    for (const tensor of tensors) {
      if (tensor instanceof tf.Tensor && tensor.id < newest && !given.has(tensor.dataId)) captured[String(tensor.id)] = tensor as tf.Tensor;
    }
    return getInputTensorIds(tensors);
  };
  try {
    return { result: run(), captured };
  } finally {
    Reflect.deleteProperty(backend, 'getInputTensorIds');
  }
}

function eagerValueAndGrads(f: (inputs: Params) => tf.Scalar, inputs: Params): ValueAndGrads {
  const names = Object.keys(inputs);
  const variables = names.map(name => tf.variable(inputs[name]!, true));
  const named = Object.fromEntries(names.map((name, i) => [name, variables[i]!]));
  const { value, grads } = tf.variableGrads(() => f(named), variables);
  const found = names.flatMap((name, i) => {
    const grad = grads[variables[i]!.name] as tf.Tensor | null | undefined;
    return grad ? [[name, grad] as const] : [];
  });
  return { value, grads: Object.fromEntries(found) };
}

/** Compares all tensors that the fixture has; `actual` may have more. */
export function expectAllClose(actual: Params, expected: Params, tolerance: number): void {
  expect(Object.keys(expected).length, 'tensors in the fixture').toBeGreaterThan(0);
  for (const [name, tensor] of Object.entries(expected)) {
    expect(actual, `no tensor ${name}`).toHaveProperty([name]);
    expectClose(actual[name]!, tensor, tolerance, name);
  }
}

/** Sum of `output * r`, the scalar whose gradients most fixtures hold. */
export const projected = (output: tf.Tensor, r: tf.Tensor): tf.Scalar => tf.sum(tf.mul(output, r));

export interface AdamWFields {
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weight_decay: number;
}

/**
 * Compares parameters after AdamW steps: 0.02 lr absolute. The key third of a qkv bias has a gradient of 0 in theory, and
 * Adam blows its rounding noise up to a good part of lr, so there only 2 lr a step is demanded.
 */
export function expectStepped(actual: Params, expected: Params, lr: number, steps: number): void {
  expect(Object.keys(actual).sort(), 'parameters').toEqual(Object.keys(expected).sort());
  for (const [name, tensor] of Object.entries(expected)) {
    const parts = (x: tf.Tensor) => (name.endsWith('attn.qkv.bias') ? tf.split(x, 3) : [x]);
    const wanted = parts(tensor);
    parts(actual[name]!).forEach((part, i) => {
      const isKeyBias = wanted.length === 3 && i === 1;
      expectCloseAbsolute(part, wanted[i]!, isKeyBias ? 2 * steps * lr : 0.02 * lr, `${name} (part ${i})`);
    });
  }
}
