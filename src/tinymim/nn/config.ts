/** Dimensions of the models, as data. Names of the fields follow timm and MAE. */
import { ModelError } from './errors.ts';

/** Width and depth of a stack of Transformer blocks. */
export interface BlocksConfig {
  readonly embed_dim: number;
  readonly depth: number;
  readonly num_heads: number;
  /** Hidden width of the MLP over `embed_dim`. */
  readonly mlp_ratio: number;
}

/** A ViT encoder (`models_vit.py`, `models_mae.py`, `models_tinymim.py`). */
export interface ViTConfig extends BlocksConfig {
  /** [H, W] in pixels. */
  readonly image_size: readonly [number, number];
  readonly patch_size: number;
  readonly in_chans: number;
  /**
   * Heads of the last block, where they differ: a TinyMIM student splits its last block into as many heads as its teacher
   * has, at the same width. The parameters keep their shapes, so fine-tuning can split them anew.
   */
  readonly last_block_heads?: number;
  /** A distillation token at position 2, behind the class token (DeiT). Classifiers that learn from a teacher have one, what is pre-trained or distilled has none. */
  readonly dist_token?: boolean;
}

/**
 * What a classifier reads of the tokens. `mean`: mean of the patch tokens, then `fc_norm`; the encoder's `norm` does not exist
 * (MAE, TinyMIM). `class_token`: `norm` of the class token (timm, DeiT).
 */
type Pooling = 'mean' | 'class_token';

/** A ViT with a head; with a distillation token it has two (`head`, `head_dist`). */
export interface ClassifierConfig extends ViTConfig {
  /** Default `mean`. */
  readonly pool?: Pooling;
  /**
   * Width that the heads read: after the last block stand a norm, a linear layer to this width and GELU, in the place of the final norm
   * (`conv1x1` of TinyMIM*, `Segmentation/TinyMIMstar-T/backbone/mae.py`). Default null: they read the final norm.
   */
  readonly feature_dim?: number | null;
}

/** How a classifier starts that no pre-training has prepared; where a field is absent, as MAE does. */
export interface ClassifierStart {
  /**
   * `mae`: Xavier-uniform linear layers and a head near zero (`models_mae.py`, `main_finetune.py`). `trunc_normal`: linear layers, head
   * and class token of std 0.02, the patch projection as PyTorch has it (timm 0.3.2, `vision_transformer.py`, on which DeiT stands).
   */
  readonly init?: 'mae' | 'trunc_normal';
  /** Where positions start; a classifier trains them from there. `sincos`: at MAE's table. `learned`: drawn, with std 0.02 (timm). */
  readonly pos_embed?: 'sincos' | 'learned';
}

/** MAE's decoder (`models_mae.py`). */
export type DecoderConfig = BlocksConfig;

/** Epsilon of all LayerNorms of the models (`partial(nn.LayerNorm, eps=1e-6)` in MAE and TinyMIM). */
export const LAYER_NORM_EPS = 1e-6;
/** Of the norm in front of TinyMIM*'s linear layer alone, `nn.LayerNorm(192)` there. */
export const FEATURE_NORM_EPS = 1e-5;

/** [rows, columns] of patches. */
export function patchGrid(config: ViTConfig): Grid {
  return [config.image_size[0] / config.patch_size, config.image_size[1] / config.patch_size];
}

export type Grid = readonly [rows: number, columns: number];

/** Rows of a table of relative positions: one for each distance of two patches, then from the class token to patches, from patches to it, and of it to itself. */
export const relativePositions = ([rows, columns]: Grid): number => (2 * rows - 1) * (2 * columns - 1) + 3;

/** Pixels across that UPerNet pools its smallest map to (`pool_scales`). */
export const POOL_SCALES = [1, 2, 3, 6] as const;

/** Number of patches L. */
export function patchCount(config: ViTConfig): number {
  const [rows, columns] = patchGrid(config);
  return rows * columns;
}

/** Tokens that stand before those of the patches. */
export const prefixTokens = ({ dist_token }: Pick<ViTConfig, 'dist_token'>): number => (dist_token === true ? 2 : 1);

/** Tokens of a whole image. */
export const tokenCount = (config: ViTConfig): number => prefixTokens(config) + patchCount(config);

/** Width that the heads of a classifier read. */
export const headWidth = ({ embed_dim, feature_dim }: Pick<ClassifierConfig, 'embed_dim' | 'feature_dim'>): number => feature_dim ?? embed_dim;

/** Values of one patch. */
export function patchDim(config: ViTConfig): number {
  return config.patch_size ** 2 * config.in_chans;
}

/** Heads of a block, counted from 1. */
export function headsOf(config: ViTConfig, block: number): number {
  return block === config.depth ? (config.last_block_heads ?? config.num_heads) : config.num_heads;
}

/** Hidden width of the MLP. */
export function mlpDim(config: BlocksConfig): number {
  return Math.floor(config.embed_dim * config.mlp_ratio);
}

/** A field that does not go with the others. Without tensor code, so that planning can ask. */
export interface Misfit {
  readonly field: string;
  /** What would be right: `a divisor of embed_dim 24`. */
  readonly expected: string;
}

/** What does not fit in an encoder. */
export function vitMisfits(config: ViTConfig): Misfit[] {
  const { image_size, patch_size, in_chans, embed_dim, last_block_heads } = config;
  const counts = notCounts({ patch_size, in_chans });
  return [
    ...blocksMisfits(config),
    ...counts,
    ...(image_size.every(isCount) ? [] : [{ field: 'image_size', expected: 'two integers of at least 1' }]),
    ...(counts.length === 0 && image_size.some(size => size % patch_size !== 0) ? [{ field: 'patch_size', expected: `a divisor of both sides of image_size [${image_size.join(', ')}]` }] : []),
    ...(last_block_heads === undefined ? [] : headsMisfits(embed_dim, 'last_block_heads', last_block_heads)),
  ];
}

/** What does not fit in a classifier, beside what does not fit in its encoder. */
export function classifierMisfits({ pool, dist_token, feature_dim }: ClassifierConfig): Misfit[] {
  if (pool === 'class_token' || (dist_token !== true && (feature_dim ?? null) === null)) return [];
  return [{ field: 'pool', expected: `class_token with ${dist_token === true ? 'a distillation token' : 'a feature_dim'}, as heads read single tokens then` }];
}

/** What does not fit in a decoder. */
export const decoderMisfits = (config: DecoderConfig): Misfit[] => blocksMisfits(config);

/** @throws ModelError with the first dimension that does not fit */
export function validateViT(config: ViTConfig): void {
  refuse('the encoder', config, vitMisfits(config));
}

/** @throws ModelError with the first dimension that does not fit */
export function validateClassifier(config: ClassifierConfig): void {
  refuse('the classifier', config, [...vitMisfits(config), ...classifierMisfits(config)]);
}

/** @throws ModelError with the first dimension that does not fit */
export function validateDecoder(config: DecoderConfig): void {
  refuse('the decoder', config, decoderMisfits(config));
}

function refuse(which: string, config: object, [first]: readonly Misfit[]): void {
  if (first === undefined) return;
  const value = (config as Readonly<Record<string, unknown>>)[first.field];
  throw new ModelError('CONFIG', `Expected ${first.field} of ${which} to be ${first.expected}, got ${typeof value === 'number' ? value : JSON.stringify(value)}.`);
}

function blocksMisfits({ embed_dim, depth, num_heads, mlp_ratio }: BlocksConfig): Misfit[] {
  return [
    ...notCounts({ embed_dim, depth }),
    ...(embed_dim % 4 === 0 ? [] : [{ field: 'embed_dim', expected: 'a multiple of 4, for sine and cosine of row and column' }]),
    ...headsMisfits(embed_dim, 'num_heads', num_heads),
    ...(Math.floor(embed_dim * mlp_ratio) >= 1 ? [] : [{ field: 'mlp_ratio', expected: `at least ${(1 / embed_dim).toPrecision(3)}, a hidden layer of 1 for embed_dim ${embed_dim}` }]),
  ];
}

function headsMisfits(embedDim: number, field: string, heads: number): Misfit[] {
  const none = notCounts({ [field]: heads });
  return none.length > 0 || embedDim % heads === 0 ? none : [{ field, expected: `a divisor of embed_dim ${embedDim}` }];
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1;

const notCounts = (values: Readonly<Record<string, number>>): Misfit[] => Object.entries(values).flatMap(([field, value]) => (isCount(value) ? [] : [{ field, expected: 'an integer of at least 1' }]));
