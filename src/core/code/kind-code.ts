/**
 * Which code makes the numbers of a kind: a hash of the files that its module loads, or of the sources of the program that it runs. Packages do not
 * count, and neither does this program, except for kinds that are its own: another version of either is in the provenance.
 */
import { dirname } from 'node:path';
import { ROOT } from '../../installation.ts';
import { modulesOf } from '../ablation/declared-in.ts';
import type { StageKind } from '../ablation/kind.ts';
import { codeOfProgram } from './program-code.ts';
import { hashOfFiles } from './file-hash.ts';
import { isOfPackage, moduleGraph, reachable, type ModuleGraph } from './module-graph.ts';

export interface KindCode {
  /** 128 bits in hexadecimal. Of contents, whose ends of lines do not count, and of where files stand to each other. */
  readonly hash: string;
  /** Absolute paths, the module of the kind first. */
  readonly files: readonly string[];
}

/** Why it cannot be told. */
export interface UnknownCode {
  readonly unknown: string;
}

/** As a process first found it: what it has loaded stays what it is. */
const known = new WeakMap<object, KindCode | UnknownCode>();

/** The code of each kind, by name. Of a process that has asked before: as it was then; but a program loads its sources anew at each start. */
export function codeOfKinds(kinds: readonly StageKind[]): Map<string, KindCode | UnknownCode> {
  for (const kind of kinds) if (kind.program !== undefined) known.set(kind, codeOfProgram(kind.program, modulesOf(kind)[0]));
  const open = kinds.filter(kind => !known.has(kind));
  const graph = graphOf(open.flatMap(rootsOf));
  for (const kind of open) known.set(kind, graph instanceof Error ? alone(kind) : codeIn(graph, kind));
  return new Map(kinds.map(kind => [kind.name, known.get(kind)!]));
}

/** @param expected as another process found it, of which only the contents are looked at: much faster where it is still so */
export function codeOfKind(kind: StageKind, expected?: KindCode): KindCode | UnknownCode {
  if (expected !== undefined && !known.has(kind) && rootsOf(kind)[0] === expected.files[0] && hashIfThere(expected.files) === expected.hash) known.set(kind, expected);
  return codeOfKinds([kind]).get(kind.name)!;
}

const isProgram = (file: string): boolean => ['src/', 'experiments/'].some(folder => file.startsWith(`${ROOT}${folder}`));
const isOthers = (file: string): boolean => !isProgram(file) && !isOfPackage(file);

/** Modules of the study, where there are any on the way to the kind, else of this program. */
function rootsOf(kind: StageKind): readonly string[] {
  const modules = modulesOf(kind);
  const others = modules.filter(isOthers);
  return others.length > 0 ? others : modules.filter(isProgram);
}

function graphOf(roots: readonly string[]): ModuleGraph | Error {
  try {
    return moduleGraph(roots);
  } catch (error) {
    return error as Error;
  }
}

/** Where one kind cannot be read, the others still can. */
function alone(kind: StageKind): KindCode | UnknownCode {
  const graph = graphOf(rootsOf(kind));
  return graph instanceof Error ? { unknown: graph.message.split('\n').slice(0, 3).join(' ') } : codeIn(graph, kind);
}

/** A file that cannot be read (or is too large for it) leaves the code unknown. */
function codeIn(graph: ModuleGraph, kind: StageKind): KindCode | UnknownCode {
  const roots = rootsOf(kind);
  const [module] = roots;
  if (module === undefined) return { unknown: 'its module lies in a package' };
  const counts = isProgram(module) ? isProgram : isOthers;
  const files = [module, ...reachable(graph, roots).filter(file => file !== module && counts(file))];
  try {
    return { hash: hashOf(files), files };
  } catch (error) {
    return { unknown: (error as Error).message };
  }
}

const hashOf = (files: readonly string[]): string => hashOfFiles(files, dirname(files[0]!));

function hashIfThere(files: readonly string[]): string | undefined {
  try {
    return hashOf(files);
  } catch {
    return undefined; // on another host, or just removed
  }
}
