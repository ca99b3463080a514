import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accumulateGrads } from '../../../../src/tinymim/optim/accumulate.ts';
import { adamwRates, adamwUpdate, initAdamW, type AdamWState, type AdamWTensors } from '../../../../src/tinymim/optim/adamw.ts';
import type { ParamGroups } from '../../../../src/tinymim/optim/groups.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { stream } from '../../../../src/engine/random/rng.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { disposeReplaced, type Params } from '../../../../src/engine/formats/weights.ts';
import { adamw } from '../../../helpers/adamw-step.ts';

beforeAll(async () => {
  await loadEngine({ device: 'cpu', threads: 1 });
});
beforeEach(() => {
  tf.engine().startScope();
});
afterEach(() => {
  tf.engine().endScope();
});

const shapes: Record<string, number[]> = { weight: [4, 3], bias: [4], token: [1, 1, 5] };
const groups: ParamGroups = {
  weight: { weightDecay: 0.05, lrScale: 1 },
  bias: { weightDecay: 0, lrScale: 1 },
  token: { weightDecay: 0.3, lrScale: 0.65 ** 3 },
};
const betas = [0.9, 0.95] as const;
const rates = [1e-3, 2e-3, 5e-4, 0, 1e-3, 3e-3];

function draw(purpose: string, step: number, scale = 1): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, tf.mul(tf.tensor(stream(1, `${purpose}/${name}`, step).normals(tf.util.sizeFromShape(shape)), shape), scale)]));
}

const values = (params: Params) => Object.fromEntries(Object.entries(params).map(([name, tensor]) => [name, [...tensor.dataSync()]]));
type Values = Record<string, number[]>;

function without<T>(record: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
}

/** torch.optim.AdamW, single tensor, line by line in float64. */
function torchAdamW(params: Values, grads: Values[], lrs: number[], [beta1, beta2]: readonly [number, number], eps: number): { params: Values; m: Values; v: Values } {
  const p = structuredClone(params);
  const zero = (): Values => Object.fromEntries(Object.entries(params).map(([name, x]) => [name, x.map(() => 0)]));
  const m = zero(),
    v = zero();
  grads.forEach((grad, i) => {
    const t = i + 1;
    for (const name of Object.keys(grad)) {
      const { weightDecay, lrScale } = groups[name]!;
      const lr = lrs[i]! * lrScale;
      for (const [j, g] of grad[name]!.entries()) {
        let param = p[name]![j]! * (1 - lr * weightDecay);
        const expAvg = m[name]![j]! + (g - m[name]![j]!) * (1 - beta1);
        const expAvgSq = v[name]![j]! * beta2 + (1 - beta2) * g * g;
        const denominator = Math.sqrt(expAvgSq) / Math.sqrt(1 - beta2 ** t) + eps;
        param += (-lr / (1 - beta1 ** t)) * (expAvg / denominator);
        p[name]![j] = param;
        m[name]![j] = expAvg;
        v[name]![j] = expAvgSq;
      }
    }
  });
  return { params: p, m, v };
}

function train(params: Params, state: AdamWState, from: number, to: number, gradScale = 1): { params: Params; state: AdamWState } {
  let current = { params, state };
  for (let i = from; i < to; i++) {
    current = adamw({ ...current, grads: draw('grad', i, gradScale), lr: rates[i]!, betas, groups });
  }
  return current;
}

function expectNear(actual: Values, expected: Values, tolerance: number): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, list] of Object.entries(expected)) {
    const largest = Math.max(...list.map(Math.abs));
    list.forEach((x, i) => {
      expect(Math.abs(actual[name]![i]! - x), `${name}[${i}]`).toBeLessThanOrEqual(tolerance * largest);
    });
  }
}

describe('adamw', () => {
  it.each([1, 2, 6])('equals the formula of torch.optim.AdamW after %d steps', steps => {
    const params = draw('param', 0);
    const grads = rates.slice(0, steps).map((_, i) => values(draw('grad', i)));
    const expected = torchAdamW(values(params), grads, rates, betas, 1e-8);
    const actual = train(params, initAdamW(params), 0, steps);
    expect(actual.state.step).toBe(steps);
    expectNear(values(actual.params), expected.params, 2e-7);
    expectNear(values(actual.state.m), expected.m, 5e-7);
    expectNear(values(actual.state.v), expected.v, 5e-7);
  });

  it('adds epsilon after the bias correction, where gradients are as small as epsilon', () => {
    const params = draw('param', 0),
      scale = 1e-8;
    const expected = torchAdamW(
      values(params),
      rates.map((_, i) => values(draw('grad', i, scale))),
      rates,
      betas,
      1e-8,
    );
    expectNear(values(train(params, initAdamW(params), 0, rates.length, scale).params), expected.params, 2e-7);
  });

  it('does not touch a parameter without a gradient: no decay, same moments', () => {
    const params = draw('param', 0),
      state = train(params, initAdamW(params), 0, 2).state;
    const grads = without(draw('grad', 2), 'weight');
    const next = adamw({ grads, state, params, lr: 1, betas, groups });
    expect(next.params['weight']).toBe(params['weight']);
    expect(next.state.m['weight']).toBe(state.m['weight']);
    expect(next.state.v['weight']).toBe(state.v['weight']);
    expect(next.params['bias']).not.toBe(params['bias']);
  });

  it('decays by lr * lrScale * weightDecay even where the gradient is zero', () => {
    const params = draw('param', 0);
    const next = adamw({ grads: draw('grad', 0, 0), state: initAdamW(params), params, lr: 0.1, betas, groups });
    expectNear(
      values(next.params),
      {
        weight: values(params)['weight']!.map(x => x * (1 - 0.1 * 0.05)),
        bias: values(params)['bias']!,
        token: values(params)['token']!.map(x => x * (1 - 0.1 * 0.65 ** 3 * 0.3)),
      },
      1e-7,
    );
  });

  it('continues from its plain state bit for bit', () => {
    const params = draw('param', 0);
    const whole = train(params, initAdamW(params), 0, 6);
    const half = train(params, initAdamW(params), 0, 3);
    const upload = (record: Params) => Object.fromEntries(Object.entries(record).map(([name, t]) => [name, tf.tensor(t.dataSync().slice(), t.shape)]));
    const { step, m, v } = half.state;
    const resumed = train(upload(half.params), { step, m: upload(m), v: upload(v) }, 3, 6);
    expect(resumed.state.step).toBe(6);
    for (const part of ['m', 'v'] as const) expect(values(resumed.state[part])).toEqual(values(whole.state[part]));
    expect(values(resumed.params)).toEqual(values(whole.params));
  });

  it('gives the same to the bit with its rates as scalar tensors, accurate also for a second beta of 0.999', () => {
    const params = draw('param', 0),
      finetuneBetas = [0.9, 0.999] as const;
    const expected = torchAdamW(
      values(params),
      rates.map((_, i) => values(draw('grad', i))),
      rates,
      finetuneBetas,
      1e-8,
    );
    const { m, v } = initAdamW(params);
    let tensors: AdamWTensors = { params: { ...params }, m: { ...m }, v: { ...v } };
    let numbers: { params: Params; state: AdamWState } = { params, state: initAdamW(params) };
    rates.forEach((lr, i) => {
      const { stepSize, epsilon } = adamwRates({ lr, step: i + 1, betas: finetuneBetas });
      const scalars = { lr: tf.scalar(lr), stepSize: tf.scalar(stepSize), epsilon: tf.scalar(epsilon) };
      tensors = adamwUpdate({ ...tensors, grads: draw('grad', i), rates: scalars, betas: finetuneBetas, groups });
      numbers = adamw({ ...numbers, grads: draw('grad', i), lr, betas: finetuneBetas, groups });
    });
    expectNear(values(tensors.params), expected.params, 2e-7);
    expect(values(tensors.params)).toEqual(values(numbers.params));
  });

  it('leaves only its results behind, and disposeReplaced frees what they replace', () => {
    const params = draw('param', 0),
      state = initAdamW(params);
    const grads = without(draw('grad', 0), 'bias');
    const before = tf.memory().numTensors;
    const next = adamw({ grads, state, params, lr: 1e-3, betas, groups });
    expect(tf.memory().numTensors).toBe(before + 2 * 3); // param, m, v of weight and token
    disposeReplaced(params, next.params);
    disposeReplaced(state.m, next.state.m);
    disposeReplaced(state.v, next.state.v);
    expect(tf.memory().numTensors).toBe(before);
    expect(Object.values(next.params).some(tensor => tensor.isDisposed)).toBe(false);
  });

  it('names the parameter that lacks a group', () => {
    const params = draw('param', 0),
      incomplete = without(groups, 'bias');
    expect(() => adamw({ grads: draw('grad', 0), state: initAdamW(params), params, lr: 1, betas, groups: incomplete })).toThrow('Expected a group for the gradient of "bias", got none.');
  });
});

describe('accumulation', () => {
  it('hands a single micro-batch through without an op', () => {
    const grads = draw('grad', 0);
    const sum = accumulateGrads(undefined, grads, 1);
    expect(Object.keys(sum)).toEqual(Object.keys(grads));
    for (const name of Object.keys(grads)) expect(sum[name]).toBe(grads[name]);
  });

  it('gives the means over micro-batches', () => {
    const batches = [0, 1, 2].map(i => draw('grad', i));
    const mean = batches.reduce<Params | undefined>((sum, grads) => accumulateGrads(sum, grads, 3), undefined)!;
    const [first, second, third] = batches.map(values);
    const expected = Object.fromEntries(Object.keys(shapes).map(name => [name, first![name]!.map((x, i) => (x + second![name]![i]! + third![name]![i]!) / 3)]));
    expectNear(values(mean), expected, 3e-7);
  });

  it('counts a missing gradient as zero', () => {
    const { bias, ...rest } = draw('grad', 0);
    const sum = accumulateGrads(accumulateGrads(undefined, rest, 2), { bias: bias! }, 2);
    expectNear(values(sum), Object.fromEntries(Object.keys(sum).map(name => [name, values({ ...rest, bias: bias! })[name]!.map(x => x / 2)])), 1e-7);
  });

  it('equals the gradient of the whole batch', () => {
    const x = tf.tensor(stream(2, 'x', 0).normals(24), [8, 3]),
      w = tf.variable(tf.tensor(stream(2, 'w', 0).normals(3), [3, 1]));
    const gradient = (part: tf.Tensor): tf.Tensor => tf.variableGrads(() => tf.mean(tf.square(tf.matMul(part as tf.Tensor2D, w as tf.Tensor2D))), [w]).grads[w.name]!;
    const sum = [0, 1, 2, 3].reduce<Params | undefined>((before, i) => accumulateGrads(before, { w: gradient(tf.slice(x, [2 * i, 0], [2, 3])) }, 4), undefined)!;
    expectNear(values(sum), values({ w: gradient(x) }), 1e-6);
  });
});
