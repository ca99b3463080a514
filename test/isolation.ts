/**
 * Which unit and property tests need a process of their own: those that reach an engine, which is one global per process, and those that
 * replace modules. All others share processes, since loading the modules takes longer than most tests; they need npm packages and nothing
 * else, and are what `make test ARGS=quick` runs. A rule says so, and no list, so that new files need no entry.
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

const replacesModules = (file: string): boolean => readFileSync(file, 'utf8').includes('vi.mock(');

/** Paths from the root of the checkout. */
export interface TestFiles {
  readonly shared: readonly string[];
  readonly isolated: readonly string[];
}

/** @param kind folder of `test` */
export function testFiles(kind: 'unit' | 'property'): TestFiles {
  const files = readdirSync(join(ROOT, 'test', kind), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts'))
    .map(name => join('test', kind, name));
  const isolated = new Set(files.filter(file => replacesModules(join(ROOT, file)) || reachesEngine(join(ROOT, file))));
  return { shared: files.filter(file => !isolated.has(file)), isolated: [...isolated] };
}
