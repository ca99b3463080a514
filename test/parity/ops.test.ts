import { beforeAll, describe, expect, it } from 'vitest';
import { gelu } from '../../src/engine/grad/gelu.ts';
import { layerNorm } from '../../src/engine/grad/layer-norm.ts';
import * as tf from '../../src/engine/tf.ts';
import { expectClose, fixture, startEngine } from '../helpers/parity/fixtures.ts';
import { GRADIENT, projected, VALUE, valueAndGrads } from '../helpers/parity/model.ts';

beforeAll(startEngine);

const ops = fixture('ops');
const epsilons = Object.keys(ops.tensors).flatMap(name => /^layernorm_(.*)\/output$/.exec(name)?.[1] ?? []);

describe('layerNorm', () => {
  it('has fixtures for more than one epsilon', () => expect(epsilons.length).toBeGreaterThan(1));

  it.each(epsilons)('eps %s: output and gradients', eps => {
    const inputs = ops.group('layernorm/');
    const normed = (p: Readonly<Record<string, tf.Tensor>>) => layerNorm(p['input']!, Number(eps), { weight: p['weight']!, bias: p['bias']! });
    expectClose(normed(inputs), ops.tensor(`layernorm_${eps}/output`), VALUE);
    const { grads } = valueAndGrads(p => projected(normed(p), inputs['r']!), inputs);
    for (const name of ['input', 'weight', 'bias']) expectClose(grads[name]!, ops.tensor(`layernorm_${eps}/grad_${name}`), GRADIENT, name);
  });

  it('without weight and bias equals weight 1 and bias 0', () => {
    const { input, r } = ops.group('layernorm/');
    const dim = input!.shape.at(-1)!;
    const affine = { weight: tf.ones([dim]), bias: tf.zeros([dim]) };
    const plain = valueAndGrads(p => projected(layerNorm(p['x']!, 1e-6), r!), { x: input! });
    const explicit = valueAndGrads(p => projected(layerNorm(p['x']!, 1e-6, affine), r!), { x: input! });
    expectClose(plain.value, explicit.value, VALUE);
    expectClose(plain.grads['x']!, explicit.grads['x']!, GRADIENT);
  });
});

describe('gelu', () => {
  it('output and gradient', () => {
    const input = ops.tensor('gelu/input');
    expectClose(gelu(input), ops.tensor('gelu/output'), VALUE);
    const { grads } = valueAndGrads(p => tf.sum(gelu(p['input']!)), { input });
    expectClose(grads['input']!, ops.tensor('gelu/grad_input'), GRADIENT);
  });
});

describe('softmax of the engine, as attention uses it', () => {
  it('output and gradient, large logits included', () => {
    const input = ops.tensor('softmax/input'),
      r = ops.tensor('softmax/r');
    expectClose(tf.softmax(input), ops.tensor('softmax/output'), VALUE);
    const { grads } = valueAndGrads(p => projected(tf.softmax(p['input']!), r), { input });
    expectClose(grads['input']!, ops.tensor('softmax/grad_input'), GRADIENT);
  });
});
