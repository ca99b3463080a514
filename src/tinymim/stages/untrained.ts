/** Initial weights in the place of trained ones, and scores that are always wrong, so that a stage downstream can be measured before its inputs are there. */
import { join } from 'node:path';
import { classCount, imageCount } from '../data/spec.ts';
import { initClassifier, initEncoder, initMae } from '../nn/init.ts';
import { writeWeights, type Weights } from '../../engine/formats/weights.ts';
import { corruptionsOf, testImages } from '../data/test-spec.ts';
import { noScores } from './corruption-error.ts';
import { writeScores } from './corrupted-scores-file.ts';
import type { EvaluateCorruptedRecipe, PretrainRecipe, SuperviseRecipe, VitRecipe } from './recipes.ts';
import { WEIGHTS } from './stage-io.ts';

type Writer<R> = (recipe: R, output: string) => Promise<void>;

const writer =
  <R>(weights: (recipe: R) => Weights): Writer<R> =>
  (recipe, output) => {
    writeWeights(join(output, WEIGHTS), weights(recipe));
    return Promise.resolve();
  };

export const untrainedMae: Writer<PretrainRecipe> = writer(({ model, decoder }) => initMae(model, decoder, 0));
export const untrainedEncoder: Writer<{ readonly model: VitRecipe }> = writer(({ model }) => initEncoder(model, 0));
export const untrainedClassifier: Writer<SuperviseRecipe> = writer(recipe => initClassifier(recipe.model, classCount(recipe.data), 0, recipe));

export const untrainedScores: Writer<EvaluateCorruptedRecipe> = ({ data, split, corrupted }, output) => {
  const scores = noScores(corruptionsOf(corrupted), testImages(corrupted, imageCount(data, split)));
  scores.wrong.fill(1);
  writeScores(output, scores);
  return Promise.resolve();
};
