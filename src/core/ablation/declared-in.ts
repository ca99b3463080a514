/** Which modules declare a kind. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sourceOf } from '../../start/typescript.mjs';

const known = new WeakMap<object, readonly string[]>();

/** Files of the modules that were at work when the kind was declared, the innermost first; of a kind that names none, its study's. Real paths. */
export const modulesOf = (kind: object): readonly string[] => known.get(kind) ?? [];

/** @param declare the function that was called to declare the kind. @returns its modules */
export function declaredByCaller(kind: object, declare: (kind: never) => unknown): readonly string[] {
  const modules = callersOf(declare);
  known.set(kind, modules);
  return modules;
}

/** For a kind that was written out, or copied from another. @param file of its study */
export function declaredInFile(kind: object, file: string): void {
  if (modulesOf(kind).length === 0) known.set(kind, [realpathSync(file)]);
}

/** By V8's stack trace API: nothing else says who called. */
function callersOf(called: (kind: never) => unknown): string[] {
  const trace: { stack?: unknown } = {};
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  try {
    // Whoever awaits the import of a module stands there, too, and declares nothing.
    Error.prepareStackTrace = (_, sites) => sites.filter(site => !site.isAsync()).map(site => site.getFileName() ?? '');
    Error.captureStackTrace(trace, called);
    return [...new Set((trace.stack as string[]).flatMap(fileOf))];
  } finally {
    if (before === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Object.defineProperty(Error, 'prepareStackTrace', before);
  }
}

/** Modules are named by their addresses, with what loaders add to them, or by their paths. Node's own are none of ours. */
function fileOf(name: string): string[] {
  if (name.startsWith('/')) return [sourceOf(name)];
  if (!name.startsWith('file:')) return [];
  const url = new URL(name);
  return [sourceOf(fileURLToPath(`file://${url.pathname}`))];
}
