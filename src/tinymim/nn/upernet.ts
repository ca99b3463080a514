/**
 * UPerNet on a ViT: a pyramid of maps from four blocks, pyramid pooling of the smallest, and a feature pyramid network (Xiao et al., ECCV 2018).
 * As mmsegmentation 0.11 computes it (UPerHead, FCNHead), with the pyramid of BEiT's and MAE's backbones for patches of 16 pixels.
 * Maps are `[B, H, W, C]`; names of parameters are mmsegmentation's, but that those of the backbone have no prefix.
 */
import { convolveUp } from '../../engine/grad/convolution.ts';
import { gelu } from '../../engine/grad/gelu.ts';
import { maxPool } from '../../engine/grad/max-pool.ts';
import { adaptiveMeanPool, resizeBilinear } from '../../engine/grad/resample.ts';
import type { Params } from '../../engine/formats/weights.ts';
import * as tf from '../../engine/tf.ts';
import { patchGrid, POOL_SCALES, type ViTConfig } from './config.ts';
import type { DropPath } from './drop-path.ts';
import { batchNormalised, classesOf, convModule, dropChannels, type ChannelDropout, type Statistics } from './feature-map.ts';
import { param } from './params.ts';
import { relativeBias } from './relative-positions.ts';
import { extractFeatures, featureOf } from './vit.ts';

/** Levels of the pyramid: four times, twice, once and half the grid of patches. */
export const LEVELS = 4;

/** Level of the pyramid that the auxiliary head reads (`in_index`). */
const AUXILIARY_LEVEL = 2;

export interface SegmenterConfig extends ViTConfig {
  /** Blocks whose outputs are the levels of the pyramid, the finest first; counted from 1. */
  readonly feature_blocks: readonly number[];
  /** Whether attention has a relative position bias. */
  readonly relative_position_bias: boolean;
}

export interface SegmentOptions {
  readonly statistics: Statistics;
  readonly dropPath?: DropPath | undefined;
  /** Of the map that each head classifies. */
  readonly dropout?: { readonly decode: ChannelDropout; readonly auxiliary: ChannelDropout } | undefined;
}

export interface SegmentLogits {
  /** `[B, 4 h, 4 w, classes]` for h x w patches. */
  readonly decode: tf.Tensor4D;
  /** Of the auxiliary head, `[B, h, w, classes]`; in training alone. */
  readonly auxiliary?: tf.Tensor4D;
}

/** @param images `[B, C, H, W]` float32, normalised */
export function segment(params: Params, images: tf.Tensor, config: SegmenterConfig, { statistics, dropPath, dropout }: SegmentOptions): SegmentLogits {
  const maps = pyramid(params, blockMaps(params, images, config, dropPath), statistics);
  const decode = classesOf(params, 'decode_head.conv_seg', dropChannels(decoded(params, maps, statistics), dropout?.decode));
  if (statistics === 'running') return { decode };
  const read = convModule(params, 'auxiliary_head.convs.0', maps[AUXILIARY_LEVEL]!, statistics);
  return { decode, auxiliary: classesOf(params, 'auxiliary_head.conv_seg', dropChannels(read, dropout?.auxiliary)) };
}

/** Outputs of four blocks without the class token, as maps of patches. */
function blockMaps(params: Params, images: tf.Tensor, config: SegmenterConfig, dropPath: DropPath | undefined): tf.Tensor4D[] {
  const { feature_blocks: blocks, relative_position_bias: biased, embed_dim: dim } = config,
    grid = patchGrid(config),
    batch = images.shape[0];
  const taps = blocks.map(block => ({ block, features: ['block' as const] }));
  const features = extractFeatures(params, images, config, taps, { ...(dropPath && { dropPath }), attentionBias: biased ? relativeBias(params, grid) : undefined });
  return blocks.map(block => tf.reshape(tf.slice(featureOf(features, block, 'block'), [0, 1, 0]), [batch, ...grid, dim]));
}

/** Maps of patches rescaled to four sizes: two transposed convolutions, one, none, and the largest of 2 x 2. */
function pyramid(params: Params, [first, second, third, fourth]: readonly tf.Tensor4D[], statistics: Statistics): tf.Tensor4D[] {
  const up = (name: string, x: tf.Tensor4D): tf.Tensor4D => convolveUp(x, param(params, `${name}.weight`), param(params, `${name}.bias`));
  const doubled = gelu(batchNormalised(params, 'fpn1.1', up('fpn1.0', first!), statistics));
  return [up('fpn1.3', doubled), up('fpn2.0', second!), third!, maxPool(fourth!)];
}

/** The head up to what is classified: pyramid pooling, from there to finer levels, and all levels together at the finest. */
function decoded(params: Params, maps: readonly tf.Tensor4D[], statistics: Statistics): tf.Tensor4D {
  const module = (name: string, x: tf.Tensor4D): tf.Tensor4D => convModule(params, `decode_head.${name}`, x, statistics);
  const smallest = module('bottleneck', tf.concat([maps.at(-1)!, ...pooled(module, maps.at(-1)!)], 3));
  const finer = maps.slice(0, -1).map((map, level) => module(`lateral_convs.${level}`, map));
  const levels = [...finer, smallest];
  for (let level = LEVELS - 1; level > 0; level--) levels[level - 1] = tf.add(levels[level - 1]!, resizeBilinear(levels[level]!, sizeOf(levels[level - 1]!)));
  const outputs = levels.map((map, level) => (level < LEVELS - 1 ? module(`fpn_convs.${level}`, map) : map));
  const finest = sizeOf(outputs[0]!);
  return module(
    'fpn_bottleneck',
    tf.concat(
      outputs.map(map => resizeBilinear(map, finest)),
      3,
    ),
  );
}

/** The map pooled to each scale, and back at its size. */
function pooled(module: (name: string, x: tf.Tensor4D) => tf.Tensor4D, map: tf.Tensor4D): tf.Tensor4D[] {
  return POOL_SCALES.map((scale, i) => resizeBilinear(module(`psp_modules.${i}.1`, adaptiveMeanPool(map, [scale, scale])), sizeOf(map)));
}

const sizeOf = ({ shape: [, height, width] }: tf.Tensor4D): [number, number] => [height, width];
