/**
 * Takes the encoder out of a file of weights and keeps it where stages find it, in canonical form: the safetensors file of its tensors by
 * our names, as float32 (float16 and bfloat16 widened exactly, float64 rounded), in the order of the reference implementation, without
 * metadata. The SHA-256 of that file is what recipes know it by. `save_file` of Python's safetensors writes the same bytes.
 */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, renameSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UsageError } from '../../core/ablation/errors.ts';
import type { ImportedFile, ImportOptions } from '../../core/ablation/declaration.ts';
import { withFile } from '../../engine/formats/bytes.ts';
import { CheckpointError } from '../../engine/formats/pytorch/error.ts';
import { SafetensorsError } from '../../engine/formats/safetensors-error.ts';
import { writeSafetensors } from '../../engine/formats/safetensors.ts';
import { weightsIn, type WeightFile } from '../../engine/formats/weight-file.ts';
import { ModelError } from '../nn/errors.ts';
import { findEncoder, type FoundEncoder } from './encoder.ts';
import { checkpointName, checkpointsDir, encoderFile, importedAs, keepName } from './imported.ts';

/**
 * @param file path of the file
 * @throws UsageError: the file cannot be read, does not hold a whole encoder, holds more than one, or the name is taken. Nothing is kept then
 */
export async function importCheckpoint(file: string, { name = nameOf(file), dataDir, scratch, allowUnexpected = false, replace = false }: ImportOptions): Promise<ImportedFile> {
  expectName(name, file);
  const encoder = join(scratch, 'encoder.safetensors');
  const { shape, findings, weights } = readInto(encoder, file, allowUnexpected);
  const sha256 = await fileHash(encoder);
  const before = importedAs(dataDir, name);
  if (before !== undefined && before.sha256 !== sha256 && !replace) {
    throw new UsageError(
      'NAME_TAKEN',
      `Expected a new name, got ${name}, which means other tensors already (SHA-256 ${before.sha256}, of ${before.file}). Choose another with --as, or give --replace: stages at profiles that say ${name} then get other keys.`,
    );
  }
  mkdirSync(checkpointsDir(dataDir), { recursive: true });
  renameSync(encoder, encoderFile(dataDir, sha256));
  keepName(dataDir, { name, sha256, file: basename(file), encoder: shape });
  return { name, sha256, path: encoderFile(dataDir, sha256), ...described(weights, { shape, findings }) };
}

/** `mae_pretrain_vit_large.pth` is `mae-pretrain-vit-large`. */
const nameOf = (file: string): string =>
  basename(file, extname(file))
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '');

function expectName(name: string, file: string): void {
  if (checkpointName.safeParse(name).success) return;
  throw new UsageError('BAD_NAME', `Expected a name of lower-case words joined by '-', '_' or '.', got '${name}'. Name the checkpoint with --as, e.g. ablate import ${basename(file)} --as mae-vit-l`);
}

type Read = Omit<FoundEncoder, 'tensors'> & { readonly weights: WeightFile };

/** Tensor by tensor: no more of the file is in memory at once. */
function readInto(target: string, file: string, allowUnexpected: boolean): Read {
  try {
    if (!statSync(file).isFile()) throw new UsageError('UNREADABLE_FILE', `${file}: Expected a file of weights, got ${statSync(file).isDirectory() ? 'a folder' : 'no file'}.`);
    return withFile(file, source => {
      const weights = weightsIn(source);
      const { tensors, ...found } = findEncoder(weights);
      const problems = problemsOf(found, allowUnexpected);
      if (problems.length > 0) throw new UsageError('NOT_AN_ENCODER', [`${file}: Expected a whole encoder of a ViT, got one that does not fit.`, ...problems, 'Nothing was imported.'].join('\n'));
      writeSafetensors(target, tensors);
      return { ...found, weights };
    });
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof SafetensorsError) throw new UsageError(error.code, error.message, { cause: error });
    if (error instanceof ModelError) throw new UsageError(error.code, `${file}: ${error.message}`, { cause: error });
    if (isUnreadable(error)) throw new UsageError('UNREADABLE_FILE', `${file}: Expected a file of weights, got ${error.code === 'ENOENT' ? 'no such file' : error.message}.`, { cause: error });
    throw error;
  }
}

const isUnreadable = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && ['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR', 'EPERM', 'ELOOP', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? '');

function problemsOf({ findings: { missing, misshapen, unexpected, leftOut } }: Pick<Read, 'findings'>, allowUnexpected: boolean): string[] {
  return [
    ...missing.map(name => `  missing     ${name}`),
    ...(missing.includes('norm.weight') && leftOut.includes('fc_norm.weight') ? ['  A classifier over the mean of its tokens has no final norm of the encoder.'] : []),
    ...misshapen.map(({ name, expected, got }) => `  misshapen   ${name}: expected ${expected}, got ${got}`),
    ...(allowUnexpected || unexpected.length === 0
      ? []
      : [...unexpected.map(name => `  unexpected  ${name}`), '  A model that computes with these is another one than a plain ViT. Where it does not, --allow-unexpected leaves them out.']),
  ];
}

function described({ format, path, beside, tensors }: WeightFile, { shape, findings }: Omit<FoundEncoder, 'tensors'>): Pick<ImportedFile, 'read' | 'findings'> {
  const { embed_dim, depth, mlp_dim, patch_size, in_chans, patches } = shape;
  const types = [...new Set([...tensors.values()].map(({ dtype }) => dtype))].sort();
  const side = Math.sqrt(patches);
  const own = findings.prefix === '' ? '' : `, all behind "${findings.prefix}"`;
  return {
    read: [
      `${format}, ${tensors.size} tensors of ${types.join(', ')}${path.length > 0 ? ` in '${path.join('.')}'` : ''}${beside.length > 0 ? ` (beside ${beside.join(', ')}, which is not read)` : ''}`,
      `names of ${findings.dialects.map(dialect => TITLES[dialect]).join(' or ')}${own}`,
      `a ViT of width ${embed_dim}, depth ${depth}, MLP ${mlp_dim}, patches of ${patch_size} x ${patch_size} pixels of ${in_chans} channels, ${Number.isInteger(side) ? `${side} x ${side}` : patches} positions`,
    ],
    findings: {
      renamed: findings.renamed.map(({ ours, from }) => `${from.join(', ')} is ${ours}`),
      'left out': findings.leftOut,
      unexpected: findings.unexpected,
    },
  };
}

const TITLES = { mae: 'MAE', timm: 'timm', transformers: "Hugging Face's ViTMAE" } as const;

/** SHA-256 of a file, in hexadecimal digits. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex');
}
