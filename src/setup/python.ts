/** Python is used for two things that it has everywhere: pip (which knows the user's mirrors) and zipfile. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { SetupError, tail } from './errors.ts';
import type { PinnedWheel } from './pinned-wheels.ts';
import { SETUP } from '../installation.ts';
import type { PrintLine } from '../tinymim/data/files.ts';

/** Command that installs a package of the system, where its package manager is known. */
export function systemPackage(debian: string, otherwise: string): string {
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  if (existsSync('/etc/debian_version')) return `${sudo}apt-get install ${debian}`;
  return otherwise;
}

/**
 * @returns version of Python
 * @throws SetupError `NO_PYTHON`
 */
export async function requirePython(): Promise<string> {
  const python = await execa('python3', ['--version'], { reject: false, timeout: 60_000 });
  if (!python.failed) return python.stdout.replace('Python ', '');
  throw new SetupError('NO_PYTHON', "Expected python3 on the PATH: pip takes TensorFlow's library from its official wheel.", systemPackage('python3 python3-pip', 'install Python 3 with pip'), {
    cause: python,
  });
}

/** The first pip that takes several `--platform`. */
const LEAST_PIP = '20.3';

/**
 * @returns version of Python and of pip
 * @throws SetupError `NO_PYTHON`, `NO_PIP`, `OLD_PIP`
 */
export async function requirePip(): Promise<{ python: string; pip: string }> {
  const python = await requirePython();
  const run = await execa('python3', ['-m', 'pip', '--version'], { reject: false, timeout: 60_000 });
  if (run.failed) {
    throw new SetupError('NO_PIP', `Expected Python ${python} to have pip, got: ${tail(run.stderr, 1).trim()}`, systemPackage('python3-pip', 'python3 -m ensurepip --user'), { cause: run });
  }
  const pip = /^pip (\S+)/.exec(run.stdout)?.[1] ?? run.stdout;
  if (pip.localeCompare(LEAST_PIP, 'en', { numeric: true }) < 0) {
    throw new SetupError('OLD_PIP', `Expected pip ${LEAST_PIP} or newer, got ${pip}.`, 'python3 -m pip install --user --upgrade pip');
  }
  return { python, pip };
}

/**
 * Downloads wheels for another Python and platform than pip's own: the library in them needs no Python at all.
 * The user's configuration of pip (mirrors, certificates, proxies) is honoured; whether the files are the pinned ones is for the caller to check.
 * @param folder an empty folder; pip's temporary files go there too, so that a small /tmp does not matter
 * @returns paths of the wheels
 * @throws SetupError `NO_WHEEL`, `NO_SPACE`, `PIP_FAILED`, each with the end of pip's message
 */
export async function downloadWheels(wheels: readonly PinnedWheel[], folder: string, say: PrintLine): Promise<string[]> {
  const names = wheels.map(wheel => wheelName(wheel));
  const requirements = names.map(({ requirement }) => requirement),
    tags = [...new Set(names.flatMap(name => name.tags))];
  const bytes = wheels.reduce((sum, wheel) => sum + wheel.bytes, 0);
  const stop = sayProgress(folder, bytes, say);
  const pip = await execa(
    'python3',
    [
      '-m',
      'pip',
      'download',
      '--no-deps',
      '--only-binary=:all:',
      '--python-version',
      '3.12',
      ...tags.flatMap(tag => ['--platform', tag]),
      '--no-cache-dir',
      '--disable-pip-version-check',
      '--no-input',
      '--progress-bar',
      'off',
      '--dest',
      folder,
      ...requirements,
    ],
    { reject: false, all: true, stdin: 'ignore', env: { TMPDIR: folder } },
  );
  stop();
  if (pip.failed) throw pipError(requirements, tags, pip);
  return (await readdir(folder)).filter(name => name.endsWith('.whl')).map(name => path.join(folder, name));
}

/** What the name of a wheel says (`<package>-<version>-<python>-<abi>-<platforms>.whl`), as pip takes it. */
function wheelName({ file }: PinnedWheel): { requirement: string; tags: string[] } {
  const [name = '', version = '', , , platforms = ''] = file.replace(/\.whl$/, '').split('-');
  return { requirement: `${name.replaceAll('_', '-')}==${version}`, tags: platforms.split('.') };
}

/** What pip could not do: it says so in words only. */
function pipError(requirements: readonly string[], tags: readonly string[], pip: { readonly all: string; readonly shortMessage?: string | undefined }): SetupError {
  const names = requirements.join(', ');
  const said = tail(pip.all) || `    ${pip.shortMessage ?? ''}`;
  const options = { cause: pip };
  if (/Errno (?:28|122)\b|No space left|quota exceeded/i.test(pip.all)) {
    return new SetupError(
      'NO_SPACE',
      `The disk of the cache is full: pip could not download ${names}:\n${said}`,
      `free some space there, or name a folder on another disk: export TINYMIM_CACHE=/path/to/folder; then run \`${SETUP}\` again`,
      options,
    );
  }
  if (/No matching distribution/.test(pip.all) && !/Retrying|connection|timed out|Could not fetch|HTTP error/i.test(pip.all)) {
    return new SetupError(
      'NO_WHEEL',
      `pip found no wheel of ${names} for this platform (${tags.join(', ')}):\n${said}`,
      `name an index that has it: PIP_INDEX_URL=https://... ${SETUP} (python3 -m pip config list says which one is asked now)`,
      options,
    );
  }
  return new SetupError('PIP_FAILED', `pip could not download ${names}:\n${said}`, `check the network (or the mirror: python3 -m pip config list), then run \`${SETUP}\` again`, options);
}

const PROGRESS_MS = 5_000;

/** Says now and then how many megabytes have come. Returns the function that ends it. */
function sayProgress(folder: string, bytes: number, say: PrintLine): () => void {
  const look = async (): Promise<void> => {
    const done = await folderBytes(folder).catch(() => 0);
    say(`  ${Math.round(done / 1e6)} of ${Math.round(bytes / 1e6)} MB`);
  };
  const timer = setInterval(() => void look(), PROGRESS_MS);
  return () => clearInterval(timer);
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(
    entries.map(async name => {
      const info = await stat(path.join(folder, name));
      return info.isFile() ? info.size : 0;
    }),
  );
  return sizes.reduce((a, b) => a + b, 0);
}

/** Size and SHA-256 (hex) of a file. */
export interface FileRecord {
  readonly bytes: number;
  readonly sha256: string;
}

const UNPACK = fileURLToPath(new URL('unpack.py', import.meta.url));

/**
 * Unpacks the members of wheels whose names start with one of `prefixes` below `destination`.
 * @returns a record of each file, by its name in the wheel
 * @throws SetupError `BAD_WHEEL` when a wheel is damaged, `UNPACK_FAILED` when the files cannot be written
 */
export async function unpackWheels(wheels: readonly string[], prefixes: readonly string[], destination: string): Promise<Record<string, FileRecord>> {
  const run = await execa('python3', [UNPACK, destination, ...prefixes, '--', ...wheels], { reject: false, stdin: 'ignore' });
  if (!run.failed) return JSON.parse(run.stdout) as Record<string, FileRecord>;
  const names = wheels.map(wheel => path.basename(wheel)).join(', ');
  if (run.exitCode === 3) {
    throw new SetupError('BAD_WHEEL', `Expected ${names} to be whole, got: ${tail(run.stderr, 1).trim()}`, `run \`${SETUP}\` again: it is downloaded anew`, { cause: run });
  }
  throw new SetupError(
    'UNPACK_FAILED',
    `Could not unpack ${names} to ${destination}:\n${tail(run.stderr) || `    ${run.shortMessage}`}`,
    `check the disk (space, rights), then run \`${SETUP}\` again`,
    { cause: run },
  );
}
