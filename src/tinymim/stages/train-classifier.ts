/** Training a classifier with labels: what fine-tuning and supervised training share (`main_finetune.py`). */
import type { StageContext, StageResult } from '../../core/ablation/kind.ts';
import { roundHalfEven } from '../data/augment.ts';
import type { Augment } from '../data/batch.ts';
import type { Dataset } from '../data/dataset.ts';
import { parseRandAugment } from '../data/rand-augment.ts';
import { mixTargets, softTargets } from '../nn/mixup.ts';
import { finetuneGroups } from '../optim/groups.ts';
import { stream } from '../../engine/random/rng.ts';
import * as tf from '../../engine/tf.ts';
import type { Weights } from '../../engine/formats/weights.ts';
import { classifierLoss, type ClassifierRecipe } from './classifier-objective.ts';
import type { ClassifierTeacher } from './classifier-teacher.ts';
import { heldOutImages } from './held-out.ts';
import { pixels } from './images.ts';
import { drawMixing, type Mixing } from './mixing.ts';
import type { SuperviseRecipe } from './recipes.ts';
import { createScorer } from './score.ts';
import { trainingSignature } from './signature.ts';
import { saveModel, trainingImages } from './stage-io.ts';
import { train } from './train.ts';
import type { HostInputs } from './train-step.ts';

/** Where a training begins, and who helps. */
interface ClassifierTraining {
  readonly weights: Weights;
  /** Rate of a layer relative to the one above it; 1 for training from scratch. */
  readonly layerDecay: number;
  /** Of a recipe with `distillation`; stays the caller's. */
  readonly teacher?: ClassifierTeacher | undefined;
}

export async function trainClassifier(context: StageContext<ClassifierRecipe>, dataset: Dataset, { weights, layerDecay, teacher }: ClassifierTraining): Promise<StageResult> {
  const { recipe, seed } = context;
  const { model, schedule, optimizer, drop_path, label_smoothing, engine } = recipe;
  const { mixing } = recipe.augment;
  const set = trainingImages(dataset, recipe.images, 'labelled');
  const classes = set.classes.length;
  const heldOut = heldOutImages(dataset.validation);
  // Divided as the training is: a class is right or wrong in a batch of any size.
  const scorer = createScorer(engine, model, dataset, schedule.batch_size / (context.execution.microBatches ?? 1));
  const dropPathShape = [model.depth, 2, schedule.batch_size] as const;

  const trained = train(
    {
      context,
      weights,
      groups: finetuneGroups(weights, { depth: model.depth, weightDecay: optimizer.weight_decay, layerDecay }),
      loss: classifierLoss(recipe, dataset),
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
      augment: loaderAugment(recipe.augment, dataset),
      withLabels: true,
      seed,
      schedule,
      mixed: mixing !== null,
      ...(teacher && {
        feed: (inputs, trainings, step) => {
          const said = teacher.of(inputs);
          for (const training of trainings) step(training, { ...inputs, ...said });
          tf.dispose(said);
        },
      }),
      inputs: batch => ({
        images: pixels(batch.images, set),
        ...(batch.erased && { erased: { data: batch.erased, shape: [batch.labels.length, 4] } }),
        ...targetInputs(softTargets(batch.labels, classes, label_smoothing), classes, mixing && drawMixing(stream(seed, 'classifier/mixing', batch.step), mixing, [set.height, set.width])),
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

/** What the loader does of it: mixing is of whole batches, and comes after it. */
function loaderAugment({ crop, flip, rand_augment, random_erase, repeats }: SuperviseRecipe['augment'], { mean }: Dataset): Augment {
  const policy = rand_augment === null ? undefined : parseRandAugment(rand_augment);
  return { crop, flip, randAugment: policy ? { ...policy, fill: mean.map(m => Math.min(roundHalfEven(m * 255), 255)) } : null, randomErase: random_erase, repeats };
}

/** @param targets `[B, C]`, of which each is mixed with its counterpart as the images are */
function targetInputs(targets: Float32Array, classes: number, mixing: Mixing | null): HostInputs {
  const shape = [targets.length / classes, classes];
  if (mixing === null) return { targets: { data: targets, shape } };
  return {
    targets: { data: mixTargets(targets, classes, mixing.lambda), shape },
    mix_box: { data: Int32Array.from(mixing.box), shape: [1, 4], batchAxis: null },
    mix_share: { data: Float32Array.of(mixing.share), shape: [], batchAxis: null },
  };
}
