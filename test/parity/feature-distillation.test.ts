import { beforeAll, describe, expect, it } from 'vitest';
import { featureMatcher, whiten, type FeatureTarget } from '../../src/tinymim/distill/feature.ts';
import { project, type NetworkFeatures } from '../../src/tinymim/distill/matcher.ts';
import { tapOf, targetLoss, teacherTargets } from '../../src/tinymim/distill/target.ts';
import { extractFeatures, type Feature } from '../../src/tinymim/nn/vit.ts';
import * as tf from '../../src/engine/tf.ts';
import type { Params } from '../../src/engine/formats/weights.ts';
import { expectClose, fixture, startEngine } from '../helpers/parity/fixtures.ts';
import { expectAllClose, GRADIENT, VALUE, valueAndGrads, vitConfig, type EncoderFields } from '../helpers/parity/model.ts';

interface FeatureJson {
  config: {
    image_size: [number, number];
    patch_size: number;
    teacher: EncoderFields & { target_block: number };
    student: EncoderFields & { last_block_num_heads: number };
  };
}

const data = fixture<FeatureJson>('feature_distillation');
const { config } = data;
const QKV = ['q', 'k', 'v'];
const kinds = Object.keys(data.tensors).flatMap(name => /^(.*)\/student$/.exec(name)?.[1] ?? []);

/** `output_normed` holds tensors that have passed the final norms already. */
const featureOfKind = (kind: string): FeatureTarget['feature'] => (QKV.includes(kind) ? 'qkv' : kind === 'output_normed' ? 'block' : (kind as FeatureTarget['feature']));
const targetOf = (kind: string): FeatureTarget => ({ family: 'feature', feature: featureOfKind(kind), final_norm: false, class_token: true });
const termOf = (kind: string): Feature => (kind === 'output_normed' ? 'block' : (kind as Feature));

/** Stored tokens `[B, N, D]` as a block gives them: q, k, v by heads. */
function asTaken(name: Feature, tokens: tf.Tensor, heads: number): tf.Tensor {
  if (!QKV.includes(name)) return tokens;
  const [batch, count, dim] = tokens.shape as [number, number, number];
  return tf.transpose(tf.reshape(tokens, [batch, count, heads, dim / heads]), [0, 2, 1, 3]);
}

const side = (params: Params, heads: number, tokens: (name: Feature) => tf.Tensor): NetworkFeatures => ({ params, take: name => asTaken(name, tokens(name), heads) });
const kindOf = (kind: string, name: Feature): string => (featureOfKind(kind) === 'qkv' ? name : kind);
const stored =
  (kind: string, network: 'teacher' | 'student') =>
  (name: Feature): tf.Tensor =>
    data.tensor(`${kindOf(kind, name)}/${network}`);

function projections(kind: string): Record<string, tf.Tensor> {
  return Object.fromEntries(featureMatcher(targetOf(kind)).features.flatMap(name => ['weight', 'bias'].map(part => [`projection.${name}.${part}`, data.tensor(`${kindOf(kind, name)}/${part}`)])));
}

const targetsOf = (kind: string): Record<string, tf.Tensor> => featureMatcher(targetOf(kind)).teacherTargets(side({}, config.teacher.num_heads, stored(kind, 'teacher')));

beforeAll(startEngine);

describe('feature distillation', () => {
  it('has fixtures of every feature', () => {
    expect(kinds.sort()).toEqual(['attention', 'attention_residual', 'block', 'ffn', 'k', 'output_normed', 'q', 'v']);
  });

  it.each(kinds)('%s: prediction, whitened target, loss, gradients', kind => {
    const term = termOf(kind);
    expectClose(whiten(data.tensor(`${kind}/teacher`)), data.tensor(`${kind}/target_whitened`), VALUE, 'whitened');
    const targets = targetsOf(kind);
    expectClose(targets[term]!, data.tensor(`${kind}/target_whitened`), VALUE, 'target');
    expectClose(project(projections(kind), term, data.tensor(`${kind}/student`)), data.tensor(`${kind}/prediction`), VALUE, 'prediction');

    const { value, grads } = valueAndGrads(
      ({ student, ...params }) => {
        const tokens = (name: Feature): tf.Tensor => (name === term ? student! : stored(kind, 'student')(name));
        return featureMatcher(targetOf(kind)).loss(side(params, config.student.last_block_num_heads, tokens), targets).terms[term]!;
      },
      { ...projections(kind), student: data.tensor(`${kind}/student`) },
    );
    expectClose(value, data.tensor(`${kind}/loss`), VALUE, 'loss');
    expectClose(grads['student']!, data.tensor(`${kind}/grad_student`), GRADIENT, 'student');
    for (const part of ['weight', 'bias']) expectClose(grads[`projection.${term}.${part}`]!, data.tensor(`${kind}/grad_${part}`), GRADIENT, part);
  });

  it('the loss of q, k and v is their sum', () => {
    const student = side(projections('q'), config.student.last_block_num_heads, stored('q', 'student'));
    expectClose(featureMatcher(targetOf('q')).loss(student, targetsOf('q')).loss, data.tensor('qkv_sum/loss'), VALUE);
  });
});

describe('through the whole student', () => {
  const expected = fixture<FeatureJson>('feature_distillation_grads');
  const student = fixture<FeatureJson>('tinymim_student'),
    teacher = fixture<FeatureJson>('tinymim_teacher'),
    images = fixture('tinymim_images');
  const first = (network: 'teacher' | 'student'): tf.Tensor => tf.squeeze(tf.slice(images.tensor(`images_${network}`), [0, 0, 0, 0, 0], [1, -1, -1, -1, -1]), [0]);
  const channels = images.tensors['images_teacher']!.shape[2]!;
  const target = targetOf('block');

  it('loss, all gradients, and none for the final norm', () => {
    const params = teacher.group('param/'),
      taught = config.teacher.target_block;
    const features = extractFeatures(params, first('teacher'), vitConfig(config, config.teacher, channels), [tapOf(target, taught)]);
    const targets = teacherTargets(target, { params, features, block: taught });

    const studentConfig = { ...vitConfig(config, config.student, channels), last_block_heads: config.student.last_block_num_heads };
    const block = studentConfig.depth;
    const { value, grads } = valueAndGrads(params => targetLoss(target, { params, features: extractFeatures(params, first('student'), studentConfig, [tapOf(target, block)]), block }, targets).loss, {
      ...student.group('param/'),
      ...projections('block'),
    });
    expectClose(value, expected.tensor('loss'), VALUE, 'loss');
    expectAllClose(grads, expected.group('grad/'), GRADIENT);
    expect(
      Object.keys(student.group('param/'))
        .filter(name => !(name in grads))
        .sort(),
    ).toEqual(['norm.bias', 'norm.weight']);
  });
});
