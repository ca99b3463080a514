/**
 * For tests of shared folders: loaded in every process of a sweep (`NODE_OPTIONS=--import=...`), it shows what lies below one folder as a
 * client of a network file system does, which answers from what it remembers. TEST_STALE is JSON:
 * - `folder`: absolute, what is shared; nothing else is touched
 * - `ms`: for how long at most an answer is repeated; each for a time that is drawn
 * - `lost`: share of renames and new folders that happen and are told as if they had not, as where an answer is lost and the request,
 *   sent again, finds its own work: ENOENT, EEXIST
 * - `clients`: a folder on a local disk. Processes of one host (TEST_HOST, or the node of a Slurm job) are one client: a change by one is
 *   known to all of them at once
 * - `seed`
 *
 * Remembered are: of a folder, which names are in it and which are not, and its list; of a name, what stat says of it and what was read.
 * After its time a folder is looked at again, and what is known of its names is forgotten where it has changed. A change by the client itself
 * in a folder (mkdir, rename, unlink, writing a file) makes it forget all it knows of that folder; one that fails makes it forget nothing.
 * Opening a file for reading finds its latest content, unless its name is remembered as not there; opening a folder ends its time (listing one
 * does not, as with mounts that leave that out). All changes go to the disk at once.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const { folder, ms, lost = 0, clients, seed = 0 } = JSON.parse(process.env.TEST_STALE);
const client = join(clients, process.env.TEST_HOST ?? process.env.SLURMD_NODENAME ?? 'client');
const DELAYED = 0.02,
  DELAY_MS = 10;

const real = { ...fs },
  realPromises = { ...fs.promises };
real.mkdirSync(client, { recursive: true });

let drawn = createHash('sha256').update(`${seed}/${client}/${process.pid}`).digest().readUInt32BE(0);
/** In [0, 1), from a linear congruence. */
const random = () => (drawn = (Math.imul(drawn, 1664525) + 1013904223) >>> 0) / 2 ** 32;

const now = () => performance.now();
const until = () => now() + random() * ms;

function error(code, call, path) {
  return Object.assign(new Error(`${code}: ${call} '${path}' (as a client of a shared folder sees it)`), { code, syscall: call, path });
}

function maybeWait() {
  if (random() < DELAYED) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, random() * DELAY_MS);
}

/** Undefined for what is not shared. */
function sharedPath(path) {
  if (typeof path !== 'string' && !(path instanceof URL)) return undefined;
  const absolute = resolve(path instanceof URL ? fileURLToPath(path) : path);
  return absolute === folder || absolute.startsWith(folder + sep) ? absolute : undefined;
}

/** What is known of each folder. */
const known = new Map();

const sign = dir => join(client, createHash('sha256').update(dir).digest('hex').slice(0, 24));
const signTime = dir => real.statSync(sign(dir), { bigint: true, throwIfNoEntry: false })?.mtimeNs;

/** The client itself has changed something in it. */
function changed(dir) {
  known.delete(dir);
  real.writeFileSync(sign(dir), `${process.pid} ${random()}`);
}

function version(dir) {
  const found = real.lstatSync(dir, { bigint: true, throwIfNoEntry: false });
  return found && `${found.ino} ${found.mtimeNs} ${found.ctimeNs}`;
}

function knowledge(dir) {
  const signed = signTime(dir);
  let of = known.get(dir);
  if (of === undefined || of.signed !== signed) {
    of = { signed, version: version(dir), until: until(), names: new Map(), list: undefined, stats: new Map(), contents: new Map() };
    known.set(dir, of);
  } else if (now() > of.until) {
    const current = version(dir);
    if (current !== of.version) {
      of.names.clear();
      of.list = undefined;
    }
    Object.assign(of, { version: current, until: until() });
  }
  return of;
}

/** Whether the name is there, and every folder on the way to it. */
function isThere(path) {
  if (path === folder) return real.existsSync(path);
  if (!isThere(dirname(path))) return false;
  const { names } = knowledge(dirname(path));
  if (!names.has(basename(path))) names.set(basename(path), real.lstatSync(path, { throwIfNoEntry: false }) !== undefined);
  return names.get(basename(path));
}

/** From memory, or asked anew and remembered. @param answers of one kind @param ask the disk; an error that nothing is there is an answer about the name */
function remembered(path, answers, ask) {
  const name = basename(path);
  const old = answers.get(name);
  if (old !== undefined && now() < old.until) return old.answer;
  try {
    const answer = ask();
    answers.set(name, { answer, until: until() });
    return answer;
  } catch (error) {
    if (error.code === 'ENOENT') knowledge(dirname(path)).names.set(name, false);
    throw error;
  }
}

function requireThere(call, path) {
  if (!isThere(path)) throw error('ENOENT', call, path);
}

function statOf(call, path, options) {
  if (options?.bigint || path === folder) return real[call](path, options);
  try {
    requireThere(call, path);
    return remembered(path, knowledge(dirname(path)).stats, () => real.lstatSync(path));
  } catch (error) {
    if (error.code === 'ENOENT' && options?.throwIfNoEntry === false) return undefined;
    throw error;
  }
}

function listOf(path) {
  requireThere('scandir', path);
  const of = knowledge(path);
  return (of.list ??= real.readdirSync(path, { withFileTypes: true }));
}

const deepListOf = path => listOf(path).flatMap(entry => [entry, ...(entry.isDirectory() ? deepListOf(join(path, entry.name)) : [])]);

/** Those that answer from memory. */
const readers = {
  existsSync: path => isThere(path),
  accessSync(path, mode) {
    requireThere('access', path);
    return real.accessSync(path, mode);
  },
  lstatSync: (path, options) => statOf('lstatSync', path, options),
  statSync(path, options) {
    const stats = statOf('lstatSync', path, options);
    return stats?.isSymbolicLink() ? real.statSync(path, options) : stats;
  },
  readdirSync(path, options) {
    const entries = options?.recursive ? deepListOf(path) : listOf(path);
    return options?.withFileTypes ? [...entries] : entries.map(entry => join(entry.parentPath, entry.name).slice(path.length + 1));
  },
  readFileSync(path, options) {
    requireThere('open', path);
    const content = remembered(path, knowledge(dirname(path)).contents, () => real.readFileSync(path));
    const encoding = typeof options === 'string' ? options : options?.encoding;
    return encoding ? content.toString(encoding) : Buffer.from(content);
  },
  readlinkSync(path, options) {
    requireThere('readlink', path);
    return real.readlinkSync(path, options);
  },
};

for (const [name, read] of Object.entries(readers)) {
  fs[name] = (path, ...rest) => {
    const shared = sharedPath(path);
    if (shared === undefined) return real[name](path, ...rest);
    maybeWait();
    return read(shared, ...rest);
  };
  const asynchronous = name.replace('Sync', '');
  if (asynchronous in realPromises) fs.promises[asynchronous] = async (path, ...rest) => (sharedPath(path) === undefined ? realPromises[asynchronous](path, ...rest) : fs[name](path, ...rest));
}

/** What it says in place of success, where the answer is lost. */
const REPEATED = { rename: 'ENOENT', mkdir: 'EEXIST' };
/** Those that change the folders of their first arguments, so many of them. */
const WRITERS = { mkdir: 1, rename: 2, rm: 1, rmdir: 1, unlink: 1, symlink: 2, link: 2, writeFile: 1, appendFile: 1, copyFile: 2, utimes: 1, truncate: 1 };
const OF_WHAT_IS_THERE = new Set(['rename', 'rm', 'rmdir', 'unlink', 'link', 'copyFile', 'utimes', 'truncate']);

/** What is remembered as not there cannot be changed, and nothing can be made in it. */
function askedOf(name, paths) {
  maybeWait();
  if (OF_WHAT_IS_THERE.has(name) && paths[0] !== undefined) requireThere(name, paths[0]);
  for (const path of paths) if (path !== folder) requireThere(name, dirname(path));
}

function done(name, args, paths) {
  if (name in REPEATED && args[1]?.recursive !== true && paths.length > 0 && random() < lost) throw error(REPEATED[name], name, paths[0]);
  for (const path of paths) {
    for (const dir of known.keys()) if (dir === path || dir.startsWith(path + sep)) known.delete(dir);
    changed(dirname(path));
  }
}

/** A name that is refused is there. */
function failed(name, args, paths, error) {
  if (name === 'mkdir' && error.code === 'EEXIST' && paths.length > 0) knowledge(dirname(paths[0])).names.delete(basename(paths[0]));
  if (error.code === 'ENOENT' && args[1]?.force) return;
  throw error;
}

for (const [name, count] of Object.entries(WRITERS)) {
  const sharedOf = args => args.slice(0, count).flatMap(path => sharedPath(path) ?? []);
  fs[`${name}Sync`] = (...args) => {
    const paths = sharedOf(args);
    try {
      askedOf(name, paths);
      const result = real[`${name}Sync`](...args);
      done(name, args, paths);
      return result;
    } catch (error) {
      return failed(name, args, paths, error);
    }
  };
  fs.promises[name] = async (...args) => {
    const paths = sharedOf(args);
    try {
      askedOf(name, paths);
      const result = await realPromises[name](...args);
      done(name, args, paths);
      return result;
    } catch (error) {
      return failed(name, args, paths, error);
    }
  };
}

const isForReading = flags =>
  typeof flags === 'number' ? (flags & (fs.constants.O_CREAT | fs.constants.O_WRONLY | fs.constants.O_RDWR)) === 0 : flags === undefined || flags === 'r' || flags === 'rs';

/** Files that are being written, by descriptor. */
const writing = new Map();

fs.openSync = (path, flags, mode) => {
  const shared = sharedPath(path);
  if (shared === undefined) return real.openSync(path, flags, mode);
  maybeWait();
  requireThere('open', isForReading(flags) ? shared : dirname(shared));
  const fd = real.openSync(path, flags, mode);
  if (known.has(shared)) known.get(shared).until = 0;
  if (!isForReading(flags)) {
    writing.set(fd, shared);
    changed(dirname(shared));
  }
  return fd;
};
fs.writeSync = (fd, ...rest) => {
  const count = real.writeSync(fd, ...rest);
  if (writing.has(fd)) changed(dirname(writing.get(fd)));
  return count;
};
fs.closeSync = fd => {
  real.closeSync(fd);
  if (writing.has(fd)) changed(dirname(writing.get(fd)));
  writing.delete(fd);
};

syncBuiltinESMExports();
