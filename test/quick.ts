/** `make test ARGS=quick`: which tests need npm packages and nothing else. A rule says so, and no list, so that new files need no entry. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');

/** Kinds of tests of which some compute nothing. Whole sweeps, golden values and browsers are left out altogether. */
export const QUICK_PROJECTS = ['unit', 'property', 'fuzz'] as const;

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

export interface QuickChoice {
  /** Paths from the root of the checkout. */
  readonly chosen: readonly string[];
  readonly leftOut: readonly string[];
}

export function quickFiles(): QuickChoice {
  const files = QUICK_PROJECTS.flatMap(project =>
    readdirSync(join(ROOT, 'test', project), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.test.ts'))
      .map(name => join('test', project, name)),
  );
  const leftOut = new Set(files.filter(file => reachesEngine(join(ROOT, file))));
  return { chosen: files.filter(file => !leftOut.has(file)), leftOut: [...leftOut] };
}
