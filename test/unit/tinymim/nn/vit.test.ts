/** Models on images that are neither square nor coloured, and the parts of the encoder that no official fixture covers. */
import { beforeAll, describe, expect, it } from 'vitest';
import { classify, poolTokens } from '../../../../src/tinymim/nn/classifier.ts';
import { patchCount, type ViTConfig } from '../../../../src/tinymim/nn/config.ts';
import { constantRates, linearRates } from '../../../../src/tinymim/nn/drop-path.ts';
import { ModelError } from '../../../../src/tinymim/nn/errors.ts';
import { initClassifier, initEncoder, initMae } from '../../../../src/tinymim/nn/init.ts';
import { encodeVisible, maeLoss } from '../../../../src/tinymim/nn/mae.ts';
import { maskingIndices } from '../../../../src/tinymim/nn/masking.ts';
import { mixImages, mixTargets, softTargets } from '../../../../src/tinymim/nn/mixup.ts';
import { insideRectangles } from '../../../../src/tinymim/nn/rectangles.ts';
import { patchify } from '../../../../src/tinymim/nn/patches.ts';
import { embedTokens, encode, extractFeatures, featureOf } from '../../../../src/tinymim/nn/vit.ts';
import { finetuneGroups } from '../../../../src/tinymim/optim/groups.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { stream } from '../../../../src/engine/random/rng.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { toTensors, type Params, type Weights } from '../../../../src/engine/formats/weights.ts';
import { expectClose } from '../../../helpers/parity/fixtures.ts';
import { modelGradientError } from '../../../helpers/finite-differences.ts';
import { valueAndGrads } from '../../../helpers/parity/model.ts';
import { maskTensors } from '../../../helpers/mask-tensors.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

const config: ViTConfig = { image_size: [4, 6], patch_size: 2, in_chans: 1, embed_dim: 16, depth: 3, num_heads: 4, mlp_ratio: 2 };
const batch = 2,
  patches = patchCount(config);
const draw = (name: string, shape: number[]) => tf.tensor(stream(11, name, 0).normals(shape.reduce((a, b) => a * b, 1)), shape);
const images = () => draw('images', [batch, config.in_chans, ...config.image_size]);

/** Initial weights with noise on all of them, since zero biases and unit norms would hide mistakes. */
function noisy(weights: Weights): Params {
  return Object.fromEntries(Object.entries(toTensors(weights)).map(([name, tensor]) => [name, tf.add(tensor, tf.mul(draw(name, tensor.shape), 0.1))]));
}

describe('patchify', () => {
  it('cuts a non-square image row by row', () => {
    const image = tf.reshape(tf.range(0, 24), [1, 1, 4, 6]);
    expect(patchify(image, config, 'channel-row-column').arraySync()).toEqual([
      [0, 1, 6, 7],
      [2, 3, 8, 9],
      [4, 5, 10, 11],
      [12, 13, 18, 19],
      [14, 15, 20, 21],
      [16, 17, 22, 23],
    ]);
  });

  it('orders the values of a patch by its layout', () => {
    const image = tf.reshape(tf.range(0, 8), [1, 2, 2, 2]),
      colour: ViTConfig = { ...config, image_size: [2, 2], in_chans: 2 };
    expect(patchify(image, colour, 'channel-row-column').arraySync()).toEqual([[0, 1, 2, 3, 4, 5, 6, 7]]);
    expect(patchify(image, colour, 'row-column-channel').arraySync()).toEqual([[0, 4, 1, 5, 2, 6, 3, 7]]);
  });

  it('refuses images of another size', () => {
    expect(() => patchify(tf.zeros([2, 1, 6, 4]), config, 'channel-row-column')).toThrow(/images \[B, 1, 4, 6\].*got \[2, 1, 6, 4\]/);
  });
});

describe('the encoder', () => {
  const params = () => noisy(initEncoder(config, 1));

  it('equals a convolution with the patch weights, on a non-square image', () => {
    const p = params(),
      { x } = embedTokens(p, images(), config);
    const filter = tf.transpose(p['patch_embed.proj.weight']!, [2, 3, 1, 0]) as tf.Tensor4D;
    const convolved = tf.conv2d(tf.transpose(images(), [0, 2, 3, 1]) as tf.Tensor4D, filter, config.patch_size, 'valid');
    const expected = tf.add(tf.add(tf.reshape(convolved, [batch, patches, 16]), p['patch_embed.proj.bias']!), tf.slice(p['pos_embed']!, [0, 1, 0], [1, patches, 16]));
    expectClose(tf.slice(tf.reshape(x, [batch, 1 + patches, 16]), [0, 1, 0], [batch, patches, 16]), expected, 1e-5);
  });

  it('all patches given as tokens equals none given; another order only permutes the output', () => {
    const p = params(),
      whole = encode(p, images(), config);
    const order = [
      [0, 1, 2, 3, 4, 5],
      [5, 3, 1, 0, 2, 4],
    ];
    const permuted = encode(p, images(), config, { tokens: tf.tensor2d(order, [batch, patches], 'int32') });
    const rows = order.flatMap((sample, b) => [0, ...sample.map(patch => patch + 1)].map(token => b * (1 + patches) + token));
    expectClose(tf.reshape(permuted, [-1, 16]), tf.gather(tf.reshape(whole, [-1, 16]), tf.tensor1d(rows, 'int32')), 1e-5);
  });

  it('unseen patches have no influence', () => {
    const tokens = tf.tensor2d(
      [
        [1, 4],
        [0, 5],
      ],
      [batch, 2],
      'int32',
    );
    const { grads } = valueAndGrads(({ image, ...p }) => tf.sum(tf.square(encode(p, image!, config, { tokens }))), { ...params(), image: images() });
    const perPatch = tf.sum(tf.abs(patchify(grads['image']!, config, 'channel-row-column')), 1).arraySync() as number[];
    expect(perPatch.map(x => x > 0)).toEqual([false, true, false, false, true, false, true, false, false, false, false, true]);
  });

  it('a last block with other heads changes only that block', () => {
    const p = params(),
      all = [1, 2, 3].map(block => ({ block, features: ['v'] as const }));
    const split = { ...config, last_block_heads: 8 };
    const same = extractFeatures(p, images(), config, all),
      other = extractFeatures(p, images(), split, all);
    for (const block of [1, 2]) expectClose(featureOf(other, block, 'v'), featureOf(same, block, 'v'), 0);
    expect(featureOf(same, 3, 'v').shape).toEqual([batch, 4, 1 + patches, 4]);
    expect(featureOf(other, 3, 'v').shape).toEqual([batch, 8, 1 + patches, 2]);
    const joined = (v: tf.Tensor) => tf.reshape(tf.transpose(v, [0, 2, 1, 3]), [batch, 1 + patches, 16]);
    expectClose(joined(featureOf(other, 3, 'v')), joined(featureOf(same, 3, 'v')), 0);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['a block beyond the depth', () => extractFeatures(params(), images(), config, [{ block: 4, features: ['q'] }]), /block from 1 to 3, got 4/],
    ['block 0', () => extractFeatures(params(), images(), config, [{ block: 0, features: ['q'] }]), /block from 1 to 3, got 0/],
    ['no feature', () => extractFeatures(params(), images(), config, [{ block: 1, features: [] }]), /at least one feature/],
    ['a feature that was not taken', () => featureOf(extractFeatures(params(), images(), config, [{ block: 1, features: ['q'] }]), 1, 'k'), /feature "k" of block 1/],
    ['weights of a shallower model', () => encode(params(), images(), { ...config, depth: 4 }), /parameter "blocks.3.norm1.weight"/],
    ['drop-path numbers of another batch', () => encode(params(), images(), config, { dropPath: { rates: [0.1, 0.1, 0], uniforms: tf.zeros([3, 2, 5]) } }), /uniforms \[3, 2, 2\].*got \[3, 2, 5\]/],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(ModelError);
    expect(call).toThrow(message);
  });
});

describe('drop path in the encoder', () => {
  const params = () => noisy(initEncoder(config, 1));

  it('at rate 0, and at numbers that drop nothing and scale by almost 1, leaves the output', () => {
    const plain = encode(params(), images(), config),
      uniforms = tf.fill([3, 2, batch], 0.999);
    expectClose(encode(params(), images(), config, { dropPath: { rates: [0, 0, 0], uniforms } }), plain, 0);
    expectClose(encode(params(), images(), config, { dropPath: { rates: [1e-6, 1e-6, 1e-6], uniforms } }), plain, 1e-5);
  });

  it('drops branches of single samples', () => {
    const uniforms = tf.tensor([
      [
        [0, 0.9],
        [0, 0.9],
      ],
      [
        [0, 0.9],
        [0, 0.9],
      ],
      [
        [0, 0.9],
        [0, 0.9],
      ],
    ]); // sample 0 loses all, sample 1 none
    const dropped = encode(params(), images(), config, { dropPath: { rates: [0.5, 0.5, 0.5], uniforms } });
    const input = tf.reshape(embedTokens(params(), images(), config).x, dropped.shape);
    const sample = (x: tf.Tensor, i: number) => tf.slice(x, [i, 0, 0], [1, -1, -1]);
    expectClose(sample(dropped, 0), sample(input, 0), 1e-6);
    const difference = tf.max(tf.abs(tf.sub(sample(dropped, 1), sample(input, 1)))).dataSync()[0]!;
    expect(difference).toBeGreaterThan(0.1);
  });

  it('rates of a single block', () => {
    expect(linearRates(0.2, 1)).toEqual([0]);
    expect(constantRates(0.2, 1)).toEqual([0]);
  });
});

describe('MAE on grey images', () => {
  const decoder = { embed_dim: 8, depth: 1, num_heads: 2, mlp_ratio: 2 };
  const mae = { encoder: config, decoder, norm_pix_loss: true };
  const masks = () => maskTensors(maskingIndices(stream(3, 'mask', 0).uniforms(batch * patches), patches, 0.5));

  it('the encoder sees what `encode` sees of the same tokens, then the final norm', () => {
    const params = noisy(initMae(config, decoder, 1));
    expect(encodeVisible(params, images(), config, masks()).shape).toEqual([batch, 1 + 3, 16]);
  });

  it('a few gradient steps lower the loss', () => {
    let params = noisy(initMae(config, decoder, 1));
    const losses = Array.from({ length: 8 }, () => {
      const { value, grads } = valueAndGrads(p => maeLoss(p, images(), mae, masks()), params);
      params = { ...params, ...Object.fromEntries(Object.entries(grads).map(([name, grad]) => [name, tf.sub(params[name]!, tf.mul(grad, 0.05))])) };
      return value.dataSync()[0]!;
    });
    expect(losses.at(-1)!).toBeLessThan(0.8 * losses[0]!);
  });

  it('pixels of removed patches enter through the target alone', () => {
    const params = noisy(initMae(config, decoder, 1)),
      m = masks();
    const latentOf = (image: tf.Tensor) => encodeVisible(params, image, config, m);
    const { grads } = valueAndGrads(p => tf.sum(tf.square(latentOf(p['image']!))), { image: images() });
    const perPatch = tf.sum(tf.abs(patchify(grads['image']!, config, 'row-column-channel')), 1);
    expect([...tf.greater(perPatch, 0).dataSync()]).toEqual([...tf.equal(tf.reshape(m.mask, [-1]), 0).dataSync()]);
    const whole = valueAndGrads(p => maeLoss(params, p['image']!, mae, m), { image: images() });
    expect(tf.min(tf.sum(tf.abs(patchify(whole.grads['image']!, config, 'row-column-channel')), 1)).dataSync()[0]).toBeGreaterThan(0);
  });
});

describe('classifier', () => {
  it('trains every parameter, the position table included', () => {
    const params = noisy(initClassifier(config, 5, 1));
    const { grads } = valueAndGrads(p => tf.sum(classify(p, images(), config)), params);
    expect(classify(params, images(), config).shape).toEqual([batch, 5]);
    expect(Object.keys(grads).sort()).toEqual(Object.keys(params).sort());
  });
});

describe('a classifier over the class token', () => {
  const byClassToken = { ...config, pool: 'class_token' } as const;
  const start = () => noisy(initClassifier(byClassToken, 5, 1, { init: 'trunc_normal', pos_embed: 'learned' }));

  it('has the gradients of its function, positions included', () => {
    const params = start(),
      pixels = images();
    const error = modelGradientError(p => tf.mean(tf.square(tf.add(classify(p, pixels, byClassToken), 1))), params);
    expect(error).toBeLessThan(1e-2);
    const { grads } = valueAndGrads(p => tf.sum(classify(p, pixels, byClassToken)), params);
    expect(Object.keys(grads).sort()).toEqual(Object.keys(params).sort());
    expect(tf.min(tf.max(tf.abs(grads['pos_embed']!), 2)).dataSync()[0]).toBeGreaterThan(0); // of every place
  });

  it('reads the class token after the last block alone', () => {
    const params = start(),
      tokens = encode(params, images(), config);
    const others = tf.concat([tf.slice(tokens, [0, 0, 0], [batch, 1, 16]), draw('others', [batch, patches, 16])], 1) as tf.Tensor3D;
    expectClose(poolTokens(params, others, byClassToken), poolTokens(params, tokens, byClassToken), 0);
    expect(classify(params, images(), byClassToken).shape).toEqual([batch, 5]);
  });

  it('trains positions without weight decay, the class token too', () => {
    const groups = finetuneGroups(initClassifier(byClassToken, 5, 1, { pos_embed: 'learned' }), { depth: 3, weightDecay: 0.05, layerDecay: 1 });
    expect([groups['pos_embed'], groups['cls_token']]).toEqual([
      { weightDecay: 0, lrScale: 1 },
      { weightDecay: 0, lrScale: 1 },
    ]);
    expect(groups['head.weight']).toEqual({ weightDecay: 0.05, lrScale: 1 });
  });
});

describe('mixing', () => {
  it('soft targets are distributions; smoothing 0 is one-hot', () => {
    expect([...softTargets([2, 0], 3, 0)]).toEqual([0, 0, 1, 1, 0, 0]);
    expect([...softTargets([1], 4, 0.2)]).toEqual([0.05, 0.85, 0.05, 0.05].map(Math.fround));
    expect(() => softTargets([3], 3, 0)).toThrow(/labels from 0 to 2, got 3/);
  });

  it('lambda 1 changes nothing, lambda 0 reverses the batch', () => {
    const targets = softTargets([0, 1, 2], 3, 0),
      x = draw('batch', [3, 1, 2, 2]) as tf.Tensor4D;
    expect(mixTargets(targets, 3, 1)).toEqual(targets);
    expect([...mixTargets(targets, 3, 0)]).toEqual([0, 0, 1, 0, 1, 0, 1, 0, 0]);
    const box = tf.tensor2d([[0, 2, 0, 2]]);
    expectClose(mixImages(x, { box, share: tf.scalar(1) }), x, 0);
    expectClose(mixImages(x, { box, share: tf.scalar(0) }), tf.reverse(x, 0), 0);
  });

  it('rectangles are half open, on images that are not square', () => {
    const inside = insideRectangles(tf.tensor2d([0, 1, 1, 3, 0, 0, 0, 0], [2, 4], 'int32'), 2, 4);
    expect(inside.shape).toEqual([2, 2, 4]);
    expect([...inside.dataSync()]).toEqual([0, 1, 1, 0, 0, 0, 0, 0, ...Array<number>(8).fill(0)]);
  });
});
