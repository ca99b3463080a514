/** Classes of other libraries that our weights load into with `strict=True`, and the arguments of their constructors. */
import type { Weights } from '../../engine/formats/weights.ts';
import { headsOf, LAYER_NORM_EPS, type ClassifierConfig, type DecoderConfig, type ViTConfig } from './config.ts';

type Argument = string | number | boolean | readonly number[];

export interface ForeignModel {
  readonly module: string;
  readonly name: string;
  readonly args: Readonly<Record<string, Argument>>;
}

/** The final norm stands behind the mean of the tokens (`fc_norm`), or in front of everything that is taken from them (`norm`). */
const isPooled = (weights: Weights): boolean => 'fc_norm.weight' in weights;
const classesOf = (weights: Weights): number => weights['head.weight']?.shape[0] ?? 0;

const encoderArgs = ({ image_size, patch_size, in_chans, embed_dim, depth, num_heads, mlp_ratio }: ViTConfig) => ({
  img_size: image_size,
  patch_size,
  in_chans,
  embed_dim,
  depth,
  num_heads,
  mlp_ratio,
});

/** timm 0.6 and newer: the norms there have our epsilon. An encoder has no head, and its last norm. A distillation token has a class of its own. */
export const timmModel = (config: ViTConfig, weights: Weights): ForeignModel => ({
  ...(config.dist_token === true ? { module: 'timm.models.deit', name: 'VisionTransformerDistilled' } : { module: 'timm.models.vision_transformer', name: 'VisionTransformer' }),
  args: { ...encoderArgs(config), num_classes: classesOf(weights), global_pool: isPooled(weights) ? 'avg' : 'token', qkv_bias: true, class_token: true },
});

/** `models_vit.py` of MAE, on timm 0.3.2; with a decoder `models_mae.py`. Both are told the epsilon of the norms in code (`maeNorm`). */
export function maeModel(config: ViTConfig, weights: Weights, decoder?: DecoderConfig & { readonly norm_pix_loss: boolean }): ForeignModel {
  if (decoder === undefined)
    return { module: 'models_vit', name: 'VisionTransformer', args: { ...encoderArgs(config), num_classes: classesOf(weights), global_pool: isPooled(weights), qkv_bias: true } };
  return {
    module: 'models_mae',
    name: 'MaskedAutoencoderViT',
    args: { ...encoderArgs(config), decoder_embed_dim: decoder.embed_dim, decoder_depth: decoder.depth, decoder_num_heads: decoder.num_heads, norm_pix_loss: decoder.norm_pix_loss },
  };
}

/** Python that builds the model and loads the file. Code sets what no constructor takes: other heads in the last block, and wider features. */
export function loadingCode({ module, name, args }: ForeignModel, file: string, config: ClassifierConfig): string[] {
  const isMae = module.startsWith('models_');
  const last = headsOf(config, config.depth),
    width = config.embed_dim / last;
  const widened = wideFeatures(config, args['num_classes']);
  return [
    ...(isMae ? ['from functools import partial'] : []),
    ...(isMae || widened.length > 0 ? ['from torch import nn'] : []),
    'from safetensors.torch import load_file',
    `from ${module} import ${name}`,
    '',
    `model = ${name}(${[...Object.entries(args).map(([key, value]) => `${key}=${python(value)}`), ...(isMae ? [`norm_layer=partial(nn.LayerNorm, eps=${LAYER_NORM_EPS})`] : [])].join(', ')})`,
    ...widened,
    `model.load_state_dict(load_file(${JSON.stringify(file)}), strict=True)`,
    ...(last === config.num_heads ? [] : ['attn = model.blocks[-1].attn', `attn.num_heads, attn.head_dim, attn.scale = ${last}, ${width}, ${width} ** -0.5`]),
    'model.eval()',
  ];
}

/** TinyMIM*'s linear layer stands where timm has the last norm; what of the distillation token reads it, too. */
function wideFeatures({ embed_dim, feature_dim = null, dist_token }: ClassifierConfig, classes: Argument | undefined): string[] {
  if (feature_dim === null) return [];
  const heads = ['head', ...(dist_token === true ? ['head_dist'] : [])];
  return [
    `model.norm = nn.Sequential(nn.LayerNorm(${embed_dim}), nn.Linear(${embed_dim}, ${feature_dim}), nn.GELU())`,
    ...heads.map(head => `model.${head} = nn.Linear(${feature_dim}, ${String(classes)})`),
  ];
}

function python(value: Argument): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'object') return `(${value.join(', ')})`;
  return JSON.stringify(value);
}
