/**
 * AdamW with decoupled weight decay, as torch.optim.AdamW computes it. State is a plain value keyed by parameter name, so it
 * is saved and resumed like the parameters; the update is a pure function.
 * Source: Loshchilov and Hutter, ICLR 2019, algorithm 2; pytorch, torch/optim/adamw.py (single tensor).
 */
import * as tf from '../tensor/tf.ts';
import type { Params } from '../tensor/weights.ts';
import type { ParamGroup, ParamGroups } from './groups.ts';

/** A number, or a scalar tensor where the step is recorded once and run many times: a number would be baked in. */
export type ScalarLike = number | tf.Tensor;

export interface AdamWState<Step extends ScalarLike = number> {
  /** Updates done. */
  readonly step: Step;
  /** First and second moment of each parameter's gradient, of the parameter's shape. */
  readonly m: Params;
  readonly v: Params;
}

export interface AdamWInput<Step extends ScalarLike = number> {
  /** Gradients by parameter name; a parameter without one is not touched at all. */
  readonly grads: Params;
  readonly state: AdamWState<Step>;
  readonly params: Params;
  /** Learning rate of this step, before the groups' `lrScale`. */
  readonly lr: ScalarLike;
  /** Decay rates of the two moments: (0.9, 0.95) in pre-training, (0.9, 0.999) in fine-tuning. */
  readonly betas: readonly [number, number];
  readonly eps?: number;
  readonly groups: ParamGroups;
}

export interface AdamWOutput<Step extends ScalarLike = number> {
  readonly params: Record<string, tf.Tensor>;
  readonly state: AdamWState<Step>;
}

/** The state before the first step: zeros of the shapes of the trained parameters. */
export function initAdamW(params: Params): AdamWState {
  const zeros = (): Record<string, tf.Tensor> =>
    Object.fromEntries(Object.entries(params).map(([name, param]) => [name, tf.zeros(param.shape)]));
  return { step: 0, m: zeros(), v: zeros() };
}

/**
 * One step. With g the gradient, t the step from 1, s the group's lrScale and w its weight decay:
 *
 *     m = b1 m + (1 - b1) g      v = b2 v + (1 - b2) g^2
 *     p = p (1 - lr s w) - lr s (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
 *
 * A parameter without a gradient is returned as the same tensor, with its state: no decay either. (PyTorch counts steps for
 * each parameter, we count calls: the same unless a parameter has a gradient in some steps and none in others.)
 * New tensors are the caller's; the old ones go with `disposeReplaced`. Nothing is read back from the device.
 * @throws Error if a gradient has no parameter, state or group
 */
export function adamw<Step extends ScalarLike = number>(input: AdamWInput<Step>): AdamWOutput<Step> {
  const { grads, state, params, groups } = input;
  return tf.tidy(() => {
    const next = { params: { ...params }, m: { ...state.m }, v: { ...state.v } };
    const scalars = stepScalars(input);
    for (const [name, grad] of Object.entries(grads)) {
      const param = entry(params, name, 'parameter');
      const updated = update(param, grad, entry(state.m, name, 'first moment'), entry(state.v, name, 'second moment'), scalars,
        entry(groups, name, 'group'));
      next.params[name] = updated.param;
      next.m[name] = updated.m;
      next.v[name] = updated.v;
    }
    const step = (typeof state.step === 'number' ? state.step + 1 : tf.add(state.step, 1)) as Step;
    return { params: next.params, state: { step, m: next.m, v: next.v } };
  });
}

/** Everything that is the same for all parameters of a step, uploaded once: an op costs little more than its upload. */
interface StepScalars {
  readonly beta1: tf.Tensor;
  readonly oneMinusBeta1: tf.Tensor;
  readonly beta2: tf.Tensor;
  readonly oneMinusBeta2: tf.Tensor;
  /** eps sqrt(1 - b2^t): the update is m / (sqrt(v) + this), times `stepSize`. */
  readonly epsilon: tf.Tensor;
  /** lr s sqrt(1 - b2^t) / (1 - b1^t), by s. */
  readonly stepSize: (lrScale: number) => tf.Tensor;
  /** 1 - lr s w, by s w. */
  readonly retained: (scaledDecay: number) => tf.Tensor;
}

/** 13 ops for a parameter with decay, 12 without. */
function update(
  param: tf.Tensor, grad: tf.Tensor, oldM: tf.Tensor, oldV: tf.Tensor, scalars: StepScalars, { weightDecay, lrScale }: ParamGroup,
): { param: tf.Tensor; m: tf.Tensor; v: tf.Tensor } {
  const m = tf.add(tf.mul(oldM, scalars.beta1), tf.mul(grad, scalars.oneMinusBeta1));
  const v = tf.add(tf.mul(oldV, scalars.beta2), tf.mul(tf.square(grad), scalars.oneMinusBeta2));
  const change = tf.mul(tf.div(m, tf.add(tf.sqrt(v), scalars.epsilon)), scalars.stepSize(lrScale));
  const decayed = weightDecay === 0 ? param : tf.mul(param, scalars.retained(lrScale * weightDecay));
  return { param: tf.sub(decayed, change), m, v };
}

function stepScalars<Step extends ScalarLike>({ state, lr, betas: [beta1, beta2], eps = 1e-8 }: AdamWInput<Step>): StepScalars {
  const { rate, epsilon } = typeof lr === 'number' && typeof state.step === 'number'
    ? biasCorrected(lr, state.step + 1, beta1, beta2, eps)
    : biasCorrectedTensors(asTensor(lr), tf.add(asTensor(state.step), 1), beta1, beta2, eps);
  const rateTensor = asTensor(rate), lrTensor = asTensor(lr), one = tf.scalar(1);
  return {
    beta1: tf.scalar(beta1),
    oneMinusBeta1: tf.scalar(1 - beta1),
    beta2: tf.scalar(beta2),
    oneMinusBeta2: tf.scalar(1 - beta2),
    epsilon: asTensor(epsilon),
    stepSize: memoize(lrScale => (lrScale === 1 ? rateTensor : tf.mul(rateTensor, tf.scalar(lrScale)))),
    retained: memoize(scaledDecay => tf.sub(one, tf.mul(lrTensor, tf.scalar(scaledDecay)))),
  };
}

/** Both bias corrections moved into the rate and epsilon: scalars, where the textbook form divides whole tensors. */
function biasCorrected(lr: number, t: number, beta1: number, beta2: number, eps: number): { rate: number; epsilon: number } {
  const root = Math.sqrt(1 - beta2 ** t);
  return { rate: (lr * root) / (1 - beta1 ** t), epsilon: eps * root };
}

/** The same from scalar tensors. 1 - b^t as -expm1(t log b): in float32 the plain form loses four digits at b = 0.999, t = 1. */
function biasCorrectedTensors(lr: tf.Tensor, t: tf.Tensor, beta1: number, beta2: number, eps: number): { rate: tf.Tensor; epsilon: tf.Tensor } {
  const correction = (beta: number): tf.Tensor => tf.neg(tf.expm1(tf.mul(t, tf.scalar(Math.log(beta)))));
  const root = tf.sqrt(correction(beta2));
  return { rate: tf.div(tf.mul(lr, root), correction(beta1)), epsilon: tf.mul(root, tf.scalar(eps)) };
}

function asTensor(value: ScalarLike): tf.Tensor {
  return typeof value === 'number' ? tf.scalar(value) : value;
}

function memoize(compute: (key: number) => tf.Tensor): (key: number) => tf.Tensor {
  const known = new Map<number, tf.Tensor>();
  return key => {
    const value = known.get(key) ?? compute(key);
    known.set(key, value);
    return value;
  };
}

function entry<T>(record: Readonly<Record<string, T>>, name: string, what: string): T {
  const value = record[name];
  if (value === undefined) throw new Error(`Expected a ${what} for the gradient of "${name}", got none.`);
  return value;
}
