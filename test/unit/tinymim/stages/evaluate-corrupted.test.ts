/** Classifiers on corrupted images: what they are told, in a pack and alone, interrupted and not. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StageResult, UpstreamOutput } from '../../../../src/core/ablation/kind.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { toTensors } from '../../../../src/engine/formats/weights.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { CORRUPTION_NAMES, SEVERITIES } from '../../../../src/tinymim/data/corruption-names.ts';
import { openDataset } from '../../../../src/tinymim/data/dataset.ts';
import { openCorrupted } from '../../../../src/tinymim/data/test-sets.ts';
import { initClassifier } from '../../../../src/tinymim/nn/init.ts';
import { noScores } from '../../../../src/tinymim/stages/corruption-error.ts';
import { writeScores } from '../../../../src/tinymim/stages/corrupted-scores-file.ts';
import { runEvaluateCorrupted, runEvaluateCorruptedPack } from '../../../../src/tinymim/stages/evaluate-corrupted.ts';
import { evaluateCorruptedRecipe, type EvaluateCorruptedRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { createScorer } from '../../../../src/tinymim/stages/score.ts';
import { distillFields, image } from '../../../helpers/distill-recipe.ts';
import { leaveUpstream, StageInFolder } from '../../../helpers/run-stage.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evaluate-corrupted-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const MODELS = [8, 12].map(embed_dim => ({ ...image, embed_dim, depth: 1, num_heads: 2 }));
const recipe = evaluateCorruptedRecipe.parse({ data: distillFields.data, split: 'validation', corrupted: { name: 'simulated', images: null }, denominators: null, batch_size: 32, engine: {} });
/** 75 sets of this many images. */
const COUNT = openDataset(recipe.data, '', image.image_size).validation.count;
const STEPS = CORRUPTION_NAMES.length * Math.ceil((SEVERITIES.length * COUNT) / recipe.batch_size);

type Stage = StageInFolder<EvaluateCorruptedRecipe>;

/** @param which of the models, with weights of its own */
const stage = (which: number, reference?: UpstreamOutput): Stage =>
  new StageInFolder(folder, recipe, { weights: leaveUpstream(folder, { model: MODELS[which] }, initClassifier(MODELS[which]!, 4, which)), ...(reference && { reference }) });

const bytesOf = ({ output }: Stage): Buffer => readFileSync(join(output, 'corrupted.bin'));
const asUpstream = ({ output }: Stage, result: StageResult): UpstreamOutput => ({ key: 'r', kind: 'evaluate-corrupted', recipe: {}, result, output });

/** The stage with another as its reference. */
async function compared(): Promise<{ reference: UpstreamOutput; of: Stage; result: StageResult }> {
  const first = stage(0),
    reference = asUpstream(first, await runEvaluateCorrupted(first.context())),
    of = stage(1, reference);
  return { reference, of, result: await runEvaluateCorrupted(of.context()) };
}

describe('a classifier on corrupted images', () => {
  it('makes the errors that a scorer counts, set by set', async () => {
    const { reference, of, result } = await compared();
    const dataset = openDataset(recipe.data, '', image.image_size),
      images = openCorrupted(recipe.corrupted, { dataset, split: 'validation', dataDir: '', size: image.image_size });
    const errors = (which: number): number[][] => {
      const params = toTensors(initClassifier(MODELS[which]!, 4, which)),
        scorer = createScorer(recipe.engine, MODELS[which]!, dataset, COUNT);
      const found = CORRUPTION_NAMES.map(name =>
        // A batch is a severity.
        [...(images.batches(name, COUNT) as Iterable<{ start: number; images: Uint8Array; labels: Int32Array }>)].map(batch => {
          const scoring = scorer.begin(params, { ...images.shape, count: COUNT });
          scoring.add(batch);
          return 1 - scoring.score().correct / COUNT;
        }),
      );
      scorer.dispose();
      tf.dispose(params);
      return found;
    };
    const [base, own] = [errors(0), errors(1)];
    CORRUPTION_NAMES.forEach((name, c) => {
      expect(SEVERITIES.map(severity => result[`${name}_${severity}`])).toEqual(own[c]!.map(error => expect.closeTo(error, 10) as number));
    });
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    expect(result['mce']).toBeCloseTo(sum(own.map((e, c) => sum(e) / sum(base[c]!))) / 15, 10);
    expect(result['error']).toBeCloseTo(sum(own.map(sum)) / 75, 10);
    expect(result['count']).toBe(COUNT);
    expect(reference.result['mce']).toBe(1);
    expect(reference.result['mce_se']).toBe(0);
    expect(result['mce_se']).toBeGreaterThan(0);
    expect(of.log.join('\n')).toContain('Engine: ');
  });

  it('has the same bytes in a pack as alone', async () => {
    const { reference, of, result } = await compared();
    const members = [stage(1, reference), stage(0), stage(1)];
    const outcomes = await runEvaluateCorruptedPack(members.map(member => member.context()));
    const results = outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason as unknown)); // prettier-ignore
    expect(results[0]).toEqual(result);
    expect(results[1]).toEqual(reference.result);
    expect(results[2]).toEqual({ ...result, mce: 1, mce_se: 0 });
    expect(bytesOf(members[0]!).equals(bytesOf(of))).toBe(true);
  });

  it('goes on where it was stopped, to the same bytes', async () => {
    const { reference, of, result } = await compared();
    const stopped = stage(1, reference);
    for (const share of [0.3, 0.7]) await stopped.interruptAt(runEvaluateCorrupted, Math.round(share * STEPS));
    expect(stopped.latest?.step).toBe(Math.floor(0.7 * CORRUPTION_NAMES.length));
    const steps: number[] = [];
    expect(await runEvaluateCorrupted(stopped.context({ onStep: step => steps.push(step) }))).toEqual(result);
    expect(steps[0]).toBe((STEPS / CORRUPTION_NAMES.length) * stopped.latest!.step);
    expect(bytesOf(stopped).equals(bytesOf(of))).toBe(true);
  });

  it('has no mCE where the reference makes no error under some corruption, and says what to ask for', async () => {
    const { output } = stage(0);
    writeScores(output, noScores(CORRUPTION_NAMES, COUNT));
    await expect(runEvaluateCorrupted(stage(1, { key: 'r', kind: 'evaluate-corrupted', recipe: {}, result: {}, output }).context())).rejects.toMatchObject({
      code: 'NO_ERRORS',
      message: expect.stringMatching(/^Expected the reference to make errors under every corruption.*: ask for more images \(robustness\.imagenet_c\.images\)$/) as string,
    });
  });

  it('fails alone in its pack', async () => {
    const broken = stage(1),
      whole = stage(0);
    rmSync(broken.upstream['weights']!.output, { recursive: true });
    const [first, second] = await runEvaluateCorruptedPack([broken.context(), whole.context()]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'ENOENT' } });
    expect(second).toMatchObject({ status: 'fulfilled', value: { mce: 1 } });
  });
});
