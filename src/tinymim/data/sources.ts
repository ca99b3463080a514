/** Ways to fetch data files: a folder of the user's, a package of Debian and its descendants, an address on the web. */
import { createWriteStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa, ExecaError } from 'execa';
import type { KnownFile, Source } from './files.ts';

const MINUTES = 60_000;

/** A folder that the user names, so a failure is final. */
export function folderSource(variable: string, folder: string): Source {
  return {
    title: `${variable}=${folder}`,
    chosen: true,
    async fetch() {
      const found = await stat(folder).catch(() => undefined);
      if (!found?.isDirectory()) throw new Error(`Expected a folder, got ${found ? 'something else' : 'nothing'} there`);
      return folder;
    },
  };
}

export interface DebianPackage {
  readonly name: string;
  /** Where the files lie once it is unpacked, relative to the root. */
  readonly folder: string;
  readonly megabytes: number;
}

/** Unpacks a package without installing it, so no rights are needed, only package lists (which root can update). */
export function debianSource(debian: DebianPackage): Source {
  return {
    title: `Debian package ${debian.name} (apt-get download)`,
    async fetch(_files, scratch, say) {
      say(`Downloading the Debian package ${debian.name} (${debian.megabytes} MB), unpacked without installing it ...`);
      await downloadPackage(debian.name, scratch, say);
      const archive = (await readdir(scratch)).find(name => name.endsWith('.deb'));
      if (archive === undefined) throw new Error('Expected apt-get download to leave a .deb file, got none');
      const root = join(scratch, 'root');
      await command('dpkg', ['-x', join(scratch, archive), root], scratch);
      return join(root, debian.folder);
    },
  };
}

/** What apt says where its lists are empty or too old. */
const LISTS = /Unable to locate package|no candidate|404/;

async function downloadPackage(name: string, cwd: string, say: (line: string) => void): Promise<void> {
  const download = (): Promise<void> => command('apt-get', ['download', '-q', ...APT_OPTIONS, name], cwd);
  try {
    await download();
  } catch (error) {
    const { message } = error as Error;
    if (!LISTS.test(message)) throw error;
    if (process.getuid?.() !== 0) throw new Error(`${message} (the package lists may be empty: run apt-get update as root)`, { cause: error });
    say('The package lists do not have it; updating them (apt-get update) ...');
    await command('apt-get', ['update', '-q', ...APT_OPTIONS], cwd);
    await download();
  }
}

/** A mirror that does not answer should fail soon, not hang. */
const APT_OPTIONS = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=30', '-o', 'Acquire::https::Timeout=30'];

async function command(file: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await execa(file, args, { cwd, env: { LC_ALL: 'C' }, stdin: 'ignore', timeout: 10 * MINUTES });
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    if (error.code === 'ENOENT') throw new Error(`Expected the command ${file}, got none on this system`, { cause: error });
    const lines = (error.stderr ?? '').split('\n').filter(line => line.startsWith('E:') || line.includes('error'));
    throw new Error(lines.length > 0 ? lines.join(' ') : error.shortMessage, { cause: error });
  }
}

/** `<address>/<name>.gz` for each file. Content is verified by its sum, so plain http will do. */
export function webSource(title: string, address: string, megabytes: number): Source {
  return {
    title: `${title} (${address})`,
    async fetch(files, scratch, say) {
      say(`Downloading ${files.length} files (${megabytes} MB) from ${address} ...`);
      for (const file of files) await downloadFile(`${address}/${file.name}.gz`, join(scratch, `${file.name}.gz`), file);
      return scratch;
    },
  };
}

async function downloadFile(address: string, path: string, { bytes }: KnownFile): Promise<void> {
  const response = await fetch(address, { signal: AbortSignal.timeout(10 * MINUTES) }).catch((cause: unknown) => {
    throw new Error(`${address}: ${reason(cause)}`, { cause });
  });
  if (!response.ok || !response.body) throw new Error(`${address}: Expected status 200, got ${response.status} ${response.statusText}`);
  await pipeline(Readable.from(response.body), atMost(bytes + 1024, address), createWriteStream(path));
}

/** Passes bytes on until there are more than the packed file can have: a wrong server must not fill the disk. */
function atMost(limit: number, address: string): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > limit) done(new Error(`${address}: Expected at most ${limit} bytes, got more`));
      else done(null, chunk);
    },
  });
}

/** Node's fetch says only "fetch failed"; what happened is in its cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message;
}
