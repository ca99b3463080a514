import { describe, expect, it } from 'vitest';
import type { ViTConfig } from '../../../../src/tinymim/nn/config.ts';
import { loadingCode, maeModel, timmModel } from '../../../../src/tinymim/nn/foreign-models.ts';
import { initClassifier, initEncoder, initMae } from '../../../../src/tinymim/nn/init.ts';

const config: ViTConfig = { image_size: [8, 12], patch_size: 4, in_chans: 2, embed_dim: 16, depth: 2, num_heads: 2, mlp_ratio: 2 };
const size = { img_size: [8, 12], patch_size: 4, in_chans: 2, embed_dim: 16, depth: 2, num_heads: 2, mlp_ratio: 2 };
const decoder = { embed_dim: 8, depth: 1, num_heads: 2, mlp_ratio: 2 };

describe('the class that weights load into', () => {
  it('is told from them: mean of the tokens, class token, or no head', () => {
    const timm = { qkv_bias: true, class_token: true };
    expect(timmModel(config, initClassifier(config, 3, 0)).args).toEqual({ ...size, ...timm, num_classes: 3, global_pool: 'avg' });
    expect(timmModel(config, initClassifier({ ...config, pool: 'class_token' }, 3, 0)).args).toEqual({ ...size, ...timm, num_classes: 3, global_pool: 'token' });
    expect(timmModel(config, initEncoder(config, 0)).args).toEqual({ ...size, ...timm, num_classes: 0, global_pool: 'token' });
  });

  it('is another in timm with a distillation token', () => {
    const distilled = { ...config, pool: 'class_token', dist_token: true } as const;
    const { module, name, args } = timmModel(distilled, initClassifier(distilled, 3, 0));
    expect([module, name, args['global_pool'], args['num_classes']]).toEqual(['timm.models.deit', 'VisionTransformerDistilled', 'token', 3]);
  });

  it('is one of two in MAE', () => {
    expect(maeModel(config, initClassifier(config, 3, 0))).toEqual({ module: 'models_vit', name: 'VisionTransformer', args: { ...size, num_classes: 3, global_pool: true, qkv_bias: true } });
    expect(maeModel(config, initMae(config, decoder, 0), { ...decoder, norm_pix_loss: true })).toEqual({
      module: 'models_mae',
      name: 'MaskedAutoencoderViT',
      args: { ...size, decoder_embed_dim: 8, decoder_depth: 1, decoder_num_heads: 2, norm_pix_loss: true },
    });
  });
});

describe('the code that loads them', () => {
  it('is Python, with the epsilon of the norms where the class has another', () => {
    expect(loadingCode(timmModel(config, initEncoder(config, 0)), 'a "b".safetensors', config)).toEqual([
      'from safetensors.torch import load_file',
      'from timm.models.vision_transformer import VisionTransformer',
      '',
      'model = VisionTransformer(img_size=(8, 12), patch_size=4, in_chans=2, embed_dim=16, depth=2, num_heads=2, mlp_ratio=2, num_classes=0, global_pool="token", qkv_bias=True, class_token=True)',
      'model.load_state_dict(load_file("a \\"b\\".safetensors"), strict=True)',
      'model.eval()',
    ]);
    expect(loadingCode(maeModel(config, initEncoder(config, 0)), 'x', config).join('\n')).toContain('norm_layer=partial(nn.LayerNorm, eps=0.000001))');
  });

  it.each([
    [true, ['model.head = nn.Linear(24, 3)', 'model.head_dist = nn.Linear(24, 3)']],
    [false, ['model.head = nn.Linear(24, 3)']],
  ])("puts TinyMIM*'s linear layer in the place of the last norm, with all heads behind it (distillation token: %s)", (dist_token, heads) => {
    const wide = { ...config, pool: 'class_token', dist_token, feature_dim: 24 } as const;
    const code = loadingCode(timmModel(wide, initClassifier(wide, 3, 0)), 'x', wide);
    const norm = code.indexOf('model.norm = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 24), nn.GELU())');
    expect(code.slice(norm, norm + 1 + heads.length).slice(1)).toEqual(heads);
    expect(code[norm + 1 + heads.length]).toMatch(/^model\.load_state_dict/);
    expect(code[0]).toBe('from torch import nn');
  });

  it('splits the last block into its own heads', () => {
    const student = { ...config, last_block_heads: 4 };
    expect(loadingCode(timmModel(student, initEncoder(student, 0)), 'x', student)).toContain('attn.num_heads, attn.head_dim, attn.scale = 4, 4, 4 ** -0.5');
  });
});
