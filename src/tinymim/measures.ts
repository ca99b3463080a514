/** The numbers that arms are compared by, beside the accuracy on the test images: what they are called, and the stages that give them. */
import type { StageSpec, Study } from '../core/ablation/declaration.ts';
import { isTestFolder, testFolder } from './data/test-spec.ts';
import { factors as schema, type Factors } from './factors.ts';
import type { Profile } from './profile.ts';
import { realise } from './realise.ts';
import { corruptedStage, shiftedStage, type ShiftedColumn } from './robustness.ts';

/** An arm at a scale, and the stage that trains its classifier. */
interface TrainedArm {
  readonly profile: Profile;
  readonly seed: number;
  readonly weights: StageSpec;
}

type Measures = NonNullable<Study<Factors, Profile>['report']['measures']>;
type Measure = Measures[string] & { stage(arm: TrainedArm): StageSpec };

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
};

const trained = (factors: Factors, profile: Profile, seed: number): StageSpec => realise(factors, profile, seed).upstream['weights']!;

/** By the names under which ablations ask for them. */
export const measures: Measures = MEASURES;

/** The stage of each number, of which those that no entry here has are the accuracy on the test images. */
export function realiseMeasures(factors: Factors, profile: Profile, seed: number, names: readonly string[]): StageSpec[] {
  const tested = realise(factors, profile, seed),
    arm = { profile, seed, weights: tested.upstream['weights']! };
  return names.map(name => MEASURES[name]?.stage(arm) ?? tested);
}
