/** Which code runs: the commit, and how the files differ from it. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { sep } from 'node:path';
import type { JsonObject } from '../ablation/kind.ts';
import { publicDiff } from './secrets.ts';

/** Of a longer diff the beginning is kept. @internal */
export const DIFF_BYTES = 65_536;

export interface CodeState {
  /** `commit` and `dirty`, both null outside a git checkout; of a dirty tree also `diff`: size and checksum of what is kept of it. */
  readonly facts: JsonObject;
  /** Of a dirty tree: names of files that git does not know, then the diff of the others, without secrets. */
  readonly diff: string | undefined;
}

/** Asks git, which takes some tens of milliseconds. @param root folder of the checkout, or of a package, of which git knows nothing */
export function codeState(root: string): CodeState {
  // The repository around a node_modules is somebody else's.
  const commit = root.split(sep).includes('node_modules') ? undefined : git(root, 'rev-parse', 'HEAD')?.text.trim();
  const status = commit === undefined ? undefined : git(root, 'status', '--porcelain')?.text;
  if (commit === undefined || status === undefined) return { facts: { commit: commit ?? null, dirty: null }, diff: undefined };
  if (status === '') return { facts: { commit, dirty: false }, diff: undefined };
  const { text = '', cut = true } = git(root, 'diff', 'HEAD', '--no-color', '--no-ext-diff', '--no-textconv', '--', '.') ?? {};
  const unknown = status
    .split('\n')
    .filter(line => line.startsWith('??'))
    .map(line => `untracked: ${line.slice(3)}\n`);
  const whole = publicDiff(`${unknown.join('')}${text}`);
  const bytes = Buffer.from(whole);
  // A character cut in two would decode to another.
  const diff =
    bytes.length <= DIFF_BYTES
      ? whole
      : bytes
          .subarray(0, DIFF_BYTES)
          .toString('utf8')
          .replace(/\uFFFD+$/, '');
  const facts = { bytes: Buffer.byteLength(diff), sha256: createHash('sha256').update(diff).digest('hex'), complete: !cut && diff === whole };
  return { facts: { commit, dirty: true, diff: facts }, diff };
}

/** Undefined when git is not there or refuses; `cut` when it had more to say than we keep. */
function git(root: string, ...args: string[]): { readonly text: string; readonly cut: boolean } | undefined {
  const { stdout, status, error } = spawnSync('git', ['-C', root, '-c', 'core.quotePath=off', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 10_000,
    maxBuffer: 4 * DIFF_BYTES,
    // A lock of the index would be in the way of a person at work in the checkout.
    env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' },
  });
  const cut = error !== undefined && 'code' in error && error.code === 'ENOBUFS';
  return status === 0 || cut ? { text: stdout, cut } : undefined;
}
