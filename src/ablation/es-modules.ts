/** Declarations are ES modules, whatever the `package.json` above them says, and where there is none. */
import { existsSync, readFileSync } from 'node:fs';
import { register } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const known = new Set<string>();

/**
 * Lets `file`, and what it imports from its project, load as ES modules. As CommonJS they would get copies of our modules of
 * their own, whose errors we would not know as ours. `.cjs` and `.cts` remain what they are.
 * @param file absolute path
 */
export function esModules(file: string): void {
  const { root, type } = projectOf(file);
  if (type === 'module' || known.has(root)) return;
  known.add(root);
  register('./module-hook.mjs', import.meta.url, { data: { root: `${pathToFileURL(root).href.replace(/\/$/, '')}/` } });
}

/** The folder of the nearest `package.json`, or else the root of the file system. */
function projectOf(file: string): { readonly root: string; readonly type: unknown } {
  for (let dir = dirname(file); ; dir = dirname(dir)) {
    const manifest = join(dir, 'package.json');
    if (existsSync(manifest)) return { root: dir, type: (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: unknown }).type };
    if (dir === dirname(dir)) return { root: dir, type: undefined };
  }
}
