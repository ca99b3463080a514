/** Distillation of an arm as stages: the student, its teacher, and the teachers of that. */
import { UsageError } from '../core/ablation/errors.ts';
import type { StageSpec } from '../core/ablation/declaration.ts';
import { untrainedParts } from './distill/trained-parts.ts';
import type { CheckpointRecipe, DistillRecipe, DistillTarget, PretrainRecipe, ScheduleRecipe, VitRecipe } from './stages/recipes.ts';
import { teacherModel } from './stages/teacher-model.ts';
import { teacherFactors, type Factors, type ModelSize } from './factors.ts';
import { encoder } from './models.ts';
import { pretrainSchedule, teacherFile, type ImportedTeacher, type KeptTeacher, type Profile } from './profile.ts';

/** The paper's main results distill for 300 epochs, its ablations for 100. */
const MAIN_SCHEDULE = 3;

/** MAE pre-training of one size: the first teacher of distilled arms and, with the replicate's seed, the MAE baseline. */
export function pretrainStage(profile: Profile, size: ModelSize, seed: number, role: string): StageSpec {
  const { decoder, mask_ratio, norm_pix_loss, optimizer, augment } = profile.pretrain;
  const recipe: PretrainRecipe = {
    data: profile.data,
    images: profile.unlabelled_images,
    model: encoder(profile, size),
    decoder,
    mask_ratio,
    norm_pix_loss,
    schedule: pretrainSchedule(profile, size),
    optimizer,
    augment,
    engine: profile.engine,
  };
  return { kind: 'pretrain', role, recipe, seed, upstream: {} };
}

/** The first teacher of that size: a MAE that is trained, at the seed that the profile gives teachers, or the encoder from a file that the profile names. A file has no seed. */
export function teacherStage(profile: Profile, size: ModelSize, seed: number): StageSpec {
  const source = teacherFile(profile, size);
  return source ? checkpointStage(profile, size, source) : pretrainStage(profile, size, profile.teacher_seed === 'replicate' ? seed : profile.teacher_seed, 'teacher');
}

function checkpointStage(profile: Profile, size: ModelSize, source: ImportedTeacher | KeptTeacher): StageSpec {
  const sha256 = 'path' in source ? source.sha256 : (source.sha256 ?? { not_imported: source.checkpoint });
  const recipe: CheckpointRecipe = { model: encoder(profile, size), sha256 };
  return { kind: 'checkpoint', role: 'teacher', recipe, seed: 0, upstream: {} };
}

interface TeacherModel {
  readonly size: ModelSize;
  readonly model: VitRecipe;
  readonly stage: StageSpec;
  /** With which it was distilled; absent for the first. */
  readonly recipe?: DistillRecipe;
}

/** The arm's student, distilled from the last of its teachers. */
export function distillStage(factors: Factors, profile: Profile, seed: number): StageSpec {
  const [first, ...others] = factors.teachers;
  const undistilled: TeacherModel = { size: first!, model: encoder(profile, first!), stage: teacherStage(profile, first!, seed) };
  const teacher = others.reduce<TeacherModel>((above, size, i) => distilledModel(teacherFactors(factors), profile, seed, above, size, `teacher-${i + 2}`), undistilled);
  return distilledModel(factors, profile, seed, teacher, factors.student, 'distill').stage;
}

function distilledModel(factors: Factors, profile: Profile, seed: number, teacher: TeacherModel, size: ModelSize, role: string): TeacherModel {
  const recipe = distillRecipe(factors, profile, teacher, size);
  return {
    size,
    model: recipe.model,
    recipe,
    stage: { kind: 'distill', role, recipe, seed, upstream: { teacher: teacher.stage } },
  };
}

function distillRecipe(factors: Factors, profile: Profile, teacher: TeacherModel, size: ModelSize): DistillRecipe {
  const { optimizer, augment, jitter } = profile.distill;
  const target = targetOf(factors);
  const block = teacherBlock(factors, teacher.size, teacher.model.depth);
  expectTrained(teacher, target, block);
  const heads = rebuiltHeads(factors, teacher, block);
  return {
    data: profile.data,
    images: profile.unlabelled_images,
    model: studentModel(profile, size, target, { ...teacher, model: teacherModel({ teacher_last_block_heads: heads }, teacher.model) }, block),
    target,
    teacher_block: block,
    teacher_last_block_heads: heads,
    drop_path: factors.studentDropPath,
    teacher_drop_path: factors.teacherDropPath,
    mask_ratio: factors.maskRatio,
    teacher_input: factors.teacherInput,
    reconstruction: factors.reconstruction > 0 ? { weight: factors.reconstruction, decoder: profile.pretrain.decoder, norm_pix_loss: profile.pretrain.norm_pix_loss } : null,
    student_jitter: factors.jitter ? jitter : null,
    schedule: scheduleOf(factors, profile),
    optimizer,
    augment,
    engine: profile.engine,
  };
}

function targetOf(factors: Factors): DistillTarget {
  switch (factors.target) {
    case 'relation':
      return {
        family: 'relation',
        pairs: [...factors.relations].sort(),
        loss: factors.softmax ? 'kl' : factors.relationLoss === 'mse' ? 'mse' : 'smooth_l1',
        heads: factors.headAlignment ? 'aligned' : 'averaged',
      };
    case 'feature':
      return { family: 'feature', ...FEATURES[factors.feature], final_norm: factors.feature === 'output' && factors.finalNorm !== false, class_token: true };
    case 'class-token':
      return { family: 'class-token', loss: factors.classTokenLoss, temperature: 1, final_norm: factors.finalNorm === true };
  }
}

type FeatureOf = Extract<DistillTarget, { family: 'feature' }>['feature'];

/** The FFN feature after its residual is the block's output: at the last block, and before the final norm, it is the output feature. */
const FEATURES: Readonly<Record<Factors['feature'], { feature: FeatureOf }>> = {
  output: { feature: 'block' },
  ffn: { feature: 'ffn' },
  'ffn-residual': { feature: 'block' },
  attention: { feature: 'attention' },
  'attention-residual': { feature: 'attention_residual' },
  qkv: { feature: 'qkv' },
};

/**
 * Number of the teacher's block whose tensors are distilled, from its place in the depth. The released code takes block
 * 18 of 24 for ViT-L and the last of ViT-B and ViT-S (`models_teacher.py`); output features come from the last block.
 * @throws UsageError when the place is between two blocks of this teacher.
 */
function teacherBlock({ teacherBlock: place, target, feature }: Pick<Factors, 'teacherBlock' | 'target' | 'feature'>, size: ModelSize, depth: number): number {
  const isOutput = target === 'feature' && feature === 'output';
  const fraction = place === 'default' ? (size === 'L' && !isOutput ? 3 / 4 : 1) : place;
  const block = Math.round(fraction * depth);
  if (Math.abs(block - fraction * depth) > 1e-9 || block < 1) {
    throw new UsageError(
      'TEACHER_BLOCK',
      `Expected a teacherBlock that falls on one of the ${depth} blocks of the ${size} teacher, got ${fraction} (block ${Number((fraction * depth).toFixed(2))}). Choose a multiple of 1/${depth}.`,
    );
  }
  return block;
}

/** Heads of the teacher's last block where they are not those that it was trained with; null also where no target is taken from it. */
const rebuiltHeads = ({ teacherHeads }: Factors, { model }: TeacherModel, block: number): number | null =>
  teacherHeads === 'rebuilt' && model.last_block_heads !== undefined && block === model.depth ? model.num_heads : null;

/** A teacher that was itself distilled is only trained in what its own target read (the released student stops at Q, K, V of its last block). */
function expectTrained({ size, model, recipe }: TeacherModel, target: DistillTarget, block: number): void {
  if (recipe === undefined) return;
  const untrained = untrainedParts(recipe, target, block === model.depth);
  if (untrained.length === 0) return;
  const what = target.family === 'feature' ? `feature ${target.feature}` : target.family;
  throw new UsageError(
    'UNTRAINED_TARGET',
    `Expected a target that the distilled ${size} teacher has learned, got ${what} of its block ${block}: its distillation left ${untrained.join(', ')} of the last block as initialised. Distill from an earlier block (teacherBlock), or let the teachers learn the same (teacherTarget: 'same').`,
  );
}

/** The student; where relations are compared head by head, its last block has the heads of the teacher's block. */
function studentModel(profile: Profile, size: ModelSize, target: DistillTarget, { model: teacher, size: teacherSize }: TeacherModel, block: number): VitRecipe {
  const model = encoder(profile, size);
  if (target.family !== 'relation' || target.heads !== 'aligned') return model;
  const heads = block === teacher.depth ? (teacher.last_block_heads ?? teacher.num_heads) : teacher.num_heads;
  if (model.embed_dim % heads !== 0) {
    throw new UsageError(
      'HEAD_ALIGNMENT',
      `Expected a ${size} student whose width the ${heads} heads of its ${teacherSize} teacher divide, got width ${model.embed_dim}. Change model.sizes.${size}.embed_dim of the profile, take another teacher, or set headAlignment to false.`,
    );
  }
  return heads === model.num_heads ? model : { ...model, last_block_heads: heads };
}

/** Of the arm's distillation, and of those of its teachers. */
export function scheduleOf(factors: Pick<Factors, 'schedule'>, profile: Profile): ScheduleRecipe {
  const { schedule } = profile.distill;
  if (factors.schedule === 'ablation') return schedule;
  return { ...schedule, epochs: MAIN_SCHEDULE * schedule.epochs, warmup_epochs: MAIN_SCHEDULE * schedule.warmup_epochs };
}
