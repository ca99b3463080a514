/** The native binding that set-up compiles: where it lies, and whether this process computes with it. Light, as loaders of images ask for it, too. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Node-API version of the binding. Every Node since 12.22 offers it, and a binding for it serves all later ones. */
export const NAPI_VERSION = 8;

/** Where the npm package looks for its binding. */
export const installedBinding = (packageFolder: string): string => join(packageFolder, 'lib', `napi-v${NAPI_VERSION}`, 'tfjs_binding.node');

let loaded: string | undefined;

/** The file of the binding that this process computes with; undefined until an engine is loaded, and with another engine. */
export const loadedBinding = (): string | undefined => loaded;

/** Says that the process computes with it. */
export function noteLoadedBinding(): void {
  loaded = installedBinding(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node-gpu/package.json')));
}
