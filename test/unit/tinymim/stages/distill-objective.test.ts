import { beforeAll, describe, expect, it } from 'vitest';
import { constantRates } from '../../../../src/tinymim/nn/drop-path.ts';
import { ModelError } from '../../../../src/tinymim/nn/errors.ts';
import { maeLoss } from '../../../../src/tinymim/nn/mae.ts';
import { distillMisfits } from '../../../../src/tinymim/distill/misfits.ts';
import { studentLoss, studentSpec, type DistillLoss } from '../../../../src/tinymim/stages/distill-objective.ts';
import { normalise } from '../../../../src/tinymim/stages/images.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { expectClose } from '../../../helpers/parity/fixtures.ts';
import {
  BATCH,
  images,
  lossesAt,
  lossOf,
  masks,
  noise,
  normalisation,
  PATCHES,
  reconstruction,
  student,
  studentParams,
  TARGETS,
  targetsOf,
  teacher,
  teacherParams,
  type Given,
} from '../../../helpers/distill-model.ts';
import { modelGradientError, normals } from '../../../helpers/finite-differences.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

const masked = { mask_ratio: 0.5 } as const;
const CASES: Readonly<Record<string, DistillLoss>> = {
  ...Object.fromEntries(Object.entries(TARGETS).map(([name, target]) => [name, lossOf(target)])),
  'masked student, whole teacher, relation': lossOf(TARGETS['relation, kl']!, masked),
  'masked student, whole teacher, averaged heads': lossOf(TARGETS['relation, kl, averaged heads']!, masked),
  'masked student, whole teacher, qkv': lossOf(TARGETS['feature, qkv']!, masked),
  'masked student, visible teacher, relation': lossOf(TARGETS['relation, kl']!, { ...masked, teacher_input: 'visible' }),
  'masked student, visible teacher, block': lossOf(TARGETS['feature, block']!, { ...masked, teacher_input: 'visible' }),
  'reconstruction beside relations': lossOf(TARGETS['relation, kl']!, { ...masked, reconstruction }),
  'reconstruction beside the class token': lossOf(TARGETS['class token, kl']!, { ...masked, reconstruction }),
};

const inputsOf = (recipe: DistillLoss, drawn = noise()): Given => ({
  images: images(),
  student_images: images('jittered'),
  masks: recipe.mask_ratio > 0 ? masks(drawn) : undefined,
});

describe('gradients of whole losses equal central differences', () => {
  it.each(Object.keys(CASES))('%s', name => {
    const losses = lossesAt(CASES[name]!, inputsOf(CASES[name]!));
    expect(modelGradientError(params => losses(params).loss, studentParams(CASES[name]!))).toBeLessThan(1e-2);
  });

  it('the check refuses a loss that is off by its reconstruction', () => {
    const recipe = CASES['reconstruction beside relations']!;
    const losses = lossesAt(recipe, inputsOf(recipe));
    const partial = tf.customGrad<tf.Scalar>((loss, reconstructed) => ({
      value: tf.add<tf.Scalar>(loss as tf.Scalar, reconstructed as tf.Scalar),
      gradFunc: (dy: tf.Scalar) => [dy, tf.zerosLike(dy)],
    }));
    expect(
      modelGradientError(params => {
        const { distillation, reconstruction: pixels } = losses(params);
        return partial(distillation!, pixels!);
      }, studentParams(recipe)),
    ).toBeGreaterThan(0.1);
  });
});

describe('the order of visible patches', () => {
  /** The same patches visible, in another order. */
  function reordered(drawn: Float32Array): Float32Array {
    const result = drawn.slice();
    for (let sample = 0; sample < BATCH; sample++) {
      const row = result.subarray(sample * PATCHES, (sample + 1) * PATCHES);
      const kept = [...row.keys()].sort((a, b) => row[a]! - row[b]!).slice(0, PATCHES / 2);
      const values = kept.map(i => row[i]!);
      kept.forEach((patch, i) => {
        row[patch] = values[(i + 1) % values.length]!;
      });
    }
    return result;
  }

  const cases = Object.keys(CASES).filter(name => CASES[name]!.mask_ratio > 0);

  it.each(cases)('changes no loss: %s', name => {
    const recipe = CASES[name]!,
      params = studentParams(recipe);
    const one = inputsOf(recipe),
      other = inputsOf(recipe, reordered(noise()));
    expect(one.masks!.ids_keep.dataSync()).not.toEqual(other.masks!.ids_keep.dataSync());
    expect(one.masks!.mask.dataSync()).toEqual(other.masks!.mask.dataSync());
    const [a, b] = [one, other].map(inputs => lossesAt(recipe, inputs)(params));
    expect(a).toHaveProperty('loss');
    for (const part of Object.keys(a!)) expectClose(a![part]!, b![part]!, 1e-5, part);
  });
});

describe('a masked student', () => {
  it('learns other targets from a teacher that sees the whole image', () => {
    const targets = (['whole', 'visible'] as const).map(teacher_input => {
      const recipe = lossOf(TARGETS['relation, kl']!, { ...masked, teacher_input });
      return targetsOf(recipe, inputsOf(recipe));
    });
    const [whole, visible] = targets.map(({ qk }) => qk!);
    expect(whole!.shape).toEqual([BATCH, teacher.num_heads, 1 + PATCHES / 2, 1 + PATCHES / 2]);
    expect(visible!.shape).toEqual(whole!.shape);
    expect(tf.max(tf.abs(tf.sub(whole!, visible!))).dataSync()[0]).toBeGreaterThan(0.1);
  });

  it('is compared with itself at loss 0, class token and order included', () => {
    const recipe = { ...lossOf(TARGETS['relation, kl']!, { ...masked, teacher_input: 'visible' }), model: teacher, teacher_block: teacher.depth };
    expect(lossesAt(recipe, { images: images(), masks: masks() })(teacherParams()).loss.dataSync()[0]).toBeLessThan(1e-6);
  });
});

describe('the reconstruction loss', () => {
  const recipe = CASES['reconstruction beside the class token']!;

  it('is that of MAE on what the student saw, added by its weight', () => {
    const params = studentParams(recipe),
      inputs = inputsOf(recipe);
    const losses = lossesAt(recipe, inputs)(params);
    const mae = maeLoss(params, normalise(images('jittered'), normalisation), { encoder: student, ...reconstruction }, masks());
    expectClose(losses['reconstruction']!, mae, 1e-6);
    expectClose(losses.loss, tf.add(losses['distillation']!, tf.mul(mae, reconstruction.weight)), 1e-6);
    expectClose(losses['distillation']!, lossesAt({ ...recipe, reconstruction: null }, inputs)(params).loss, 1e-6);
  });
});

describe("the teacher's drop path", () => {
  const uniforms = (): tf.Tensor => tf.clipByValue(tf.abs(normals('uniforms', [teacher.depth, 2, BATCH], 0.5)), 0, 0.99);

  it('acts on its blocks before the last, and only in training', () => {
    const recipe = lossOf(TARGETS['feature, block']!, { teacher_drop_path: 0.5 });
    const given = { images: images() };
    const trained = targetsOf(recipe, { ...given, teacher_drop_path: uniforms() })['block']!,
      evaluated = targetsOf(recipe, given)['block']!;
    expect(tf.max(tf.abs(tf.sub(trained, evaluated))).dataSync()[0]).toBeGreaterThan(0.1);
    expectClose(evaluated, targetsOf({ ...recipe, teacher_drop_path: 0 }, given)['block']!, 0);
    expect(constantRates(0.5, teacher.depth)).toEqual([0.5, 0.5, 0]);
  });
});

describe('what does not fit', () => {
  const heads = lossOf(TARGETS['relation, kl']!, { model: student });
  it.each<[string, DistillLoss, string, RegExp]>([
    ['heads', heads, 'model.last_block_heads', /^6, the heads of its teacher's block .* target\.heads 'averaged'/],
    ['patches', lossOf(TARGETS['feature, ffn']!, { model: { ...student, patch_size: 1 } }), 'model.patch_size', /teacher, into 2 x 3 patches/],
    ['a block', lossOf(TARGETS['feature, ffn']!, { teacher_block: 4 }), 'teacher_block', /^at most 3, the blocks of its teacher/],
    ['a final norm', lossOf({ family: 'feature', feature: 'ffn', final_norm: true, class_token: true }), 'target.final_norm', /^false with the feature ffn/],
    ['a pair twice', lossOf({ family: 'relation', pairs: ['qk', 'qk'], loss: 'kl', heads: 'averaged' }), 'target.pairs', /^each pair once/],
  ])('%s: known before training', (_, { target, model, teacher_block }, field, expected) => {
    expect(distillMisfits(target, model, { config: teacher, block: teacher_block })).toEqual([{ field, expected: expect.stringMatching(expected) as string }]);
  });

  it.each(['feature, ffn', 'class token, kl'])('a projection to another width: %s', name => {
    const recipe = CASES[name]!;
    const narrow = Object.fromEntries(
      Object.entries(studentParams(recipe)).map(([param, value]) => [
        param,
        param.startsWith('projection.') ? tf.slice(value, Array<number>(value.rank).fill(0), [20, ...value.shape.slice(1)]) : value,
      ]),
    );
    const call = (): unknown => lossesAt(recipe, inputsOf(recipe))(narrow);
    expect(call).toThrow(ModelError);
    expect(call).toThrow(/of the shape of the teacher's, \[.*24\], got \[.*20\]/);
  });

  it('tokens', () => {
    const recipe = CASES['feature, ffn']!;
    const { images: whole } = inputsOf(recipe);
    const call = (): unknown => studentLoss(recipe, normalisation)(studentParams(recipe), { images: whole, ...masks(), ...targetsOf(recipe, { images: whole }) });
    expect(call).toThrow(/of the shape of the teacher's, \[3, 7, 24\], got \[3, 4, 24\]/);
  });
});

describe('parameters beside the encoder', () => {
  const extra = (recipe: DistillLoss): string[] => Object.keys(studentSpec(recipe, teacher)).filter(name => /^(projection|decoder|mask_token)/.test(name));

  it('relations need none, each feature a projection to the width of the teacher', () => {
    expect(extra(CASES['relation, kl']!)).toEqual([]);
    expect(extra(CASES['feature, qkv']!)).toEqual(['q', 'k', 'v'].flatMap(name => [`projection.${name}.weight`, `projection.${name}.bias`]));
    expect(studentSpec(CASES['class token, kl']!, teacher)['projection.class_token.weight']!.shape).toEqual([24, 12]);
  });

  it('reconstruction needs the decoder of MAE', () => {
    expect(extra(CASES['reconstruction beside relations']!)).toEqual(expect.arrayContaining(['mask_token', 'decoder_embed.weight', 'decoder_pred.bias']));
  });
});
