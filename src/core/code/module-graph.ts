/** Which files a module loads, directly or not, as its source says: nothing is run, and nothing depends on what a process has loaded so far. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, extname, resolve } from 'node:path';
import type { BuildOptions, Metafile } from 'esbuild';

const require = createRequire(import.meta.url);

/** Loaded when it is needed: its library is large. */
const esbuild = (): typeof import('esbuild') => require('esbuild') as typeof import('esbuild');

/** Files that a file imports, or names by `new URL('...', import.meta.url)`: workers and data. Absolute real paths. */
export type ModuleGraph = ReadonlyMap<string, ReadonlySet<string>>;

const MODULES = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.tsx', '.jsx']);

/**
 * Of packages only those that lie in no `node_modules` are followed, as of a workspace. An import whose address is computed is not seen.
 * @param roots absolute paths of modules
 * @throws Error as esbuild does, for what it cannot resolve or parse
 */
export function moduleGraph(roots: readonly string[]): ModuleGraph {
  const graph = new Map<string, Set<string>>();
  let open = roots.map(file => realpathSync(file));
  while (open.length > 0) {
    const found = new Set<string>();
    for (const [file, imports] of importsFrom(open)) {
      if (graph.has(file)) continue;
      const named = filesNamedIn(file);
      graph.set(file, new Set([...imports, ...named]));
      for (const other of named) found.add(other);
      for (const other of imports) found.add(other);
    }
    open = [...found].filter(file => !graph.has(file) && MODULES.has(extname(file)));
  }
  return graph;
}

/** The files of the graph that can be reached from these, and these themselves. */
export function reachable(graph: ModuleGraph, roots: readonly string[]): string[] {
  const files = new Set(roots);
  for (const file of files) for (const other of graph.get(file) ?? []) files.add(other);
  return [...files];
}

/** What imports do not decide: nothing is written. */
const OPTIONS = {
  bundle: true,
  write: false,
  metafile: true,
  outdir: 'nowhere',
  format: 'esm',
  platform: 'node',
  packages: 'external',
  treeShaking: false,
  ignoreAnnotations: true,
  logLevel: 'silent',
  absWorkingDir: '/',
  loader: Object.fromEntries(['.node', '.wasm', '.txt', '.md', '.csv', '.tsv', '.yaml', '.yml', '.toml', '.html', '.sql', '.py', '.bin'].map(extension => [extension, 'empty'])),
} satisfies BuildOptions;

function importsFrom(entries: readonly string[]): [string, string[]][] {
  const { metafile } = esbuild().buildSync({ ...OPTIONS, entryPoints: [...entries] });
  return Object.entries(metafile.inputs).map(([path, { imports }]) => {
    const file = resolve('/', path);
    return [file, imports.flatMap(one => importedFile(one, file))];
  });
}

function importedFile({ path, external }: Metafile['inputs'][string]['imports'][number], importer: string): string[] {
  if (external !== true) return [resolve('/', path)];
  if (isBuiltin(path)) return [];
  try {
    const file = realpathSync(createRequire(importer).resolve(path));
    return isOfPackage(file) ? [] : [file];
  } catch {
    return []; // a package that is not there, or that only `import` finds
  }
}

export const isOfPackage = (file: string): boolean => file.includes('/node_modules/');

const NAMED = /(?:\bnew\s+URL\(\s*(["'`])([^"'`$\\]+)\1\s*,\s*import\.meta\.url|\bimport\.meta\.resolve\(\s*(["'`])(\.{1,2}\/[^"'`$\\]+)\3)/g;

/** Only files that are there: an address may as well be that of a folder, or of something else. */
function filesNamedIn(file: string): string[] {
  if (!MODULES.has(extname(file))) return [];
  const addresses = [...readFileSync(file, 'utf8').matchAll(NAMED)].map(match => (match[2] ?? match[4])!);
  return addresses
    .filter(address => !/^[\w.+-]+:/.test(address))
    .map(address => resolve(dirname(file), address))
    .filter(path => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    .map(path => realpathSync(path));
}
