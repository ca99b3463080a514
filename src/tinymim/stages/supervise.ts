/** Supervised training from scratch: the baseline without any pre-training. */
import type { StageRunner } from '../../core/ablation/kind.ts';
import { initClassifier } from '../nn/init.ts';
import type { SuperviseRecipe } from './recipes.ts';
import { loadEngineAndDataset } from './stage-io.ts';
import { trainClassifier } from './train-classifier.ts';

export const runSupervise: StageRunner<SuperviseRecipe> = async context => {
  const dataset = await loadEngineAndDataset(context, context.recipe.model);
  const weights = initClassifier(context.recipe.model, dataset.train.classes.length, context.seed, context.recipe);
  return trainClassifier(context, dataset, { weights, layerDecay: 1 });
};
