import { beforeAll, describe, expect, it } from 'vitest';
import { runBlock } from '../../src/tinymim/nn/block.ts';
import { blockScales, constantRates, keepScale, linearRates } from '../../src/tinymim/nn/drop-path.ts';
import { toTokens } from '../../src/tinymim/nn/vit.ts';
import * as tf from '../../src/engine/tf.ts';
import { expectClose, fixture, startEngine } from '../helpers/parity/fixtures.ts';
import { expectAllClose, GRADIENT, projected, VALUE, valueAndGrads } from '../helpers/parity/model.ts';

interface RateList {
  depth: number;
  rate: number;
  per_block: number[];
}
interface DropPathJson {
  config: { embed_dim: number; num_heads: number; tokens: number; batch_size: number; rate: number };
  finetune_rates_linear: RateList[];
  pretrain_rates_tinymim: RateList;
}

beforeAll(startEngine);

describe('drop path', () => {
  const data = fixture<DropPathJson>('drop_path');
  const { rate, embed_dim, num_heads, tokens, batch_size: batch } = data.config;

  it.each(['attn', 'mlp'])('masks of the %s branch from uniform numbers', branch => {
    const kept = tf.mul(keepScale(data.tensor(`uniform_${branch}`), rate), 1 - rate);
    expectClose(tf.round(kept), data.tensor(`mask_${branch}`), 0);
  });

  it('alone: output and gradient', () => {
    const input = data.tensor('input'),
      scale = keepScale(data.tensor('uniform_attn'), rate);
    expectClose(tf.mul(input, scale), data.tensor('plain/output'), VALUE);
    const { grads } = valueAndGrads(p => projected(tf.mul(p['input']!, scale), data.tensor('r')), { input });
    expectClose(grads['input']!, data.tensor('plain/grad_input'), GRADIENT);
  });

  it('within a block: output and gradients', () => {
    const uniforms = tf.reshape(tf.stack([data.tensor('uniform_attn'), data.tensor('uniform_mlp')]), [1, 2, batch]);
    const [scales] = blockScales({ rates: [rate], uniforms }, batch, tokens);
    const shape = { batch, tokens };
    const run = (params: Readonly<Record<string, tf.Tensor>>, input: tf.Tensor) => {
      const named = Object.fromEntries(Object.entries(params).map(([name, tensor]) => [`block.${name}`, tensor]));
      return toTokens(runBlock(named, 'block', tf.reshape(input, [batch * tokens, embed_dim]), shape, num_heads, scales).block, shape);
    };
    const params = data.group('block/param/'),
      input = data.tensor('input');
    expectClose(run(params, input), data.tensor('block/output'), VALUE);
    const { grads } = valueAndGrads(({ input, ...params }) => projected(run(params, input!), data.tensor('r')), { ...params, input });
    expectAllClose(grads, data.group('block/grad/'), GRADIENT);
    expectClose(grads['input']!, data.tensor('block/grad_input'), GRADIENT);
  });

  it('rates of fine-tuning rise linearly', () => {
    expect(data.json.finetune_rates_linear.length).toBeGreaterThan(0);
    for (const { depth, rate, per_block } of data.json.finetune_rates_linear) {
      const rates = linearRates(rate, depth);
      expect(rates).toHaveLength(per_block.length);
      rates.forEach((value, i) => expect(value).toBeCloseTo(per_block[i]!, 7)); // PyTorch's linspace is float32
    }
  });

  it('rates of pre-training are constant but for the last block', () => {
    const { depth, rate, per_block } = data.json.pretrain_rates_tinymim;
    expect(constantRates(rate, depth)).toEqual(per_block);
  });
});
