/** Top-1 accuracy and loss of a classifier over a whole set of images, in order: as they are, or their centres. */
import { evalBatches, type EvalBatch, type ImageSet } from '../data/image-set.ts';
import { classify } from '../nn/classifier.ts';
import type { ClassifierConfig } from '../nn/config.ts';
import { softTargets } from '../nn/mixup.ts';
import { softmaxCrossEntropy } from '../../engine/grad/cross-entropy.ts';
import * as tf from '../../engine/tf.ts';
import type { Params } from '../../engine/formats/weights.ts';
import { createEvaluator } from './evaluator.ts';
import { normalise, pixels, type Normalisation } from './images.ts';
import type { EngineRecipe } from './recipes.ts';
import { graphSignature } from './signature.ts';
import { upload, type HostInputs, type Inputs } from './train-step.ts';

interface Score {
  /** Of each image of the set whether the largest logit is that of its label. */
  readonly right: readonly boolean[];
  readonly correct: number;
  readonly count: number;
  /** Mean cross entropy with the labels, no smoothing. */
  readonly loss: number;
}

/** Of images that come batch by batch. */
export interface Scoring {
  add(batch: EvalBatch): void;
  /** Of those that have come. */
  score(): Score;
}

/** What a scorer asks of the images that it is given. */
type Scored = Pick<ImageSet, 'count' | 'height' | 'width' | 'channels' | 'classes'>;

export interface Scorer {
  /** @param params of the names and shapes of the first call; they stay the caller's */
  score(params: Params, set: ImageSet): Score;
  /** The same of `set.count` images in batches of the scorer's size, of which the last may be smaller. One set at a time. */
  begin(params: Params, set: Scored): Scoring;
  /** The same of images that come as they are loaded. @param batches all of the set, in order, of the scorer's size */
  scoreLoaded(params: Params, set: ImageSet, batches: AsyncIterable<EvalBatch>): Promise<Score>;
  dispose(): void;
}

/** Scores a classifier, as often as it is asked to. @param answers places of the logits that are the classes of the set; default: all, in their order */
export function createScorer(engine: EngineRecipe, config: ClassifierConfig, { mean, std }: Normalisation, batchSize: number, answers?: readonly number[]): Scorer {
  const evaluator = createEvaluator(scoreBatch(config, { mean, std }, answers), { engine, signature: graphSignature('score', { config, mean, std, engine, ...(answers && { answers }) }) });
  const begin = (params: Params, set: Scored): Scoring => {
    evaluator.use(params);
    const right: boolean[] = [];
    let loss = 0;
    return {
      add: batch => {
        const inputs = upload(padded(batch, set, batchSize));
        try {
          const values = evaluator.runArrays(inputs);
          for (const isRight of values['right']!.subarray(0, batch.labels.length)) right.push(isRight === 1);
          loss += values['entropy']![0]! * batchSize;
        } finally {
          tf.dispose(inputs);
        }
      },
      score: () => ({ right, correct: right.filter(Boolean).length, count: set.count, loss: loss / set.count }),
    };
  };
  return {
    begin,
    score: (params, set) => {
      const scoring = begin(params, set);
      for (const batch of evalBatches(set, batchSize)) scoring.add(batch);
      return scoring.score();
    },
    scoreLoaded: async (params, set, batches) => {
      const scoring = begin(params, set);
      for await (const batch of batches) scoring.add(batch);
      return scoring.score();
    },
    dispose: () => {
      evaluator.dispose();
    },
  };
}

/** The last batch is filled up with images that no class is right for, and whose targets are all 0: a graph has one size of batch. */
function padded({ images, labels }: EvalBatch, set: Scored, batchSize: number): HostInputs {
  const classes = set.classes.length,
    missing = batchSize - labels.length;
  const fill = <T extends Uint8Array | Int32Array | Float32Array>(array: T, values: number, value: number): T => {
    if (missing === 0) return array;
    const full = new (array.constructor as new (length: number) => T)(batchSize * values).fill(value) as T;
    full.set(array);
    return full;
  };
  return {
    images: pixels(fill(images, images.length / labels.length, 0), set),
    labels: { data: fill(labels, 1, -1), shape: [batchSize] },
    targets: { data: fill(softTargets(labels, classes, 0), classes, 0), shape: [batchSize, classes] },
  };
}

function scoreBatch(config: ClassifierConfig, normalisation: Normalisation, answers?: readonly number[]): (params: Params, inputs: Inputs) => Params {
  return (params, { images, labels, targets }) => {
    const all = classify(params, normalise(images!, normalisation), config),
      logits = answers ? tf.gather(all, tf.tensor1d([...answers], 'int32'), 1) : all;
    const right = tf.cast(tf.equal(tf.argMax(logits, 1), labels!), 'float32');
    return { right, entropy: softmaxCrossEntropy(targets!, logits) };
  };
}
