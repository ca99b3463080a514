/** What a distillation token and wider features change of a classifier; golden values of both: test/parity/deit.test.ts. */
import { beforeAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { toTensors, type Params } from '../../../../src/engine/formats/weights.ts';
import { softmaxCrossEntropy } from '../../../../src/engine/grad/cross-entropy.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { logitLoss, type LogitTarget } from '../../../../src/tinymim/distill/logits.ts';
import { classify, classifyTwice } from '../../../../src/tinymim/nn/classifier.ts';
import { tokenCount, type ClassifierConfig } from '../../../../src/tinymim/nn/config.ts';
import { initClassifier, initEncoder } from '../../../../src/tinymim/nn/init.ts';
import { withDistPosition } from '../../../../src/tinymim/nn/pos-embed.ts';
import { embedTokens } from '../../../../src/tinymim/nn/vit.ts';
import { finetuneGroups } from '../../../../src/tinymim/optim/groups.ts';
import { expectClose } from '../../../helpers/parity/fixtures.ts';
import { modelGradientError, normals } from '../../../helpers/finite-differences.ts';
import { valueAndGrads } from '../../../helpers/parity/model.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

const star: ClassifierConfig = { image_size: [4, 6], patch_size: 2, in_chans: 1, embed_dim: 16, depth: 2, num_heads: 4, mlp_ratio: 2, pool: 'class_token', dist_token: true, feature_dim: 20 };
const CLASSES = 5,
  BATCH = 3;
const images = (): tf.Tensor => normals('images', [BATCH, 1, 4, 6]);
/** Noise on all of them: zero positions and heads near zero would hide mistakes. */
const params = (config = star): Params =>
  Object.fromEntries(Object.entries(toTensors(initClassifier(config, CLASSES, 1))).map(([name, tensor]) => [name, tf.add(tensor, normals(name, tensor.shape, 0.2))]));

describe('a distillation token', () => {
  it('stands at position 2, behind the class token: 198 tokens of 14 x 14 patches', () => {
    expect(tokenCount({ ...star, image_size: [224, 224], patch_size: 16 })).toBe(198);
    const p = params(),
      { x, shape } = embedTokens(p, images(), star);
    expect(shape).toEqual({ batch: BATCH, tokens: 8 });
    const rows = tf.reshape(x, [BATCH, 8, 16]);
    const [cls, dist] = ['cls_token', 'dist_token'].map((name, i) => tf.add(p[name]!, tf.slice(p['pos_embed']!, [0, i, 0], [1, 1, 16])));
    for (let image = 0; image < BATCH; image++) {
      expectClose(tf.slice(rows, [image, 0, 0], [1, 1, 16]), cls!, 0);
      expectClose(tf.slice(rows, [image, 1, 0], [1, 1, 16]), dist!, 0);
    }
    const { dist_token, pos_embed: positions, ...rest } = p;
    const without = { ...rest, pos_embed: tf.concat([tf.slice(positions!, [0, 0, 0], [1, 1, 16]), tf.slice(positions!, [0, 2, 0], [1, 6, 16])], 1) };
    const plain = tf.reshape(embedTokens(without, images(), { ...star, dist_token: false }).x, [BATCH, 7, 16]);
    expectClose(tf.slice(rows, [0, 2, 0], [BATCH, 6, 16]), tf.slice(plain, [0, 1, 0], [BATCH, 6, 16]), 0);
    expect(dist_token!.shape).toEqual([1, 1, 16]);
  });

  it('sees all patches: with a choice of them it is refused', () => {
    expect(() => embedTokens(params(), images(), star, tf.tensor2d([[0], [1], [2]], [3, 1], 'int32'))).toThrow('Expected all patches beside a distillation token');
  });

  it('starts as the class token does, at no position, and its head as the other', () => {
    const { dist_token, cls_token, pos_embed, head, ...rest } = Object.fromEntries(Object.entries(initClassifier(star, CLASSES, 1)).map(([name, w]) => [name.replace(/^head\.weight$/, 'head'), w]));
    const deviation = (data: Float32Array): number => Math.sqrt(data.reduce((sum, v) => sum + v * v, 0) / data.length);
    for (const token of [dist_token, cls_token]) expect(deviation(token!.data)).toBeGreaterThan(0.01);
    expect(dist_token!.data).not.toEqual(cls_token!.data);
    expect([...pos_embed!.data.subarray(0, 32)]).toEqual(Array(32).fill(0));
    expect(pos_embed!.shape).toEqual([1, 8, 16]);
    for (const weight of [head, rest['head_dist.weight']]) expect(deviation(weight!.data)).toBeLessThan(1e-4);
    expect(Object.keys(rest).filter(name => /norm|conv/.test(name) && !name.startsWith('blocks'))).toEqual(['conv1x1.0.weight', 'conv1x1.0.bias', 'conv1x1.1.weight', 'conv1x1.1.bias']);
  });

  it('gets a row of its own among the positions of an encoder that had none', () => {
    const initial = initClassifier(star, CLASSES, 1)['pos_embed']!,
      encoder = initEncoder({ ...star, dist_token: false }, 2)['pos_embed']!;
    const marked = { ...encoder, data: encoder.data.map((_, i) => i + 1) };
    const { shape, data } = withDistPosition({ ...initial, data: initial.data.map(() => -1) }, marked);
    expect(shape).toEqual([1, 8, 16]);
    expect([...data]).toEqual([...marked.data.subarray(0, 16), ...Array<number>(16).fill(-1), ...marked.data.subarray(16)]);
  });

  it('is trained as the class token: with the lowest rate, without decay', () => {
    const groups = finetuneGroups(initClassifier(star, CLASSES, 1), { depth: 2, weightDecay: 0.05, layerDecay: 0.5 });
    expect(groups['dist_token']).toEqual({ weightDecay: 0, lrScale: 0.125 });
    expect(groups['dist_token']).toEqual(groups['cls_token']);
    for (const top of ['conv1x1.1.weight', 'head.weight', 'head_dist.weight']) expect(groups[top], top).toEqual({ weightDecay: 0.05, lrScale: 1 });
  });

  it.each([
    ['a distillation token', { dist_token: true, feature_dim: null }],
    ['a feature_dim', { dist_token: false, feature_dim: 20 }],
  ])('is refused with a mean of the patches, as heads read single tokens with %s', (what, change) => {
    expect(() => initClassifier({ ...star, ...change, pool: 'mean' }, CLASSES, 1)).toThrow(
      `Expected pool of the classifier to be class_token with ${what}, as heads read single tokens then, got "mean".`,
    );
  });
});

describe('two heads', () => {
  it('predict by their mean', () => {
    const p = params(),
      { head, head_dist } = classifyTwice(p, images(), star);
    expectClose(classify(p, images(), star), tf.div(tf.add(head, head_dist), 2), 1e-6);
    expect(tf.max(tf.abs(tf.sub(head, head_dist))).dataSync()[0]).toBeGreaterThan(0.1);
  });

  it.each<[string, LogitTarget]>([
    ['hard', { type: 'hard' }],
    ['soft', { type: 'soft', tau: 1 }],
    ['soft at another temperature', { type: 'soft', tau: 2.5 }],
  ])('learn of labels and of a teacher, with the gradients of their functions: %s', (_, target) => {
    const targets = tf.softmax(normals('targets', [BATCH, CLASSES])),
      teacher = normals('teacher', [BATCH, CLASSES], 2),
      pixels = images(),
      config = { ...star, depth: 1 };
    const loss = (p: Params): tf.Scalar => {
      const { head, head_dist } = classifyTwice(p, pixels, config);
      return tf.add(softmaxCrossEntropy(targets, head), tf.mul(logitLoss(target, teacher, head_dist), 3));
    };
    expect(modelGradientError(loss, params(config))).toBeLessThan(1e-2);
    const { grads } = valueAndGrads(loss, params(config));
    expect(Object.keys(grads).sort()).toEqual(Object.keys(params(config)).sort());
    // Nothing of a teacher moves.
    const both = { teacher, student: normals('student', [BATCH, CLASSES]) };
    expect(Object.keys(valueAndGrads(given => logitLoss(target, given['teacher']!, given['student'] as tf.Tensor2D), both).grads)).toEqual(['student']);
  });

  it('learn nothing of a teacher that says what they say, but its class', () => {
    const said = normals('student', [BATCH, CLASSES]) as tf.Tensor2D;
    expect(logitLoss({ type: 'soft', tau: 2 }, said, said).dataSync()[0]).toBeCloseTo(0, 6);
    expect(logitLoss({ type: 'hard' }, said, said).dataSync()[0]).toBeGreaterThan(0.1);
  });
});
