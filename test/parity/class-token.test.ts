import { beforeAll, describe, expect, it } from 'vitest';
import { classTokenLoss, classTokenMatcher, type ClassTokenTarget } from '../../src/tinymim/distill/class-token.ts';
import * as tf from '../../src/engine/tf.ts';
import type { Params } from '../../src/engine/formats/weights.ts';
import { expectClose, fixture, startEngine } from '../helpers/parity/fixtures.ts';
import { GRADIENT, VALUE, valueAndGrads } from '../helpers/parity/model.ts';

const data = fixture('class_token');
const losses = ['kl', 'mse'] as const;
const targetOf = (loss: ClassTokenTarget['loss']): ClassTokenTarget => ({ family: 'class-token', loss, temperature: 1, final_norm: false });

/** The class token `[B, D]` before patch tokens that must not count. */
function withPatches(token: tf.Tensor): tf.Tensor {
  const [batch, dim] = token.shape as [number, number];
  return tf.concat([tf.reshape(token, [batch, 1, dim]), tf.fill([batch, 2, dim], 7)], 1);
}

beforeAll(startEngine);

describe('class-token distillation', () => {
  it.each(losses)('%s with projection: loss and gradients', loss => {
    const matcher = classTokenMatcher(targetOf(loss));
    const targets = matcher.teacherTargets({ params: {}, take: () => withPatches(data.tensor('teacher')) });
    const lossOf = ({ student, ...params }: Params): tf.Scalar => matcher.loss({ params, take: () => withPatches(student!) }, targets).loss;
    const { value, grads } = valueAndGrads(lossOf, { student: data.tensor('student'), 'projection.class_token.weight': data.tensor('weight'), 'projection.class_token.bias': data.tensor('bias') });
    expectClose(value, data.tensor(`${loss}/loss`), VALUE, 'loss');
    expectClose(grads['student']!, data.tensor(`${loss}/grad_student`), GRADIENT, 'student');
    expectClose(grads['projection.class_token.weight']!, data.tensor(`${loss}/grad_weight`), GRADIENT, 'weight');
    expectClose(grads['projection.class_token.bias']!, data.tensor(`${loss}/grad_bias`), GRADIENT, 'bias');
  });

  it.each(losses)('%s of tokens of the same width: loss and gradient', loss => {
    const { value, grads } = valueAndGrads(({ student }) => classTokenLoss(data.tensor('teacher'), student!, targetOf(loss)), { student: data.tensor('student_same_width') });
    expectClose(value, data.tensor(`${loss}_same_width/loss`), VALUE, 'loss');
    expectClose(grads['student']!, data.tensor(`${loss}_same_width/grad_student`), GRADIENT, 'student');
  });

  it('the temperature divides the features of both', () => {
    const half = (name: string): tf.Tensor => tf.div(data.tensor(name), 2);
    expectClose(
      classTokenLoss(data.tensor('teacher'), data.tensor('student_same_width'), { loss: 'kl', temperature: 2 }),
      classTokenLoss(half('teacher'), half('student_same_width'), { loss: 'kl', temperature: 1 }),
      1e-6,
    );
    expect(classTokenLoss(data.tensor('teacher'), data.tensor('student_same_width'), { loss: 'kl', temperature: 2 }).dataSync()[0]).not.toBeCloseTo(
      data.tensor('kl_same_width/loss').dataSync()[0]!,
      2,
    );
  });
});
