/**
 * AdamW with decoupled weight decay, as torch.optim.AdamW computes it. State is a plain value keyed by parameter name, so it
 * is saved and resumed like the parameters; the update is a pure function.
 * Source: Loshchilov and Hutter, ICLR 2019, algorithm 2; pytorch, torch/optim/adamw.py (single tensor).
 */
import { composite } from '../../engine/compile/record.ts';
import { ADAMW } from '../../engine/compile/rewrite.ts';
import * as tf from '../../engine/tf.ts';
import type { Params } from '../../engine/formats/weights.ts';
import type { ParamGroup, ParamGroups } from './groups.ts';

export interface AdamWState {
  /** Updates done. */
  readonly step: number;
  /** First and second moment of each parameter's gradient, of the parameter's shape. */
  readonly m: Params;
  readonly v: Params;
}

/** The state before the first step: zeros of the shapes of the trained parameters. */
export function initAdamW(params: Params): AdamWState {
  const zeros = (): Record<string, tf.Tensor> => Object.fromEntries(Object.entries(params).map(([name, param]) => [name, tf.zeros(param.shape)]));
  return { step: 0, m: zeros(), v: zeros() };
}

/** A number, or a scalar tensor where the update is recorded once and run many times: a number would be baked in. */
type ScalarLike = number | tf.Tensor;

/**
 * All that changes from step to step. Both bias corrections are in the rate and epsilon: scalars, where the textbook form
 * divides whole tensors.
 */
export interface AdamWRates<S extends ScalarLike = ScalarLike> {
  readonly lr: S;
  /** lr sqrt(1 - b2^t) / (1 - b1^t) */
  readonly stepSize: S;
  /** eps sqrt(1 - b2^t): the update is m / (sqrt(v) + this), times `stepSize`. */
  readonly epsilon: S;
}

/** Rates of step t, counted from 1, of the learning rate before the groups' `lrScale`: on the host, since 1 - b^t in float32 loses four digits at b = 0.999, t = 1. */
export function adamwRates({
  lr,
  step,
  betas: [beta1, beta2],
  eps = 1e-8,
}: {
  readonly lr: number;
  readonly step: number;
  readonly betas: readonly [number, number];
  readonly eps?: number;
}): AdamWRates<number> {
  const root = Math.sqrt(1 - beta2 ** step);
  return { lr, stepSize: (lr * root) / (1 - beta1 ** step), epsilon: eps * root };
}

/** Parameters and their moments after an update: tensors of the same names. */
export interface AdamWTensors {
  readonly params: Record<string, tf.Tensor>;
  readonly m: Record<string, tf.Tensor>;
  readonly v: Record<string, tf.Tensor>;
}

export interface AdamWUpdate {
  /** Gradients by parameter name; a parameter without one is not touched at all. */
  readonly grads: Params;
  readonly params: Params;
  /** Moments as in `AdamWState`. */
  readonly m: Params;
  readonly v: Params;
  readonly rates: AdamWRates;
  /** Decay rates of the two moments: (0.9, 0.95) in pre-training, (0.9, 0.999) in fine-tuning. */
  readonly betas: readonly [number, number];
  readonly groups: ParamGroups;
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
export function adamwUpdate({ grads, params, m, v, rates, betas, groups }: AdamWUpdate): AdamWTensors {
  return tf.tidy(() => {
    const next = { params: { ...params }, m: { ...m }, v: { ...v } };
    const scalars = stepScalars(rates, betas);
    for (const [name, grad] of Object.entries(grads)) {
      const param = entry(params, name, 'parameter');
      const updated = update(param, grad, entry(m, name, 'first moment'), entry(v, name, 'second moment'), scalars, entry(groups, name, 'group'));
      next.params[name] = updated.param;
      next.m[name] = updated.m;
      next.v[name] = updated.v;
    }
    return next;
  });
}

/** Everything that is the same for all parameters of a step, uploaded once: an op costs little more than its upload. */
interface StepScalars {
  readonly beta1: tf.Tensor;
  readonly oneMinusBeta1: tf.Tensor;
  readonly beta2: tf.Tensor;
  readonly oneMinusBeta2: tf.Tensor;
  readonly epsilon: tf.Tensor;
  /** The rates' `stepSize` times s, by s. */
  readonly stepSize: (lrScale: number) => tf.Tensor;
  /** 1 - lr s w, by s w. */
  readonly retained: (scaledDecay: number) => tf.Tensor;
}

/** 13 ops for a parameter with decay, 12 without; one fused op where the step is compiled. */
function update(param: tf.Tensor, grad: tf.Tensor, oldM: tf.Tensor, oldV: tf.Tensor, scalars: StepScalars, { weightDecay, lrScale }: ParamGroup): { param: tf.Tensor; m: tf.Tensor; v: tf.Tensor } {
  const { beta1, beta2, epsilon, oneMinusBeta1, oneMinusBeta2 } = scalars;
  const stepSize = scalars.stepSize(lrScale);
  const retained = weightDecay === 0 ? [] : [scalars.retained(lrScale * weightDecay)];
  const inputs = [param, grad, oldM, oldV, stepSize, epsilon, beta1, beta2, ...retained];
  const [next, m, v] = composite(ADAMW, inputs, () => {
    const m: tf.Tensor = tf.add(tf.mul(oldM, beta1), tf.mul(grad, oneMinusBeta1));
    const v: tf.Tensor = tf.add(tf.mul(oldV, beta2), tf.mul(tf.square(grad), oneMinusBeta2));
    const change = tf.mul(tf.div(m, tf.add(tf.sqrt(v), epsilon)), stepSize);
    const decayed = retained.reduce((p, factor) => tf.mul(p, factor), param);
    return [tf.sub<tf.Tensor>(decayed, change), m, v] as const;
  });
  return { param: next, m, v };
}

function stepScalars({ lr, stepSize, epsilon }: AdamWRates, [beta1, beta2]: readonly [number, number]): StepScalars {
  const rateTensor = asTensor(stepSize),
    lrTensor = asTensor(lr),
    one = tf.scalar(1);
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
