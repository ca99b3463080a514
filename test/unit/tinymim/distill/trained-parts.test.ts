import { beforeAll, describe, expect, it } from 'vitest';
import type { Target } from '../../../../src/tinymim/distill/target.ts';
import { PARTS, partsRead, trainedParts, untrainedParts, type Part } from '../../../../src/tinymim/distill/trained-parts.ts';
import { initialise } from '../../../../src/tinymim/nn/init.ts';
import { initAdamW } from '../../../../src/tinymim/optim/adamw.ts';
import { pretrainGroups } from '../../../../src/tinymim/optim/groups.ts';
import { studentLoss, studentSpec, type DistillLoss } from '../../../../src/tinymim/stages/distill-objective.ts';
import { createTrainer } from '../../../../src/tinymim/stages/trainer.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { toTensors, type Params } from '../../../../src/engine/formats/weights.ts';
import { images, lossOf, masks, normalisation, reconstruction, student, TARGETS, targetsOf, teacher } from '../../../helpers/distill-model.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

/** The student's parameters before and after one step. */
function step(recipe: DistillLoss, weightDecay: number): { before: Params; after: Params } {
  const weights = initialise(studentSpec(recipe, teacher), 3);
  const groups = pretrainGroups(weights, weightDecay);
  const params = toTensors(weights);
  const optimizer = initAdamW(Object.fromEntries(Object.entries(params).filter(([name]) => name in groups)));
  const given = { images: images(), masks: recipe.mask_ratio > 0 ? masks() : undefined };
  const trainer = createTrainer(
    { params, optimizer },
    {
      loss: studentLoss(recipe, normalisation),
      groups,
      betas: [0.9, 0.95],
      microBatches: 1,
      engine: { mode: 'eager', precision: 'float32' },
      signature: 'test',
    },
  );
  trainer.feed({ images: given.images, ...given.masks, ...targetsOf(recipe, given) }, 1e-2)?.dispose();
  return { before: toTensors(weights), after: trainer.finish() };
}

const last = `blocks.${student.depth - 1}`;
const NAMES: Readonly<Record<Exclude<Part, 'q' | 'k' | 'v'>, readonly string[]>> = {
  norm1: [`${last}.norm1`],
  proj: [`${last}.attn.proj`],
  norm2: [`${last}.norm2`],
  mlp: [`${last}.mlp.fc1`, `${last}.mlp.fc2`],
  norm: ['norm'],
};

/** Tensors of a part of the last block: weights and biases. */
function tensorsOf(params: Params, part: Part, kind: 'weight' | 'bias'): tf.Tensor[] {
  if (part === 'q' || part === 'k' || part === 'v') return [tf.split(params[`${last}.attn.qkv.${kind}`]!, 3)['qkv'.indexOf(part)]!];
  return NAMES[part].map(name => params[`${name}.${kind}`]!);
}

const sameBits = (a: tf.Tensor[], b: tf.Tensor[]): boolean[] => a.map((x, i) => Buffer.from(x.dataSync().buffer).equals(Buffer.from(b[i]!.dataSync().buffer)));

const CASES: Readonly<Record<string, DistillLoss>> = {
  ...Object.fromEntries(Object.entries(TARGETS).map(([name, target]) => [name, lossOf(target)])),
  'relation with reconstruction': lossOf(TARGETS['relation, kl']!, { mask_ratio: 0.5, reconstruction }),
};

describe('a step of distillation', () => {
  it.each(Object.keys(CASES))('changes the parts of the last block that it trains, and no others: %s', name => {
    const { before, after } = step(CASES[name]!, 0);
    const trained = trainedParts(CASES[name]!);
    for (const part of PARTS) {
      const [weights, biases] = (['weight', 'bias'] as const).map(kind => sameBits(tensorsOf(before, part, kind), tensorsOf(after, part, kind)));
      // Of trained parts the weights: the bias of keys has no influence behind a softmax.
      if (trained.includes(part)) expect(weights, `${part} stayed`).not.toContain(true);
      else expect([...weights!, ...biases!], `${part} changed`).not.toContain(false);
    }
    const earlier = Object.keys(before).filter(param => param.startsWith('blocks.0.') && param.endsWith('.weight'));
    expect(earlier.length).toBeGreaterThan(0);
    expect(earlier.filter(param => sameBits([before[param]!], [after[param]!])[0])).toEqual([]);
  });

  it('with weight decay leaves proj, norm 2, MLP and the final norm of a relation student as they were', () => {
    const { before, after } = step(CASES['relation, kl']!, 0.05);
    for (const part of ['proj', 'norm2', 'mlp', 'norm'] as const) {
      for (const kind of ['weight', 'bias'] as const) expect(sameBits(tensorsOf(before, part, kind), tensorsOf(after, part, kind)), part).not.toContain(false);
    }
  });
});

describe('teachers that were distilled', () => {
  const taughtBy = (name: string, withReconstruction = false) => ({ target: TARGETS[name]!, reconstruction: withReconstruction ? reconstruction : null });
  const untrained = (teacherTarget: string, target: Target, atLastBlock = true) => untrainedParts(taughtBy(teacherTarget), target, atLastBlock);

  it('by relations teach relations and q, k, v at their last block, and nothing behind them', () => {
    expect(untrained('relation, kl', TARGETS['relation, kl']!)).toEqual([]);
    expect(untrained('relation, kl', TARGETS['feature, qkv']!)).toEqual([]);
    expect(untrained('relation, kl', TARGETS['feature, attention']!)).toEqual(['proj']);
    expect(untrained('relation, kl', TARGETS['feature, ffn']!)).toEqual(['proj', 'norm2', 'mlp']);
    expect(untrained('relation, kl', TARGETS['class token, mse with final norm']!)).toEqual(['proj', 'norm2', 'mlp', 'norm']);
  });

  it('by v v alone have no trained q and k', () => {
    expect(untrained('relation, kl of v v alone', TARGETS['relation, kl']!)).toEqual(['q', 'k']);
  });

  it('by attention lack the MLP, by blocks only a final norm that was not used', () => {
    expect(untrained('feature, attention', TARGETS['feature, block']!)).toEqual(['norm2', 'mlp']);
    expect(untrained('feature, block', TARGETS['class token, kl']!)).toEqual([]);
    expect(untrained('feature, ffn', TARGETS['feature, block with final norm']!)).toEqual(['norm']);
    expect(untrained('feature, block with final norm', TARGETS['feature, block with final norm']!)).toEqual([]);
  });

  it('teach everything from an earlier block, but for a final norm', () => {
    expect(untrained('relation, kl', TARGETS['feature, block']!, false)).toEqual([]);
    expect(untrained('relation, kl', TARGETS['feature, block with final norm']!, false)).toEqual(['norm']);
  });

  it('with a reconstruction loss teach everything', () => {
    for (const target of Object.values(TARGETS)) expect(untrainedParts(taughtBy('relation, kl', true), target, true)).toEqual([]);
  });

  it.each(Object.keys(TARGETS))('can hand on their own target: %s', name => {
    expect(untrained(name, TARGETS[name]!)).toEqual([]);
    expect(partsRead(TARGETS[name]!)).toContain('norm1');
  });
});
