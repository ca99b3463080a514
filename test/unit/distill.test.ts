import { beforeAll, describe, expect, it } from 'vitest';
import { alignHeads, relationLogits, relationLoss, relations, teacherRelations, type RelationTap } from '../../src/distill/relations.ts';
import type { ViTConfig } from '../../src/nn/config.ts';
import { ModelError } from '../../src/nn/errors.ts';
import { initEncoder } from '../../src/nn/init.ts';
import { loadEngine } from '../../src/tensor/backend.ts';
import { stream } from '../../src/tensor/rng.ts';
import * as tf from '../../src/tensor/tf.ts';
import { toTensors } from '../../src/tensor/weights.ts';
import { expectClose } from '../parity/fixtures.ts';
import { valueAndGrads } from '../parity/model.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

const base = { image_size: [4, 6] as const, patch_size: 2, in_chans: 1, mlp_ratio: 2 };
const teacher: ViTConfig = { ...base, embed_dim: 24, depth: 4, num_heads: 6 };
const student: ViTConfig = { ...base, embed_dim: 12, depth: 2, num_heads: 3 };
const draw = (name: string, shape: number[]) => tf.tensor(stream(5, name, 0).normals(shape.reduce((a, b) => a * b, 1)), shape);
const images = () => draw('images', [2, 1, 4, 6]);
const teacherParams = () => toTensors(initEncoder(teacher, 1));
const studentParams = () => toTensors(initEncoder(student, 2));
const tap: RelationTap = { block: 3, pairs: ['qk', 'vv'] };

describe('alignHeads', () => {
  it("gives the student's last block the heads of the teacher's block", () => {
    expect(alignHeads(student, teacher, 3)).toEqual({ ...student, last_block_heads: 6 });
    expect(alignHeads(student, { ...teacher, last_block_heads: 4 }, 4).last_block_heads).toBe(4); // a distilled teacher, tapped at its last block
    expect(alignHeads(student, { ...teacher, last_block_heads: 4 }, 3).last_block_heads).toBe(6);
  });

  it('refuses a student width that the heads do not divide', () => {
    expect(() => alignHeads({ ...student, embed_dim: 16 }, teacher, 3)).toThrow(/student width that the teacher's 6 heads divide, got 16/);
  });
});

describe('relations', () => {
  it('are dot products scaled by the width of the head', () => {
    const x = draw('x', [1, 1, 2, 4]) as tf.Tensor4D, y = draw('y', [1, 1, 3, 4]) as tf.Tensor4D;
    const rows = (t: tf.Tensor) => tf.reshape(t, [-1, 4]).arraySync() as number[][];
    const expected = rows(x).map(a => rows(y).map(b => a.reduce((sum, value, i) => sum + value * b[i]!, 0) / 2));
    expectClose(relationLogits(x, y), tf.tensor(expected.flat(), [1, 1, 2, 3]), 1e-6);
  });

  it('a teacher that runs once for several arms gives each what it would get alone', () => {
    const taps: RelationTap[] = [tap, { block: 2, pairs: ['qq', 'kk', 'vv'] }, { block: 3, pairs: ['vv', 'kq'] }];
    const together = teacherRelations(teacherParams(), images(), teacher, taps);
    taps.forEach((alone, i) => {
      const [expected] = teacherRelations(teacherParams(), images(), teacher, [alone]);
      expect(Object.keys(together[i]!)).toEqual(alone.pairs);
      for (const pair of alone.pairs) expectClose(together[i]![pair]!, expected![pair]!, 0, pair);
    });
  });

  it('the teacher needs no parameters beyond the q, k, v of the deepest block', () => {
    const needed = Object.fromEntries(Object.entries(teacherParams()).filter(([name]) => !/^blocks\.2\.(attn\.proj|norm2|mlp)|^blocks\.3|^norm/.test(name)));
    expect(teacherRelations(needed, images(), teacher, [tap])[0]!.qk!.shape).toEqual([2, 6, 7, 7]);
  });
});

describe('relationLoss', () => {
  const target = () => teacherRelations(teacherParams(), images(), teacher, [tap])[0]!;
  const aligned = alignHeads(student, teacher, tap.block);
  const lastBlock: RelationTap = { block: student.depth, pairs: tap.pairs };

  it.each([true, false])('is the sum of its terms and falls along its gradient (softmax %s)', softmax => {
    const teacherSide = target();
    const lossOf = (params: ReturnType<typeof studentParams>) => relationLoss(relations(params, images(), aligned, lastBlock), teacherSide, softmax);
    const { loss, terms } = lossOf(studentParams());
    expect(Object.keys(terms)).toEqual(tap.pairs);
    expectClose(loss, tf.add(terms.qk!, terms.vv!), 1e-6);
    const { grads } = valueAndGrads(params => lossOf(params).loss, studentParams());
    const stepped = Object.fromEntries(Object.entries(studentParams()).map(([name, x]) => [name, grads[name] ? tf.sub(x, tf.mul(grads[name], 0.01)) : x]));
    expect(lossOf(stepped).loss.dataSync()[0]!).toBeLessThan(loss.dataSync()[0]!);
  });

  it('is 0 for a student that is the teacher', () => {
    expect(relationLoss(target(), target(), true).loss.dataSync()[0]).toBe(0);
    expect(relationLoss(target(), target(), false).loss.dataSync()[0]).toBe(0);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['another number of heads', () => relationLoss(relations(studentParams(), images(), student, lastBlock), target(), true), /teacher's 6 heads, got 3\. Set last_block_heads/],
    ['a pair that the student lacks', () => relationLoss(relations(studentParams(), images(), aligned, { ...lastBlock, pairs: ['qk'] }), target(), true), /contain "vv", got qk/],
    ['other tokens', () => relationLoss(relations(studentParams(), images(), aligned, lastBlock, { tokens: tf.tensor2d([[0, 1], [2, 3]], [2, 2], 'int32') }), target(), true), /relations of 7 tokens as the teacher has, got 3/],
    ['no pair at all', () => relationLoss({}, {}, true), /at least one relation/],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(ModelError);
    expect(call).toThrow(message);
  });
});
