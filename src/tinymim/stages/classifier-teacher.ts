/** A frozen classifier that says what it takes the images of a batch for, to a student in training (`DistillationLoss` of DeiT, `losses.py`). */
import { classify } from '../nn/classifier.ts';
import type { ClassifierConfig } from '../nn/config.ts';
import { compileStep } from '../../engine/compile/compile-step.ts';
import { toTensors, type Weights } from '../../engine/formats/weights.ts';
import * as tf from '../../engine/tf.ts';
import { SEEN, seenImages } from './classifier-objective.ts';
import type { Normalisation } from './images.ts';
import type { EngineRecipe } from './recipes.ts';
import { graphSignature } from './signature.ts';
import type { Inputs } from './train-step.ts';

export interface ClassifierTeacher {
  /** Its logits, `teacher` `[B, C]`, for images as the student sees them, without drop path. They stay in the engine; the caller disposes of them. */
  of(inputs: Inputs): Record<string, tf.Tensor>;
  dispose(): void;
}

interface ClassifierTeacherOptions {
  readonly config: ClassifierConfig;
  readonly weights: Weights;
  readonly normalisation: Normalisation;
  readonly engine: EngineRecipe;
}

export function createClassifierTeacher({ config, weights, normalisation: { mean, std }, engine }: ClassifierTeacherOptions): ClassifierTeacher {
  const params = toTensors(weights);
  const step = compileStep((state, inputs) => ({ state: {}, outputs: { teacher: classify(state, seenImages(inputs, { mean, std }), config) } }), {
    state: params,
    ...engine,
    signature: graphSignature('classifier-teacher', { config, mean, std, engine }),
  });
  tf.dispose(params); // the step has copies
  return {
    of: inputs => step.compute(Object.fromEntries(SEEN.flatMap(name => (inputs[name] ? [[name, inputs[name]]] : [])))),
    dispose: () => {
      step.dispose();
    },
  };
}
