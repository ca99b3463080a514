/** Segmentation of an arm as stages: UPerNet trained on its weights, and tested; and the scenes that they need. */
import type { InputFile, InputFolders, StageSpec } from '../core/ablation/declaration.ts';
import type { PrintLine } from './data/files.ts';
import { indexScenesAtFirstUse, isSceneFolder, sceneFolderProblem, withSceneFingerprint } from './data/scenes/folder.ts';
import { sceneSpec } from './data/scenes/spec.ts';
import type { Factors } from './factors.ts';
import { classifier } from './models.ts';
import type { Profile } from './profile.ts';
import type { VitRecipe } from './stages/recipes.ts';
import type { SegmentEvaluateRecipe, SegmentRecipe } from './stages/segment/recipes.ts';

/**
 * The test of a segmenter, and its training that this hangs on; undefined where the profile measures none.
 * @param weights the stage whose encoder it starts from: pre-trained, distilled, or a classifier
 * @param roles of training and test
 */
export function segmentationStage({ student }: Factors, profile: Profile, seed: number, weights: StageSpec, [training, testing]: readonly [string, string]): StageSpec | undefined {
  if (profile.segment === undefined) return undefined;
  const { data, crop, blocks, evaluate, ...fields } = profile.segment;
  const model = { ...classifier(profile, student), ...ownHeads(weights), image_size: crop };
  const recipe: SegmentRecipe = { ...fields, data, model, feature_blocks: blocks.map(place => blockAt(place, model.depth)) as SegmentRecipe['feature_blocks'], engine: profile.engine };
  const trained: StageSpec = { kind: 'segment', role: training, recipe, seed, upstream: { weights } };
  const test: SegmentEvaluateRecipe = { data, ...evaluate, engine: profile.engine };
  return { kind: 'segment-evaluate', role: testing, recipe: test, seed, upstream: { weights: trained } };
}

/** Those that a classifier was trained with: TinyMIM* has others. */
function ownHeads({ kind, recipe }: StageSpec): { readonly num_heads?: number } {
  return kind === 'finetune' ? { num_heads: (recipe['model'] as unknown as VitRecipe).num_heads } : {};
}

/** The first block at or behind a place in the depth, within rounding. */
const blockAt = (place: number, depth: number): number => Math.max(1, Math.ceil(place * depth - 1e-9));

/** The profile with what this machine holds of its scenes, where they are in files. */
export function resolveScenes(profile: Profile, dataDir: () => string): Profile {
  const { segment } = profile;
  return segment && isSceneFolder(segment.data) ? { ...profile, segment: { ...segment, data: withSceneFingerprint(segment.data, dataDir()) } } : profile;
}

/** Lists them, where their folder is known and was not listed yet. @throws DataError */
export function prepareScenes({ segment }: Profile, dataDir: string, say: PrintLine): void {
  if (segment && isSceneFolder(segment.data)) indexScenesAtFirstUse(segment.data, dataDir, say);
}

/** The folder that a stage reads scenes of, where it is not there as it should be: only stages that need it wait for it. */
export function sceneFile({ kind, recipe }: Pick<StageSpec, 'kind' | 'recipe'>, { dataDir }: InputFolders): InputFile | undefined {
  if (kind !== 'segment' && kind !== 'segment-evaluate') return undefined;
  const spec = sceneSpec.parse(recipe['data']);
  const problem = isSceneFolder(spec) ? sceneFolderProblem(spec, dataDir()) : undefined;
  return problem && { text: problem.what, missing: { mend: problem.mend } };
}
