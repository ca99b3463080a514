/** Weights and a data set to a result: the number that arms are compared by. */
import { Interrupted } from '../../core/ablation/errors.ts';
import type { StageContext, StageRunner } from '../../core/ablation/kind.ts';
import * as tf from '../../engine/tf.ts';
import type { EvalBatch } from '../data/image-set.ts';
import { loadEvaluation } from '../data/loader.ts';
import { openShifted } from '../data/test-sets.ts';
import { toTensors } from '../../engine/formats/weights.ts';
import type { EvaluateRecipe } from './recipes.ts';
import { createScorer } from './score.ts';
import { loadEngineAndDataset, upstreamConfig, upstreamModel } from './stage-io.ts';

export const runEvaluate: StageRunner<EvaluateRecipe> = async context => {
  const { recipe } = context;
  const { image_size: size } = upstreamConfig(context.upstream['weights']);
  const dataset = await loadEngineAndDataset(context, { image_size: size });
  const { config, weights } = upstreamModel(context.upstream['weights']);
  const params = toTensors(weights);
  const { set, answers } = recipe.shifted
    ? openShifted(recipe.shifted, { dataset, split: recipe.split, dataDir: context.execution.dataDir, size })
    : { set: dataset[recipe.split], answers: undefined };
  const scorer = createScorer(recipe.engine, config, dataset, recipe.batch_size, answers);
  try {
    const { right, correct, count, loss } = await scorer.scoreLoaded(params, set, told(context, set.count, loadEvaluation(set, recipe.batch_size, recipe.crop?.resize)));
    context.items(right);
    const accuracy = correct / count;
    return { accuracy, accuracy_se: Math.sqrt((accuracy * (1 - accuracy)) / count), correct, count, loss };
  } finally {
    scorer.dispose();
    tf.dispose(params);
  }
};

/** Tells how far it is: of fifty thousand images a processor takes hours, in which no word would look like a hang. Asked to stop it ends, with nothing to go on from. */
async function* told(context: StageContext<EvaluateRecipe>, count: number, batches: AsyncIterable<EvalBatch>): AsyncGenerator<EvalBatch, void> {
  const { batch_size } = context.recipe,
    began = performance.now();
  const tell = (images: number): void => {
    const imagesPerSecond = images / ((performance.now() - began) / 1e3);
    context.progress({ phase: 'evaluate', step: Math.ceil(images / batch_size), steps: Math.ceil(count / batch_size), ...(images > 0 && { imagesPerSecond }) });
  };
  tell(0);
  for await (const batch of batches) {
    if (context.signal.aborted) throw new Interrupted();
    yield batch;
    tell(batch.start + batch.labels.length);
  }
}
