import * as tf from '../tf.ts';
import { withGradient } from './with-gradient.ts';

export interface Affine {
  /** `[D]` */
  readonly weight: tf.Tensor;
  /** `[D]` */
  readonly bias: tf.Tensor;
}

/**
 * Layer normalisation over the last axis: `(x - mean) / sqrt(var + eps) * weight + bias`, biased variance.
 * @param x `[..., D]`
 * @param affine leave out for the plain normalisation (whitening)
 */
export function layerNorm<T extends tf.Tensor>(x: T, eps: number, affine?: Affine): T {
  return affine === undefined ? plain(x, eps) : withAffine(x, eps, affine);
}

function normalise<T extends tf.Tensor>(x: T, eps: number): { normal: T; rstd: tf.Tensor } {
  const centred = tf.sub<T>(x, tf.mean(x, -1, true));
  const rstd = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), eps));
  return { normal: tf.mul<T>(centred, rstd), rstd };
}

/** Derivative of the normalisation: what is left of `dy` without its mean and its part along `normal`, times `rstd`. */
function normaliseGradient<T extends tf.Tensor>(dy: T, normal: tf.Tensor, rstd: tf.Tensor): T {
  const along = tf.mul(normal, tf.mean(tf.mul(dy, normal), -1, true));
  return tf.mul<T>(tf.sub(tf.sub(dy, tf.mean(dy, -1, true)), along), rstd);
}

function plain<T extends tf.Tensor>(x: T, eps: number): T {
  return withGradient<T>([x], save => {
    const { normal, rstd } = normalise(x, eps);
    save([normal, rstd]);
    return { value: normal, gradient: (dy, [normal, rstd]) => [normaliseGradient(dy, normal!, rstd!)] };
  });
}

function withAffine<T extends tf.Tensor>(x: T, eps: number, { weight, bias }: Affine): T {
  const leading = x.shape.slice(0, -1).map((_, axis) => axis);
  return withGradient<T>([x, weight, bias], save => {
    const { normal, rstd } = normalise(x, eps);
    save([normal, rstd, weight]);
    return {
      value: tf.add<T>(tf.mul(normal, weight), bias),
      gradient: (dy, [normal, rstd, weight]) => [normaliseGradient(tf.mul(dy, weight!), normal!, rstd!), tf.sum(tf.mul(dy, normal!), leading), tf.sum(dy, leading)],
    };
  });
}
