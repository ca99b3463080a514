/** How git is asked: of the repository in which a folder stands, whatever repository the caller is at work in. */
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

/**
 * Variables for git. Those that begin with `GIT_` would lead it elsewhere: its own hooks set `GIT_DIR` and `GIT_INDEX_FILE`, and pass them on to
 * all that they start.
 */
export function gitEnvironment(): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  // A lock of the index would be in the way of a person at work in the checkout. Messages are read here.
  return { ...Object.fromEntries(others), GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' };
}

/**
 * Top folder of the checkout that a folder stands in, without asking git. Undefined: in none, or as a package: the repository around a
 * node_modules is somebody else's.
 */
export function repositoryAround(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const real = realpathSync(folder);
  if (real.split(sep).includes('node_modules')) return undefined;
  for (let dir = real; ; dir = dirname(dir)) {
    if (existsSync(join(dir, '.git'))) return dir;
    if (dir === dirname(dir)) return undefined;
  }
}

export type GitAnswer =
  /** `cut`: it had more to say than was asked for. */
  | { readonly text: string; readonly cut: boolean }
  /** Why there is no answer. `mend`: the command by which git says that it would give one. */
  | { readonly refusal: string; readonly mend?: string };

const TIMEOUT_MS = 10_000;

/** @param most bytes of the answer that are kept */
export function askGit(folder: string, args: readonly string[], most: number): GitAnswer {
  const { stdout, stderr, status, error } = spawnSync('git', ['-C', folder, '-c', 'core.quotePath=off', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    maxBuffer: most,
    env: gitEnvironment(),
  });
  const code = error !== undefined && 'code' in error ? error.code : undefined;
  if (code === 'ENOBUFS') return { text: stdout, cut: true };
  if (code === 'ENOENT') return { refusal: 'there is no git' };
  if (code === 'ETIMEDOUT') return { refusal: `git did not answer within ${TIMEOUT_MS / 1000} s` };
  if (status === 0) return { text: stdout, cut: false };
  const mend = /^\s*(git config --global --add safe\.directory .+)$/m.exec(stderr)?.[1];
  const reason = stderr.split('\n')[0]!.replace(/^fatal: /, '');
  return { refusal: `git refuses: ${reason === '' ? `it ended with ${status ?? 'a signal'}` : reason}`, ...(mend !== undefined && { mend }) };
}
