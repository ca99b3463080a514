/** Data files with known content, kept in a folder: checked against their SHA-256 sums, fetched from the first source that works. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DataError } from './errors.ts';
import { gunzip, isGzip } from './idx.ts';

/** One file, by its content: sources may hold it gzipped (`<name>.gz`), and gzip's bytes differ between publishers. */
export interface KnownFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export type PrintLine = (line: string) => void;

/** Somewhere to get the files from. */
export interface Source {
  readonly title: string;
  /** The user asked for this one: if it fails, no other is tried. */
  readonly chosen?: boolean;
  /**
   * @param scratch an empty folder, removed afterwards
   * @returns the folder that holds the files, each plain or gzipped
   */
  fetch(files: readonly KnownFile[], scratch: string, say: PrintLine): Promise<string>;
}

export interface FilesStatus {
  readonly state: 'present' | 'missing' | 'damaged';
  /** Bytes found in files of these names. */
  readonly bytes: number;
  readonly dir: string;
  /** One line for each file that is missing or damaged. */
  readonly problems: readonly string[];
}

/** Reads and checks all files. `damaged`: something is there, but not all of it as it should be. */
export function filesStatus(dir: string, files: readonly KnownFile[]): FilesStatus {
  const found = files.map(file => check(join(dir, file.name), file));
  const problems = found.flatMap(({ problem }) => problem ?? []);
  const missing = found.every(({ content, isOther }) => content === undefined && isOther !== true);
  return {
    state: problems.length === 0 ? 'present' : missing ? 'missing' : 'damaged',
    bytes: found.reduce((sum, { content }) => sum + (content?.length ?? 0), 0),
    dir,
    problems,
  };
}

/**
 * Puts the files into `dir`, from the first source that has them all unharmed. Does nothing where they are there already.
 * A file appears complete and checked or not at all, so an interrupted call, or two at once, do no harm.
 * @throws DataError `DATA_FETCH` with the cause of each source's failure and `mend`; `DATA_DAMAGED` where something else than a file has the name of one
 */
export async function ensureFiles(dir: string, files: readonly KnownFile[], sources: readonly Source[], mend: string, say: PrintLine): Promise<void> {
  const before = filesStatus(dir, files);
  if (before.state === 'present') return;
  const inTheWay = files.map(file => notAFile(join(dir, file.name))).find(problem => problem !== undefined);
  if (inTheWay !== undefined) throw new DataError('DATA_DAMAGED', `${inTheWay}.`);
  if (before.state === 'damaged') say(`Fetching again: ${before.problems.join('; ')}.`);
  mkdirSync(dir, { recursive: true });
  removeStale(dir);
  const failures: string[] = [];
  for (const source of sources) {
    const scratch = mkdtempSync(join(dir, SCRATCH));
    try {
      const from = await source.fetch(files, scratch, say);
      const contents = files.map(file => readFetched(from, file));
      files.forEach((file, i) => place(join(scratch, `${file.name}.checked`), join(dir, file.name), contents[i]!));
      return;
    } catch (error) {
      failures.push(`${source.title}: ${error instanceof Error ? error.message : String(error)}`);
      say(failures.at(-1)!);
      if (source.chosen) break;
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }
  throw new DataError('DATA_FETCH', `Expected one way to get the data to work, got:\n${failures.map(line => `  - ${line}`).join('\n')}\n${mend}`);
}

/** The content of a file of `dir`. @throws DataError `DATA_MISSING`, `DATA_DAMAGED` */
export function readKnownFile(dir: string, file: KnownFile, mend: string): Uint8Array {
  const { content, problem, isOther } = check(join(dir, file.name), file);
  if (problem !== undefined || content === undefined) {
    throw new DataError(content === undefined && isOther !== true ? 'DATA_MISSING' : 'DATA_DAMAGED', `${problem}. ${mend}`);
  }
  return content;
}

const SCRATCH = '.fetching-';
const STALE_MS = 3_600_000; // far longer than any fetch takes

function removeStale(dir: string): void {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    const age = (): number => Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity);
    if (name.startsWith(SCRATCH) && age() > STALE_MS) rmSync(path, { recursive: true, force: true });
  }
}

interface Checked {
  readonly content?: Uint8Array;
  readonly problem?: string;
  /** Something that is no file has the name. */
  readonly isOther?: boolean;
}

/** A folder, or a pipe whose reader would wait for ever. */
function notAFile(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined || stats.isFile() ? undefined : `Expected ${path} to be a file, got ${stats.isDirectory() ? 'a folder' : 'a pipe or device'}: move it away`;
}

function check(path: string, file: KnownFile): Checked {
  const other = notAFile(path);
  if (other !== undefined) return { problem: other, isOther: true };
  const content = readIfThere(path);
  if (!content) return { problem: `Expected the file ${path}, got none` };
  const problem = differs(content, path, file);
  return problem === undefined ? { content } : { content, problem };
}

function differs(content: Uint8Array, path: string, { bytes, sha256 }: KnownFile): string | undefined {
  if (content.length !== bytes) return `Expected ${path} to have ${bytes} bytes, got ${content.length}`;
  const sum = createHash('sha256').update(content).digest('hex');
  return sum === sha256 ? undefined : `Expected ${path} to have the SHA-256 sum ${sha256}, got ${sum}`;
}

/** The checked content of a fetched file, unpacked. */
function readFetched(dir: string, file: KnownFile): Uint8Array {
  const plain = join(dir, file.name),
    gzipped = `${plain}.gz`;
  const path = statSync(gzipped, { throwIfNoEntry: false }) ? gzipped : plain;
  const other = notAFile(path);
  if (other !== undefined) throw new DataError('DATA_DAMAGED', other);
  const raw = readIfThere(path);
  if (!raw) throw new DataError('DATA_MISSING', `Expected ${file.name}.gz or ${file.name} in ${dir}, got neither`);
  const content = isGzip(raw) ? gunzip(raw, path, file.bytes) : raw;
  const problem = differs(content, path, file);
  if (problem !== undefined) throw new DataError('DATA_DAMAGED', problem);
  return content;
}

function place(temporary: string, path: string, content: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(temporary, content, { flush: true });
  renameSync(temporary, path);
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
