/** In bfloat16 the products whose results a loss compares are of float32, and no others. */
import { beforeAll, describe, expect, it } from 'vitest';
import { relationLogits } from '../../../../src/tinymim/distill/relations.ts';
import { studentLoss } from '../../../../src/tinymim/stages/distill-objective.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { typesOf } from '../../../../src/engine/compile/checks.ts';
import { compileProgram } from '../../../../src/engine/compile/compile-program.ts';
import { rewrite } from '../../../../src/engine/compile/rewrite.ts';
import { traceStep } from '../../../../src/engine/compile/step.ts';
import { DTYPE, typeOf } from '../../../../src/engine/compile/trace.ts';
import type { Params } from '../../../../src/engine/formats/weights.ts';
import { stream } from '../../../../src/engine/random/rng.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { images, lossOf, masks, normalisation, reconstruction, studentParams, TARGETS, targetsOf } from '../../../helpers/distill-model.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

const COMPARED: readonly (readonly [name: string, more: Parameters<typeof lossOf>[1], products: number])[] = [
  ['relation, kl', {}, 2],
  ['relation, mse', {}, 3],
  ['relation, kl, averaged heads', {}, 2],
  ['feature, block', {}, 1],
  ['feature, qkv', {}, 3],
  ['class token, kl', {}, 1],
  ['class token, kl', { mask_ratio: 0.5, reconstruction }, 2],
];

describe('in bfloat16', () => {
  it.each(COMPARED)('a loss of %s, %j has %i products of float32', (name, more, products) => {
    const recipe = lossOf(TARGETS[name]!, more),
      masking = recipe.mask_ratio > 0 ? masks() : undefined;
    const inputs = { images: images(), ...masking, ...targetsOf(recipe, { images: images(), masks: masking }) };
    const loss = studentLoss(recipe, normalisation);
    const trace = rewrite(
      traceStep((params, given) => ({ state: {}, outputs: { loss: loss(params, given).loss } }), { state: typesOf(studentParams(recipe)), inputs: typesOf(inputs) }),
      'bfloat16',
    );
    const types = trace.operations.filter(({ op }) => op.includes('MatMul')).map(({ outputs: [output] }) => typeOf(trace, output!).dtype);
    expect(types.filter(dtype => dtype === DTYPE.float32)).toHaveLength(products);
    expect(types.filter(dtype => dtype === DTYPE.bfloat16).length).toBeGreaterThan(4);
  });

  it('relations have the bits of float32', () => {
    const draw = (name: string): tf.Tensor4D => tf.tensor4d(stream(1, name, 0).normals(2 * 3 * 5 * 8), [2, 3, 5, 8]);
    const relations = (precision: 'float32' | 'bfloat16'): unknown => {
      const inputs: Params = { x: draw('x'), y: draw('y') };
      const program = compileProgram(
        { f: { fn: (_, { x, y }) => ({ state: {}, outputs: { z: relationLogits(x as tf.Tensor4D, y as tf.Tensor4D) } }), inputs: typesOf(inputs) } },
        { state: {}, precision },
      );
      return program.compute('f', inputs)['z']!.arraySync();
    };
    expect(relations('bfloat16')).toEqual(relations('float32'));
  });
});
