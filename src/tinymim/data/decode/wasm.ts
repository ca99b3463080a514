/** Libraries of C that npm packages ship as WebAssembly. Their JavaScript is not used: it gives RGBA alone, and tells no error from another. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** What every library exports; addresses are bytes in `memory`. */
export interface WasmLibrary {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** 0: there is no memory. */
  malloc(bytes: number): number;
  free(address: number): void;
}

type Imports = Readonly<Record<string, Readonly<Record<string, () => number>>>>;

/** The part that we use; Node's types have none of it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: Imports) => { readonly exports: unknown };
  readonly RuntimeError: new () => Error;
};

const modules = new Map<string, object>();

/** A new instance, with memory of its own. @param file of a package: `<package>/<file>.wasm` */
export function instantiate(file: string, imports: Imports): WasmLibrary {
  const module = modules.get(file) ?? new WebAssembly.Module(readFileSync(createRequire(import.meta.url).resolve(file)));
  modules.set(file, module);
  return new WebAssembly.Instance(module, imports).exports as WasmLibrary;
}

/** Whether the library itself failed, as with an address out of its memory. */
export const isTrap = (error: unknown): boolean => error instanceof WebAssembly.RuntimeError;
