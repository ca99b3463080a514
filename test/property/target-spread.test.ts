/** How much targets vary over images: against the formula in double precision, for every way in which a loss compares them. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Target } from '../../src/tinymim/distill/target.ts';
import { targetSpread } from '../../src/tinymim/stages/target-spread.ts';
import { loadEngine } from '../../src/engine/backend.ts';
import * as tf from '../../src/engine/tf.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

const BATCH = 4,
  WIDTH = 6;
const GRAPH = { mode: 'graph', precision: 'float32' } as const;
const classToken = (loss: 'kl' | 'mse', temperature = 1): Target => ({ family: 'class-token', loss, temperature, final_norm: false });
const relations = (loss: 'kl' | 'mse'): Target => ({ family: 'relation', pairs: ['qk', 'vv'], loss, heads: 'aligned' });

type Rows = readonly (readonly number[])[];
const rows = (scale = 3): fc.Arbitrary<number[][]> =>
  fc.array(fc.array(fc.double({ min: -scale, max: scale, noNaN: true }), { minLength: WIDTH, maxLength: WIDTH }), { minLength: BATCH, maxLength: BATCH });

function expectedSpread(targets: Rows): number {
  const mean = targets[0]!.map((_, i) => targets.reduce((sum, row) => sum + row[i]!, 0) / targets.length);
  const energy = (of: Rows): number => of.flat().reduce((sum, x) => sum + x * x, 0);
  return Math.sqrt(energy(targets.map(row => row.map((x, i) => x - mean[i]!))) / energy(targets));
}

function softmax(row: readonly number[]): number[] {
  const exps = row.map(x => Math.exp(x));
  const sum = exps.reduce((a, b) => a + b);
  return exps.map(x => x / sum);
}

function spreadOf(target: Target, terms: Readonly<Record<string, Rows>>, shape: readonly number[] = [BATCH, WIDTH]): number {
  const tensors = Object.fromEntries(Object.entries(terms).map(([name, of]) => [name, tf.tensor(of.flat(), [...shape], 'float32')]));
  try {
    return targetSpread(target, tensors, GRAPH);
  } finally {
    tf.dispose(tensors);
  }
}

describe('targetSpread', () => {
  it('is the formula over the numbers that a squared error compares', () => {
    fc.assert(
      fc.property(rows(), targets => {
        fc.pre(targets.flat().some(x => Math.abs(x) > 1e-3));
        expect(spreadOf(classToken('mse'), { class_token: targets })).toBeCloseTo(expectedSpread(targets), 4);
      }),
      { numRuns: 40 },
    );
  });

  it('is that over the distributions that a Kullback-Leibler divergence compares, at its temperature', () => {
    fc.assert(
      fc.property(rows(), fc.constantFrom(1, 4), (targets, temperature) => {
        const compared = targets.map(row => softmax(row.map(x => x / temperature)));
        expect(spreadOf(classToken('kl', temperature), { class_token: targets })).toBeCloseTo(expectedSpread(compared), 4);
      }),
      { numRuns: 40 },
    );
  });

  it('is 0 for targets that are the same for every image, whatever their size, and 1 for those whose mean is 0', () => {
    fc.assert(
      fc.property(rows(), fc.constantFrom(1e-3, 1, 1e3), ([row], size) => {
        fc.pre(row!.some(x => Math.abs(x) > 1e-2));
        const scaled = row!.map(x => x * size);
        const opposite = scaled.map(x => -x);
        expect(spreadOf(classToken('mse'), { class_token: Array.from({ length: BATCH }, () => scaled) })).toBeLessThan(1e-6);
        expect(spreadOf(classToken('mse'), { class_token: [scaled, opposite, opposite, scaled] })).toBeCloseTo(1, 5);
      }),
      { numRuns: 20 },
    );
    expect(spreadOf(classToken('mse'), { class_token: Array.from({ length: BATCH }, () => Array.from({ length: WIDTH }, () => 0)) })).toBe(0);
  });

  it('is that of the term that varies most: a large constant beside it hides nothing, and other tensors count for nothing', () => {
    const shape = [BATCH, 1, 2, 3];
    const constant = Array.from({ length: BATCH }, () => [900, 0, 0, 0, 900, 0]);
    const varying = Array.from({ length: BATCH }, (_, i) => [i, 1, -1, 0.5 * i, 0, 2]);
    for (const loss of ['kl', 'mse'] as const) {
      const alone = spreadOf(relations(loss), { qk: varying, vv: varying }, shape);
      expect(alone).toBeGreaterThan(0.1);
      expect(spreadOf(relations(loss), { qk: constant, vv: varying, images: varying }, shape)).toBe(alone);
    }
  });
});
