/** Parts of a machine that lacks something, as real as they can be had: programs, users, disks, drivers. */
import { execFileSync } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execaSync } from 'execa';

export const ROOT = path.resolve(import.meta.dirname, '../..');

/** An empty folder that every user can enter. */
export function openFolder(name: string): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), `${name}-`));
  chmodSync(folder, 0o755);
  return folder;
}

/** A folder `bin` for the PATH that holds nothing but links to these programs of this machine. */
export function pathWith(folder: string, ...programs: readonly string[]): string {
  const bin = path.join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const name of programs) symlinkSync(execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), path.join(bin, name));
  return bin;
}

/** A program of a few lines of shell, in a folder for the PATH. */
export function program(folder: string, name: string, script: string): string {
  const bin = path.join(folder, 'programs');
  mkdirSync(bin, { recursive: true });
  writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return bin;
}

export const COMPILER = 'echo g++ 12';
/** A Python with a pip that can say its version, and nothing else. */
export const PYTHON = 'case "$*" in --version) echo Python 3.12.1;; "-m pip --version") echo "pip 24.0 from here";; *) exit 1;; esac';

/** Words before a command that give it to a user without rights or name; why not, where that cannot be had. */
export interface User {
  readonly prefix: readonly string[];
  readonly reason?: string;
}

/** @param uid 65534 is `nobody`; one that no line of /etc/passwd has is a user of a container */
export function otherUser(uid: number): User {
  if (process.getuid?.() !== 0) return { prefix: [], reason: 'only root can become another user' };
  const prefix = ['setpriv', '--reuid', String(uid), '--regid', '65534', '--clear-groups'];
  const { failed, stderr } = execaSync(prefix[0]!, [...prefix.slice(1), process.execPath, '-e', `fs.readdirSync(${JSON.stringify(path.join(ROOT, 'node_modules'))})`], { reject: false });
  return failed ? { prefix: [], reason: `another user cannot run this checkout: ${stderr.split('\n').find(line => /error/i.test(line)) ?? stderr}` } : { prefix };
}

/** A disk of `megabytes`; a reason where none can be mounted. */
export function smallDisk(folder: string, megabytes: number): { readonly unmount: () => void; readonly reason?: string } {
  if (process.getuid?.() !== 0) return { unmount: () => undefined, reason: 'only root can mount a small disk' };
  const { failed, stderr } = execaSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { reject: false });
  if (failed) return { unmount: () => undefined, reason: `no disk could be mounted: ${stderr.trim()}` };
  return { unmount: () => void execaSync('umount', ['-l', folder], { reject: false }) };
}

/** What `nvidia-smi -L` prints. */
export const GPUS = ['GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-1a)', 'GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-2b)'];

/** The same where the first is split into two parts, of which older drivers name one as the second. */
export const SPLIT = [GPUS[0]!, '  MIG 3g.40gb     Device  0: (UUID: MIG-a1)', '  MIG 1g.10gb     Device  1: (UUID: MIG-GPU-1a/2/0)', GPUS[1]!];

/** What `nvidia-smi --query-gpu=index,name,uuid,driver_version,memory.total,compute_cap` prints of one card. */
export const cardLine = (index: number, mebibytes: number | '[N/A]', uuid = `GPU-${index + 1}${'ab'[index] ?? 'x'}`): string =>
  `${index}, NVIDIA H100 80GB HBM3, ${uuid}, 570.86.15, ${mebibytes}, 9.0`;

/** The driver's tool, which lists these lines, and describes these cards. */
export function driverTool(folder: string, lines: readonly string[] = GPUS, cards: readonly string[] = []): string {
  const echo = (texts: readonly string[]): string => texts.map(line => `echo '${line}'`).join('\n') || 'true';
  return program(folder, 'nvidia-smi', `case "$1" in\n--query-gpu=*)\n${echo(cards)}\n;;\n*)\n${echo(lines)}\n;;\nesac`);
}

/**
 * A CUDA driver library for `LD_LIBRARY_PATH`, compiled here, so that what this machine has plays no part.
 * @param init what `cuInit` answers: 0, or 100 where there is no device
 */
export function cudaDriver(folder: string, { init = 0, gpus = 2, cuda = 12_080 }: { init?: number; gpus?: number; cuda?: number }): string {
  const lib = path.join(folder, 'cuda'),
    source = path.join(folder, 'cuda.cc');
  mkdirSync(lib, { recursive: true });
  writeFileSync(
    source,
    `extern "C" {
int cuInit(unsigned) { return ${init}; }
int cuDeviceGetCount(int *n) { *n = ${gpus}; return 0; }
int cuDriverGetVersion(int *v) { *v = ${cuda}; return 0; }
int cuGetErrorName(int, const char **name) { *name = "CUDA_ERROR_NO_DEVICE"; return 0; }
}`,
  );
  execFileSync('c++', ['-shared', '-fPIC', '-nostdlib', '-o', path.join(lib, 'libcuda.so.1'), source]);
  return lib;
}

/** Whether a program is on the PATH. */
export function has(name: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some(folder => {
    try {
      accessSync(path.join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
