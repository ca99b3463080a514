/** Hook of Node's module loader: who imports a source of ours gets what the copy has of it; see typescript.mjs. It may run in the thread of the hooks, which sees nothing of ours. */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** @type {import('./copy-hook.d.mts').Place | undefined} */
let place;

/** @type {typeof import('./copy-hook.d.mts').initialize} */
export function initialize(data) {
  place = data;
}

export function resolve(specifier, context, next) {
  const resolved = next(specifier, context);
  return resolved instanceof Promise ? resolved.then(inCopy) : inCopy(resolved);
}

/** @type {typeof import('./copy-hook.d.mts').sourceOf} */
export function sourceOf(file) {
  const path = place === undefined ? '..' : relative(place.copy, file);
  return path.startsWith('..') ? file : join(place.root, path.replace(/\.mjs$/, '.ts'));
}

function inCopy(resolved) {
  if (place === undefined || !resolved.url.startsWith('file:') || !resolved.url.endsWith('.ts')) return resolved;
  const path = relative(place.root, fileURLToPath(resolved.url));
  const copied = join(place.copy, path.replace(/\.ts$/, '.mjs'));
  return !path.startsWith('..') && existsSync(copied) ? { ...resolved, url: pathToFileURL(copied).href, format: 'module' } : resolved;
}
