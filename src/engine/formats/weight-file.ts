/** A file of weights of any format that is read here: safetensors, or what `torch.save` writes. */
import type { ByteSource } from './bytes.ts';
import type { TensorSource } from './dtype.ts';
import { refuse } from './pytorch/error.ts';
import { pytorchForm, unpickleFile } from './pytorch/pytorch.ts';
import { PickledTensor } from './pytorch/storage.ts';
import { safetensorsIn } from './safetensors.ts';

export interface WeightFile {
  readonly format: 'safetensors' | 'PyTorch (zip)' | 'PyTorch (legacy)';
  /** By the names of the file, in its order; each read when it is asked for. */
  readonly tensors: ReadonlyMap<string, TensorSource>;
  /** Where in a PyTorch file they stand: `['model']` in `{ model: ..., optimizer: ... }`. */
  readonly path: readonly string[];
  /** What else a PyTorch file holds on that level. */
  readonly beside: readonly string[];
}

/** @throws CheckpointError, SafetensorsError: the file is damaged, holds what is not read here, or no tensors */
export function weightsIn(source: ByteSource): WeightFile {
  // The length before a header of safetensors may begin like a pickle; no file of PyTorch has a brace here.
  if (textAt(source, 8, 1) === '{') return { format: 'safetensors', tensors: safetensorsIn(source).tensors, path: [], beside: [] };
  const form = pytorchForm(source);
  if (form !== undefined) return { format: form === 'zip' ? 'PyTorch (zip)' : 'PyTorch (legacy)', ...stateDict(unpickleFile(source), source) };
  return refuse('NOT_A_CHECKPOINT', source.name, 'a file of safetensors or of torch.save', source.size === 0 ? 'an empty file' : `one that begins with "${textAt(source, 0, 24)}"`);
}

const textAt = (source: ByteSource, offset: number, length: number): string =>
  Buffer.from(source.read(Math.min(offset, source.size), Math.max(0, Math.min(length, source.size - offset)))).toString('latin1');

/** Where programs put a model's tensors, in the order in which they are looked for. Others are read where there is one such dictionary alone. */
const USUAL = ['model', 'state_dict', 'model_state_dict', 'module'];

function stateDict(value: unknown, source: ByteSource): Pick<WeightFile, 'tensors' | 'path' | 'beside'> {
  const own = tensorsOf(value);
  if (own.size > 0) return { tensors: own, path: [], beside: [] };
  const inner = [...(value instanceof Map ? (value as Map<unknown, unknown>) : [])].map(([name, held]) => ({ name: String(name), tensors: tensorsOf(held) }));
  const held = inner.filter(({ tensors }) => tensors.size > 0);
  const chosen = USUAL.flatMap(name => held.find(one => one.name === name) ?? [])[0] ?? (held.length === 1 ? held[0] : undefined);
  if (chosen === undefined) {
    return refuse(
      'NO_TENSORS',
      source.name,
      `tensors, or a dictionary of them named ${USUAL.join(', ')}`,
      held.length > 0 ? `several: ${held.map(({ name }) => name).join(', ')}` : inner.length > 0 ? inner.map(({ name }) => name).join(', ') : 'nothing of the kind',
    );
  }
  return { tensors: chosen.tensors, path: [chosen.name], beside: inner.flatMap(({ name }) => (name === chosen.name ? [] : [name])) };
}

function tensorsOf(value: unknown): Map<string, TensorSource> {
  if (!(value instanceof Map)) return new Map();
  return new Map([...(value as Map<unknown, unknown>)].flatMap(([name, tensor]) => (typeof name === 'string' && tensor instanceof PickledTensor ? [[name, tensor] as const] : [])));
}
