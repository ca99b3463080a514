/**
 * The commands of Slurm that a runner needs. Three ends are told apart: an answer, a refusal in Slurm's own words, and no answer. After no
 * answer nothing is known: a job may have been taken, may run, may be over.
 */
import { userInfo } from 'node:os';
import { execa } from 'execa';
import { UsageError } from '../ablation/errors.ts';
import { harmless } from '../text/clean.ts';
import { parseQueue, phaseOf, QUEUE_FORMAT, type QueuedJob } from './queue.ts';

export type Answer<T> =
  | { readonly type: 'answer'; readonly value: T }
  /** In Slurm's words. `later`: for now, as where a user has too many jobs. */
  | { readonly type: 'refused'; readonly why: string; readonly later: boolean }
  | { readonly type: 'silence'; readonly why: string };

/** A controller that is busy is given this long. */
const TIMEOUT_MS = 60_000;

/** How commands say that the controller did not answer, or that an answer was lost. */
const SILENCE =
  /Unable to contact slurm controller|Socket timed out|timed out on send\/recv|Connection (?:refused|reset|timed out)|Communication connection failure|Zero Bytes were transmitted|Transport endpoint is not connected|Slurm backup controller in standby|temporarily unable|Resource temporarily unavailable|Unable to establish|Insane message length|No route to host|Unable to resolve|Munge|Invalid authentication credential|Protocol authentication error/i;

/** Refusals that pass by themselves: of one job too many, and in older versions of a limit without its name. */
const LATER = /(?:QOS|Assoc)(?:Max|Grp)Submit|MaxSubmitJob|Job limit exceeded|Slurm temporarily/i,
  POLICY = /Job violates accounting\/QOS policy/i,
  /** The name of another limit, as `QOSMaxWallDurationPerJobLimit`. */
  LIMIT = /\b(?:QOS|Assoc)[A-Z][A-Za-z]*/;

const passes = (why: string): boolean => LATER.test(why) || (POLICY.test(why) && !LIMIT.test(why));

/** How commands say that this machine belongs to no cluster. */
const NO_CLUSTER = /Could not establish a configuration source|Unable to process configuration file/i;

/** How `scancel` and `scontrol` say that a job is over, and forgotten. */
const UNKNOWN_JOB = /Invalid job id|already completing or completed|Job\/step already completing/i;

export class SlurmClient {
  /** @param words of `sbatch` @param script on its standard input. @returns id of the job */
  async submit(words: readonly string[], script: string): Promise<Answer<string>> {
    const said = await call('sbatch', ['--parsable', ...words], script);
    if (said.type !== 'answer') return said;
    const id = /^(\d+)/m.exec(said.value)?.[1];
    return id === undefined ? { type: 'silence', why: `expected the id of a job, got '${said.value.slice(0, 200)}'` } : { type: 'answer', value: id };
  }

  /** All jobs of this user whose names begin so, also those that ended a moment ago: one call, however many there are. */
  async queue(prefix: string): Promise<Answer<QueuedJob[]>> {
    const said = await call('squeue', ['--noheader', '--states=all', `--user=${userName()}`, `--format=${QUEUE_FORMAT}`]);
    return said.type === 'answer' ? { type: 'answer', value: parseQueue(said.value, prefix) } : said;
  }

  /** @param signal to its batch script; absent: the jobs are ended. Those that are over are passed over. */
  async cancel(ids: readonly string[], signal?: 'USR2'): Promise<Answer<void>> {
    if (ids.length === 0) return { type: 'answer', value: undefined };
    const said = await call('scancel', [...(signal === undefined ? [] : ['--batch', `--signal=${signal}`]), ...ids]);
    return said.type === 'silence' ? said : { type: 'answer', value: undefined };
  }

  /** How a job ended that the queue does not show any more: by the accounting, else by what the controller still remembers. Undefined where neither tells. */
  async ending(id: string): Promise<Answer<Pick<QueuedJob, 'state' | 'reason'> | undefined>> {
    const accounted = await call('sacct', ['--noheader', '--parsable2', '--allocations', `--jobs=${id}`, '--format=State,ExitCode']);
    // `CANCELLED by 1000`.
    const [, state, exit] = accounted.type === 'answer' ? (/^([A-Z_]+)[^|\n]*\|(\S*)/m.exec(accounted.value) ?? []) : [];
    // That of a database which missed its end goes on for ever.
    if (state !== undefined && phaseOf(state) === 'over') return { type: 'answer', value: { state, reason: exitText(exit) } };
    const shown = await call('scontrol', ['--oneliner', 'show', 'job', id]);
    if (shown.type === 'silence') return shown;
    if (shown.type === 'refused') return { type: 'answer', value: undefined };
    const field = (name: string): string | undefined => new RegExp(`\\b${name}=(\\S+)`).exec(shown.value)?.[1];
    const found = field('JobState');
    return { type: 'answer', value: found === undefined ? undefined : { state: found, reason: exitText(field('ExitCode')) ?? field('Reason') } };
  }
}

const exitText = (exit: string | undefined): string | undefined => (exit === undefined || exit === '' || exit === '0:0' ? undefined : `exit code ${exit}`);

/** A user without a name, as in a container, has a number. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}

/** @throws UsageError `NO_SLURM` where the command is not there */
async function call(command: 'sbatch' | 'squeue' | 'scancel' | 'sacct' | 'scontrol', words: readonly string[], input = ''): Promise<Answer<string>> {
  const { exitCode, stdout, stderr, timedOut, code, shortMessage } = await execa(command, words, {
    reject: false,
    input,
    timeout: TIMEOUT_MS,
    maxBuffer: 1 << 28,
    env: { ...foreign(process.env), SLURM_TIME_FORMAT: 'standard' },
  });
  if (code === 'ENOENT') {
    // Accounting is no part of every installation.
    if (command === 'sacct') return { type: 'refused', why: 'no sacct', later: false };
    throw new UsageError('NO_SLURM', `Expected Slurm's ${command} on the PATH, got none. Run this on a machine from which jobs are submitted (a login node), or without --executor slurm.`);
  }
  if (exitCode === 0) return { type: 'answer', value: harmless(stdout) };
  if (NO_CLUSTER.test(stderr))
    throw new UsageError('NO_SLURM', `Expected a machine of a Slurm cluster, got one that finds none (${harmless(stderr.trim().split('\n').at(-1)!)}). Run this on a login node, or set SLURM_CONF.`);
  const why = harmless(timedOut ? `no answer within ${TIMEOUT_MS / 1000} s` : stderr.trim() || (shortMessage ?? 'no reason given')).slice(0, 1000);
  if (timedOut || SILENCE.test(why)) return { type: 'silence', why };
  if (UNKNOWN_JOB.test(why)) return { type: 'refused', why, later: false };
  return { type: 'refused', why, later: passes(why) };
}

/**
 * Variables without which commands are called: what a person set for their own eyes (`SQUEUE_PARTITION`), and what Slurm told of the job in
 * which this process runs, which would pass for facts of the job that it hands in.
 */
function foreign(env: NodeJS.ProcessEnv): Record<string, undefined> {
  const inJob = env['SLURM_JOB_ID'] !== undefined;
  const names = Object.keys(env).filter(name => /^S(?:QUEUE|ACCT|CANCEL)_/.test(name) || (inJob && /^SLURMD?_(?!CONF$|CLUSTERS$)|^(?:CUDA|ROCR)_VISIBLE_DEVICES$|^GPU_DEVICE_ORDINAL$/.test(name)));
  return Object.fromEntries(names.map(name => [name, undefined]));
}
