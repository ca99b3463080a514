/**
 * Every change of the store's directory goes through these few operations, each of which is all or nothing when the
 * process or the machine dies (append: all but perhaps a torn last line). Tests put faults in by another `Files`.
 */
import { closeSync, constants, fstatSync, fsyncSync, mkdirSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync, utimesSync, writeSync, type Stats } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { beneath, lstatIfThere } from '../disk/beneath.ts';
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
  write(path: string, content: string | Uint8Array): void;
  /** Gives the complete folder `from` the name `to`. False when `to` is already taken, but for a folder that is empty. */
  publishFolder(from: string, to: string): boolean;
  openAppend(path: string): Appender;
  /** Sets the time of `path`, creating it when it is not there. */
  touch(path: string): void;
  /** Takes a folder or file out of sight at once (rename), then deletes it; whatever a kill leaves bears the name of a temporary. */
  remove(path: string): void;
  /** Makes the content of every file below `path` durable. */
  syncTree(path: string): void;
  /**
   * From now on what is said of the names in a folder is no older than this call: a client of a network file system answers from what it
   * remembers, for up to a minute, and asks anew where it has changed the folder itself. Nothing where there is no folder.
   */
  askAnew(folder: string): void;
}

export const nodeFiles: Files = {
  makeFolder(path) {
    guarded(path, () => makeDurably(resolve(path)));
  },

  write(path, content) {
    guarded(
      path,
      () => {
        // Where it has not got the name, another writer of the same file may have taken it from it since: written anew, it does no harm.
        for (let tries = 1; !replace(path, content, tries === TRIES); tries++);
        syncFolder(dirname(path));
      },
      Buffer.byteLength(content),
    );
  },

  publishFolder(from, to) {
    return guarded(to, () => {
      const folder = lstatIfThere(from);
      try {
        renameSync(from, to);
      } catch (error) {
        if (hasCode(error, 'EEXIST', 'ENOTEMPTY')) return false;
        if (!hasCode(error, 'ENOENT') || !folder || !hasName(folder, to)) {
          // Disks differ in how they say that a name is taken.
          if (lstatIfThere(to)) return false;
          throw error;
        }
      }
      syncFolder(dirname(to));
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
            if (unnamed) syncFolder(dirname(path));
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
      if (!lstatIfThere(path)) return;
      const doomed = temporaryIn(dirname(path));
      try {
        renameSync(path, doomed);
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) throw error; // another process was faster, or the answer was lost
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
      syncFolder(path);
    });
  },

  askAnew(folder) {
    guarded(folder, () => {
      const path = temporaryIn(folder);
      try {
        closeSync(openSync(path, 'wx'));
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return;
        throw error;
      }
      rmSync(path, { force: true });
    });
  },
};

const TRIES = 3;

/** By a temporary beside it. @returns false when it is not known whether it got the name, unless `last` lets that throw */
function replace(path: string, content: string | Uint8Array, last: boolean): boolean {
  const temporary = temporaryIn(dirname(path));
  const fd = openSync(temporary, 'wx');
  const file = fstatSync(fd);
  try {
    writeAll(fd, content);
    fsyncSync(fd);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  try {
    renameSync(temporary, path);
    return true;
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    if (hasName(file, path)) return true;
    if (last) throw error;
    return false;
  }
}

/**
 * Whether what was to get a name has it, although we were told that it is not there: where the answer is lost, a client of a network file
 * system asks again, and the server no longer finds what it has renamed.
 */
function hasName({ ino, dev }: Stats, path: string): boolean {
  nodeFiles.askAnew(dirname(path));
  const found = lstatIfThere(path);
  return found?.ino === ino && found.dev === dev;
}

/** The same for what lies below one folder, which may be somebody else's work: what leads through a link is refused (`UnsafePathError`). */
export function filesWithin(root: string, files: Files): Files {
  const within = (path: string): string => beneath(root, relative(root, path));
  /** What is only named anew may itself be a link, which is not followed. */
  const named = (path: string): string => {
    within(dirname(path));
    return path;
  };
  return {
    makeFolder: path => files.makeFolder(within(path)),
    write: (path, content) => files.write(within(path), content),
    publishFolder: (from, to) => files.publishFolder(within(from), named(to)),
    openAppend: path => files.openAppend(within(path)),
    touch: path => files.touch(within(path)),
    remove: path => files.remove(named(path)),
    syncTree: path => files.syncTree(within(path)),
    askAnew: folder => files.askAnew(within(folder)),
  };
}

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
  syncFolder(dirname(path));
}

function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Of a disk that cannot sync a folder nothing more is asked: it writes names in its own time. */
function syncFolder(path: string): void {
  try {
    syncPath(path);
  } catch (error) {
    if (!hasCode(error, 'EINVAL', 'ENOTSUP', 'ENOSYS', 'EBADF')) throw error;
  }
}

/** One call of write may take only a part, e.g. on a nearly full disk. */
function writeAll(fd: number, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

function endsWithNewline(fd: number): boolean {
  const { size } = fstatSync(fd);
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  readSync(fd, last, 0, 1, size - 1);
  return last[0] === 0x0a;
}
