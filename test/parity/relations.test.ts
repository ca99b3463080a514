import { beforeAll, describe, expect, it } from 'vitest';
import { averagedRelationLogits, relationLogits, relationLoss, type RelationPair, type Relations } from '../../src/tinymim/distill/relations.ts';
import * as tf from '../../src/engine/tf.ts';
import type { Params } from '../../src/engine/formats/weights.ts';
import { expectClose, fixture, startEngine } from '../helpers/parity/fixtures.ts';
import { GRADIENT, VALUE, valueAndGrads } from '../helpers/parity/model.ts';

beforeAll(startEngine);

const data = fixture('relation_variants');
const names = Object.keys(data.tensors);
const sums = names.flatMap(name => /^(.*)\/loss_kl$/.exec(name)?.[1] ?? []);
const pairsAlone = sums.filter(sum => sum.length === 2);
const cases = sums.flatMap(
  sum =>
    [
      { sum, loss: 'kl' },
      { sum, loss: 'mse' },
    ] as const,
);

const relationsOf = (network: 'teacher' | 'student', features: Params, pairs: readonly string[]): Relations =>
  Object.fromEntries(
    pairs.map(pair => {
      const of = (letter: string) => features[`${network}_${letter}`] as tf.Tensor4D;
      return [pair, relationLogits(of(pair.charAt(0)), of(pair.charAt(1)))];
    }),
  );

/** The golden gradients of a sum: those of its pairs, added up. */
function goldenGradients(pairs: readonly string[], loss: 'kl' | 'mse'): Record<string, tf.Tensor> {
  const ofPairs = pairs.map(pair => data.group(`${pair}/grad_${loss}_`));
  const letters = new Set(ofPairs.flatMap(grads => Object.keys(grads)));
  return Object.fromEntries([...letters].map(letter => [letter, tf.addN(ofPairs.flatMap(grads => grads[letter] ?? []))]));
}

describe('relation losses', () => {
  it('has fixtures for all nine pairs and for sums', () => {
    expect(pairsAlone.length).toBe(9);
    expect(sums.some(sum => sum.includes('+'))).toBe(true);
  });

  it.each(cases)('$sum $loss: loss and gradients', ({ sum, loss }) => {
    const pairs = sum.split('+');
    const teacher = relationsOf('teacher', data.group(''), pairs);
    const student = Object.fromEntries(Object.entries(data.group('student_')).map(([name, tensor]) => [`student_${name}`, tensor]));
    const { value, grads } = valueAndGrads(p => relationLoss(relationsOf('student', p, pairs), teacher, loss).loss, student);
    expectClose(value, data.tensor(`${sum}/loss_${loss}`), VALUE);
    for (const [letter, grad] of Object.entries(goldenGradients(pairs, loss))) {
      expectClose(grads[`student_${letter}`]!, grad, GRADIENT, letter);
    }
  });

  it('every pair has gradients in the fixture', () => {
    const gradients = (pair: string): number => names.filter(name => name.startsWith(`${pair}/grad_`)).length;
    expect(pairsAlone).not.toEqual([]);
    expect(pairsAlone.map(gradients)).toEqual(pairsAlone.map(pair => 2 * new Set(pair).size));
  });

  const stored = names.flatMap(name => {
    const found = /^(\w\w)\/(teacher|student)_scaled$/.exec(name);
    return found ? [{ pair: found[1] as RelationPair, network: found[2] as 'teacher' | 'student' }] : [];
  });

  it('has stored relations', () => expect(stored.length).toBeGreaterThan(0));

  it.each(stored)('$network $pair: scaled products, their softmax, their mean over heads', ({ pair, network }) => {
    const relation = relationsOf(network, data.group(''), [pair])[pair]!;
    expectClose(relation, data.tensor(`${pair}/${network}_scaled`), VALUE);
    expectClose(tf.softmax(relation), data.tensor(`${pair}/${network}_softmax`), VALUE);
    const [x, y] = [pair.charAt(0), pair.charAt(1)].map(letter => data.tensor(`${network}_${letter}`) as tf.Tensor4D);
    expectClose(averagedRelationLogits(x!, y!), tf.mean(data.tensor(`${pair}/${network}_scaled`), 1, true), VALUE, 'averaged over heads');
  });
});
