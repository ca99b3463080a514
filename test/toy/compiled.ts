/**
 * The framework and the toy study as JavaScript, in a folder of their own. Node starts them in a third of the time that it takes to load
 * TypeScript, and tests start hundreds of processes, many of them only to kill them.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync, transformSync } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const filesBelow = (folder: string): string[] => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map(name => join(folder, name));

/** Relative addresses of sources, in imports and in `new URL`, lead to what is made of them. */
const readdressed = (code: string): string => code.replaceAll(/(["'])(\.{1,2}\/[\w./-]+)\.ts\1/g, '$1$2.js$1');

/** @param file where it comes to stand: what is bundled moves, but its addresses do not */
const compiled = (source: string, file: string): string => {
  const define = { 'import.meta.url': JSON.stringify(pathToFileURL(file).href) };
  return readdressed(transformSync(source, { loader: 'ts', format: 'esm', target: 'node20', define }).code);
};

const ENTRIES = /^test\/toy\/(?:(?:drive|store-client)\.js|experiments\/|hardship\/)|^src\/core\/runner\/(?:worker|process-tree)\.js$/;

let root: string | undefined;

/** The driver of toy sweeps as JavaScript (`drive.ts`); its workers are, too. Made at the first call, gone with this process. */
export const compiledDriver = (): string => join((root ??= compileToy()), 'test/toy/drive.js');
/** The same of `store-client.ts`. */
export const compiledClient = (): string => join((root ??= compileToy()), 'test/toy/store-client.js');

function compileToy(): string {
  const target = realpathSync(mkdtempSync(join(tmpdir(), 'ablate-compiled-')));
  process.on('exit', () => rmSync(target, { recursive: true, force: true }));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    writeFileSync(join(target, file), text);
  };
  const files = ['src/installation.ts', ...['src/core', 'test/toy'].flatMap(filesBelow)];
  const scripts = files.filter(name => name.endsWith('.ts')).map(name => name.replace(/\.ts$/, '.js'));
  for (const file of scripts) write(file, compiled(readFileSync(join(ROOT, file.replace(/js$/, 'ts')), 'utf8'), join(target, file)));
  for (const file of files.filter(name => name.endsWith('.mjs'))) write(file, readdressed(readFileSync(join(ROOT, file), 'utf8')));
  // Nothing is left to compile.
  write(
    'src/start/typescript.mjs',
    'export const ownUrl = url => url; export const sourceOf = file => file; export const allowTypeScript = async () => undefined; export const importOwn = url => import(url.href.replace(/ts$/, "js"));',
  );
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(ROOT, file), join(target, file));
  symlinkSync(join(ROOT, 'node_modules'), join(target, 'node_modules'));
  // What starts or is loaded by its path, with its packages: a few files in place of hundreds.
  buildSync({
    entryPoints: scripts.filter(file => ENTRIES.test(file)).map(file => join(target, file)),
    outdir: target,
    outbase: target,
    allowOverwrite: true,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" }, // for packages in CommonJS
    logLevel: 'error',
  });
  return target;
}
