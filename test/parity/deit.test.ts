/** A classifier with a distillation token, and DeiT's losses on it, are what PyTorch computes (`deit/`, made by the script there). */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readWeights, toTensors, type Params } from '../../src/engine/formats/weights.ts';
import { softmaxCrossEntropy } from '../../src/engine/grad/cross-entropy.ts';
import * as tf from '../../src/engine/tf.ts';
import { logitLoss, type LogitTarget } from '../../src/tinymim/distill/logits.ts';
import { classify, classifyTwice } from '../../src/tinymim/nn/classifier.ts';
import type { ClassifierConfig } from '../../src/tinymim/nn/config.ts';
import { expectClose, startEngine } from '../helpers/parity/fixtures.ts';
import { expectAllClose, GRADIENT, VALUE, valueAndGrads } from '../helpers/parity/model.ts';

const values = readWeights(join(import.meta.dirname, 'deit/values.safetensors'));
const group = (prefix: string): Params => {
  const found = Object.entries(values).flatMap(([name, tensor]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : []));
  expect(found.length, prefix).toBeGreaterThan(0);
  return toTensors(Object.fromEntries(found));
};
const value = (name: string): tf.Tensor => toTensors({ [name]: values[name]! })[name]!;

const plain: ClassifierConfig = { image_size: [8, 12], patch_size: 4, in_chans: 2, embed_dim: 16, depth: 2, num_heads: 4, mlp_ratio: 2.5, pool: 'class_token', dist_token: true };
/** Of DeiT, and of TinyMIM*. */
const MODELS: Readonly<Record<string, ClassifierConfig>> = { plain, wide: { ...plain, feature_dim: 28 } };
const LOSSES: Readonly<Record<string, { target: LogitTarget; alpha: number }>> = {
  hard: { target: { type: 'hard' }, alpha: 0.5 },
  soft: { target: { type: 'soft', tau: 1 }, alpha: 0.5 },
  cool: { target: { type: 'soft', tau: 3 }, alpha: 0.3 },
};

beforeAll(startEngine);

describe.each(Object.entries(MODELS))('two heads, %s', (name, config) => {
  const params = (): Params => group(`${name}/param/`);

  it('logits of each, and their mean as the prediction', () => {
    const { head, head_dist } = classifyTwice(params(), value('images'), config);
    expectClose(head, value(`${name}/head`), VALUE);
    expectClose(head_dist, value(`${name}/head_dist`), VALUE);
    expectClose(classify(params(), value('images'), config), value(`${name}/prediction`), VALUE);
  });

  it.each(Object.entries(LOSSES))('the loss of a teacher and of labels, %s', (loss, { target, alpha }) => {
    const [images, teacher, targets] = ['images', 'teacher', 'targets'].map(value) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const { value: whole, grads } = valueAndGrads(p => {
      const { head, head_dist } = classifyTwice(p, images, config);
      return tf.add(tf.mul(softmaxCrossEntropy(targets, head), 1 - alpha), tf.mul(logitLoss(target, teacher, head_dist), alpha));
    }, params());
    expectClose(logitLoss(target, teacher, value(`${name}/head_dist`) as tf.Tensor2D), value(`${name}/${loss}/distillation`), VALUE);
    expectClose(whole, value(`${name}/${loss}/loss`), VALUE);
    const kept = name === 'plain' ? loss === 'soft' : loss !== 'soft';
    if (kept) expectAllClose(grads, group(`${name}/${loss}/grad/`), GRADIENT);
  });
});
