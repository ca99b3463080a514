/** Which code runs, as git tells: the commit, and how the files differ from it. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../ablation/kind.ts';
import { ROOT } from '../../installation.ts';
import { askGit, repositoryAround } from '../code/git.ts';
import { publicDiff } from './secrets.ts';

/** Of a longer diff the beginning is kept. @internal */
export const DIFF_BYTES = 65_536;

export interface CodeState {
  /**
   * `commit` and `dirty`, both null outside a git checkout, and where git does not tell: then `commit_unknown` says why. Of a dirty tree also
   * `diff`: size and checksum of what is kept of it.
   */
  readonly facts: JsonObject;
  /** Of a dirty tree: names of files that git does not know, then the diff of the others, without secrets. */
  readonly diff: string | undefined;
}

/** Of the checkout around a folder. Asks git, which takes some tens of milliseconds. */
export function codeState(folder: string): CodeState {
  const repository = repositoryAround(folder);
  if (repository === undefined) return { facts: { commit: null, dirty: null }, diff: undefined };
  const status = askGit(repository, ['status', '--porcelain=v2', '--branch', '--untracked-files=normal'], 64 * DIFF_BYTES);
  if ('refusal' in status) return { facts: { commit: null, dirty: null, commit_unknown: status.refusal }, diff: undefined };
  const lines = status.text.split('\n').filter(line => line !== '');
  const commit = /^# branch\.oid ([0-9a-f]{40,64})$/m.exec(status.text)?.[1] ?? null;
  const dirty = lines.some(line => !line.startsWith('#'));
  const head = { commit, dirty, ...(commit === null && { commit_unknown: 'there is no commit yet' }) };
  if (!dirty || commit === null) return { facts: head, diff: undefined };
  const changes = askGit(repository, ['diff', 'HEAD', '--no-color', '--no-ext-diff', '--no-textconv'], 4 * DIFF_BYTES);
  const { text, cut } = 'refusal' in changes ? { text: '', cut: true } : changes;
  const unknown = lines.filter(line => line.startsWith('? ')).map(line => `untracked: ${line.slice(2)}\n`);
  const whole = publicDiff(`${unknown.join('')}${text}`);
  const diff = beginning(whole);
  const facts = { bytes: Buffer.byteLength(diff), sha256: createHash('sha256').update(diff).digest('hex'), complete: !cut && diff === whole };
  return { facts: { ...head, diff: facts }, diff };
}

function beginning(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= DIFF_BYTES) return text;
  // A character cut in two would decode to another.
  return bytes
    .subarray(0, DIFF_BYTES)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
}

/** What git refuses to read of the repositories in which this program and a study stand, and how to mend it: a sentence for each repository. */
export function refusals(experiments: string): string[] {
  const repositories = new Set([ROOT, experiments].map(repositoryAround).filter(found => found !== undefined));
  return [...repositories].flatMap(repository => {
    const answer = askGit(repository, ['rev-parse', '--git-dir'], DIFF_BYTES);
    if (!('refusal' in answer)) return [];
    return [`${repository}: expected git to tell its commit, got: ${answer.refusal}. Results are recorded without it.${answer.mend === undefined ? '' : ` To mend it: ${answer.mend}`}`];
  });
}
