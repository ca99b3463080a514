/** What a long evaluation says on its way. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Interrupted } from '../../../../src/core/ablation/errors.ts';
import type { Progress } from '../../../../src/core/ablation/kind.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { initClassifier } from '../../../../src/tinymim/nn/init.ts';
import { runEvaluate } from '../../../../src/tinymim/stages/evaluate.ts';
import { evaluateRecipe, type EvaluateRecipe } from '../../../../src/tinymim/stages/recipes.ts';
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
const stage = (): StageInFolder<EvaluateRecipe> =>
  new StageInFolder(folder, evaluateRecipe.parse({ data: distillFields.data, split: 'validation', batch_size: 10, engine: {} }), {
    weights: leaveUpstream(folder, { model }, initClassifier(model, 4, 1)),
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
