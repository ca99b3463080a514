import { beforeAll, describe, expect, it } from 'vitest';
import { classify, poolTokens } from '../../src/tinymim/nn/classifier.ts';
import { cutmixLambda, mixImages, mixTargets, softTargets } from '../../src/tinymim/nn/mixup.ts';
import type { Rectangle } from '../../src/tinymim/nn/rectangles.ts';
import { encode } from '../../src/tinymim/nn/vit.ts';
import { initAdamW } from '../../src/tinymim/optim/adamw.ts';
import { finetuneGroups } from '../../src/tinymim/optim/groups.ts';
import { learningRate } from '../../src/tinymim/optim/schedule.ts';
import { softmaxCrossEntropy } from '../../src/engine/grad/cross-entropy.ts';
import { meanTokens } from '../../src/engine/grad/mean-tokens.ts';
import * as tf from '../../src/engine/tf.ts';
import type { Params } from '../../src/engine/formats/weights.ts';
import { expectClose, fixture, startEngine } from '../helpers/parity/fixtures.ts';
import { expectAllClose, expectStepped, GRADIENT, VALUE, valueAndGrads, vitConfig, type AdamWFields, type EncoderFields } from '../helpers/parity/model.ts';
import { adamw } from '../helpers/adamw-step.ts';

interface FinetuneJson {
  config: EncoderFields & {
    image_size: [number, number];
    patch_size: number;
    num_classes: number;
    label_smoothing: number;
    mixup: { lambda: number };
    cutmix: { box_yl_yh_xl_xh: Rectangle };
  };
  lam_cutmix: number;
}
interface SteppedJson {
  config: { steps: number; optimizer: AdamWFields & { lr: number; layer_decay: number; schedule: string; lr_of_each_step_before_layer_scale: number[] } };
}

const data = fixture<FinetuneJson>('finetune');
const { config } = data;
const {
  num_classes: classes,
  label_smoothing: smoothing,
  mixup: { lambda },
  cutmix: { box_yl_yh_xl_xh: box },
} = config;
const vit = vitConfig(config, config, data.tensors['image']!.shape[1]!);
const labels = data.tensors['label']!.data as ArrayLike<number>;
const targets = (s: number) => softTargets(labels, classes, s);
const tensorOf = (rows: Float32Array) => tf.tensor2d(rows, [labels.length, classes]);
const image = () => data.tensor('image') as tf.Tensor4D;
const mixedWithin = (rectangle: readonly number[], share: number) => mixImages(image(), { box: tf.tensor2d([[...rectangle]]), share: tf.scalar(share) });
const mixedImage = () => mixedWithin([0, config.image_size[0], 0, config.image_size[1]], lambda);
const mixedTargets = () => tensorOf(mixTargets(targets(smoothing), classes, lambda));

beforeAll(startEngine);

describe('mixing', () => {
  it('mix-up: images and targets', () => {
    expectClose(mixedImage(), data.tensor('value/mixup_image'), VALUE);
    expectClose(mixedTargets(), data.tensor('mixup_target'), VALUE);
  });

  it('cut-mix: images exactly, targets', () => {
    const share = cutmixLambda(box, config.image_size);
    expect(share).toBeCloseTo(data.json.lam_cutmix, 12);
    expectClose(mixedWithin(box, 0), data.tensor('value/cutmix_image'), 0);
    expectClose(tensorOf(mixTargets(targets(smoothing), classes, share)), data.tensor('cutmix_target'), VALUE);
  });
});

describe('classifier', () => {
  const params = () => data.group('param/');

  it('pooled tokens, norm, logits', () => {
    const tokens = encode(params(), image(), vit);
    expectClose(meanTokens(tokens, 1), data.tensor('value/pooled'), VALUE);
    expectClose(poolTokens(params(), tokens, { pool: 'mean' }), data.tensor('value/fc_norm'), VALUE);
    expectClose(classify(params(), image(), vit), data.tensor('value/logits'), VALUE);
    expectClose(classify(params(), mixedImage(), vit), data.tensor('value/logits_mixup'), VALUE);
    expectClose(classify(params(), data.tensor('value/cutmix_image'), vit), data.tensor('value/logits_cutmix'), VALUE);
  });

  it('class-token variant', () => {
    const renamed = Object.fromEntries(Object.entries(params()).map(([name, tensor]) => [name.replace(/^fc_norm/, 'norm'), tensor]));
    expectClose(classify(renamed, image(), { ...vit, pool: 'class_token' }), data.tensor('value/logits_cls_token'), VALUE);
  });

  it('losses', () => {
    const logits = data.tensor('value/logits');
    expectClose(softmaxCrossEntropy(tensorOf(targets(0)), logits), data.tensor('loss/cross_entropy'), VALUE);
    expectClose(softmaxCrossEntropy(tensorOf(targets(smoothing)), logits), data.tensor('loss/label_smoothing'), VALUE);
    expectClose(softmaxCrossEntropy(mixedTargets(), data.tensor('value/logits_mixup')), data.tensor('loss/mixup'), VALUE);
    expectClose(softmaxCrossEntropy(data.tensor('cutmix_target'), data.tensor('value/logits_cutmix')), data.tensor('loss/cutmix'), VALUE);
  });

  it('all gradients with label smoothing, of the images too', () => {
    const target = tensorOf(targets(smoothing));
    const { grads } = valueAndGrads(({ input, ...p }) => softmaxCrossEntropy(target, classify(p, input!, vit)), { ...params(), input: image() });
    expectAllClose(grads, fixture('finetune_grads_label_smoothing').group(''), GRADIENT);
  });

  it('all gradients with mix-up', () => {
    const mixed = mixedImage(),
      target = mixedTargets();
    const { grads } = valueAndGrads(p => softmaxCrossEntropy(target, classify(p, mixed, vit)), params());
    expectAllClose(grads, fixture('finetune_grads_mixup').group(''), GRADIENT);
  });

  it('parameters and losses after AdamW steps with layer-wise decay and schedule', () => {
    const expected = fixture<SteppedJson>('finetune_after_steps');
    const { steps, optimizer } = expected.config;
    const rates = ratesOf(optimizer.schedule, optimizer.lr, steps);
    rates.forEach((rate, step) => expect(rate).toBeCloseTo(optimizer.lr_of_each_step_before_layer_scale[step]!, 12));
    const mixed = mixedImage(),
      target = mixedTargets();
    let current: Params = params();
    const groups = finetuneGroups(current, { depth: config.depth, weightDecay: optimizer.weight_decay, layerDecay: optimizer.layer_decay });
    let state = initAdamW(current);
    const losses = rates.map(lr => {
      const { value, grads } = valueAndGrads(p => softmaxCrossEntropy(target, classify(p, mixed, vit)), current);
      ({ params: current, state } = adamw({ params: current, state, grads, lr, betas: optimizer.betas, eps: optimizer.eps, groups }));
      return value;
    });
    expectClose(tf.stack(losses), expected.tensor('losses'), VALUE, 'losses');
    expectStepped(current, expected.group('after/'), optimizer.lr, steps);
  });
});

/** The fixture states its schedule in words: "half cosine; step k at epoch 0.5 + k; warmup_epochs 1; epochs 4; min_lr 0". */
function ratesOf(words: string, lr: number, steps: number): number[] {
  const number = (pattern: RegExp) => Number(pattern.exec(words)![1]);
  const schedule = { lr, warmupEpochs: number(/warmup_epochs ([\d.]+)/), epochs: number(/(?<!_)epochs ([\d.]+)/), minLr: number(/min_lr ([\d.]+)/) };
  const offset = number(/at epoch ([\d.]+) \+ k/);
  return Array.from({ length: steps }, (_, step) => learningRate(schedule, offset + step));
}
