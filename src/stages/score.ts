/** Top-1 accuracy and loss of a classifier over a whole set of images, in order and without augmentation. */
import { evalBatches, type ImageSet } from '../data/image-set.ts';
import { classify } from '../nn/classifier.ts';
import type { ViTConfig } from '../nn/config.ts';
import { softTargets } from '../nn/mixup.ts';
import { compileStep, type CompiledStep, type Mode } from '../tensor/compile/compile-step.ts';
import type { StepFunction } from '../tensor/compile/step.ts';
import { softmaxCrossEntropy } from '../tensor/grad/cross-entropy.ts';
import * as tf from '../tensor/tf.ts';
import type { Params } from '../tensor/weights.ts';
import { normalise, pixels, type Normalisation } from './images.ts';
import { upload } from './train-step.ts';
import { shapeOf } from './validate.ts';

export interface Score {
  readonly correct: number;
  readonly count: number;
  /** Mean cross entropy with the labels, no smoothing. */
  readonly loss: number;
}

export interface Scorer {
  /** @param params of the names and shapes of the first call; they stay the caller's */
  score(params: Params, set: ImageSet): Score;
  dispose(): void;
}

/** Scores a classifier with global pooling, as often as it is asked to: a graph is compiled once, for full batches. */
export function createScorer(mode: Mode, config: ViTConfig, normalisation: Normalisation, batchSize: number): Scorer {
  const fn = scoreBatch(config, normalisation);
  const steps = new Map<Mode, CompiledStep>();
  const stepFor = (batch: number, params: Params): CompiledStep => {
    const how = batch === batchSize ? mode : 'eager'; // the last batch alone is no reason for another graph
    const step = steps.get(how) ?? compileStep(fn, { state: params, mode: how });
    steps.set(how, step);
    return step;
  };
  return {
    score: (params, set) => {
      for (const step of steps.values()) step.writeState(params);
      let correct = 0, loss = 0;
      for (const { images, labels } of evalBatches(set, batchSize)) {
        const inputs = upload({
          images: pixels(images, shapeOf(set)),
          labels: { data: labels, shape: [labels.length] },
          targets: { data: softTargets(labels, set.classes.length, 0), shape: [labels.length, set.classes.length] },
        });
        const values = stepFor(labels.length, params).run(inputs);
        tf.dispose(inputs);
        correct += values['correct']!;
        loss += values['entropy']! * labels.length;
      }
      return { correct, count: set.count, loss: loss / set.count };
    },
    dispose: () => { for (const step of steps.values()) step.dispose(); },
  };
}

/** The parameters are its state, which it does not change. */
function scoreBatch(config: ViTConfig, normalisation: Normalisation): StepFunction {
  return (params, { images, labels, targets }) => {
    const logits = classify(params, normalise(images!, normalisation), config);
    const correct = tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), labels!), 'float32'));
    return { state: {}, outputs: { correct, entropy: softmaxCrossEntropy(targets!, logits) } };
  };
}
