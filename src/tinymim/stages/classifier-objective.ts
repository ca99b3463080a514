/** What the training of a classifier minimises, and what it sees of a batch: its teacher, where it has one, sees the same. */
import { logitLoss } from '../distill/logits.ts';
import { classify, classifyTwice } from '../nn/classifier.ts';
import { linearRates } from '../nn/drop-path.ts';
import { mixImages } from '../nn/mixup.ts';
import { softmaxCrossEntropy } from '../../engine/grad/cross-entropy.ts';
import * as tf from '../../engine/tf.ts';
import { normalise, type Normalisation } from './images.ts';
import type { FinetuneRecipe, SuperviseRecipe } from './recipes.ts';
import type { Inputs, LossFunction } from './train-step.ts';

/** Of either kind that trains classifiers. */
export type ClassifierRecipe = SuperviseRecipe & Pick<FinetuneRecipe, 'distillation'>;

/** The fields of the recipe that decide the loss. */
type ClassifierLoss = Pick<ClassifierRecipe, 'model' | 'drop_path' | 'distillation'>;

/** Names of the inputs that images are made of. */
export const SEEN = ['images', 'erased', 'mix_box', 'mix_share'] as const;

/**
 * The images of a batch as a classifier in training sees them: augmented by the loader, then normalised, erased and mixed.
 * @returns `[B, C, H, W]`
 */
export function seenImages({ images, erased, mix_box: box, mix_share: share }: Inputs, normalisation: Normalisation): tf.Tensor4D {
  const normal = normalise(images!, normalisation, erased);
  return box && share ? mixImages(normal, { box, share }) : normal;
}

/**
 * Cross entropy with `targets`, `[B, C]`; of a student with a teacher `(1 - alpha)` times that, of its first head, plus `alpha` times what its
 * second head learns of the teacher's logits `teacher`, `[B, C]` (`DistillationLoss` of DeiT, `losses.py`).
 */
export function classifierLoss({ model, drop_path, distillation }: ClassifierLoss, normalisation: Normalisation): LossFunction {
  const rates = linearRates(drop_path, model.depth);
  return (params, inputs) => {
    const { targets, teacher, drop_path: uniforms } = inputs;
    const seen = seenImages(inputs, normalisation),
      options = uniforms ? { dropPath: { rates, uniforms } } : {};
    if (!distillation) return { loss: softmaxCrossEntropy(targets!, classify(params, seen, model, options)) };
    const { head, head_dist } = classifyTwice(params, seen, model, options);
    const classification = softmaxCrossEntropy(targets!, head),
      distilled = logitLoss(distillation, teacher!, head_dist);
    return { loss: tf.add(tf.mul(classification, 1 - distillation.alpha), tf.mul(distilled, distillation.alpha)), classification, distillation: distilled };
  };
}
