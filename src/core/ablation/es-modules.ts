/** Declarations are ES modules, whatever the `package.json` above them says and where there is none, and by our name they import this very package. */
import { existsSync, readFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { initialize, resolve, type Project } from './module-hook.mjs';

/** Hooks in this thread: since Node 22.15; `register` is deprecated in Node 26. */
const { registerHooks } = nodeModule as { readonly registerHooks?: (hooks: { readonly resolve: typeof resolve }) => void };

const known = new Set<string>();

/**
 * Lets `file`, and what it imports from its project, load as ES modules. As CommonJS they would get copies of our modules of
 * their own, whose errors we would not know as ours. `.cjs` and `.cts` remain what they are. The same holds for
 * `tinymim-ablations`: it is the package that runs, which need not be installed there.
 * @param file absolute path
 */
export function esModules(file: string): void {
  const { root, type } = projectOf(file);
  if (known.has(root)) return;
  known.add(root);
  hook({ root: `${pathToFileURL(root).href.replace(/\/$/, '')}/`, esModules: type !== 'module' });
}

function hook(project: Project): void {
  if (registerHooks === undefined) {
    nodeModule.register('./module-hook.mjs', import.meta.url, { data: project });
    return;
  }
  if (known.size === 1) registerHooks({ resolve });
  initialize(project);
}

/** The folder of the nearest `package.json`, or else the root of the file system. */
function projectOf(file: string): { readonly root: string; readonly type: unknown } {
  for (let dir = dirname(file); ; dir = dirname(dir)) {
    const manifest = join(dir, 'package.json');
    if (existsSync(manifest)) return { root: dir, type: (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: unknown }).type };
    if (dir === dirname(dir)) return { root: dir, type: undefined };
  }
}
