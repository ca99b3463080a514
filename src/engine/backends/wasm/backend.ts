/** What the backend of tfjs-backend-wasm has beside the interface of tfjs, and how its kernels are replaced. */
import * as tf from '../../tf.ts';

/** The compiled module, as far as it is used here. */
interface WasmModule {
  /** The heap; another array after the heap has grown. */
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  _malloc: (bytes: number) => number;
  readonly _free: (address: number) => void;
  /** A function of the module that takes and returns numbers. */
  cwrap(name: string, returns: 'number' | null, takes: readonly 'number'[]): (...values: number[]) => number;
  readonly tfjs: {
    readonly registerTensor: (id: number, size: number, address: number) => void;
    readonly disposeData: (id: number) => void;
  };
}

export interface WasmBackend extends tf.KernelBackend {
  readonly wasm: WasmModule;
  /** Values are left as they are in memory unless they are given. */
  makeOutput(shape: number[], dtype: tf.DataType, address?: undefined, values?: Float32Array | Int32Array | Uint8Array): tf.TensorInfo;
  /** Valid until the next allocation. */
  typedArrayFromHeap(info: tf.TensorInfo): Float32Array | Int32Array | Uint8Array;
  getMemoryOffset(dataId: object): number;
  incRef(dataId: object): void;
}

/** What a kernel is given; `I` names its inputs. */
export interface KernelCall<I extends string> {
  readonly inputs: Readonly<Record<I, tf.TensorInfo>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly backend: WasmBackend;
}

export type Kernel<I extends string, O = tf.TensorInfo> = (call: KernelCall<I>) => O;

/** Runs a kernel of the backend from within another: outside tape and tidy, so what it returns has to be disposed of. */
export function runKernel(name: string, backend: WasmBackend, inputs: Readonly<Record<string, tf.TensorInfo>>, attrs: object = {}): tf.TensorInfo {
  return kernelOf(name).kernelFunc({ inputs, attrs: attrs as tf.NamedAttrMap, backend }) as tf.TensorInfo;
}

function kernelOf(name: string): tf.KernelConfig {
  const kernel = tf.getKernel(name, 'wasm');
  if (!kernel) throw new Error(`Expected the WebAssembly engine to have a kernel ${name}, got none. Install the version of tfjs-backend-wasm that package.json names.`);
  return kernel;
}

/** Adds a kernel that the package lacks. */
export function addKernel<I extends string>(kernelName: string, kernel: Kernel<I>): void {
  tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc: call => kernel(call as unknown as KernelCall<I>) });
}

/** Puts another kernel in the place of the package's, which it may call. */
export function replaceKernel<I extends string, O extends tf.TensorInfo | tf.TensorInfo[]>(kernelName: string, kernelWith: (original: Kernel<I, O>) => Kernel<I, O>): void {
  const original = kernelOf(kernelName);
  const kernel = kernelWith(call => original.kernelFunc(call as never) as O);
  tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({ ...original, kernelFunc: call => kernel(call as unknown as KernelCall<I>) }); // with its set-up
}

/** `info` seen in another shape; shares the values and the reference to them. */
export const reshaped = (info: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo => ({ dataId: info.dataId, dtype: info.dtype, shape: [...shape] });

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
