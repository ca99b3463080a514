/**
 * A lock between processes of one machine, as a file. Free of dependencies: it guards `npm ci` too.
 * A holder that was killed is recognised by its process id, so a lock never has to be removed by hand after a crash.
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 200;
/** A lock file that is still empty, or names no process, is being written, unless its writer died between creating and filling it. */
const WRITING_MS = 5000;

/** @type {import('./lock.d.mts').lockFile} */
export function lockFile(purpose, folder) {
  return path.join(ownFolder(), `${purpose}-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}.lock`);
}

/**
 * A folder for temporary files that only this user can write to. In a shared one anybody could leave a lock that nobody but its maker may
 * remove. Where another user has taken its name, the next name serves: every process of ours comes to the same.
 */
function ownFolder() {
  const uid = process.getuid?.();
  if (uid === undefined) return tmpdir(); // Windows has one for each user
  for (const end of ['', '-2', '-3', '-4', '-5', '-6', '-7', '-8']) {
    const folder = path.join(tmpdir(), `tinymim-locks-${uid}${end}`);
    makeFolder(folder);
    const found = lstatSync(folder);
    if (found.isDirectory() && found.uid === uid && (found.mode & 0o022) === 0) return folder;
  }
  throw Object.assign(new Error(`other users have taken every name from tinymim-locks-${uid} on`), { code: 'EACCES', path: tmpdir() });
}

function makeFolder(folder) {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}

/** @type {import('./lock.d.mts').withLock} */
export async function withLock(file, say, work) {
  mkdirSync(path.dirname(file), { recursive: true });
  let told = false;
  while (!acquire(file)) {
    const holder = liveHolder(file);
    if (holder === undefined) {
      discard(file);
      continue;
    }
    if (!told) say(`Waiting for another set-up (process ${holder}; lock ${file}) ...`);
    told = true;
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function acquire(file) {
  try {
    writeFileSync(file, `${process.pid} ${hostname()}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Who holds the lock, or undefined when the lock is left over. A holder on another host cannot be asked: it counts as alive. */
function liveHolder(file) {
  try {
    const [, pid, host] = /^([1-9]\d*) (\S+)$/.exec(readFileSync(file, 'utf8')) ?? [];
    if (!host) return Date.now() - statSync(file).mtimeMs < WRITING_MS ? 'unknown' : undefined;
    if (host !== hostname()) return `${pid} on ${host}`;
    return isAlive(Number(pid)) ? pid : undefined;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Moved away and looked at again before it is removed: another process may just have replaced it by a lock of its own. */
function discard(file) {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
    if (liveHolder(aside) === undefined) rmSync(aside, { force: true });
    else renameSync(aside, file);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

/** @type {import('./lock.d.mts').isAlive} */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  return !isZombie(pid);
}

/** A killed process keeps its id until its parent has asked for its end, which in some containers is never. */
function isZombie(pid) {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
