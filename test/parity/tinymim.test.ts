import { beforeAll, describe, expect, it } from 'vitest';
import type { TargetLoss } from '../../src/tinymim/distill/matcher.ts';
import { distillMisfits } from '../../src/tinymim/distill/misfits.ts';
import { tapOf, targetLoss, teacherTargets, type Target } from '../../src/tinymim/distill/target.ts';
import { extractFeatures } from '../../src/tinymim/nn/vit.ts';
import { initAdamW } from '../../src/tinymim/optim/adamw.ts';
import { isTrainedInPretraining, pretrainGroups } from '../../src/tinymim/optim/groups.ts';
import * as tf from '../../src/engine/tf.ts';
import type { Params } from '../../src/engine/formats/weights.ts';
import { expectClose, fixture, startEngine } from '../helpers/parity/fixtures.ts';
import { expectAllClose, expectStepped, GRADIENT, VALUE, valueAndGrads, vitConfig, type AdamWFields, type EncoderFields } from '../helpers/parity/model.ts';
import { adamw } from '../helpers/adamw-step.ts';

interface TinyMimJson {
  config: {
    image_size: [number, number];
    patch_size: number;
    steps: number;
    teacher: EncoderFields & { target_block: number };
    student: EncoderFields & { last_block_num_heads: number };
    optimizer: AdamWFields & { lr: number };
  };
}
interface GradsJson extends TinyMimJson {
  no_gradient: string[];
  frozen: string[];
}
interface SteppedJson extends TinyMimJson {
  weight_decay_groups: { decay: string[]; no_decay: string[] };
  unchanged: string[];
}

const data = fixture<TinyMimJson>('tinymim_student');
const images = fixture<TinyMimJson>('tinymim_images');
const { config } = data;
const channels = images.tensors['images_teacher']!.shape[2]!;
const teacherConfig = vitConfig(config, config.teacher, channels);
const teacherBlock = config.teacher.target_block;
const studentConfig = { ...vitConfig(config, config.student, channels), last_block_heads: config.student.last_block_num_heads };
const target: Target = { family: 'relation', pairs: ['qk', 'vv'], loss: 'kl', heads: 'aligned' };

const batch = (network: 'teacher' | 'student', step: number): tf.Tensor => {
  const all = images.tensor(`images_${network}`);
  return tf.squeeze(tf.slice(all, [step, 0, 0, 0, 0], [1, -1, -1, -1, -1]), [0]);
};
const teacherParams = () => fixture('tinymim_teacher').group('param/');
const studentParams = () => data.group('param/');

function taught(step: number): Record<string, tf.Tensor> {
  const params = teacherParams();
  const features = extractFeatures(params, batch('teacher', step), teacherConfig, [tapOf(target, teacherBlock)]);
  return teacherTargets(target, { params, features, block: teacherBlock });
}

function distillLoss(params: Params, images: tf.Tensor, targets: Record<string, tf.Tensor>): TargetLoss {
  const block = studentConfig.depth;
  return targetLoss(target, { params, features: extractFeatures(params, images, studentConfig, [tapOf(target, block)]), block }, targets);
}

beforeAll(startEngine);

describe('relation distillation', () => {
  it('fits the heads of the last block', () => {
    expect(distillMisfits(target, studentConfig, { config: teacherConfig, block: teacherBlock })).toEqual([]);
  });

  it('relations of teacher and student', () => {
    const params = studentParams(),
      block = studentConfig.depth;
    const teacher = taught(0);
    const features = extractFeatures(params, batch('student', 0), studentConfig, [tapOf(target, block)]);
    const student = teacherTargets(target, { params, features, block });
    for (const pair of ['qk', 'vv'] as const) {
      expectClose(tf.softmax(teacher[pair]!), data.tensor(`teacher/relation_${pair}`), VALUE);
      expectClose(tf.softmax(student[pair]!), data.tensor(`student/relation_${pair}`), VALUE);
    }
  });

  it('loss and its terms', () => {
    const { loss, terms } = distillLoss(studentParams(), batch('student', 0), taught(0));
    expectAllClose({ ...terms, total: loss }, data.group('loss/'), VALUE);
  });

  it('all gradients, and none where PyTorch has none', () => {
    const expected = fixture<GradsJson>('tinymim_student_grads');
    const targets = taught(0);
    const { grads } = valueAndGrads(({ input, ...params }) => distillLoss(params, input!, targets).loss, { ...studentParams(), input: batch('student', 0) });
    expectAllClose(grads, expected.group('grad/'), GRADIENT);
    const { no_gradient, frozen } = expected.json;
    expect(
      Object.keys(studentParams())
        .filter(name => !(name in grads))
        .sort(),
    ).toEqual(no_gradient);
    expect(Object.keys(studentParams()).filter(name => !isTrainedInPretraining(name))).toEqual(frozen);
  });
});

describe('after AdamW steps', () => {
  it.each([1, config.steps])('step %i: parameters and losses', count => {
    const expected = fixture<SteppedJson>(`tinymim_after_step${count}`);
    const { lr, betas, eps, weight_decay } = expected.config.optimizer;
    const fixed = Object.fromEntries(Object.entries(studentParams()).filter(([name]) => !isTrainedInPretraining(name)));
    let params: Params = Object.fromEntries(Object.entries(studentParams()).filter(([name]) => isTrainedInPretraining(name)));
    const groups = pretrainGroups(params, weight_decay);
    let state = initAdamW(params);
    const losses: tf.Tensor[] = [];
    for (let step = 0; step < count; step++) {
      const targets = taught(step);
      const lossOf = (p: Params) => distillLoss({ ...p, ...fixed }, batch('student', step), targets);
      const { terms } = lossOf(params);
      losses.push(tf.stack([terms.qk!, terms.vv!]));
      const { grads } = valueAndGrads(p => lossOf(p).loss, params);
      ({ params, state } = adamw({ params, state, grads, lr, betas, eps, groups }));
    }
    expectStepped({ ...params, ...fixed }, expected.group(`step${count}/`), lr, count);
    expect(expected.json.unchanged).toEqual(expect.arrayContaining(Object.keys(fixed)));
    for (const name of expected.json.unchanged) expectClose({ ...params, ...fixed }[name]!, studentParams()[name]!, 0, name);
    expectClose(tf.stack(losses), tf.slice(expected.tensor('losses'), [0, 0], [count, 2]), VALUE, 'losses');
    expect(
      Object.keys(groups)
        .filter(name => groups[name]!.weightDecay > 0)
        .sort(),
    ).toEqual(expected.json.weight_decay_groups.decay.toSorted());
  });
});
