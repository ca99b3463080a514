/** Parameters of a segmenter: names, shapes, initial values as mmsegmentation and BEiT's backbone draw them. */
import { constant, kaimingNormal, normal, uniform } from './initializers.ts';
import { patchGrid, POOL_SCALES, relativePositions } from './config.ts';
import { trunkSpec, type ModelSpec } from './spec.ts';
import { LEVELS, type SegmenterConfig } from './upernet.ts';

/** Widths of what stands on the backbone. */
export interface HeadWidths {
  readonly channels: number;
  readonly auxiliary_channels: number;
  readonly classes: number;
}

/** What a training from labels starts with, beside the weights of an encoder. */
export interface SegmenterStart {
  /** Initial factor of each channel of a branch; null: none. */
  readonly layer_scale: number | null;
}

/** Whether a parameter is no weight but an average that batch normalisation keeps. */
export const isRunningStatistic = (name: string): boolean => /\.running_(?:mean|var)$/.test(name);

/** Backbone without its final norm, pyramid, and both heads. */
export function segmenterSpec(config: SegmenterConfig, { channels, auxiliary_channels: auxiliary, classes }: HeadWidths, { layer_scale }: SegmenterStart): ModelSpec {
  const { embed_dim: dim } = config;
  const head = (name: string, from: number, to: number, kernel: number): ModelSpec => convModuleSpec(`decode_head.${name}`, from, to, kernel);
  const finer = Array.from({ length: LEVELS - 1 }, (_, level) => level);
  return Object.assign(
    {},
    trunkSpec(config),
    ...Array.from({ length: config.depth }, (_, i) => blockAdditions(`blocks.${i}`, config, layer_scale)),
    convolveUpSpec('fpn1.0', dim),
    batchNormSpec('fpn1.1', dim),
    convolveUpSpec('fpn1.3', dim),
    convolveUpSpec('fpn2.0', dim),
    ...POOL_SCALES.map((_, i) => head(`psp_modules.${i}.1`, dim, channels, 1)),
    head('bottleneck', dim + POOL_SCALES.length * channels, channels, 3),
    ...finer.map(level => head(`lateral_convs.${level}`, dim, channels, 1)),
    ...finer.map(level => head(`fpn_convs.${level}`, channels, channels, 3)),
    head('fpn_bottleneck', LEVELS * channels, channels, 3),
    classesSpec('decode_head.conv_seg', channels, classes),
    convModuleSpec('auxiliary_head.convs.0', dim, auxiliary, 3),
    classesSpec('auxiliary_head.conv_seg', auxiliary, classes),
  ) as ModelSpec;
}

/** What the blocks of a segmenter have beside those of an encoder. Biases of relative positions start at 0. */
function blockAdditions(block: string, config: SegmenterConfig, layerScale: number | null): ModelSpec {
  const factor = { shape: [config.embed_dim], init: constant(layerScale ?? 1) };
  return {
    ...(config.relative_position_bias && { [`${block}.attn.relative_position_bias_table`]: { shape: [relativePositions(patchGrid(config)), config.num_heads], init: constant(0) } }),
    ...(layerScale !== null && { [`${block}.gamma_1`]: factor, [`${block}.gamma_2`]: factor }),
  };
}

function convModuleSpec(name: string, from: number, to: number, kernel: number): ModelSpec {
  return { [`${name}.conv.weight`]: { shape: [to, from, kernel, kernel], init: kaimingNormal(to * kernel ** 2) }, ...batchNormSpec(`${name}.bn`, to) };
}

function batchNormSpec(name: string, channels: number): ModelSpec {
  const each = (value: number) => ({ shape: [channels], init: constant(value) });
  return { [`${name}.weight`]: each(1), [`${name}.bias`]: each(0), [`${name}.running_mean`]: each(0), [`${name}.running_var`]: each(1) };
}

/** As PyTorch draws transposed convolutions, whose fan-in counts outputs. */
function convolveUpSpec(name: string, dim: number): ModelSpec {
  const init = uniform(1 / Math.sqrt(4 * dim));
  return { [`${name}.weight`]: { shape: [dim, dim, 2, 2], init }, [`${name}.bias`]: { shape: [dim], init } };
}

function classesSpec(name: string, from: number, classes: number): ModelSpec {
  return { [`${name}.weight`]: { shape: [classes, from, 1, 1], init: normal(0.01) }, [`${name}.bias`]: { shape: [classes], init: constant(0) } };
}
