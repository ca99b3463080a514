/**
 * Which unit and property tests share processes: to load the modules, and an engine all the more, takes longer than most tests.
 * - `shared` reach no engine: they need npm packages and nothing else, and are what `make test ARGS=quick` runs.
 * - `engine` reach one, which is a single global per process, and are content with the native one on one thread.
 * - `isolated` have a process each: they replace modules, choose another engine, or set what it reads when it is loaded.
 * Rules say so, and no lists, so that new files need no entry.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');

/** What computes, or brings what does. */
const ENGINE = /^src\/engine\/(tf|backend|selftest)\.ts$|^src\/engine\/backends\/|^src\/tinymim\/(nn|optim|distill|stages)\//;

const TYPE_IMPORT = /^(?:import|export) type [^;]*;/gm;
/** A module that is imported, now or later, and a program that is started. */
const NAMED = /'(\.{1,2}\/[^']+\.(?:ts|mjs))'/g;

function filesNamedBy(file: string): string[] {
  const text = readFileSync(file, 'utf8').replaceAll(TYPE_IMPORT, '');
  return [...text.matchAll(NAMED)].map(([, path]) => resolve(dirname(file), path!)).filter(path => existsSync(path));
}

/** Whether a file, or one that it names, and so on, is part of an engine. */
function reachesEngine(file: string): boolean {
  const reached = new Set([file]);
  for (const path of reached) {
    if (ENGINE.test(relative(ROOT, path))) return true;
    for (const named of filesNamedBy(path)) reached.add(named);
  }
  return false;
}

const MOCKED = /\bvi\.mock\(/;

/** Another engine than `loadEngine({ device: 'cpu', threads: 1 })`, one that has run nothing yet, or a process in another state when it is loaded. */
const OTHER_ENGINE = /'wasm'|\bplacedDistillation\(|\bthreads: (?!1\b)\d|\bsetBackend\(|\bprocess\.env\b/;

/** Paths from the root of the checkout. */
export interface TestFiles {
  readonly shared: readonly string[];
  readonly engine: readonly string[];
  readonly isolated: readonly string[];
}

/** @param kind folder of `test` */
export function testFiles(kind: 'unit' | 'property'): TestFiles {
  const files = readdirSync(join(ROOT, 'test', kind), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts'))
    .map(name => join('test', kind, name));
  const found: Record<keyof TestFiles, string[]> = { shared: [], engine: [], isolated: [] };
  for (const file of files) found[companyOf(join(ROOT, file))].push(file);
  return found;
}

function companyOf(file: string): keyof TestFiles {
  const text = readFileSync(file, 'utf8');
  if (MOCKED.test(text)) return 'isolated';
  if (!reachesEngine(file)) return 'shared';
  return OTHER_ENGINE.test(text) ? 'isolated' : 'engine';
}
