/** Fine-tuning with labels from pre-trained or distilled weights (`main_finetune.py`); with a teacher, as DeiT distills. */
import type { StageRunner } from '../../core/ablation/kind.ts';
import { initClassifier, warmStart } from '../nn/init.ts';
import { withDistPosition } from '../nn/pos-embed.ts';
import type { Weights } from '../../engine/formats/weights.ts';
import { createClassifierTeacher } from './classifier-teacher.ts';
import type { FinetuneRecipe } from './recipes.ts';
import { loadEngineAndDataset, upstreamModel } from './stage-io.ts';
import { trainClassifier } from './train-classifier.ts';

export const runFinetune: StageRunner<FinetuneRecipe> = async context => {
  const { recipe, seed, upstream } = context;
  const dataset = await loadEngineAndDataset(context, recipe.model);
  const initial = initClassifier(recipe.model, dataset.train.classes.length, seed);
  const encoder = upstreamModel(upstream['weights']).weights;
  const { weights, loaded, fresh } = warmStart(initial, recipe.model.dist_token === true ? placed(encoder, initial) : encoder);
  context.log(`Starting from ${loaded.length} pre-trained parameters; new: ${fresh.join(', ')}.`);
  if (!upstream['teacher']) return trainClassifier(context, dataset, { weights, layerDecay: recipe.layer_decay });
  const { config, weights: taught } = upstreamModel(upstream['teacher']);
  const teacher = createClassifierTeacher({ config, weights: taught, normalisation: dataset, engine: recipe.engine });
  return trainClassifier(context, dataset, { weights, layerDecay: recipe.layer_decay, teacher }).finally(() => {
    teacher.dispose();
  });
};

/** An encoder whose positions leave room for a distillation token. */
const placed = (encoder: Weights, initial: Weights): Weights => ({ ...encoder, pos_embed: withDistPosition(initial['pos_embed']!, encoder['pos_embed']!) });
