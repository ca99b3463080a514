/** How an arm's classifier is tested beyond the test images: the columns of the paper's Table 4. */
import type { BreakdownDeclaration, InputFile, InputFolders, StageSpec } from '../core/ablation/declaration.ts';
import type { JsonObject } from '../core/ablation/kind.ts';
import type { PrintLine } from './data/files.ts';
import { SEVERITIES } from './data/corruption-names.ts';
import { prepareTestSet, testSetNotReady, testSetOnThisMachine } from './data/test-folders.ts';
import { corruptionsOf, isTestFolder } from './data/test-spec.ts';
import type { Profile } from './profile.ts';
import { errorName } from './stages/corruption-error.ts';
import { evaluateCorruptedRecipe, evaluateRecipe, type EvaluateCorruptedRecipe, type EvaluateRecipe } from './stages/recipes.ts';

const json = (recipe: object): JsonObject => recipe as JsonObject;

/** Columns that are accuracies on shifted images. */
export type ShiftedColumn = 'imagenet_a' | 'imagenet_r';

/** @param weights the stage that trained the classifier */
export function shiftedStage(profile: Profile, seed: number, weights: StageSpec, column: ShiftedColumn): StageSpec {
  const recipe: EvaluateRecipe = { ...fieldsOf(profile), shifted: profile.robustness[column] };
  return { kind: 'evaluate', role: column.replace('_', '-'), recipe: json(recipe), seed, upstream: { weights } };
}

/**
 * Corruption errors, divided by those of the reference.
 * @param weights the stage that trained the classifier
 * @param reference the stage that trained the ViT-B from scratch, of the same seed; needless where the denominators are published
 */
export function corruptedStage(profile: Profile, seed: number, weights: StageSpec, reference: StageSpec): StageSpec {
  const corrupted = profile.robustness.imagenet_c;
  // Of ImageNet-C the denominators are published, for images as they are: its files have the size that models see.
  const published = isTestFolder(corrupted);
  const fields = fieldsOf(profile);
  const recipe: EvaluateCorruptedRecipe = { ...fields, crop: published ? null : fields.crop, corrupted, denominators: published ? 'alexnet' : null };
  const tested = (of: StageSpec, role: string): StageSpec => ({ kind: 'evaluate-corrupted', role, recipe: json(recipe), seed, upstream: { weights: of } });
  const own = tested(weights, 'corrupted');
  return published || sameStage(weights, reference) ? own : { ...own, upstream: { weights, reference: tested({ ...reference, role: 'reference-weights' }, 'reference') } };
}

/** Whether both are of the same weights; a reference has no stages upstream. */
const sameStage = (one: StageSpec, other: StageSpec): boolean => one.kind === other.kind && JSON.stringify([one.recipe, one.seed]) === JSON.stringify([other.recipe, other.seed]);

const fieldsOf = ({ data, evaluate: { split, batch_size, crop }, engine }: Profile): Omit<EvaluateRecipe, 'shifted'> => ({ data, split, batch_size, crop, engine });

const COLUMNS = ['imagenet_a', 'imagenet_r', 'imagenet_c'] as const;

/** The profile with what this machine holds of the folders among its test sets. */
export function resolveTestSets(profile: Profile, dataDir: () => string): Profile {
  const { imagenet_a, imagenet_r, imagenet_c } = profile.robustness;
  return {
    ...profile,
    robustness: { imagenet_a: testSetOnThisMachine(imagenet_a, dataDir), imagenet_r: testSetOnThisMachine(imagenet_r, dataDir), imagenet_c: testSetOnThisMachine(imagenet_c, dataDir) },
  };
}

/** Indexes those of its folders that are known and have no index yet. @throws DataError */
export async function prepareTestSets({ robustness }: Profile, dataDir: string, say: PrintLine): Promise<void> {
  for (const column of COLUMNS) await prepareTestSet(robustness[column], dataDir, say);
}

/** The folder that a stage tests on, where it is not there as it should be: only stages that need it wait for it. */
export function testSetFile({ kind, recipe }: Pick<StageSpec, 'kind' | 'recipe'>, { dataDir }: InputFolders): InputFile | undefined {
  const spec = kind === 'evaluate' ? evaluateRecipe.parse(recipe).shifted : kind === 'evaluate-corrupted' ? evaluateCorruptedRecipe.parse(recipe).corrupted : undefined;
  const problem = spec ? testSetNotReady(spec, dataDir) : undefined;
  return problem && { text: problem.what, missing: { mend: problem.mend } };
}

const corruptionTitle = (name: string): string => name.replaceAll('_', ' ').replace('gaussian', 'Gaussian').replace('jpeg', 'JPEG');

/** How errors grow with severity, and which corruptions make them. */
export const robustnessBreakdowns: readonly BreakdownDeclaration<Profile>[] = [
  {
    role: 'corrupted',
    name: 'severity',
    title: 'Errors over severity',
    notes: ['Means over all corruptions.'],
    axis: 'severity',
    places: ({ robustness: { imagenet_c } }) => SEVERITIES.map(severity => ({ label: String(severity), metrics: corruptionsOf(imagenet_c).map(corruption => errorName(corruption, severity)) })),
    as: 'lines',
  },
  {
    role: 'corrupted',
    name: 'corruption',
    title: 'Errors by corruption',
    notes: ['Means over all severities.'],
    axis: 'corruption',
    places: ({ robustness: { imagenet_c } }) =>
      corruptionsOf(imagenet_c).map(corruption => ({ label: corruptionTitle(corruption), metrics: SEVERITIES.map(severity => errorName(corruption, severity)) })),
    as: 'matrix',
  },
];
