/** Segmentation of an arm as stages: UPerNet trained on its weights, and tested. */
import type { StageSpec } from '../core/ablation/declaration.ts';
import type { Factors } from './factors.ts';
import { classifier } from './models.ts';
import type { Profile } from './profile.ts';
import type { SegmentEvaluateRecipe, SegmentRecipe } from './stages/segment/recipes.ts';

/**
 * The test of a segmenter, and its training that this hangs on.
 * @param weights the stage whose encoder it starts from: pre-trained, distilled, or a classifier
 * @param roles of training and test
 * @param profile that has a field `segment`
 */
export function segmentationStage(factors: Factors, profile: Profile, seed: number, weights: StageSpec, roles: readonly [train: string, test: string] = ['segment', 'segment-evaluate']): StageSpec {
  const { data, crop, blocks, evaluate, ...training } = profile.segment!;
  const model = { ...classifier(profile, factors.student), image_size: crop };
  const recipe: SegmentRecipe = { ...training, data, model, feature_blocks: blocks.map(place => blockAt(place, model.depth)) as SegmentRecipe['feature_blocks'], engine: profile.engine };
  const trained: StageSpec = { kind: 'segment', role: roles[0], recipe, seed, upstream: { weights } };
  const test: SegmentEvaluateRecipe = { data, ...evaluate, engine: profile.engine };
  return { kind: 'segment-evaluate', role: roles[1], recipe: test, seed, upstream: { weights: trained } };
}

/** The first block at or behind a place in the depth, within rounding. */
const blockAt = (place: number, depth: number): number => Math.max(1, Math.ceil(place * depth - 1e-9));
