/** Initial distributions, as in `torch.nn.init`. */
import type { Stream } from '../../engine/random/rng.ts';

/** Draws `size` values. */
export type Initializer = (size: number, stream: Stream) => Float32Array;

export const constant =
  (value: number): Initializer =>
  size =>
    new Float32Array(size).fill(value);

export const normal =
  (std: number): Initializer =>
  (size, stream) =>
    stream.normals(size).map(x => std * x);

/** U(-bound, bound). */
export const uniform =
  (bound: number): Initializer =>
  (size, stream) =>
    stream.uniforms(size).map(x => bound * (2 * x - 1));

/** U(-b, b) with b = sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010). */
export const xavierUniform = (fanIn: number, fanOut: number): Initializer => uniform(Math.sqrt(6 / (fanIn + fanOut)));

/** N(0, 2 / fan_out) (He et al. 2015, `mode='fan_out'` for ReLU). */
export const kaimingNormal = (fanOut: number): Initializer => normal(Math.sqrt(2 / fanOut));
