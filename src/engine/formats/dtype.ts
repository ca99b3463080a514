import { SafetensorsError } from './safetensors-error.ts';

/**
 * Element types of tensors in files, by their safetensors names. JavaScript has no 16-bit floats, so F16 and BF16 are
 * kept as their bits; `toFloat32` widens them. Typed arrays are in host order: all platforms of the engine are little-endian.
 */
export const ARRAY_OF = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  I16: Int16Array,
  U16: Uint16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  F32: Float32Array,
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
} as const;

export type DType = keyof typeof ARRAY_OF;

/** The array type by its plain name: over any buffer, which `InstanceType` would narrow. */
type ArrayFor<D extends DType> = D extends 'F32'
  ? Float32Array
  : D extends 'F64'
    ? Float64Array
    : D extends 'I64'
      ? BigInt64Array
      : D extends 'U64'
        ? BigUint64Array
        : D extends 'I32'
          ? Int32Array
          : D extends 'U32'
            ? Uint32Array
            : D extends 'I16'
              ? Int16Array
              : D extends 'I8'
                ? Int8Array
                : D extends 'BOOL' | 'U8'
                  ? Uint8Array
                  : Uint16Array;

/** A tensor as a file holds it: `data` has as many elements as `shape` says, in row-major order. */
export type StoredTensor = {
  [D in DType]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: ArrayFor<D> };
}[DType];

/** A tensor that is read when it is asked for. */
export interface TensorSource {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** A tensor of this type and shape, with an array of its own. */
  readonly read: () => StoredTensor;
}

/** In rising alignment, as the reference implementation of safetensors orders them. */
export const DTYPE_ORDER = Object.keys(ARRAY_OF) as readonly DType[];

export const BYTES_PER_ELEMENT = Object.fromEntries(Object.entries(ARRAY_OF).map(([dtype, array]) => [dtype, array.BYTES_PER_ELEMENT])) as Readonly<Record<DType, number>>;

/**
 * The values of a floating-point tensor as float32: F16 and BF16 exactly, F64 rounded, F32 as it is (not copied).
 * @param name what to call the tensor in the error message
 * @throws SafetensorsError `DTYPE_MISMATCH` for integers and booleans, whose conversion is a decision of the caller
 */
export function toFloat32(tensor: StoredTensor, name = 'tensor'): Float32Array {
  switch (tensor.dtype) {
    case 'F32':
      return tensor.data;
    case 'F64':
      return Float32Array.from(tensor.data);
    case 'BF16':
      return new Float32Array(Uint32Array.from(tensor.data, bits => bits << 16).buffer);
    case 'F16':
      return fromHalves(tensor.data);
    default:
      throw new SafetensorsError('DTYPE_MISMATCH', `Expected ${name} to be floating-point (F64, F32, F16, BF16), got ${tensor.dtype}.`);
  }
}

/** The value of each of the 65,536 halves: looked up, since a teacher of millions of them is read by every plan. */
let halves: Float32Array | undefined;

function fromHalves(bits: Uint16Array): Float32Array {
  halves ??= Float32Array.from({ length: 2 ** 16 }, (_, half) => halfToNumber(half));
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = halves[bits[i]!]!;
  return values;
}

/** IEEE 754 binary16: sign, 5 bits of exponent, 10 bits of fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Rounds to IEEE 754 binary16, as its bits: to the nearest, of two equally near to the even one, and beyond 65,504 to infinity. */
export function toFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) halves[i] = halfOf(bits[i]!);
  return halves;
}

/** @param bits of a float32: sign, 8 bits of exponent, 23 of fraction */
function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // not a number
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // from 65,520 on, half a step above the largest
  // Below 2^-14 halves have the fixed step of 2^-24: the sum with 0.5, whose float32 has that step, is rounded to it.
  if (magnitude < 0x38800000) return sign | (subnormal(magnitude) - 0x3f000000);
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

const float = new Float32Array(1),
  word = new Uint32Array(float.buffer);

function subnormal(magnitude: number): number {
  word[0] = magnitude;
  float[0]! += 0.5;
  return word[0];
}
