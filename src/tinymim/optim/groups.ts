/** Parameter groups: which parameters decay, and at what share of the learning rate they move. */

export interface ParamGroup {
  readonly weightDecay: number;
  /** Factor on the learning rate. */
  readonly lrScale: number;
}

/** The group of each trainable parameter, by its name. */
export type ParamGroups = Readonly<Record<string, ParamGroup>>;

type Shapes = Readonly<Record<string, { readonly shape: readonly number[] }>>;

/** Sin-cos tables, which MAE and TinyMIM pre-training keep fixed (`requires_grad=False`); fine-tuning trains `pos_embed`. */
const FIXED_IN_PRETRAINING: ReadonlySet<string> = new Set(['pos_embed', 'decoder_pos_embed']);

/** Whether pre-training updates a parameter. @internal */
export function isTrainedInPretraining(name: string): boolean {
  return !FIXED_IN_PRETRAINING.has(name);
}

/**
 * Groups of MAE pre-training and of distillation: no decay for 1-D parameters and `*.bias`; so `cls_token` and `mask_token`,
 * which have three dimensions, do decay. Fixed position tables get no group.
 * Source: timm 0.3.2, optim/optim_factory.py, add_weight_decay.
 */
export function pretrainGroups(params: Shapes, weightDecay: number): ParamGroups {
  return Object.fromEntries(
    Object.entries(params)
      .filter(([name]) => isTrainedInPretraining(name))
      .map(([name, { shape }]) => [name, { weightDecay: shape.length === 1 || name.endsWith('.bias') ? 0 : weightDecay, lrScale: 1 }]),
  );
}

export interface FinetuneOptions {
  /** Number of transformer blocks. */
  readonly depth: number;
  readonly weightDecay: number;
  /** Rate of a layer relative to the one above it; 1 for none. */
  readonly layerDecay: number;
}

/**
 * Groups of fine-tuning with layer-wise learning-rate decay: no decay for 1-D parameters, tokens and `pos_embed`;
 * lrScale = layerDecay^(depth + 1 - layer).
 * Source: facebookresearch/mae, util/lr_decay.py, param_groups_lrd; of the distillation token, which has no place there,
 * huggingface/pytorch-image-models, timm/models/deit.py (`group_matcher`) and vision_transformer.py (`no_weight_decay`).
 */
export function finetuneGroups(params: Shapes, { depth, weightDecay, layerDecay }: FinetuneOptions): ParamGroups {
  return Object.fromEntries(
    Object.entries(params).map(([name, { shape }]) => {
      const decays = shape.length !== 1 && !TOKENS_AND_POSITIONS.has(name);
      return [name, { weightDecay: decays ? weightDecay : 0, lrScale: layerDecay ** (depth + 1 - layerOf(name, depth)) }];
    }),
  );
}

/** Tokens that are parameters, and the table of positions. */
const TOKENS_AND_POSITIONS: ReadonlySet<string> = new Set(['cls_token', 'dist_token', 'pos_embed']);

/** 0 for what makes the tokens, i + 1 for block i, depth + 1 for everything above the blocks. */
function layerOf(name: string, depth: number): number {
  if (TOKENS_AND_POSITIONS.has(name) || name.startsWith('patch_embed')) return 0;
  const block = /^blocks\.(\d+)\./.exec(name);
  if (!block) return depth + 1;
  const index = Number(block[1]);
  if (index >= depth) throw new RangeError(`Expected blocks below the depth ${depth}, got the parameter "${name}".`);
  return index + 1;
}
