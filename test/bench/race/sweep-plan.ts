/** What both sides of a sweep are given: the recipes of its plan, initial weights and images. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalJson } from '../../../src/core/ablation/json.ts';
import type { StageKind } from '../../../src/core/ablation/kind.ts';
import { loadExperiments } from '../../../src/core/ablation/load.ts';
import { openDataset } from '../../../src/tinymim/data/dataset.ts';
import { labelledSubset, unlabelledSubset, type ImageSet } from '../../../src/tinymim/data/image-set.ts';
import { initClassifier, initialise, initMae } from '../../../src/tinymim/nn/init.ts';
import { buildPlan, totalCost, type Plan } from '../../../src/core/plan/plan.ts';
import { kinds } from '../../../src/tinymim/stages/kinds.ts';
import { studentSpec } from '../../../src/tinymim/stages/distill-objective.ts';
import { heldOutImages } from '../../../src/tinymim/stages/held-out.ts';
import type { DistillRecipe, EngineRecipe, FinetuneRecipe, PretrainRecipe } from '../../../src/tinymim/stages/recipes.ts';
import { writeSafetensors, type StoredTensor } from '../../../src/engine/formats/safetensors.ts';
import { writeWeights } from '../../../src/engine/formats/weights.ts';

export interface SweepArm {
  readonly name: string;
  readonly distill: DistillRecipe;
  readonly finetune: FinetuneRecipe;
  /** File of its initial weights, projections included. */
  readonly student: string;
}

interface ArmStages {
  readonly arm: string;
  readonly distill: string;
  readonly evaluate: string;
}

export interface SweepFiles {
  readonly experiments: string;
  readonly profile: string;
  readonly data: string;
  readonly pretrain: PretrainRecipe;
  readonly teacher: string;
  readonly classifier: string;
  readonly arms: readonly SweepArm[];
  /** FLOPs of all stages over those that are left when a teacher runs once a batch for all its students. */
  readonly perfectSharing: number;
  /** Keys of the stages in one of our modes: the engine is part of the identity. */
  armStages(mode: EngineRecipe['mode'], precision: EngineRecipe['precision']): readonly ArmStages[];
}

const EXPERIMENTS = fileURLToPath(new URL('../experiments', import.meta.url));
const PROFILE = 'bench';

async function planOf(mode: EngineRecipe['mode'], precision: EngineRecipe['precision']): Promise<Plan> {
  const { study, profile, ablations, seeds } = await loadExperiments(EXPERIMENTS, { profile: PROFILE, sets: [`engine.mode=${mode}`, `engine.precision=${precision}`] });
  return buildPlan({ study, profile, ablations, seeds });
}

/** @param folder for the files; @param dataDir of prepared data sets */
export async function prepareSweep(folder: string, dataDir: string): Promise<SweepFiles> {
  const plans = new Map<string, Plan>(await Promise.all((['float32', 'bfloat16'] as const).map(async precision => [precision, await planOf('graph', precision)] as const)));
  const { arms, stages } = plans.get('float32')!;
  const stage = (key: string) => stages.get(key)!;
  const first = arms[0]!;
  const pretrain = stage(first.stages['teacher']!),
    finetune = stage(first.stages['finetune']!);
  const recipe = pretrain.recipe as PretrainRecipe,
    labelled = finetune.recipe as FinetuneRecipe;
  const file = (name: string): string => join(folder, `${name}.safetensors`);

  const dataset = openDataset(recipe.data, dataDir);
  writeWeights(file('teacher'), initMae(recipe.model, recipe.decoder, pretrain.seed));
  writeWeights(file('classifier'), initClassifier(labelled.model, dataset.train.classes.length, finetune.seed));
  writeSafetensors(
    file('data'),
    new Map<string, StoredTensor>([
      ...imagesOf('unlabelled', recipe.images === null ? dataset.train : unlabelledSubset(dataset.train, recipe.images)),
      ...imagesOf('labelled', labelled.images === null ? dataset.train : labelledSubset(dataset.train, labelled.images)),
      ...imagesOf('held_out', heldOutImages(dataset.validation)),
      ...imagesOf('test', dataset.test),
      ['mean', { dtype: 'F32', shape: [dataset.mean.length], data: Float32Array.from(dataset.mean) }],
      ['std', { dtype: 'F32', shape: [dataset.std.length], data: Float32Array.from(dataset.std) }],
    ]),
  );
  return {
    experiments: EXPERIMENTS,
    profile: PROFILE,
    data: file('data'),
    pretrain: recipe,
    teacher: file('teacher'),
    classifier: file('classifier'),
    arms: arms.map(({ arm, stages: roles }) => {
      const { recipe: distill, seed } = stage(roles['distill']!);
      const student = file(`student-${arm}`);
      writeWeights(student, initialise(studentSpec(distill as DistillRecipe, recipe.model), seed));
      return { name: arm, distill: distill as DistillRecipe, finetune: stage(roles['finetune']!).recipe as FinetuneRecipe, student };
    }),
    perfectSharing: perfectSharing(plans.get('float32')!, kinds),
    armStages: (_, precision) => plans.get(precision)!.arms.map(({ arm, stages: roles }) => ({ arm, distill: roles['distill']!, evaluate: roles['evaluate']! })),
  };
}

/** @param kinds those of the plan's stages */
function perfectSharing({ stages }: Plan, kinds: readonly StageKind[]): number {
  const groups = new Map<string, number[]>();
  for (const { kind, recipe, seed, upstream } of stages.values()) {
    const packing = kinds.find(({ name }) => name === kind)?.packing;
    if (!packing) continue;
    const key = canonicalJson({ kind, ...packing.key({ recipe, seed, upstream }) });
    const recipes = Object.fromEntries(Object.entries(upstream).map(([slot, of]) => [slot, stages.get(of)!.recipe]));
    groups.set(key, [...(groups.get(key) ?? []), packing.sharedFlops(recipe, recipes)]);
  }
  const { flops } = totalCost(stages.values());
  const saved = [...groups.values()].reduce((sum, shared) => sum + shared.reduce((a, b) => a + b, 0) - Math.max(...shared), 0);
  return flops / (flops - saved);
}

function imagesOf(name: string, { images, labels, count, height, width, channels }: ImageSet): [string, StoredTensor][] {
  return [
    [name, { dtype: 'U8', shape: [count, height, width, channels], data: images }],
    [`${name}_labels`, { dtype: 'U8', shape: [count], data: Uint8Array.from(labels) }],
  ];
}
