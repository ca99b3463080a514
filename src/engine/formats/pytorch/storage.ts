/** What a PyTorch pickle knows of numbers: storages, and tensors as views of them. Sizes are checked before anything is allocated. */
import { ARRAY_OF, BYTES_PER_ELEMENT, type DType, type StoredTensor, type TensorSource } from '../dtype.ts';
import { refuse } from './error.ts';

/** By the names of PyTorch's storage classes. */
export const STORAGE_DTYPES: ReadonlyMap<string, DType> = new Map([
  ['torch.FloatStorage', 'F32'],
  ['torch.DoubleStorage', 'F64'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);

/** Numbers in a row, which tensors are views of. */
export class PickledStorage {
  readonly dtype: DType;
  /** In elements. */
  readonly length: number;
  /** Bytes from a place of the storage, from the start of a buffer. */
  readonly read: (offset: number, length: number) => Uint8Array<ArrayBuffer>;
  /** The file, for messages. */
  readonly source: string;

  constructor(dtype: DType, length: number, source: string, read: PickledStorage['read']) {
    this.dtype = dtype;
    this.length = length;
    this.source = source;
    this.read = read;
  }
}

/** A view of a storage, in elements. */
export interface View {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** A tensor of a pickle: nothing is read before `read`. */
export class PickledTensor implements TensorSource {
  readonly #storage: PickledStorage;
  readonly #view: View;

  /**
   * @param limit elements that it may have at most: of repeated rows (strides of 0) a small file can ask for any number
   * @throws CheckpointError when it is not within its storage
   */
  constructor(storage: PickledStorage, view: View, limit: number) {
    this.#storage = storage;
    this.#view = view;
    const { offset, shape, strides } = view;
    const expect = (right: boolean, expected: string, got: string): void => {
      if (!right) refuse('BAD_TENSOR', storage.source, expected, got);
    };
    expect([offset, ...shape, ...strides].every(isSize), 'a tensor whose offset, sizes and strides are numbers from 0 on', `offset ${offset}, sizes [${shape.join()}], strides [${strides.join()}]`);
    expect(shape.length === strides.length, 'a tensor with a stride for each size', `sizes [${shape.join()}], strides [${strides.join()}]`);
    const last = lastElement(view);
    expect(
      last < storage.length,
      `a tensor within its storage of ${storage.length} elements`,
      `one that reaches element ${last} (offset ${offset}, sizes [${shape.join()}], strides [${strides.join()}])`,
    );
    expect(elements(shape) <= limit, `a tensor of at most ${limit} elements, as its file is large`, `sizes [${shape.join()}]`);
  }

  get dtype(): DType {
    return this.#storage.dtype;
  }

  get shape(): readonly number[] {
    return this.#view.shape;
  }

  /** Its elements in row-major order. */
  readonly read = (): StoredTensor => {
    const { dtype, shape } = this;
    const bytes = BYTES_PER_ELEMENT[dtype];
    const { offset, strides } = this.#view;
    const length = elements(shape) === 0 ? 0 : lastElement(this.#view) + 1 - offset;
    const found = new ARRAY_OF[dtype](this.#storage.read(offset * bytes, length * bytes).buffer);
    const data = isRowMajor(shape, strides) ? found : gather(found, shape, strides);
    return { dtype, shape, data } as StoredTensor;
  };
}

const isSize = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const elements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Place in the storage of the last element; before it, where there are none. */
const lastElement = ({ offset, shape, strides }: View): number => (elements(shape) === 0 ? -1 : shape.reduce((last, size, i) => last + (size - 1) * strides[i]!, offset));

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return false;
    expected *= shape[i]!;
  }
  return true;
}

type AnyArray = StoredTensor['data'];

function gather(from: AnyArray, shape: readonly number[], strides: readonly number[]): AnyArray {
  const to = new (from.constructor as new (length: number) => AnyArray)(elements(shape));
  let next = 0;
  const copy = (dimension: number, at: number): void => {
    if (dimension === shape.length) {
      to[next++] = from[at]!;
      return;
    }
    for (let i = 0; i < shape[dimension]!; i++) copy(dimension + 1, at + i * strides[dimension]!);
  };
  copy(0, 0);
  return to;
}
