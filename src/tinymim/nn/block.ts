/**
 * The pre-norm Transformer block of timm 0.3.2 (`vision_transformer.py`), opened up so that distillation can take its inner
 * tensors. Tokens travel as `[B * N, D]`: dense layers need rank 2, and each reshape costs an op.
 */
import { gelu } from '../../engine/grad/gelu.ts';
import { layerNorm } from '../../engine/grad/layer-norm.ts';
import { linear } from '../../engine/grad/linear.ts';
import type { Params } from '../../engine/formats/weights.ts';
import * as tf from '../../engine/tf.ts';
import { LAYER_NORM_EPS } from './config.ts';
import type { BlockScales } from './drop-path.ts';
import { param } from './params.ts';

/** How the rows of `[B * N, D]` are to be read. */
export interface TokenShape {
  readonly batch: number;
  readonly tokens: number;
}

/** Queries, keys and values, `[B, H, N, D / H]`. */
export interface Qkv {
  readonly q: tf.Tensor4D;
  readonly k: tf.Tensor4D;
  readonly v: tf.Tensor4D;
}

/**
 * Inner tensors of a block, named as in the paper's equations 1 to 3; `[B * N, D]` but for q, k, v. Drop path acts on the
 * branches after `attention` and `ffn` were taken.
 */
export interface BlockTensors extends Qkv {
  /** H_i: attention branch (with its output projection) before the residual connection. */
  readonly attention: tf.Tensor2D;
  /** Hhat_i = H_i + F_(i-1). */
  readonly attention_residual: tf.Tensor2D;
  /** Htilde_i: MLP branch before the residual connection. */
  readonly ffn: tf.Tensor2D;
  /** F_i = Hhat_i + Htilde_i: the block's output. */
  readonly block: tf.Tensor2D;
}

/** `x W^T + b` with the parameters `<name>.weight` and `<name>.bias`. */
export function dense(params: Params, name: string, x: tf.Tensor2D): tf.Tensor2D {
  return linear(x, param(params, `${name}.weight`), param(params, `${name}.bias`));
}

/** LayerNorm (eps 1e-6) with the parameters `<name>.weight` and `<name>.bias`. */
export function norm<T extends tf.Tensor>(params: Params, name: string, x: T): T {
  return layerNorm(x, LAYER_NORM_EPS, { weight: param(params, `${name}.weight`), bias: param(params, `${name}.bias`) });
}

/**
 * The first part of a block, enough for relations: norm 1 and the projection to q, k, v.
 * @param prefix e.g. `blocks.0`
 * @param x `[B * N, D]`
 */
export function projectQkv(params: Params, prefix: string, x: tf.Tensor2D, shape: TokenShape, heads: number): Qkv {
  const [q, k, v] = tf.split(dense(params, `${prefix}.attn.qkv`, norm(params, `${prefix}.norm1`, x)), 3, 1).map(part => splitHeads(part as tf.Tensor2D, shape, heads));
  return { q: q!, k: k!, v: v! };
}

/** `softmax(q k^T / sqrt(D / H) + bias)`, `[B, H, N, N]`. @param bias `[1, H, N, N]` @internal */
export function attentionProbabilities({ q, k }: Qkv, bias?: tf.Tensor4D): tf.Tensor4D {
  const scaled = tf.mul<tf.Tensor4D>(q, q.shape[3] ** -0.5),
    similar = tf.matMul<tf.Tensor4D>(scaled, k, false, true);
  return tf.softmax(bias ? tf.add<tf.Tensor4D>(similar, bias) : similar);
}

/** `fc2(gelu(fc1(x)))`. */
function mlp(params: Params, prefix: string, x: tf.Tensor2D): tf.Tensor2D {
  return dense(params, `${prefix}.mlp.fc2`, gelu(dense(params, `${prefix}.mlp.fc1`, x)));
}

/** What a block has computed before its MLP. */
export type AttentionTensors = Omit<BlockTensors, 'ffn' | 'block'>;

/**
 * The first half of a block: attention and its residual connection.
 * @param x `[B * N, D]`
 * @param scales drop path of this block
 */
export function runAttention(params: Params, prefix: string, x: tf.Tensor2D, shape: TokenShape, heads: number, scales?: BlockScales): AttentionTensors {
  const qkv = projectQkv(params, prefix, x, shape, heads);
  return { ...qkv, ...attend(params, prefix, x, qkv, scales) };
}

/**
 * A whole block.
 * @param x `[B * N, D]`
 * @param scales drop path of this block
 * @param bias of its attention, `[1, H, N, N]`
 */
export function runBlock(params: Params, prefix: string, x: tf.Tensor2D, shape: TokenShape, heads: number, scales?: BlockScales, bias?: tf.Tensor4D): BlockTensors {
  const qkv = projectQkv(params, prefix, x, shape, heads);
  return { ...qkv, ...completeBlock(params, prefix, x, qkv, scales, bias) };
}

/**
 * A block from its queries, keys and values on.
 * @param x `[B * N, D]`, what they were projected from
 */
export function completeBlock(params: Params, prefix: string, x: tf.Tensor2D, qkv: Qkv, scales?: BlockScales, bias?: tf.Tensor4D): Omit<BlockTensors, keyof Qkv> {
  const half = attend(params, prefix, x, qkv, scales, bias);
  const ffn = layerScaled(params, `${prefix}.gamma_2`, mlp(params, prefix, norm(params, `${prefix}.norm2`, half.attention_residual)));
  return { ...half, ffn, block: addBranch(half.attention_residual, ffn, scales?.mlp) };
}

function attend(params: Params, prefix: string, x: tf.Tensor2D, qkv: Qkv, scales?: BlockScales, bias?: tf.Tensor4D): Pick<BlockTensors, 'attention' | 'attention_residual'> {
  const mixed = mergeHeads(tf.matMul<tf.Tensor4D>(attentionProbabilities(qkv, bias), qkv.v));
  const attention = layerScaled(params, `${prefix}.gamma_1`, dense(params, `${prefix}.attn.proj`, mixed));
  return { attention, attention_residual: addBranch(x, attention, scales?.attention) };
}

/** LayerScale: a factor for each channel of a branch, of models that have one (`init_values` of BEiT). */
function layerScaled(params: Params, name: string, branch: tf.Tensor2D): tf.Tensor2D {
  const gamma = params[name];
  return gamma ? tf.mul<tf.Tensor2D>(branch, gamma) : branch;
}

function addBranch(x: tf.Tensor2D, branch: tf.Tensor2D, scale: tf.Tensor | undefined): tf.Tensor2D {
  return tf.add(x, scale ? tf.mul(branch, scale) : branch);
}

function splitHeads(x: tf.Tensor2D, { batch, tokens }: TokenShape, heads: number): tf.Tensor4D {
  const perHead = tf.reshape(x, [batch, tokens, heads, x.shape[1] / heads]);
  return tf.transpose(perHead as tf.Tensor4D, [0, 2, 1, 3]);
}

/** `[B, H, N, D / H]` to `[B * N, D]`: heads concatenated. */
export function mergeHeads(x: tf.Tensor4D): tf.Tensor2D {
  const [batch, heads, tokens, headDim] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch * tokens, heads * headDim]);
}
