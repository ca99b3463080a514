/** The small MAE of `test/fixtures/import`, as files of other forms. */
import { join } from 'node:path';
import { withFile } from '../../src/engine/formats/bytes.ts';
import { toFloat32, writeSafetensors, type StoredTensor } from '../../src/engine/formats/safetensors.ts';
import { weightsIn } from '../../src/engine/formats/weight-file.ts';
import type { Weights } from '../../src/engine/formats/weights.ts';
import tiny from '../fixtures/import/mae_tiny.json' with { type: 'json' };

/** Made by PyTorch, with MAE's names, decoder, optimizer and options: see `make.py`. */
export const TINY_MAE = join(import.meta.dirname, '../fixtures/import/mae_tiny.pth');
/** Of its encoder in canonical form, computed by `make.py`. */
export const TINY_MAE_SHA256 = tiny.sha256;

/** Its size, for `--set`. */
export const TINY_MAE_SIZE = 'model.sizes.L={"embed_dim":16,"depth":4,"num_heads":4}';

/** All its tensors by MAE's names. */
export const tinyMae = (): Weights =>
  withFile(TINY_MAE, source => Object.fromEntries([...weightsIn(source).tensors].map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32(tensor.read()) }])));

/** What stands on the encoder. */
const isDecoder = (name: string): boolean => /^(?:mask_token|decoder)/.test(name);

export const encoderOf = (weights: Weights): Weights => Object.fromEntries(Object.entries(weights).filter(([name]) => !isDecoder(name)));

/** Writes them as safetensors; `as` may change type and numbers of each. */
export function writeAs(path: string, weights: Weights, as: (tensor: Weights[string], name: string) => StoredTensor = ({ shape, data }) => ({ dtype: 'F32', shape, data })): string {
  writeSafetensors(path, new Map(Object.entries(weights).map(([name, tensor]) => [name, as(tensor, name)])));
  return path;
}
