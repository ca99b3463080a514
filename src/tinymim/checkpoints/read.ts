/** A file of weights as the encoder in it, whoever wrote it. */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { UsageError } from '../../core/ablation/errors.ts';
import { withFile } from '../../engine/formats/bytes.ts';
import { CheckpointError } from '../../engine/formats/pytorch/error.ts';
import { SafetensorsError } from '../../engine/formats/safetensors-error.ts';
import { safetensorsHash } from '../../engine/formats/safetensors.ts';
import { weightsIn, type WeightFile } from '../../engine/formats/weight-file.ts';
import { ModelError } from '../nn/errors.ts';
import { findEncoder, type FoundEncoder } from './encoder.ts';

export interface EncoderInFile extends FoundEncoder {
  readonly weights: WeightFile;
}

/**
 * Reads tensor by tensor: no more of the file is in memory at once.
 * @param use gets the encoder while the file is open
 * @throws UsageError: the file cannot be read, or does not hold a whole encoder
 */
export function withEncoder<T>(file: string, use: (encoder: EncoderInFile) => T, { allowUnexpected = false } = {}): T {
  try {
    if (!statSync(file).isFile()) throw new UsageError('UNREADABLE_FILE', `${file}: Expected a file of weights, got ${statSync(file).isDirectory() ? 'a folder' : 'no file'}.`);
    return withFile(file, source => {
      const weights = weightsIn(source);
      const found = findEncoder(weights);
      const problems = problemsOf(found, allowUnexpected);
      if (problems.length > 0) throw new UsageError('NOT_AN_ENCODER', [`${file}: Expected a whole encoder of a ViT, got one that does not fit.`, ...problems].join('\n'));
      return use({ ...found, weights });
    });
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof SafetensorsError) throw new UsageError(error.code, error.message, { cause: error });
    if (error instanceof ModelError) throw new UsageError(error.code, `${file}: ${error.message}`, { cause: error });
    if (isUnreadable(error)) throw new UsageError('UNREADABLE_FILE', `${file}: Expected a file of weights, got ${error.code === 'ENOENT' ? 'no such file' : error.message}.`, { cause: error });
    throw error;
  }
}

/**
 * The shape of the encoder in a file, and the SHA-256 of its canonical form (`import.ts`): the same whatever floating-point type the file has.
 * @throws UsageError as `withEncoder` does
 */
export const readEncoder = (file: string): Pick<FoundEncoder, 'shape'> & { readonly sha256: string } => withEncoder(file, ({ shape, tensors }) => ({ shape, sha256: safetensorsHash(tensors) }));

const isUnreadable = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && ['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR', 'EPERM', 'ELOOP', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? '');

function problemsOf({ findings: { missing, misshapen, unexpected, leftOut } }: Pick<FoundEncoder, 'findings'>, allowUnexpected: boolean): string[] {
  return [
    ...missing.map(name => `  missing     ${name}`),
    ...(missing.includes('norm.weight') && leftOut.includes('fc_norm.weight') ? ['  A classifier over the mean of its tokens has no final norm of the encoder.'] : []),
    ...misshapen.map(({ name, expected, got }) => `  misshapen   ${name}: expected ${expected}, got ${got}`),
    ...(allowUnexpected || unexpected.length === 0
      ? []
      : [
          ...unexpected.map(name => `  unexpected  ${name}`),
          '  A model that computes with these is another one than a plain ViT. Where it does not, ablate import --allow-unexpected leaves them out.',
        ]),
  ];
}

/** SHA-256 of a file as it is, in hexadecimal digits. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex');
}
