import type { DecoderConfig } from '../../src/tinymim/nn/config.ts';

/** */
export interface ViTSize {
  readonly embed_dim: number;
  readonly depth: number;
  /** Heads in pre-training; a TinyMIM student has `last_block` of them in its last block. */
  readonly heads: { readonly pretrain: number; readonly last_block?: number; readonly finetune: number };
}

/**
 * Sizes of the paper (patch 16, 224 x 224, mlp_ratio 4). T, S, B: `models_tinymim.py` (pre-training) and `models_vit.py`
 * (fine-tuning) of OliverRensu/TinyMIM; L: the MAE teacher, `mae_vit_large_patch16` of facebookresearch/mae.
 */
export const VIT_SIZES = {
  tiny: { embed_dim: 192, depth: 12, heads: { pretrain: 6, last_block: 12, finetune: 3 } },
  small: { embed_dim: 384, depth: 12, heads: { pretrain: 6, last_block: 12, finetune: 6 } },
  base: { embed_dim: 768, depth: 12, heads: { pretrain: 12, last_block: 16, finetune: 12 } },
  large: { embed_dim: 1024, depth: 24, heads: { pretrain: 16, finetune: 16 } },
} as const satisfies Record<string, ViTSize>;

/** The decoder of all MAE models (`mae_vit_*_dec512d8b` of facebookresearch/mae). */
export const MAE_DECODER: DecoderConfig = { embed_dim: 512, depth: 8, num_heads: 16, mlp_ratio: 4 };
