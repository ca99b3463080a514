/** The encoders from files that a profile names as teachers: which of them this machine holds, and what to do about the others. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../core/ablation/errors.ts';
import type { InputFile, InputFolders, StageSpec } from '../core/ablation/declaration.ts';
import { importedAs, importedWith, type ImportedCheckpoint } from './checkpoints/imported.ts';
import { gridOf, positionsText } from './checkpoints/positions.ts';
import { readEncoder } from './checkpoints/read.ts';
import { pretrainStage } from './distillation.ts';
import type { ModelSize } from './factors.ts';
import { encoder } from './models.ts';
import { mlpDim } from './nn/config.ts';
import { teacherFile, type ImportedTeacher, type KeptTeacher, type Profile } from './profile.ts';
import { checkpointRecipe, type VitRecipe } from './stages/recipes.ts';

type Named<Teacher> = readonly [size: ModelSize, teacher: Teacher];

/** Sizes whose first teacher comes from a file. */
export const namedTeachers = (profile: Profile): Named<ImportedTeacher | KeptTeacher>[] =>
  (Object.keys(profile.teachers ?? {}) as ModelSize[]).flatMap(size => {
    const teacher = teacherFile(profile, size);
    return teacher ? [[size, teacher] as const] : [];
  });

const found = ({ checkpoint, sha256 }: ImportedTeacher, dataDir: string): ImportedCheckpoint | undefined => (sha256 === undefined ? importedAs(dataDir, checkpoint) : importedWith(dataDir, sha256));

/**
 * The profile with the hashes of the checkpoints that were imported under its names.
 * @throws UsageError where one is not of the teacher's size
 */
export function resolveCheckpoints(profile: Profile, dataDir: () => string): Profile {
  const held = namedTeachers(profile).flatMap(([size, teacher]) => {
    if ('path' in teacher) return [];
    const imported = found(teacher, dataDir());
    if (imported === undefined) return [];
    expectSize(size, encoder(profile, size), imported);
    return [[size, { ...teacher, sha256: imported.sha256 }] as const];
  });
  return held.length === 0 ? profile : { ...profile, teachers: { ...profile.teachers, ...Object.fromEntries(held) } };
}

function expectSize(size: ModelSize, model: VitRecipe, { name, encoder: got }: Pick<ImportedCheckpoint, 'name' | 'encoder'>): void {
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

/** The file that a stage starts from. */
export function checkpointFile({ kind, recipe }: Pick<StageSpec, 'kind' | 'recipe'>, profile: Profile, { declarations, dataDir }: InputFolders): InputFile | undefined {
  if (kind !== 'checkpoint') return undefined;
  const { sha256, model } = checkpointRecipe.parse(recipe);
  const isOf = (teacher: ImportedTeacher | KeptTeacher): boolean => (typeof sha256 === 'string' ? teacher.sha256 === sha256 : 'checkpoint' in teacher && teacher.checkpoint === sha256.not_imported);
  const [size, teacher] = namedTeachers(profile).find(([size, teacher]) => isOf(teacher) && encoder(profile, size).embed_dim === model.embed_dim)!;
  return 'path' in teacher ? keptFile([size, teacher], profile, declarations) : importedFile([size, teacher], profile, dataDir);
}

function importedFile([size, teacher]: Named<ImportedTeacher>, profile: Profile, dataDir: () => string): InputFile {
  const imported = found(teacher, dataDir());
  const what = `${teacher.checkpoint}, the ViT-${size} teacher`;
  if (imported === undefined) return { text: `${what}: ${missingText(size, teacher, profile)}`, missing: { mend: mendOf(teacher) }, instead: instead(profile, size) };
  return { text: `${what}: ${imported.file}, ${heldText(imported, encoder(profile, size))}`, instead: instead(profile, size) };
}

/** The declarations that come with the program: a profile of another study may take over a teacher with one of these. */
const OWN = fileURLToPath(new URL('../../experiments', import.meta.url));

/** What is wrong with a file is found here, before a worker starts; the keys of a plan need none. */
function keptFile([size, { path, sha256 }]: Named<KeptTeacher>, profile: Profile, declarations: string): InputFile {
  const what = `${path}, the ViT-${size} teacher`;
  const missing = (text: string): InputFile => ({ text: `${what}: ${text}`, missing: {}, instead: instead(profile, size) });
  const file = [declarations, OWN].map(folder => join(folder, path)).find(candidate => existsSync(candidate));
  if (file === undefined) return missing(`expected this file in ${declarations}, which declares it, got none`);
  try {
    const got = readEncoder(file);
    if (got.sha256 !== sha256)
      return missing(`expected ${file} to hold the encoder with the SHA-256 ${sha256}, got ${got.sha256}; restore the file, or, where it is meant, write its hash into the profile`);
    expectSize(size, encoder(profile, size), { name: path, encoder: got.shape });
    return { text: `${what}: ${heldText({ sha256, encoder: got.shape }, encoder(profile, size))}`, path: file, instead: instead(profile, size) };
  } catch (error) {
    if (error instanceof UsageError) return missing(error.message);
    throw error;
  }
}

function heldText({ sha256, encoder: { patches } }: Pick<ImportedCheckpoint, 'sha256' | 'encoder'>, model: VitRecipe): string {
  const positions = positionsText(patches, model);
  return `SHA-256 ${sha256.slice(0, 12)}${positions === undefined ? '' : `; its positions ${positions}`}`;
}

const ASSUMED = /^assumed:\s*/;

function missingText(size: ModelSize, { file, sha256 }: ImportedTeacher, { sources }: Profile): string {
  const source = sources?.[`teachers.${size}`]?.replace(ASSUMED, '');
  return [
    'it is not imported',
    ...(sha256 === undefined ? [] : [`expected an encoder with the SHA-256 ${sha256.slice(0, 12)}`]),
    ...(file === undefined ? [] : [`it is the file ${file}${source === undefined ? '' : ` (${source})`}`]),
  ].join('; ');
}

const mendOf = ({ checkpoint, file = 'FILE' }: ImportedTeacher): string[] => ['import', file, '--as', checkpoint];

const instead = (profile: Profile, size: ModelSize): { stage: StageSpec; set: string } => ({
  stage: pretrainStage(profile, size, profile.teacher_seed === 'replicate' ? 0 : profile.teacher_seed, 'teacher'),
  set: `teachers.${size}=null`,
});
