/** What a long evaluation says on its way, and test sets beside that of the data. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Interrupted } from '../../../../src/core/ablation/errors.ts';
import type { Progress } from '../../../../src/core/ablation/kind.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { toTensors, type Weights } from '../../../../src/engine/formats/weights.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { openDataset, type Dataset } from '../../../../src/tinymim/data/dataset.ts';
import { takeImages, type ImageSet } from '../../../../src/tinymim/data/image-set.ts';
import { openShifted } from '../../../../src/tinymim/data/test-sets.ts';
import { initClassifier } from '../../../../src/tinymim/nn/init.ts';
import { runEvaluate } from '../../../../src/tinymim/stages/evaluate.ts';
import { evaluateRecipe, type EvaluateRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { createScorer } from '../../../../src/tinymim/stages/score.ts';
import { distillFields, image } from '../../../helpers/distill-recipe.ts';
import { leaveUpstream, StageInFolder } from '../../../helpers/run-stage.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evaluate-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const model = { ...image, embed_dim: 8, depth: 2, num_heads: 2 };
const weights = (): Weights => initClassifier(model, 4, 1);
const stage = (more: object = {}): StageInFolder<EvaluateRecipe> =>
  new StageInFolder(folder, evaluateRecipe.parse({ data: distillFields.data, split: 'validation', batch_size: 10, engine: {}, ...more }), {
    weights: leaveUpstream(folder, { model }, weights()),
  });
const dataset = (): Dataset => openDataset(evaluateRecipe.shape.data.parse(distillFields.data), '', image.image_size);

/** Scores of a set by the classifier, with other biases of its head if they are given. */
function scored(set: ImageSet, options: { answers?: readonly number[]; bias?: readonly number[] } = {}): readonly boolean[] {
  const given = weights(),
    head = given['head.bias']!;
  const params = toTensors({ ...given, 'head.bias': { ...head, data: Float32Array.from(options.bias ?? head.data) } });
  const scorer = createScorer(evaluateRecipe.shape.engine.parse({}), model, dataset(), 10, options.answers);
  try {
    return scorer.score(params, set).right;
  } finally {
    scorer.dispose();
    tf.dispose(params);
  }
}

describe('a test set beside that of the data', () => {
  it.each(['sheared-scaled', 'shade-inverted'] as const)('%s is what is tested', async name => {
    const shifted = { name, images: 12 } as const;
    const one = stage({ shifted });
    const { count, correct, accuracy } = await runEvaluate(one.context());
    const { set } = openShifted(shifted, { dataset: dataset(), split: 'validation', dataDir: '', size: image.image_size });
    const right = scored(set);
    expect(one.items).toEqual(right);
    expect([count, correct, accuracy]).toEqual([12, right.filter(Boolean).length, right.filter(Boolean).length / 12]);
  });

  it('with a part of the classes has no other answers', () => {
    const all = dataset().validation;
    const two = takeImages(
      all,
      [...all.labels.keys()].filter(i => [1, 3].includes(all.labels[i]!)),
      'two classes',
    );
    const set = { ...two, classes: ['one', 'three'], labels: two.labels.map(label => (label === 1 ? 0 : 1)) };
    const bias = [1000, 500, 1000, 0];
    expect(scored(two, { bias }).some(Boolean)).toBe(false);
    expect(scored(set, { bias, answers: [1, 3] })).toEqual([...set.labels].map(label => label === 0));
  });
});

describe('an evaluation', () => {
  it('tells how far it is after each batch, so that many images do not look like a hang', async () => {
    const told: Progress[] = [];
    await runEvaluate({ ...stage().context(), progress: progress => told.push(progress) });
    const evaluating = told.filter(({ phase }) => phase === 'evaluate');
    expect(evaluating.map(({ step, steps }) => [step, steps])).toEqual([0, 1, 2, 3].map(step => [step, 3]));
    for (const { imagesPerSecond } of evaluating.slice(1)) expect(imagesPerSecond).toBeGreaterThan(0);
  });

  it('ends where it is when it is asked to stop', async () => {
    const stop = new AbortController(),
      told: number[] = [];
    const ended = runEvaluate({
      ...stage().context({ signal: stop.signal }),
      progress: ({ phase, step }) => {
        if (phase !== 'evaluate') return;
        told.push(step);
        if (step === 1) stop.abort();
      },
    });
    await expect(ended).rejects.toBeInstanceOf(Interrupted);
    expect(told).toEqual([0, 1]);
  });
});
