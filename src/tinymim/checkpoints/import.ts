/**
 * Takes the encoder out of a file of weights and keeps it where stages find it, in canonical form: the safetensors file of its tensors by
 * our names, as float32 (float16 and bfloat16 widened exactly, float64 rounded), in the order of the reference implementation, without
 * metadata. The SHA-256 of that file is what recipes know it by. `save_file` of Python's safetensors writes the same bytes.
 */
import { mkdirSync, renameSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { UsageError } from '../../core/ablation/errors.ts';
import type { ImportedFile, ImportOptions } from '../../core/ablation/declaration.ts';
import { writeSafetensors } from '../../engine/formats/safetensors.ts';
import type { WeightFile } from '../../engine/formats/weight-file.ts';
import type { FoundEncoder } from './encoder.ts';
import { checkpointName, checkpointsDir, encoderFile, importedAs, keepName } from './imported.ts';
import { fileHash, withEncoder, type EncoderInFile } from './read.ts';

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

function readInto(target: string, file: string, allowUnexpected: boolean): Omit<EncoderInFile, 'tensors'> {
  try {
    return withEncoder(
      file,
      ({ tensors, ...found }) => {
        writeSafetensors(target, tensors);
        return found;
      },
      { allowUnexpected },
    );
  } catch (error) {
    if (error instanceof UsageError && error.code === 'NOT_AN_ENCODER') throw new UsageError(error.code, `${error.message}\nNothing was imported.`, { cause: error });
    throw error;
  }
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
