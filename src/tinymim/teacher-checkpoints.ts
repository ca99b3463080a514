/** The checkpoints that a profile names as teachers: which of them this machine holds, and what to do about the others. */
import { UsageError } from '../core/ablation/errors.ts';
import type { InputFile, StageSpec } from '../core/ablation/declaration.ts';
import { importedAs, importedWith, type ImportedCheckpoint } from './checkpoints/imported.ts';
import { gridOf, positionsText } from './checkpoints/positions.ts';
import { pretrainStage } from './distillation.ts';
import type { ModelSize } from './factors.ts';
import { encoder } from './models.ts';
import { mlpDim } from './nn/config.ts';
import type { Profile, TeacherCheckpoint } from './profile.ts';
import { checkpointRecipe, type VitRecipe } from './stages/recipes.ts';

type Named = readonly [size: ModelSize, teacher: TeacherCheckpoint];

/** Sizes whose first teacher is a checkpoint. */
export const namedTeachers = ({ teachers = {} }: Profile): Named[] => Object.entries(teachers).flatMap(([size, teacher]) => (teacher ? [[size as ModelSize, teacher] as const] : []));

const found = ({ checkpoint, sha256 }: TeacherCheckpoint, dataDir: string): ImportedCheckpoint | undefined => (sha256 === undefined ? importedAs(dataDir, checkpoint) : importedWith(dataDir, sha256));

/**
 * The profile with the hashes of the checkpoints that were imported under its names.
 * @throws UsageError where one is not of the teacher's size
 */
export function resolveCheckpoints(profile: Profile, dataDir: () => string): Profile {
  const held = namedTeachers(profile).flatMap(([size, teacher]) => {
    const imported = found(teacher, dataDir());
    if (imported === undefined) return [];
    expectSize(size, encoder(profile, size), imported);
    return [[size, { ...teacher, sha256: imported.sha256 }] as const];
  });
  return held.length === 0 ? profile : { ...profile, teachers: { ...profile.teachers, ...Object.fromEntries(held) } };
}

function expectSize(size: ModelSize, model: VitRecipe, { name, encoder: got }: ImportedCheckpoint): void {
  const sameRatio = mlpDim({ ...model, embed_dim: got.embed_dim }) === got.mlp_dim;
  const fields: readonly (readonly [field: string, wanted: number, got: number])[] = [
    [`model.sizes.${size}.embed_dim`, model.embed_dim, got.embed_dim],
    [`model.sizes.${size}.depth`, model.depth, got.depth],
    ['model.mlp_ratio', model.mlp_ratio, sameRatio ? model.mlp_ratio : got.mlp_dim / got.embed_dim],
    ['model.patch_size', model.patch_size, got.patch_size],
    ['model.in_chans', model.in_chans, got.in_chans],
  ];
  const differing = fields.flatMap(([field, wanted, held]) => (wanted === held ? [] : [`${field} ${wanted} (the file has ${held})`]));
  if (differing.length > 0) {
    throw new UsageError(
      'CHECKPOINT_SHAPE',
      `teachers.${size}: expected a checkpoint of the profile's ViT-${size}, got ${name}, which differs in ${differing.join(', ')}. Change the profile, or name another checkpoint.`,
    );
  }
  if (gridOf(got.patches, model) === undefined) {
    throw new UsageError('CHECKPOINT_SHAPE', `teachers.${size}: expected a checkpoint with a square of positions, or as many as the model, got ${name} with ${got.patches}.`);
  }
}

/** The checkpoint that a stage starts from. */
export function checkpointFile({ kind, recipe }: Pick<StageSpec, 'kind' | 'recipe'>, profile: Profile, dataDir: () => string): InputFile | undefined {
  if (kind !== 'checkpoint') return undefined;
  const { sha256, model } = checkpointRecipe.parse(recipe);
  const isOf = ([size, teacher]: Named): boolean =>
    (typeof sha256 === 'string' ? teacher.sha256 === sha256 : teacher.checkpoint === sha256.not_imported) && encoder(profile, size).embed_dim === model.embed_dim;
  const [size, teacher] = namedTeachers(profile).find(isOf)!;
  const imported = found(teacher, dataDir());
  const what = `${teacher.checkpoint}, the ViT-${size} teacher`;
  if (imported === undefined) return { text: `${what}: ${missingText(size, teacher, profile)}`, missing: { mend: mendOf(teacher), instead: instead(profile, size) } };
  const positions = positionsText(imported.encoder.patches, model);
  return { text: `${what}: ${imported.file}, SHA-256 ${imported.sha256.slice(0, 12)}${positions === undefined ? '' : `; its positions ${positions}`}` };
}

const ASSUMED = /^assumed:\s*/;

function missingText(size: ModelSize, { file, sha256 }: TeacherCheckpoint, { sources }: Profile): string {
  const source = sources?.[`teachers.${size}`]?.replace(ASSUMED, '');
  return [
    'it is not imported',
    ...(sha256 === undefined ? [] : [`expected an encoder with the SHA-256 ${sha256.slice(0, 12)}`]),
    ...(file === undefined ? [] : [`it is the file ${file}${source === undefined ? '' : ` (${source})`}`]),
  ].join('; ');
}

const mendOf = ({ checkpoint, file = 'FILE' }: TeacherCheckpoint): string[] => ['import', file, '--as', checkpoint];

const instead = (profile: Profile, size: ModelSize): { stage: StageSpec; set: string } => ({
  stage: pretrainStage(profile, size, profile.teacher_seed === 'replicate' ? 0 : profile.teacher_seed, 'teacher'),
  set: `teachers.${size}=null`,
});
