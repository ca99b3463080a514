/** The folder that stores of a chaos run stand in: a small disk of its own where that can be had. */
import { closeSync, openSync, rmSync, writeSync, chmodSync, readdirSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { temporaryFolder } from '../toy/sweep.ts';

const MEBIBYTES = 48;

export interface Room {
  readonly dir: string;
  /** Why the disk cannot be filled here; undefined when it can. */
  readonly notFillable: string | undefined;
  /** Leaves no byte free. */
  fill(): void;
  unfill(): void;
  /** Nothing below can be changed until `writable()`. @returns false when something there is open and bars it */
  readOnly(store: string): boolean;
  writable(store: string): void;
  remove(): void;
}

/** As root a tmpfs, which can be filled and made read-only; else a plain folder, where permissions do for the second. */
export function makeRoom(): Room {
  const dir = temporaryFolder('chaos');
  if (process.getuid?.() !== 0) return plainRoom(dir, 'only root can mount a small disk');
  const { failed, stderr } = execaSync('mount', ['-t', 'tmpfs', '-o', `size=${MEBIBYTES}m`, 'tmpfs', dir], { reject: false });
  if (failed) return rootRoom(dir, `no disk could be mounted: ${stderr.trim()}`);
  return diskRoom(dir);
}

function diskRoom(dir: string): Room {
  const ballast = join(dir, 'ballast');
  const unmount = (): void => void execaSync('umount', ['-l', dir], { reject: false });
  const remount = (how: 'ro' | 'rw'): boolean => !execaSync('mount', ['-o', `remount,${how}`, dir], { reject: false }).failed;
  process.once('exit', unmount);
  return {
    dir,
    notFillable: undefined,
    fill: () => fillUp(ballast),
    unfill: () => rmSync(ballast, { force: true }),
    readOnly: () => remount('ro'),
    writable: () => void remount('rw'),
    remove: () => {
      process.off('exit', unmount);
      unmount();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function plainRoom(dir: string, notFillable: string): Room {
  return {
    dir,
    notFillable,
    fill: () => undefined,
    unfill: () => undefined,
    readOnly: store => setModes(store, 0o555),
    writable: store => void setModes(store, 0o755),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Permissions do not bind root. */
const rootRoom = (dir: string, reason: string): Room => ({ ...plainRoom(dir, reason), readOnly: () => false });

function fillUp(file: string): void {
  const fd = openSync(file, 'w');
  try {
    for (let size = 1 << 20; size >= 1; size >>= 1) {
      const bytes = Buffer.alloc(size);
      try {
        for (;;) writeSync(fd, bytes);
      } catch {
        // Full for pieces of this size.
      }
    }
  } finally {
    closeSync(fd);
  }
}

function setModes(dir: string, mode: number): boolean {
  for (const entry of [dir, ...readdirSync(dir, { recursive: true, encoding: 'utf8' }).map(name => join(dir, name))]) {
    if (lstatSync(entry, { throwIfNoEntry: false })?.isDirectory()) chmodSync(entry, mode);
  }
  return true;
}
