/** Initial weights: as in MAE (`initialize_weights` in `models_mae.py`), of classifiers also as in timm. */
import { stream } from '../../engine/random/rng.ts';
import { shapeError } from '../../engine/shape.ts';
import type { Weights } from '../../engine/formats/weights.ts';
import type { ClassifierConfig, ClassifierStart, DecoderConfig, ViTConfig } from './config.ts';
import { classifierSpec, encoderSpec, maeSpec, type ModelSpec } from './spec.ts';

/** Each parameter has a stream of its own, `init/<name>`, so adding one changes no other. */
export function initialise(spec: ModelSpec, seed: number): Weights {
  return Object.fromEntries(
    Object.entries(spec).map(([name, { shape, init }]) => {
      const size = shape.reduce((product, length) => product * length, 1);
      return [name, { shape, data: init(size, stream(seed, `init/${name}`, 0)) }];
    }),
  );
}

export const initEncoder = (config: ViTConfig, seed: number): Weights => initialise(encoderSpec(config), seed);

export const initMae = (config: ViTConfig, decoder: DecoderConfig, seed: number): Weights => initialise(maeSpec(config, decoder), seed);

export const initClassifier = (config: ClassifierConfig, classes: number, seed: number, start: ClassifierStart = {}): Weights => initialise(classifierSpec(config, classes, start), seed);

export interface WarmStart {
  readonly weights: Weights;
  /** Taken from the checkpoint. */
  readonly loaded: readonly string[];
  /** Not in the checkpoint, so as initialised: a new head, for instance. */
  readonly fresh: readonly string[];
  /** In the checkpoint, but not of this model: a decoder, for instance. */
  readonly unused: readonly string[];
}

/**
 * Puts the weights of a checkpoint in the place of initial ones, by name (`load_state_dict(strict=False)` of MAE's
 * fine-tuning). A position table of another grid has to be resized before (`interpolatePosEmbed`).
 * @throws ShapeError where both have the parameter in different shapes
 */
export function warmStart(initial: Weights, checkpoint: Weights): WarmStart {
  const loaded = Object.keys(initial).filter(name => name in checkpoint);
  for (const name of loaded) {
    const expected = initial[name]!.shape,
      actual = checkpoint[name]!.shape;
    if (expected.join() !== actual.join()) throw shapeError(`the checkpoint's "${name}"`, expected, actual, 'Use a checkpoint of the same model size, or resize the table.');
  }
  return {
    weights: { ...initial, ...Object.fromEntries(loaded.map(name => [name, checkpoint[name]!])) },
    loaded,
    fresh: Object.keys(initial).filter(name => !(name in checkpoint)),
    unused: Object.keys(checkpoint).filter(name => !(name in initial)),
  };
}
