/**
 * How Node runs our TypeScript. Node 20 cannot by itself, and hooks that let it cost messages to a thread and back for each module, of
 * which there are hundreds. So the program runs from a copy of itself in JavaScript, which the first start after a change makes. Hooks
 * (tsx) are for declarations elsewhere, and where no copy can be made.
 */
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import { findCopy } from './compiled-copy.mjs';
import { initialize, resolve } from './copy-hook.mjs';

export { sourceOf } from './copy-hook.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Folder of the copy that this process runs from; undefined: from the sources. */
let copy;
let started = false;
let registered = false;

/** @type {typeof import('./typescript.d.mts').importOwn} */
export async function importOwn(url) {
  await startTypeScript();
  return import(ownUrl(url.href));
}

/** @type {typeof import('./typescript.d.mts').ownUrl} */
export const ownUrl = url => resolve(url, undefined, () => ({ url })).url;

/** @type {typeof import('./typescript.d.mts').allowTypeScript} */
export async function allowTypeScript() {
  if (!started || registered) return;
  registered = true;
  // Its cache of compiled files would stand in a folder of the shared temporary directory that anybody can make before us, and is trusted.
  process.env.TSX_DISABLE_CACHE = '1';
  const { register } = await import('tsx/esm/api');
  register();
  if (copy === undefined) return;
  if (nodeModule.registerHooks === undefined) nodeModule.register('./copy-hook.mjs', import.meta.url, { data: { root: ROOT, copy } });
  else nodeModule.registerHooks({ resolve });
}

/** @type {typeof import('./typescript.d.mts').startTypeScript} */
export async function startTypeScript() {
  if (started) return;
  started = true;
  copy = await findCopy(ROOT);
  if (copy === undefined) return allowTypeScript();
  initialize({ root: ROOT, copy });
  process.setSourceMapsEnabled(true);
}
