/** Which code makes the numbers of a program: the files that its kind names, and what it is told at its start. */
import { readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { canonicalJson } from '../ablation/json.ts';
import type { ProgramCode } from '../ablation/kind.ts';
import { hashOfFiles } from './file-hash.ts';

/** More is no code: a folder of data, say. */
const MOST_FILES = 5000;

/** What interpreters and people leave beside code. */
const NO_SOURCE = /^(?:\..*|__pycache__|node_modules|.*\.py[co])$/;

/** @param module file that declares the kind, relative to which the sources lie */
export function codeOfProgram({ sources, told }: ProgramCode, module: string | undefined): { readonly hash: string; readonly files: readonly string[] } | { readonly unknown: string } {
  if (module === undefined) return { unknown: 'the file that declares it cannot be told' };
  const folder = dirname(module);
  try {
    const files = [...new Set(sources.flatMap(source => filesIn(resolve(folder, source))))];
    if (files.length > MOST_FILES) return { unknown: `expected at most ${MOST_FILES} files of sources, got ${files.length}; name files, or a smaller folder` };
    return { hash: hashOfFiles(files, folder, canonicalJson(told)), files };
  } catch (error) {
    return { unknown: `expected to read its sources (${sources.join(', ')}) in ${folder}, got: ${(error as Error).message}` };
  }
}

/** A file itself, or all files below a folder, in one order. */
function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const files = readdirSync(path, { withFileTypes: true })
    .filter(({ name }) => !NO_SOURCE.test(name))
    .flatMap(entry => (entry.isSymbolicLink() ? (statSync(join(path, entry.name)).isFile() ? [join(path, entry.name)] : []) : filesIn(join(path, entry.name))));
  return files.sort();
}
