/** Names, shapes and initial distributions of all parameters, in the order of the PyTorch models. */
import {
  headWidth,
  mlpDim,
  patchGrid,
  prefixTokens,
  tokenCount,
  validateClassifier,
  validateDecoder,
  validateViT,
  type BlocksConfig,
  type ClassifierConfig,
  type ClassifierStart,
  type DecoderConfig,
  type ViTConfig,
} from './config.ts';
import { constant, normal, uniform, xavierUniform, type Initializer } from './initializers.ts';
import { sincosPosEmbed } from './pos-embed.ts';

interface ParameterSpec {
  readonly shape: readonly number[];
  readonly init: Initializer;
}
export type ModelSpec = Readonly<Record<string, ParameterSpec>>;

/** Encoder with its final norm: MAE's encoder, a TinyMIM student or teacher. `last_block_heads` changes no shape. */
export function encoderSpec(config: ViTConfig): ModelSpec {
  validateViT(config);
  return { ...trunkSpec(config), ...normSpec('norm', config.embed_dim) };
}

/** Encoder and decoder of MAE. */
export function maeSpec(config: ViTConfig, decoder: DecoderConfig): ModelSpec {
  return { ...encoderSpec(config), ...decoderSpec(config, decoder) };
}

/** The decoder that MAE puts on an encoder. */
export function decoderSpec(config: ViTConfig, decoder: DecoderConfig): ModelSpec {
  validateDecoder(decoder);
  const dim = decoder.embed_dim;
  return {
    mask_token: { shape: [1, 1, dim], init: normal(0.02) },
    decoder_pos_embed: posEmbedSpec(dim, config),
    ...linearSpec('decoder_embed', config.embed_dim, dim),
    ...blocksSpec('decoder_blocks', decoder),
    ...normSpec('decoder_norm', dim),
    ...linearSpec('decoder_pred', dim, config.patch_size ** 2 * config.in_chans),
  };
}

/**
 * Classifier over the mean of the patch tokens (`fc_norm`) or over the class token (`norm`); with a distillation token it has a second
 * head, and with a `feature_dim` a linear layer behind its last norm (`conv1x1`). As in MAE a head starts near zero, with std 2e-5. The truncation at +-2, there (`main_finetune.py`) and in timm, has no effect on draws so small.
 */
export function classifierSpec(config: ClassifierConfig, classes: number, { init = 'mae', pos_embed = 'sincos' }: ClassifierStart = {}): ModelSpec {
  validateClassifier(config);
  const { embed_dim, pool, dist_token, feature_dim } = config;
  const spec: ModelSpec = {
    ...trunkSpec(config),
    ...((feature_dim ?? null) === null
      ? normSpec(pool === 'class_token' ? 'norm' : 'fc_norm', embed_dim)
      : { ...normSpec('conv1x1.0', embed_dim), ...linearSpec('conv1x1.1', embed_dim, headWidth(config)) }),
    ...headSpec('head', headWidth(config), classes),
    ...(dist_token === true && headSpec('head_dist', headWidth(config), classes)),
  };
  return redrawn(spec, (name, shape) => (name === 'pos_embed' && pos_embed === 'learned' ? normal(0.02) : init === 'trunc_normal' ? timmInitializer(name, shape) : undefined));
}

function headSpec(name: string, width: number, classes: number): ModelSpec {
  return {
    [`${name}.weight`]: { shape: [classes, width], init: normal(2e-5) },
    [`${name}.bias`]: { shape: [classes], init: constant(0) },
  };
}

/** What timm draws otherwise than MAE; the class token, biases and norms start the same. */
function timmInitializer(name: string, shape: readonly number[]): Initializer | undefined {
  if (name === 'patch_embed.proj.weight') return uniform(1 / Math.sqrt(shape.slice(1).reduce((a, b) => a * b))); // PyTorch's Conv2d default
  return name.endsWith('.weight') && shape.length === 2 ? normal(0.02) : undefined;
}

/** @param initializer of a parameter; undefined: as it is */
const redrawn = (spec: ModelSpec, initializer: (name: string, shape: readonly number[]) => Initializer | undefined): ModelSpec =>
  Object.fromEntries(Object.entries(spec).map(([name, { shape, init }]) => [name, { shape, init: initializer(name, shape) ?? init }]));

/** A linear layer `<name>.weight`, `<name>.bias`, e.g. the projection of a student's features. */
export function linearSpec(name: string, from: number, to: number): ModelSpec {
  return {
    [`${name}.weight`]: { shape: [to, from], init: xavierUniform(from, to) },
    [`${name}.bias`]: { shape: [to], init: constant(0) },
  };
}

/** Encoder without its final norm. */
export function trunkSpec(config: ViTConfig): ModelSpec {
  const { embed_dim, in_chans, patch_size, dist_token } = config;
  const fanIn = in_chans * patch_size ** 2;
  const token: ParameterSpec = { shape: [1, 1, embed_dim], init: normal(0.02) };
  return {
    cls_token: token,
    ...(dist_token === true && { dist_token: token }),
    pos_embed: posEmbedSpec(embed_dim, config),
    'patch_embed.proj.weight': { shape: [embed_dim, in_chans, patch_size, patch_size], init: xavierUniform(fanIn, embed_dim) },
    'patch_embed.proj.bias': { shape: [embed_dim], init: uniform(1 / Math.sqrt(fanIn)) }, // MAE leaves PyTorch's Conv2d default
    ...blocksSpec('blocks', config),
  };
}

function blocksSpec(prefix: string, config: BlocksConfig): ModelSpec {
  const dim = config.embed_dim,
    hidden = mlpDim(config);
  return Object.assign(
    {},
    ...Array.from({ length: config.depth }, (_, i) => {
      const block = `${prefix}.${i}`;
      return {
        ...normSpec(`${block}.norm1`, dim),
        ...linearSpec(`${block}.attn.qkv`, dim, 3 * dim),
        ...linearSpec(`${block}.attn.proj`, dim, dim),
        ...normSpec(`${block}.norm2`, dim),
        ...linearSpec(`${block}.mlp.fc1`, dim, hidden),
        ...linearSpec(`${block}.mlp.fc2`, hidden, dim),
      };
    }),
  ) as ModelSpec;
}

function normSpec(name: string, dim: number): ModelSpec {
  return {
    [`${name}.weight`]: { shape: [dim], init: constant(1) },
    [`${name}.bias`]: { shape: [dim], init: constant(0) },
  };
}

function posEmbedSpec(dim: number, config: ViTConfig): ParameterSpec {
  return { shape: [1, tokenCount(config), dim], init: () => sincosPosEmbed(dim, patchGrid(config), prefixTokens(config)) };
}
