/** The stages whose traffic is counted: recipes of a profile's plan, with a few procedural images in the place of its data. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalJson } from '../../../src/core/ablation/json.ts';
import type { JsonObject, StageKind, UpstreamOutput } from '../../../src/core/ablation/kind.ts';
import { loadExperiments } from '../../../src/core/ablation/load.ts';
import { buildPlan, type PlannedStage } from '../../../src/core/plan/plan.ts';
import { vitRecipe } from '../../../src/tinymim/stages/recipes.ts';
import type { StageToRun } from '../../helpers/stage-context.ts';

export const BATCH = 2;

/** Steps of a training, of which the first does not count, and students of a pack. A step of the paper's models takes seconds. */
const SIZES = { mini: { steps: 6, students: 12 }, desk: { steps: 6, students: 12 }, imagenet1k: { steps: 3, students: 2 } } as const;

export type ProfileName = keyof typeof SIZES;
export const PROFILES = Object.keys(SIZES) as ProfileName[];

/** The stages behind one arm; `pack` is its distillation beside others of its teacher. */
export const CASES = ['pretrain', 'distill', 'pack', 'finetune', 'evaluate'] as const;
export type CaseName = (typeof CASES)[number];
const ARM = { ablation: 'relation', arm: 'qk-vv-softmax' };

export interface TrafficCase {
  readonly name: CaseName;
  readonly kind: string;
  /** More than one: they run in a pack. */
  readonly stages: readonly StageToRun[];
  /** Bytes of the pixels of one image, and of the student's own where it has one. */
  readonly pixels: number;
}

const EXPERIMENTS = fileURLToPath(new URL('../../../experiments', import.meta.url));

/** @param folder for what the stages write, and for the untrained weights that they begin with, which are written here */
export async function profileCases(profile: ProfileName, names: readonly CaseName[], folder: string): Promise<TrafficCase[]> {
  // A teacher from a file would have no pre-training.
  const experiments = await loadExperiments(EXPERIMENTS, { profile, sets: ['teachers.L=null'] });
  const { kinds } = experiments.study,
    { stages } = buildPlan(experiments);
  const { steps, students } = SIZES[profile];
  const images = BATCH * steps;
  const ofArm = (kind: string): PlannedStage => [...stages.values()].find(stage => stage.kind === kind && stage.users.some(({ ablation, arm }) => ablation === ARM.ablation && arm === ARM.arm))!;
  const { image_size, in_chans: channels } = vitRecipe.parse(ofArm('pretrain').recipe['model']);
  const data = { name: 'procedural', classes: 10, image_size, channels, train: images, validation: BATCH, test: images, seed: 1 };
  const small = ({ recipe }: PlannedStage): JsonObject => ({ ...fewImages(recipe), data });

  const written = new Map<string, Promise<UpstreamOutput>>();
  const untrained = async (key: string): Promise<UpstreamOutput> => {
    const stage = stages.get(key)!,
      { kind } = stage,
      output = join(folder, key);
    const write = await kinds.find(({ name }) => name === kind)!.loadUntrained!();
    mkdirSync(output, { recursive: true });
    await write(small(stage), output);
    return { key, kind, recipe: small(stage), result: {}, output };
  };
  const toRun = async (stage: PlannedStage, output: string): Promise<StageToRun> => {
    const upstream: Record<string, UpstreamOutput> = {};
    for (const [slot, key] of Object.entries(stage.upstream)) {
      written.set(key, written.get(key) ?? untrained(key));
      upstream[slot] = await written.get(key)!;
    }
    return { recipe: small(stage), seed: stage.seed, upstream, output };
  };
  return Promise.all(
    names.map(async (name): Promise<TrafficCase> => {
      const first = ofArm(name === 'pack' ? 'distill' : name);
      const chosen = name === 'pack' ? companions(first, [...stages.values()], kinds).slice(0, students) : [first];
      return {
        name,
        kind: first.kind,
        stages: await Promise.all(chosen.map((stage, i) => toRun(stage, join(folder, `${name}-${i}`)))),
        pixels: image_size[0] * image_size[1] * channels * (first.recipe['student_jitter'] ? 2 : 1),
      };
    }),
  );
}

/** A stage and those that may run in a pack with it: first one of each shape of step. */
function companions(first: PlannedStage, stages: readonly PlannedStage[], kinds: readonly StageKind[]): PlannedStage[] {
  const kind = kinds.find(({ name }) => name === first.kind)!;
  const keyOf = (stage: PlannedStage): string => canonicalJson(kind.packing!.key(stage));
  const upstreamRecipes = ({ upstream }: PlannedStage) => Object.fromEntries(Object.entries(upstream).map(([slot, key]) => [slot, stages.find(other => other.key === key)!.recipe]));
  const all = [first, ...stages.filter(stage => stage !== first && stage.kind === first.kind && keyOf(stage) === keyOf(first))];
  const shapes = all.map(stage => canonicalJson(kind.shape!(stage.recipe, upstreamRecipes(stage))));
  const isNew = (_: unknown, i: number): boolean => shapes.indexOf(shapes[i]!) === i;
  return [...all.filter(isNew), ...all.filter((stage, i) => !isNew(stage, i))];
}

/** Batches of two images, all of a few in one epoch. */
function fewImages(recipe: JsonObject): JsonObject {
  if ('split' in recipe) return { ...recipe, batch_size: BATCH };
  const schedule = recipe['schedule'] as JsonObject;
  return {
    ...recipe,
    images: null,
    schedule: { ...schedule, epochs: 1, warmup_epochs: 0, batch_size: BATCH, accumulation_steps: 1 },
  };
}
