/** The numbers that arms are compared by, beside the accuracy on the test images: what they are called, and the stages that give them. */
import type { StageSpec, Study } from '../core/ablation/declaration.ts';
import { isTestFolder, testFolder } from './data/test-spec.ts';
import { factors as schema, type Factors } from './factors.ts';
import type { Profile } from './profile.ts';
import { sceneTitle } from './data/scenes/spec.ts';
import { classifierStage, encoderStage, evaluateStage, realise } from './realise.ts';
import { corruptedStage, shiftedStage, type ShiftedColumn } from './robustness.ts';
import { segmentationStage } from './segmentation.ts';

/** An arm at a scale, with the stages that train it. */
interface TrainedArm {
  readonly factors: Factors;
  readonly profile: Profile;
  readonly seed: number;
  /** What it has learned without labels. */
  readonly encoder: StageSpec | undefined;
  /** Its classifier. */
  readonly weights: StageSpec;
}

type Measures = NonNullable<Study<Factors, Profile>['report']['measures']>;
/** `stage` is undefined where an arm has no such number, or the profile does not measure it. */
type Measure = Measures[string] & { stage(arm: TrainedArm): StageSpec | undefined };

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

/** The accuracy on the test images, of an ablation that compares implementations: at scales that have both. */
const ACCURACY_OF_BOTH = 'accuracy-of-both';

/** By the names under which ablations ask for them. */
export const measures: Readonly<Record<string, Measure>> = {
  imagenet_a: shifted('imagenet_a', 'accuracy on sheared and scaled images'),
  imagenet_r: shifted('imagenet_r', 'accuracy on images with inverted shades'),
  mce: {
    role: 'corrupted',
    metric: 'mce',
    standardError: 'mce_se',
    roles: ['reference', 'reference-weights'],
    label: profile => `mean corruption error${isTestFolder(profile.robustness.imagenet_c) ? ' on ImageNet-C' : ', relative to the ViT-B from scratch'}`,
    stage: ({ profile, seed, weights }) => corruptedStage(profile, seed, weights, classifierStage(schema.parse({ method: 'scratch', student: 'B' }), profile, seed, undefined)),
  },
  miou: {
    role: 'segment-evaluate',
    metric: 'miou',
    standardError: 'miou_se',
    roles: ['segment'],
    label: segmentationLabel,
    // From scratch it starts from the classifier, as the paper's DeiT. TinyMIM* is another than TinyMIM by its fine-tuning alone, so it has none before that.
    stage: ({ factors, profile, seed, encoder, weights }) =>
      factors.finetuneTeacher === 'none' ? segmentationStage(factors, profile, seed, encoder ?? weights, ['segment', 'segment-evaluate']) : undefined,
  },
  'miou-finetuned': {
    role: 'segment-evaluate-finetuned',
    metric: 'miou',
    standardError: 'miou_se',
    roles: ['segment-finetuned'],
    label: profile => `${segmentationLabel(profile)}, after fine-tuning`,
    // The paper has it of what was distilled alone. Of TinyMIM* the segmenter has the blocks, neither the distillation token nor the wider features.
    stage: ({ factors, profile, seed, weights }) =>
      factors.method === 'distill' ? segmentationStage(factors, profile, seed, weights, ['segment-finetuned', 'segment-evaluate-finetuned']) : undefined,
  },
  [ACCURACY_OF_BOTH]: {
    role: 'evaluate',
    metric: 'accuracy',
    standardError: 'accuracy_se',
    stage: ({ profile, seed, weights }) => (profile.pytorch ? evaluateStage(profile, seed, weights) : undefined),
  },
};

function segmentationLabel({ segment }: Profile): string {
  return segment === undefined ? 'test mIoU' : `mIoU, ${sceneTitle(segment.data)}`;
}

/** The stage of each number that the profile can measure, of which those that no entry here has are the accuracy on the test images. */
export function realiseMeasures(factors: Factors, profile: Profile, seed: number, names: readonly string[]): StageSpec[] {
  if (factors.implementation === 'pytorch') return names.some(name => (name === ACCURACY_OF_BOTH ? profile.pytorch : measures[name] === undefined)) ? [realise(factors, profile, seed)] : [];
  const encoder = encoderStage(factors, profile, seed),
    weights = classifierStage(factors, profile, seed, encoder);
  return names.flatMap(name => {
    const measure = measures[name];
    return measure === undefined ? [evaluateStage(profile, seed, weights)] : (measure.stage({ factors, profile, seed, encoder, weights }) ?? []);
  });
}
