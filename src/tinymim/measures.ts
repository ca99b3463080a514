/** The numbers that arms are compared by, beside the accuracy on the test images: what they are called, and the stages that give them. */
import type { StageSpec, Study } from '../core/ablation/declaration.ts';
import { sceneTitle } from './data/scenes/spec.ts';
import { isTestFolder, testFolder } from './data/test-spec.ts';
import { factors as schema, type Factors } from './factors.ts';
import type { Profile } from './profile.ts';
import { realise } from './realise.ts';
import { corruptedStage, shiftedStage, type ShiftedColumn } from './robustness.ts';
import { expectSegmentation, segmentationStage } from './segmentation.ts';

/** An arm at a scale, and the stage that trains its classifier. */
interface TrainedArm {
  readonly profile: Profile;
  readonly seed: number;
  readonly weights: StageSpec;
}

type Measures = NonNullable<Study<Factors, Profile>['report']['measures']>;
type Measure = Measures[string] & {
  /** @returns undefined where the arm has no such number at this scale */
  stage(arm: TrainedArm): StageSpec | undefined;
};

/** What stands in a column of Table 4 is called by what it is. */
const columnLabel =
  (column: keyof Profile['robustness'], made: string) =>
  ({ robustness: { [column]: spec } }: Profile): string =>
    isTestFolder(spec) ? testFolder(spec).title : made;

const shifted = (column: ShiftedColumn, made: string): Measure => ({
  role: column.replace('_', '-'),
  metric: 'accuracy',
  standardError: 'accuracy_se',
  label: columnLabel(column, made),
  stage: ({ profile, seed, weights }) => shiftedStage(profile, seed, weights, column),
});

/**
 * A segmenter's mIoU. @param after what the title says more
 * @param start the stage whose weights it starts from
 */
const segmented = (suffix: string, after: string, start: (classifier: StageSpec) => StageSpec | undefined): Measure => ({
  role: `segment-evaluate${suffix}`,
  metric: 'miou',
  standardError: 'miou_se',
  roles: [`segment${suffix}`],
  label: ({ segment }) => `mIoU${segment ? `, ${sceneTitle(segment.data)}` : ''}${after}`,
  stage: ({ profile, seed, weights: classifier }) => {
    const weights = start(classifier);
    return weights && profile.segment && segmentationStage(profile, seed, weights, [`segment${suffix}`, `segment-evaluate${suffix}`]);
  },
});

const MEASURES: Readonly<Record<string, Measure>> = {
  imagenet_a: shifted('imagenet_a', 'accuracy on sheared and scaled images'),
  imagenet_r: shifted('imagenet_r', 'accuracy on images with inverted shades'),
  mce: {
    role: 'corrupted',
    metric: 'mce',
    standardError: 'mce_se',
    roles: ['reference', 'reference-weights'],
    label: profile => `mean corruption error${isTestFolder(profile.robustness.imagenet_c) ? ' on ImageNet-C' : ', relative to the ViT-B from scratch'}`,
    stage: ({ profile, seed, weights }) => corruptedStage(profile, seed, weights, trained(schema.parse({ method: 'scratch', student: 'B' }), profile, seed)),
  },
  // What was pre-trained or distilled; from scratch that is the classifier, as the paper's DeiT.
  miou: segmented('', '', classifier => classifier.upstream['weights'] ?? classifier),
  // The paper has intermediate fine-tuning of what was distilled alone.
  miou_finetuned: segmented('-finetuned', ', after fine-tuning', classifier => (classifier.upstream['weights']?.kind === 'distill' ? classifier : undefined)),
};

const trained = (factors: Factors, profile: Profile, seed: number): StageSpec => realise(factors, profile, seed).upstream['weights']!;

/** By the names under which ablations ask for them. */
export const measures: Measures = MEASURES;

/**
 * The stage of each number that the arm has at this scale, of which those that no entry here has are the accuracy on the test images.
 * @throws UsageError where it has none
 */
export function realiseMeasures(factors: Factors, profile: Profile, seed: number, names: readonly string[]): StageSpec[] {
  const tested = realise(factors, profile, seed),
    arm = { profile, seed, weights: tested.upstream['weights']! };
  const stages = names.flatMap(name => (name in MEASURES ? (MEASURES[name]!.stage(arm) ?? []) : tested));
  if (stages.length === 0 && names.length > 0) expectSegmentation(profile);
  return stages;
}
