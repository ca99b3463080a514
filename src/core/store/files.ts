/**
 * Every change of the store's directory goes through these few operations, each of which is all or nothing when the
 * process or the machine dies (append: all but perhaps a torn last line). Tests put faults in by another `Files`.
 */
import { closeSync, constants, fstatSync, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { hasCode, mendable } from './errors.ts';
import { temporaryIn } from './names.ts';

export interface Appender {
  append(line: string): void;
  /** Lines appended so far survive a crash of the machine after this. */
  sync(): void;
  close(): void;
}

export interface Files {
  /** Creates the folder and its parents, durably; existing ones are fine. */
  makeFolder(path: string): void;
  /** Writes a temporary file beside `path`, syncs it, renames it to `path`, syncs the folder. */
  write(path: string, text: string): void;
  /** Gives the complete folder `from` the name `to`. False when `to` is already taken by a folder that is not empty. */
  publishFolder(from: string, to: string): boolean;
  /** False when `path` exists already. */
  linkExclusive(target: string, path: string): boolean;
  openAppend(path: string): Appender;
  /** Sets the time of `path`, creating it when it is not there. */
  touch(path: string): void;
  /** Takes a folder or file out of sight at once (rename), then deletes it; whatever a kill leaves bears the name of a temporary. */
  remove(path: string): void;
  /** Makes the content of every file below `path` durable. */
  syncTree(path: string): void;
}

export const nodeFiles: Files = {
  makeFolder(path) {
    guarded(path, () => makeDurably(resolve(path)));
  },

  write(path, text) {
    guarded(
      path,
      () => {
        const temporary = temporaryIn(dirname(path));
        const fd = openSync(temporary, 'wx');
        try {
          writeAll(fd, text);
          fsyncSync(fd);
        } catch (error) {
          rmSync(temporary, { force: true });
          throw error;
        } finally {
          closeSync(fd);
        }
        renameSync(temporary, path);
        syncPath(dirname(path));
      },
      Buffer.byteLength(text),
    );
  },

  publishFolder(from, to) {
    return guarded(to, () => {
      try {
        renameSync(from, to);
      } catch (error) {
        if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
        throw error;
      }
      syncPath(dirname(to));
      return true;
    });
  },

  linkExclusive(target, path) {
    return guarded(path, () => {
      try {
        symlinkSync(target, path);
      } catch (error) {
        if (hasCode(error, 'EEXIST')) return false;
        throw error;
      }
      syncPath(dirname(path));
      return true;
    });
  },

  openAppend(path) {
    return guarded(path, () => {
      const fd = openSync(path, constants.O_APPEND | constants.O_CREAT | constants.O_RDWR, 0o644);
      let unnamed = fstatSync(fd).size === 0; // perhaps made just now, its name not yet durable
      // After a torn line of an earlier writer, start on a line of our own.
      let torn = !endsWithNewline(fd);
      return {
        append: line =>
          guarded(
            path,
            () => {
              const text = `${torn ? '\n' : ''}${line}\n`;
              torn = true;
              writeAll(fd, text);
              torn = false;
            },
            Buffer.byteLength(line) + 1,
          ),
        sync: () =>
          guarded(path, () => {
            fsyncSync(fd);
            if (unnamed) syncPath(dirname(path));
            unnamed = false;
          }),
        close: () => closeSync(fd),
      };
    });
  },

  touch(path) {
    guarded(path, () => {
      const now = new Date();
      try {
        utimesSync(path, now, now);
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) throw error;
        closeSync(openSync(path, 'a'));
      }
    });
  },

  remove(path) {
    guarded(path, () => {
      if (!lstatSync(path, { throwIfNoEntry: false })) return;
      const doomed = temporaryIn(dirname(path));
      try {
        renameSync(path, doomed);
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return; // another process was faster
        throw error;
      }
      rmSync(doomed, { recursive: true, force: true });
    });
  },

  syncTree(path) {
    guarded(path, () => {
      for (const entry of readdirSync(path, { withFileTypes: true })) {
        const child = join(path, entry.name);
        if (entry.isDirectory()) nodeFiles.syncTree(child);
        else if (entry.isFile()) syncPath(child);
      }
      syncPath(path);
    });
  },
};

function guarded<T>(path: string, action: () => T, bytes?: number): T {
  try {
    return action();
  } catch (error) {
    throw mendable(error, path, bytes);
  }
}

/** Not by Node's own recursion, which finds "no such file or directory" where a disk is read-only. */
function makeDurably(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (hasCode(error, 'EEXIST') && statSync(path).isDirectory()) return;
    if (!hasCode(error, 'ENOENT') || dirname(path) === path) throw error;
    makeDurably(dirname(path));
    makeDurably(path);
    return;
  }
  syncPath(dirname(path));
}

function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** One call of write may take only a part, e.g. on a nearly full disk. */
function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

function endsWithNewline(fd: number): boolean {
  const { size } = fstatSync(fd);
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  readSync(fd, last, 0, 1, size - 1);
  return last[0] === 0x0a;
}
