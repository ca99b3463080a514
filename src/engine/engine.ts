/** What is asked of an engine, and what it says of itself. Types only: nothing is loaded. */
import type { EngineName } from './engine-name.ts';

export type Device = 'cpu' | 'gpu';

/** Where and how wide an engine computes. */
export interface EnginePlace {
  /** Where the ops run. On `gpu`, CUDA_VISIBLE_DEVICES decides which one, and must leave exactly one visible. */
  readonly device: Device;
  /** CPU threads that ops may use, at least 1. WebAssembly has one. */
  readonly threads: number;
}

export interface EngineOptions extends EnginePlace {
  /** Default: what the environment variable `ENGINE` says, else native TensorFlow. */
  readonly engine?: EngineName;
}

/** A GPU, and what computes on it. A version that nothing tells is `unknown`. */
export interface GpuFacts {
  /** E.g. `NVIDIA H100 80GB HBM3`. */
  readonly card: string;
  readonly driver: string;
  /** Versions of the libraries that the process has loaded. */
  readonly cuda: string;
  readonly cublas: string;
  readonly cudnn: string;
  readonly computeCapability?: number;
}

/** What an engine says once it runs. */
export interface LoadedEngine {
  /** Version of the native TensorFlow library, or of the WebAssembly package. */
  readonly libraryVersion: string;
  /** Why this engine and device, in words. */
  readonly why: string;
  /** Where it computes on a GPU. */
  readonly gpu?: GpuFacts;
}

/** What runs the ops; recorded with every result. */
export interface Engine extends EnginePlace, LoadedEngine {
  readonly name: EngineName;
  /** Version of the tensor API. */
  readonly tfjsVersion: string;
  /** Model of the processor: last digits depend on its instructions. */
  readonly cpu: string;
}
