/** Training a classifier with labels: what fine-tuning and supervised training share (`main_finetune.py`). */
import type { StageContext, StageResult } from '../../core/ablation/kind.ts';
import type { Dataset } from '../data/dataset.ts';
import { classify } from '../nn/classifier.ts';
import { linearRates } from '../nn/drop-path.ts';
import { softTargets } from '../nn/mixup.ts';
import { finetuneGroups } from '../optim/groups.ts';
import { softmaxCrossEntropy } from '../../engine/grad/cross-entropy.ts';
import { stream } from '../../engine/random/rng.ts';
import * as tf from '../../engine/tf.ts';
import type { Weights } from '../../engine/formats/weights.ts';
import { heldOutImages } from './held-out.ts';
import { normalise, pixels } from './images.ts';
import type { SuperviseRecipe } from './recipes.ts';
import { createScorer } from './score.ts';
import { trainingSignature } from './signature.ts';
import { saveModel, trainingImages } from './stage-io.ts';
import { train } from './train.ts';

/** @param layerDecay rate of a layer relative to the one above it; 1 for training from scratch */
export async function trainClassifier(context: StageContext<SuperviseRecipe>, dataset: Dataset, weights: Weights, layerDecay: number): Promise<StageResult> {
  const { recipe, seed } = context;
  const { model, schedule, optimizer, drop_path, label_smoothing, engine } = recipe;
  const set = trainingImages(dataset, recipe.images, 'labelled');
  const classes = set.classes.length;
  const rates = linearRates(drop_path, model.depth);
  const heldOut = heldOutImages(dataset.validation);
  // Divided as the training is: a class is right or wrong in a batch of any size.
  const scorer = createScorer(engine, model, dataset, schedule.batch_size / (context.execution.microBatches ?? 1));
  const dropPathShape = [model.depth, 2, schedule.batch_size] as const;

  const trained = train(
    {
      context,
      weights,
      groups: finetuneGroups(weights, { depth: model.depth, weightDecay: optimizer.weight_decay, layerDecay }),
      loss: (p, { images, targets, drop_path: uniforms }) => ({
        loss: softmaxCrossEntropy(targets as tf.Tensor2D, classify(p, normalise(images!, dataset), model, uniforms ? { dropPath: { rates, uniforms } } : {})),
      }),
      schedule,
      optimizer,
      engine,
      signature: trainingSignature('classifier', recipe),
      evaluate: p => {
        const { correct, count } = scorer.score(p, heldOut);
        return { val_accuracy: correct / count };
      },
    },
    {
      set,
      augment: recipe.augment,
      withLabels: true,
      seed,
      schedule,
      inputs: batch => ({
        images: pixels(batch.images, set),
        targets: { data: softTargets(batch.labels, classes, label_smoothing), shape: [batch.labels.length, classes] },
        ...(drop_path > 0 ? { drop_path: { data: stream(seed, 'classifier/drop-path', batch.step).uniforms(dropPathShape.reduce((a, b) => a * b)), shape: dropPathShape, batchAxis: 2 } } : {}),
      }),
    },
  );
  const { params, losses, evaluated } = await trained.finally(() => {
    scorer.dispose();
  });
  try {
    saveModel(context, params);
  } finally {
    tf.dispose(params);
  }
  return { loss: losses['loss']!, val_accuracy: evaluated['val_accuracy']! };
}
