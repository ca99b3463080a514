import { beforeAll, describe, expect, it } from 'vitest';
import { attentionProbabilities, dense, norm, projectQkv, runBlock } from '../../src/tinymim/nn/block.ts';
import { patchCount } from '../../src/tinymim/nn/config.ts';
import { patchify } from '../../src/tinymim/nn/patches.ts';
import { embedTokens, encode, extractFeatures, featureOf, toTokens, type Feature } from '../../src/tinymim/nn/vit.ts';
import { relationLogits } from '../../src/tinymim/distill/relations.ts';
import { gelu } from '../../src/engine/grad/gelu.ts';
import { linear } from '../../src/engine/grad/linear.ts';
import * as tf from '../../src/engine/tf.ts';
import type { Params } from '../../src/engine/formats/weights.ts';
import { expectClose, fixture, startEngine } from '../helpers/parity/fixtures.ts';
import { expectAllClose, GRADIENT, projected, VALUE, valueAndGrads, vitConfig, type EncoderFields } from '../helpers/parity/model.ts';

beforeAll(startEngine);

interface BlockJson {
  config: { embed_dim: number; num_heads: number; tokens: number; batch_size: number };
}

describe('one block', () => {
  const data = fixture<BlockJson>('vit_block');
  const { embed_dim, num_heads, tokens, batch_size: batch } = data.config;
  const shape = { batch, tokens };
  const rows = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [batch * tokens, embed_dim]);
  const blockParams = (params: Params) => Object.fromEntries(Object.entries(params).map(([name, tensor]) => [`block.${name}`, tensor]));

  it('all inner values', () => {
    const params = blockParams(data.group('param/'));
    const x = rows(data.tensor('input'));
    const block = runBlock(params, 'block', x, shape, num_heads);
    const norm2 = norm(params, 'block.norm2', block.attention_residual);
    const fc1 = dense(params, 'block.mlp.fc1', norm2);
    expectAllClose(
      {
        norm1: toTokens(norm(params, 'block.norm1', x), shape),
        q: block.q,
        k: block.k,
        v: block.v,
        attn_probabilities: attentionProbabilities(block),
        relation_qk: tf.softmax(relationLogits(block.q, block.k)),
        relation_vv: tf.softmax(relationLogits(block.v, block.v)),
        attn_out: toTokens(block.attention, shape),
        attn_residual: toTokens(block.attention_residual, shape),
        norm2: toTokens(norm2, shape),
        mlp_fc1: toTokens(fc1, shape),
        mlp_gelu: toTokens(gelu(fc1), shape),
        mlp_out: toTokens(block.ffn, shape),
        output: toTokens(block.block, shape),
      },
      data.group('value/'),
      VALUE,
    );
  });

  it('the short way to q, k, v gives the same as the whole block', () => {
    const params = blockParams(data.group('param/'));
    expectAllClose({ ...projectQkv(params, 'block', rows(data.tensor('input')), shape, num_heads) }, { q: data.tensor('value/q'), k: data.tensor('value/k'), v: data.tensor('value/v') }, VALUE);
  });

  it('all gradients', () => {
    const r = data.tensor('r');
    const { grads } = valueAndGrads(({ input, ...params }) => projected(toTokens(runBlock(blockParams(params), 'block', rows(input!), shape, num_heads).block, shape), r), {
      ...data.group('param/'),
      input: data.tensor('input'),
    });
    expectAllClose(grads, data.group('grad/'), GRADIENT);
  });
});

interface EncoderJson {
  config: EncoderFields & { image_size: [number, number]; patch_size: number; batch_size: number };
}

describe('the encoder', () => {
  const data = fixture<EncoderJson>('vit_encoder');
  const config = vitConfig(data.config, data.config, data.tensors['input']!.shape[1]!);
  const blocks = Array.from({ length: config.depth }, (_, i) => i + 1);

  it('patch projection, tokens, output of every block, final norm', () => {
    const params = data.group('param/'),
      images = data.tensor('input');
    const { x, shape } = embedTokens(params, images, config);
    const weight = tf.reshape(params['patch_embed.proj.weight']!, [config.embed_dim, -1]);
    const projection = linear(patchify(images, config, 'channel-row-column'), weight, params['patch_embed.proj.bias']!);
    const features = extractFeatures(
      params,
      images,
      config,
      blocks.map(block => ({ block, features: ['block'] })),
    );
    expectAllClose(
      {
        patch_embed: tf.reshape(projection, [shape.batch, patchCount(config), config.embed_dim]),
        tokens: toTokens(x, shape),
        ...Object.fromEntries(blocks.map(block => [`block_${block - 1}`, featureOf(features, block, 'block')])),
        norm: norm(params, 'norm', encode(params, images, config)),
      },
      data.group('value/'),
      VALUE,
    );
  });

  it('all gradients, of the images too', () => {
    const r = data.tensor('r');
    const { grads } = valueAndGrads(({ input, ...params }) => projected(norm(params, 'norm', encode(params, input!, config)), r), { ...data.group('param/'), input: data.tensor('input') });
    expectAllClose(grads, fixture('vit_encoder_grads').group('grad/'), GRADIENT);
  });

  const middle = Math.ceil(config.depth / 2);

  it('stopping at a block gives what running on gives', () => {
    const params = data.group('param/'),
      images = data.tensor('input');
    const names: readonly Feature[] = ['q', 'k', 'v', 'attention', 'attention_residual', 'ffn', 'block'];
    const onward = extractFeatures(params, images, config, [
      { block: middle, features: names },
      { block: config.depth, features: ['block'] },
    ]);
    for (const name of names) {
      const alone = extractFeatures(params, images, config, [{ block: middle, features: [name] }]);
      expectClose(featureOf(alone, middle, name), featureOf(onward, middle, name), 0, name);
    }
  });

  it('stopping at the q, k, v of a block leaves its later parameters out of the gradient', () => {
    const { grads } = valueAndGrads(params => tf.sum(featureOf(extractFeatures(params, data.tensor('input'), config, [{ block: middle, features: ['v'] }]), middle, 'v')), data.group('param/'));
    const last = `blocks.${middle - 1}`;
    const blocksOf = (names: string[]) => new Set(names.flatMap(name => /^blocks\.(\d+)/.exec(name)?.[1] ?? []));
    expect(
      Object.keys(grads)
        .filter(name => name.startsWith(`${last}.`))
        .sort(),
    ).toEqual(['attn.qkv.bias', 'attn.qkv.weight', 'norm1.bias', 'norm1.weight'].map(name => `${last}.${name}`));
    expect(blocksOf(Object.keys(grads))).toEqual(new Set(blocks.slice(0, middle).map(block => String(block - 1))));
    expect(grads).not.toHaveProperty(['norm.weight']);
  });
});
