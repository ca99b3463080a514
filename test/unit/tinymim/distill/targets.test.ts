import { beforeAll, describe, expect, it } from 'vitest';
import { averagedRelationLogits, relationLogits, relationLoss, type RelationPair, type RelationTarget } from '../../../../src/tinymim/distill/relations.ts';
import { tapOf, targetLoss, teacherTargets, type Target } from '../../../../src/tinymim/distill/target.ts';
import type { ViTConfig } from '../../../../src/tinymim/nn/config.ts';
import { ModelError } from '../../../../src/tinymim/nn/errors.ts';
import { gatherTokens } from '../../../../src/tinymim/nn/gather-tokens.ts';
import { initEncoder } from '../../../../src/tinymim/nn/init.ts';
import { extractFeatures, type EncodeOptions } from '../../../../src/tinymim/nn/vit.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { stream } from '../../../../src/engine/random/rng.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { toTensors, type Params } from '../../../../src/engine/formats/weights.ts';
import { expectClose } from '../../../helpers/parity/fixtures.ts';
import { valueAndGrads } from '../../../helpers/parity/model.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

const base = { image_size: [4, 6] as const, patch_size: 2, in_chans: 1, mlp_ratio: 2 };
const teacher: ViTConfig = { ...base, embed_dim: 24, depth: 4, num_heads: 6 };
const student: ViTConfig = { ...base, embed_dim: 12, depth: 2, num_heads: 3 };
const aligned: ViTConfig = { ...student, last_block_heads: 6 };
const draw = (name: string, shape: number[]) => tf.tensor(stream(5, name, 0).normals(shape.reduce((a, b) => a * b, 1)), shape);
const images = () => draw('images', [2, 1, 4, 6]);
const teacherParams = () => toTensors(initEncoder(teacher, 1));
const studentParams = () => toTensors(initEncoder(student, 2));

const BLOCK = 3;
const relation = (pairs: RelationPair[], loss: RelationTarget['loss'] = 'kl'): RelationTarget => ({ family: 'relation', pairs, loss, heads: 'aligned' });
const target = relation(['qk', 'vv']);

/** What one network alone gives for a target. */
function tensorsOf(of: Target, params: Params, config: ViTConfig, block: number, options: EncodeOptions = {}): Record<string, tf.Tensor> {
  return teacherTargets(of, { params, features: extractFeatures(params, images(), config, [tapOf(of, block)], options), block });
}

function lossOf(of: Target, params: Params, config: ViTConfig, targets: Record<string, tf.Tensor>, options: EncodeOptions = {}) {
  const block = config.depth;
  return targetLoss(of, { params, features: extractFeatures(params, images(), config, [tapOf(of, block)], options), block }, targets);
}

describe('relations', () => {
  it('are dot products scaled by the width of the head', () => {
    const x = draw('x', [1, 1, 2, 4]) as tf.Tensor4D,
      y = draw('y', [1, 1, 3, 4]) as tf.Tensor4D;
    const rows = (t: tf.Tensor) => tf.reshape(t, [-1, 4]).arraySync() as number[][];
    const expected = rows(x).map(a => rows(y).map(b => a.reduce((sum, value, i) => sum + value * b[i]!, 0) / 2));
    expectClose(relationLogits(x, y), tf.tensor(expected.flat(), [1, 1, 2, 3]), 1e-6);
  });

  it('averaged over the heads are the mean of those by heads', () => {
    const x = draw('x', [2, 3, 5, 4]) as tf.Tensor4D,
      y = draw('y', [2, 3, 5, 4]) as tf.Tensor4D;
    expectClose(averagedRelationLogits(x, y), tf.mean(relationLogits(x, y), 1, true), 1e-6);
  });

  it('of visible tokens are the rows and columns of the relations of all', () => {
    const params = teacherParams(),
      features = extractFeatures(params, images(), teacher, [tapOf(target, BLOCK)]);
    const visible = [
      [4, 0, 3],
      [1, 5, 2],
    ];
    const gathered = teacherTargets(target, { params, features, block: BLOCK }, tf.tensor2d(visible, [2, 3], 'int32'));
    const whole = teacherTargets(target, { params, features, block: BLOCK });
    for (const pair of target.pairs) {
      const all = whole[pair]!.arraySync() as number[][][][];
      const expected = visible.map((patches, sample) => {
        const tokens = [0, ...patches.map(patch => patch + 1)];
        return all[sample]!.map(head => tokens.map(row => tokens.map(column => head[row]![column]!)));
      });
      expectClose(gathered[pair]!, tf.tensor(expected), 1e-6, pair);
    }
  });

  it('a teacher that runs once for several arms gives each what it would get alone', () => {
    const taps: { of: Target; block: number }[] = [
      { of: target, block: 3 },
      { of: relation(['qq', 'kk', 'vv']), block: 2 },
      { of: relation(['vv', 'kq']), block: 3 },
      { of: { family: 'feature', feature: 'attention', final_norm: false, class_token: true }, block: 2 },
      { of: { family: 'class-token', loss: 'mse', temperature: 1, final_norm: true }, block: 4 },
    ];
    const params = teacherParams();
    const features = extractFeatures(
      params,
      images(),
      teacher,
      taps.map(({ of, block }) => tapOf(of, block)),
    );
    for (const { of, block } of taps) {
      const together = teacherTargets(of, { params, features, block }),
        alone = tensorsOf(of, params, teacher, block);
      expect(Object.keys(together)).toEqual(Object.keys(alone));
      for (const [term, expected] of Object.entries(alone)) expectClose(together[term]!, expected, 0, term);
    }
  });
});

describe('gatherTokens', () => {
  it('takes the class token first, then the patches of each sample, for all heads alike', () => {
    const patches = tf.tensor2d(
      [
        [2, 0],
        [1, 3],
      ],
      [2, 2],
      'int32',
    );
    const x = tf.reshape(tf.range(0, 2 * 3 * 5 * 2), [2, 3, 5, 2]);
    const all = x.arraySync() as number[][][][];
    const expected = [
      [0, 3, 1],
      [0, 2, 4],
    ].map((tokens, sample) => all[sample]!.map(head => tokens.map(token => head[token]!)));
    expectClose(gatherTokens(x, patches), tf.tensor(expected), 0);
    const firstHead = tf.reshape(tf.slice(x, [0, 0, 0, 0], [2, 1, 5, 2]), [2, 5, 2]);
    expectClose(gatherTokens(firstHead, patches), tf.tensor(expected.map(heads => heads[0]!)), 0);
  });
});

describe('the deepest block', () => {
  const without = (pattern: RegExp) => Object.fromEntries(Object.entries(teacherParams()).filter(([name]) => !pattern.test(name)));
  it.each<[string, Target, RegExp]>([
    ['q, k, v for relations', target, /^blocks\.2\.(attn\.proj|norm2|mlp)|^blocks\.3|^norm/],
    ['q, k, v for their features', { family: 'feature', feature: 'qkv', final_norm: false, class_token: true }, /^blocks\.2\.(attn\.proj|norm2|mlp)|^blocks\.3|^norm/],
    ['no MLP for the attention', { family: 'feature', feature: 'attention_residual', final_norm: false, class_token: true }, /^blocks\.2\.(norm2|mlp)|^blocks\.3|^norm/],
    ['all but the final norm for the FFN', { family: 'feature', feature: 'ffn', final_norm: false, class_token: true }, /^blocks\.3|^norm/],
  ])('runs no further than needed: %s', (_, of, unneeded) => {
    const [term] = Object.keys(tensorsOf(of, without(unneeded), teacher, BLOCK));
    expect(term).toBeDefined();
  });
});

describe('relationLoss', () => {
  const taught = () => tensorsOf(target, teacherParams(), teacher, BLOCK);

  it.each(['kl', 'mse', 'smooth_l1'] as const)('is the sum of its terms and falls along its gradient (%s)', loss => {
    const targets = taught(),
      of = relation(['qk', 'vv'], loss);
    const at = (params: Params) => lossOf(of, params, aligned, targets);
    const { loss: total, terms } = at(studentParams());
    expect(Object.keys(terms)).toEqual(of.pairs);
    expectClose(total, tf.add(terms['qk']!, terms['vv']!), 1e-6);
    const { grads } = valueAndGrads(params => at(params).loss, studentParams());
    const stepped = Object.fromEntries(Object.entries(studentParams()).map(([name, x]) => [name, grads[name] ? tf.sub(x, tf.mul(grads[name], 0.01)) : x]));
    expect(at(stepped).loss.dataSync()[0]!).toBeLessThan(total.dataSync()[0]!);
  });

  it('is 0 for a student that is the teacher', () => {
    for (const loss of ['kl', 'mse', 'smooth_l1'] as const) expect(relationLoss(taught(), taught(), loss).loss.dataSync()[0]).toBe(0);
  });

  it('of averaged heads compares networks of different numbers of heads', () => {
    const of: Target = { ...target, heads: 'averaged' };
    const targets = tensorsOf(of, teacherParams(), teacher, BLOCK);
    expect(targets['qk']!.shape).toEqual([2, 1, 7, 7]);
    expect(lossOf(of, studentParams(), student, targets).loss.dataSync()[0]).toBeGreaterThan(0);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['another number of heads', () => lossOf(target, studentParams(), student, taught()), /teacher's 6 heads, got 3\. Set last_block_heads/],
    ['a pair that the student lacks', () => relationLoss({ qk: taught()['qk'] as tf.Tensor4D }, taught(), 'kl'), /contain "vv", got qk/],
    ['targets without a pair', () => lossOf(relation(['qq']), studentParams(), aligned, taught()), /teacher's "qq" among the targets, got qk, vv/],
    [
      'other tokens',
      () =>
        lossOf(target, studentParams(), aligned, taught(), {
          tokens: tf.tensor2d(
            [
              [0, 1],
              [2, 3],
            ],
            [2, 2],
            'int32',
          ),
        }),
      /relations of 7 tokens as the teacher has, got 3/,
    ],
    ['no pair at all', () => relationLoss({}, {}, 'kl'), /at least one tensor of the teacher/],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(ModelError);
    expect(call).toThrow(message);
  });
});
