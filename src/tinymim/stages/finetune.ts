/** Fine-tuning with labels from pre-trained or distilled weights (`main_finetune.py`). */
import type { StageRunner } from '../../core/ablation/kind.ts';
import { initClassifier, warmStart } from '../nn/init.ts';
import type { FinetuneRecipe } from './recipes.ts';
import { loadEngineAndDataset, upstreamModel } from './stage-io.ts';
import { trainClassifier } from './train-classifier.ts';

export const runFinetune: StageRunner<FinetuneRecipe> = async context => {
  const { recipe, seed } = context;
  const dataset = await loadEngineAndDataset(context, recipe.model);
  const initial = initClassifier(recipe.model, dataset.train.classes.length, seed);
  const { weights, loaded, fresh } = warmStart(initial, upstreamModel(context.upstream['weights']).weights);
  context.log(`Starting from ${loaded.length} pre-trained parameters; new: ${fresh.join(', ')}.`);
  return trainClassifier(context, dataset, weights, recipe.layer_decay);
};
