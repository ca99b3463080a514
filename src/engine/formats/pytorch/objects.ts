/**
 * The objects of Python that a pickle may name here, and what each makes: no other is known, and none is run. Dictionaries are maps, lists
 * and tuples and sets arrays, integers beyond 2^53 bigints.
 */
import type { DType } from '../dtype.ts';
import { refuse } from './error.ts';
import { PickledStorage, PickledTensor, STORAGE_DTYPES } from './storage.ts';

/** `argparse.Namespace`: the options of the program that wrote the file. */
export class Namespace {
  readonly fields = new Map<unknown, unknown>();
}

/** A class of storages, by what they hold. */
export class StorageType {
  readonly dtype: DType;
  constructor(dtype: DType) {
    this.dtype = dtype;
  }
}

interface Surroundings {
  /** The file, for messages. */
  readonly source: string;
  /** Elements that a tensor may have at most. */
  readonly limit: number;
}

type Make = (args: readonly unknown[], surroundings: Surroundings) => unknown;

/** A function or class that a pickle may call. */
export class Callable {
  readonly name: string;
  readonly make: Make;
  constructor(name: string, make: Make) {
    this.name = name;
    this.make = make;
  }
}

const damaged = (source: string, expected: string, got: unknown): never => refuse('DAMAGED', source, `${expected} in its pickle`, kindOf(got));

/** Of nothing, or of a list of pairs, as Python 2 writes it. */
const dictionary: Make = ([pairs = []], { source }) => {
  if (!Array.isArray(pairs) || !pairs.every(pair => Array.isArray(pair) && pair.length === 2)) return damaged(source, 'an OrderedDict of pairs', pairs);
  return new Map(pairs as [unknown, unknown][]);
};

const tensor: Make = ([storage, offset, shape, strides], { source, limit }) => {
  if (!(storage instanceof PickledStorage) || !Array.isArray(shape) || !Array.isArray(strides)) return damaged(source, 'a tensor of a storage, sizes and strides', [storage, shape, strides]);
  return new PickledTensor(storage, { offset: offset as number, shape: shape as number[], strides: strides as number[] }, limit);
};

/** Of a tensor; whether it was trained says nothing of its numbers. */
const parameter: Make = ([value], { source }) => (value instanceof PickledTensor ? value : damaged(source, 'a parameter that is a tensor', value));

const namespace: Make = (args, { source }) => (args.length === 0 ? new Namespace() : damaged(source, 'a Namespace without arguments', args));

const set: Make = ([items], { source }) => (Array.isArray(items) ? [...(items as unknown[])] : damaged(source, 'a set of a list', items));

const CALLABLES: Readonly<Record<string, Make>> = {
  'collections.OrderedDict': dictionary,
  'torch._utils._rebuild_tensor': tensor,
  'torch._utils._rebuild_tensor_v2': tensor,
  'torch._utils._rebuild_parameter': parameter,
  'argparse.Namespace': namespace,
  'builtins.set': set,
  'builtins.frozenset': set,
  '__builtin__.set': set,
  '__builtin__.frozenset': set,
};

/** By module and name; undefined: not known here. */
export function named(path: string): Callable | StorageType | undefined {
  const dtype = STORAGE_DTYPES.get(path);
  if (dtype !== undefined) return new StorageType(dtype);
  return Object.hasOwn(CALLABLES, path) ? new Callable(path, CALLABLES[path]!) : undefined;
}

/** For messages. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (value instanceof Map) return 'a dictionary';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Callable) return value.name;
  if (value instanceof PickledTensor) return 'a tensor';
  if (value instanceof PickledStorage) return 'a storage';
  if (value instanceof Namespace) return 'a Namespace';
  return typeof value === 'string' ? `the text '${value}'` : typeof value === 'object' ? 'bytes' : typeof value;
}
