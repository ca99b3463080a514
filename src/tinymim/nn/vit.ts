/**
 * The ViT encoder of timm, MAE and TinyMIM as a function of (parameters, images). Blocks are counted from 1, as in the
 * paper; parameter names count from 0, as in timm.
 */
import { linear } from '../../engine/grad/linear.ts';
import type { Params } from '../../engine/formats/weights.ts';
import * as tf from '../../engine/tf.ts';
import { projectQkv, runAttention, runBlock, type BlockTensors, type TokenShape } from './block.ts';
import { headsOf, patchCount, patchDim, prefixTokens, type ViTConfig } from './config.ts';
import { blockScales, type DropPath } from './drop-path.ts';
import { ModelError } from './errors.ts';
import { param } from './params.ts';
import { patchify } from './patches.ts';

export interface EncodeOptions {
  readonly dropPath?: DropPath;
  /** Patches that the encoder sees, `[B, K]` int32 in the order of the output; default all, in row-major order. */
  readonly tokens?: tf.Tensor2D;
}

/**
 * Tokens after the last block, without the final norm.
 * @param images `[B, C, H, W]` float32, normalised
 * @returns `[B, N, D]`, N = 1 + patches, class token first; a distillation token is the second of N = 2 + patches
 */
export function encode(params: Params, images: tf.Tensor, config: ViTConfig, options: EncodeOptions = {}): tf.Tensor3D {
  const { x, shape } = embedTokens(params, images, config, options.tokens);
  const scales = options.dropPath && blockScales(options.dropPath, shape.batch, shape.tokens);
  let output = x;
  for (let block = 1; block <= config.depth; block++) {
    output = runBlock(params, `blocks.${block - 1}`, output, shape, headsOf(config, block), scales?.[block - 1]).block;
  }
  return toTokens(output, shape);
}

export interface ExtractOptions extends EncodeOptions {
  /** Of the attention of a block, by its prefix (`blocks.0`): `[1, H, N, N]`. For outputs of whole blocks. */
  readonly attentionBias?: ((prefix: string) => tf.Tensor4D) | undefined;
}

/** What can be taken from a block: see `BlockTensors`. q, k, v are `[B, H, N, D / H]`, the others `[B, N, D]`. */
export type Feature = keyof BlockTensors;

export interface Tap {
  /** Counted from 1. */
  readonly block: number;
  readonly features: readonly Feature[];
}

/** Features by block. */
export type Features = ReadonlyMap<number, Readonly<Partial<Record<Feature, tf.Tensor>>>>;

/**
 * Inner tensors of some blocks. Runs no further than the deepest block asked for, and of that one only what is needed: norm
 * 1 and the q, k, v projection for relations (as the released student and teacher do), no MLP for features of the attention.
 * @param images `[B, C, H, W]` float32, normalised
 */
export function extractFeatures(params: Params, images: tf.Tensor, config: ViTConfig, taps: readonly Tap[], options: ExtractOptions = {}): Features {
  const wanted = mergeTaps(taps, config.depth);
  const deepest = Math.max(...wanted.keys());
  const { x, shape } = embedTokens(params, images, config, options.tokens);
  const scales = options.dropPath && blockScales(options.dropPath, shape.batch, shape.tokens);
  const features = new Map<number, Partial<Record<Feature, tf.Tensor>>>();
  let input = x;
  for (let block = 1; block <= deepest; block++) {
    const names = wanted.get(block) ?? new Set<Feature>();
    const prefix = `blocks.${block - 1}`,
      heads = headsOf(config, block);
    if (block === deepest) {
      features.set(block, pick(runFor(names)(params, prefix, input, shape, heads, scales?.[block - 1], options.attentionBias?.(prefix)), names, shape));
    } else {
      const tensors = runBlock(params, prefix, input, shape, heads, scales?.[block - 1], options.attentionBias?.(prefix));
      if (names.size > 0) features.set(block, pick(tensors, names, shape));
      input = tensors.block;
    }
  }
  return features;
}

/** One feature of one block. @throws ModelError if no tap asked for it */
export function featureOf(features: Features, block: number, name: Feature): tf.Tensor {
  const tensor = features.get(block)?.[name];
  if (tensor === undefined) throw new ModelError('FEATURE', `Expected feature "${name}" of block ${block}, which no tap asked for. Add it to the taps of extractFeatures.`);
  return tensor;
}

/**
 * Patch projection, class token, distillation token where there is one, and positions: `[B * N, D]`. The pixels of unseen patches are left out before the
 * projection, which gives what MAE gets by dropping projected patches.
 * @throws ModelError for a choice of patches beside a distillation token, which no pre-training has
 */
export function embedTokens(params: Params, images: tf.Tensor, config: ViTConfig, tokens?: tf.Tensor2D): { x: tf.Tensor2D; shape: TokenShape } {
  const batch = images.shape[0],
    patches = patchCount(config),
    dim = config.embed_dim;
  if (tokens && config.dist_token === true) throw new ModelError('INPUT', 'Expected all patches beside a distillation token, got a choice of them.');
  const seen = tokens?.shape[1] ?? patches,
    before = prefixTokens(config);
  const pixels = patchify(images, config, 'channel-row-column');
  const visible = tokens ? gatherRows(pixels, tf.add(tokens, rowOffsets(batch, patches))) : pixels;
  const weight = tf.reshape(param(params, 'patch_embed.proj.weight'), [dim, patchDim(config)]);
  const projected = tf.reshape(linear(visible, weight, param(params, 'patch_embed.proj.bias')), [batch, seen, dim]);
  const positions = positionsOf(param(params, 'pos_embed'), tokens, [batch, seen, dim]);
  const prefix = ['cls_token', 'dist_token'].slice(0, before).map(name => tf.add(param(params, name), tf.zeros([batch, 1, dim]))); // tile has a slow gradient
  const x = tf.add(tf.concat([...prefix, projected], 1), positions);
  return { x: tf.reshape(x, [batch * (before + seen), dim]), shape: { batch, tokens: before + seen } };
}

/** `[1, 1 + L, D]` (`[1, 2 + L, D]` with a distillation token) as it is, or the rows of the class token and of the seen patches, `[B, 1 + K, D]`. */
function positionsOf(table: tf.Tensor, tokens: tf.Tensor2D | undefined, [batch, seen, dim]: [number, number, number]): tf.Tensor {
  if (tokens === undefined) return table;
  const rows = tf.pad(tf.add(tokens, tf.scalar(1, 'int32')), [
    [0, 0],
    [1, 0],
  ]); // row 0 for the class token
  return tf.reshape(gatherRows(tf.reshape(table, [-1, dim]), rows), [batch, 1 + seen, dim]);
}

/** Rows of `[R, D]` by int32 indices of any shape; indices are flattened, as batched gathers are slow to differentiate. */
export function gatherRows(x: tf.Tensor2D, rows: tf.Tensor): tf.Tensor2D {
  return tf.gather(x, tf.reshape(rows, [-1]));
}

/** `[B, 1]` int32: where each sample's rows start when every sample has `size` of them. */
export function rowOffsets(batch: number, size: number): tf.Tensor2D {
  return tf.tensor2d(
    Int32Array.from({ length: batch }, (_, i) => i * size),
    [batch, 1],
    'int32',
  );
}

export function toTokens(x: tf.Tensor2D, { batch, tokens }: TokenShape): tf.Tensor3D {
  return tf.reshape(x, [batch, tokens, x.shape[1]]);
}

/** @throws ModelError for no feature, or a block beyond the depth */
export function mergeTaps(taps: readonly Tap[], depth: number): Map<number, Set<Feature>> {
  const wanted = new Map<number, Set<Feature>>();
  for (const { block, features } of taps) {
    if (!Number.isInteger(block) || block < 1 || block > depth) throw new ModelError('FEATURE', `Expected a block from 1 to ${depth}, got ${block}.`);
    if (features.length > 0) wanted.set(block, new Set([...(wanted.get(block) ?? []), ...features]));
  }
  if (wanted.size === 0) throw new ModelError('FEATURE', 'Expected at least one feature of one block, got none.');
  return wanted;
}

/** The shortest run of a block that gives all of these. */
function runFor(names: ReadonlySet<Feature>): (...args: Parameters<typeof runBlock>) => Partial<BlockTensors> {
  if (names.has('ffn') || names.has('block')) return runBlock;
  return names.has('attention') || names.has('attention_residual') ? runAttention : projectQkv;
}

function pick(tensors: Partial<BlockTensors>, names: ReadonlySet<Feature>, shape: TokenShape): Partial<Record<Feature, tf.Tensor>> {
  return Object.fromEntries(
    [...names].map(name => {
      const tensor = tensors[name]!;
      return [name, tensor.rank === 2 ? toTokens(tensor as tf.Tensor2D, shape) : tensor];
    }),
  );
}
