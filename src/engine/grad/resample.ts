/**
 * Maps of another size as products with two matrices, one for rows and one for columns: bilinear interpolation and adaptive pooling differ in
 * their matrices alone, and the gradient is the product with the transposed ones.
 */
import { float32Products } from '../compile/float32-products.ts';
import * as tf from '../tf.ts';
import { withGradient } from './with-gradient.ts';

/** Of one axis: `[out, in]`, row-major. Row i has what is taken of each pixel for pixel i. */
interface AxisMatrix {
  readonly out: number;
  readonly in: number;
  readonly data: Float32Array;
}

type Size = readonly [height: number, width: number];

/**
 * PyTorch's `F.interpolate(mode='bilinear', align_corners=False)`.
 * @param x `[B, H, W, C]`
 * @returns `[B, height, width, C]`
 */
export const resizeBilinear = (x: tf.Tensor4D, size: Size): tf.Tensor4D => resample(x, size, bilinearMatrix);

/**
 * PyTorch's `nn.AdaptiveAvgPool2d`: means over parts of the map, which may overlap by a row or column.
 * @param x `[B, H, W, C]`
 * @returns `[B, height, width, C]`
 */
export const adaptiveMeanPool = (x: tf.Tensor4D, size: Size): tf.Tensor4D => resample(x, size, poolingMatrix);

function resample(x: tf.Tensor4D, [height, width]: Size, matrixOf: (from: number, to: number) => AxisMatrix): tf.Tensor4D {
  if (x.shape[1] === height && x.shape[2] === width) return x;
  const matrices = [matrixOf(x.shape[1], height), matrixOf(x.shape[2], width)] as const;
  return withGradient<tf.Tensor4D>([x], () => ({
    value: float32Products(() => product(x, ...matrices)),
    gradient: dy => [float32Products(() => product(dy, transposed(matrices[0]), transposed(matrices[1])))],
  }));
}

/** With the axis that is summed last each product is one of two matrices, which every engine has its fastest kernel for. */
function product(x: tf.Tensor4D, rows: AxisMatrix, columns: AxisMatrix): tf.Tensor4D {
  const [batch, , , channels] = x.shape;
  const wide = along(tf.transpose(x, [0, 1, 3, 2]), columns); // [B, H, C, width]
  const high = along(tf.transpose(wide, [0, 2, 3, 1]), rows); // [B, C, width, height]
  return tf.reshape(tf.transpose(high, [0, 3, 2, 1]), [batch, rows.out, columns.out, channels]);
}

/** The last axis replaced. */
function along(x: tf.Tensor4D, { out, in: from, data }: AxisMatrix): tf.Tensor4D {
  const matrix = tf.tensor2d(data, [out, from]);
  const [a, b, c] = x.shape;
  return tf.reshape(tf.matMul(tf.reshape(x, [a * b * c, from]), matrix, false, true), [a, b, c, out]);
}

function transposed({ out, in: from, data }: AxisMatrix): AxisMatrix {
  const turned = new Float32Array(data.length);
  for (let i = 0; i < out; i++) for (let j = 0; j < from; j++) turned[j * out + i] = data[i * from + j]!;
  return { out: from, in: out, data: turned };
}

/** Pixel i lies at `(i + 1/2) in / out - 1/2` of the source, between two pixels; before the first and behind the last there are none. */
function bilinearMatrix(from: number, to: number): AxisMatrix {
  const data = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = Math.max(((i + 0.5) * from) / to - 0.5, 0),
      before = Math.min(Math.floor(at), from - 1),
      after = Math.min(before + 1, from - 1),
      share = at - before;
    data[i * from + before]! += 1 - share;
    data[i * from + after]! += share;
  }
  return { out: to, in: from, data };
}

/** Part i is the pixels from `floor(i in / out)` to `ceil((i + 1) in / out)`, the latter excluded. */
function poolingMatrix(from: number, to: number): AxisMatrix {
  const data = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const start = Math.floor((i * from) / to),
      end = Math.ceil(((i + 1) * from) / to);
    data.fill(1 / (end - start), i * from + start, i * from + end);
  }
  return { out: to, in: from, data };
}
