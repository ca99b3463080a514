import { stream } from './random/rng.ts';
import * as tf from './tf.ts';

export interface ToyResult {
  /** The loss is finite and fell to less than a hundredth. */
  readonly ok: boolean;
  /** Wall time of all steps, in milliseconds. */
  readonly ms: number;
  readonly firstLoss: number;
  readonly lastLoss: number;
}

/**
 * Trains a linear regression y = X w for a few steps of gradient descent on the loaded engine: forward, backward and update
 * work and give sensible numbers. Takes milliseconds; leaves no tensor behind.
 */
export function toyStep(steps = 30): ToyResult {
  const started = performance.now();
  const samples = 64,
    features = 8,
    learningRate = 0.25;
  const random = stream(0, 'selftest', 0);
  const x = tf.tensor2d(random.normals(samples * features), [samples, features]);
  const truth = tf.tensor2d(random.normals(features), [features, 1]);
  const y = tf.matMul(x, truth);
  const w = tf.tidy(() => tf.variable(tf.zeros([features, 1])));
  const loss = (): tf.Scalar => tf.mean(tf.square(tf.sub(tf.matMul(x, w), y)));
  const read = (): number => tf.tidy(() => loss().dataSync()[0]!);
  const firstLoss = read();
  for (let step = 0; step < steps; step++) {
    tf.tidy(() => {
      const gradient = tf.variableGrads(loss, [w]).grads[w.name]!;
      w.assign(tf.sub(w, tf.mul(gradient, learningRate)));
    });
  }
  const lastLoss = read();
  tf.dispose([x, truth, y, w]);
  return { ok: Number.isFinite(firstLoss) && lastLoss < firstLoss / 100, ms: performance.now() - started, firstLoss, lastLoss };
}
