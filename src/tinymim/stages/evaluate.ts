/** Weights and a data set to a result: the number that arms are compared by. */
import type { StageRunner } from '../../core/ablation/kind.ts';
import * as tf from '../../engine/tf.ts';
import { loadEvaluation } from '../data/loader.ts';
import { toTensors } from '../../engine/formats/weights.ts';
import type { EvaluateRecipe } from './recipes.ts';
import { createScorer } from './score.ts';
import { loadEngineAndDataset, upstreamConfig, upstreamModel } from './stage-io.ts';

export const runEvaluate: StageRunner<EvaluateRecipe> = async context => {
  const { recipe } = context;
  const dataset = await loadEngineAndDataset(context, upstreamConfig(context.upstream['weights']));
  const { config, weights } = upstreamModel(context.upstream['weights']);
  const params = toTensors(weights);
  context.progress({ phase: 'evaluate', step: 0, steps: 1 });
  const set = dataset[recipe.split];
  const scorer = createScorer(recipe.engine, config, dataset, recipe.batch_size);
  try {
    const { right, correct, count, loss } = await scorer.scoreLoaded(params, set, loadEvaluation(set, recipe.batch_size, recipe.crop?.resize));
    context.items(right);
    const accuracy = correct / count;
    return { accuracy, accuracy_se: Math.sqrt((accuracy * (1 - accuracy)) / count), correct, count, loss };
  } finally {
    scorer.dispose();
    tf.dispose(params);
  }
};
