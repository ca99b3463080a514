/** What `squeue` says of jobs, and what that means for a person. */
import type { JobRecord } from '../store/jobs.ts';

export interface QueuedJob {
  readonly id: string;
  readonly name: string;
  /** `PENDING`, `RUNNING`, `NODE_FAIL`, ... */
  readonly state: string;
  /** Nodes of a job that has some. */
  readonly node?: string;
  /** Why it waits, or ended. */
  readonly reason?: string | undefined;
}

/** The reason last: it may hold anything. */
export const QUEUE_FORMAT = '%i|%j|%T|%N|%r';

/** Jobs of which one line each is printed in `QUEUE_FORMAT`; all others are passed over, as are lines that are none. */
export function parseQueue(printed: string, prefix: string): QueuedJob[] {
  const jobs: QueuedJob[] = [];
  for (const line of printed.split('\n')) {
    // Most lines of a busy cluster are of other jobs.
    if (!line.includes(`|${prefix}`)) continue;
    const [id = '', name = '', state = '', node = '', ...rest] = line.trim().split('|');
    if (!/^\d+$/.test(id) || !name.startsWith(prefix) || state === '') continue;
    const reason = rest.join('|');
    jobs.push({ id, name, state, ...(node !== '' && { node }), ...(reason !== '' && reason !== 'None' && { reason }) });
  }
  return jobs;
}

/** `waiting`: in the queue; `unknown`: no answer has come yet. */
export type JobPhase = 'unknown' | 'waiting' | 'running' | 'over';

const OVER = new Set(['BOOT_FAIL', 'CANCELLED', 'COMPLETED', 'DEADLINE', 'FAILED', 'LAUNCH_FAILED', 'NODE_FAIL', 'OUT_OF_MEMORY', 'PREEMPTED', 'RECONFIG_FAIL', 'REVOKED', 'TIMEOUT']);
const RUNNING = new Set(['RUNNING', 'CONFIGURING', 'COMPLETING', 'STAGE_OUT', 'SIGNALING', 'STOPPED', 'SUSPENDED', 'RESIZING']);

/** States that are not known, as of a newer Slurm, wait: their job is not over. */
export const phaseOf = (state: string): JobPhase => (OVER.has(state) ? 'over' : RUNNING.has(state) ? 'running' : 'waiting');

/** What a person reads of a job that waits: what for, and what to do where waiting does not help. */
interface Waiting {
  readonly text: string;
  readonly mend?: string;
}

function waitingText(reason: string | undefined, id: string): Waiting {
  for (const [pattern, text, mend] of REASONS) if (pattern.test(reason ?? 'None')) return { text, ...(mend !== undefined && { mend: mend.replace('ID', id) }) };
  return { text: `waits (${reason!})` };
}

/** First those that no waiting mends. */
const REASONS: readonly (readonly [RegExp, string, string?])[] = [
  [/^JobHeldUser/, 'is held', 'scontrol release ID'],
  [/^JobHeldAdmin/, 'is held by an administrator', 'ask them, or scancel ID'],
  [/launch failed requeued held|^JobHoldMaxRequeue/i, 'is held, since it could not be started', 'see the log of its node, then scontrol release ID'],
  [/DependencyNeverSatisfied/, 'waits for a job that failed', 'scancel ID'],
  [/^PartitionTimeLimit/, "waits for ever: it asks for more time than its partition's limit", 'scancel ID, then sweep again with a shorter --time'],
  [/^PartitionNodeLimit|^BadConstraints/, 'waits for ever: its partition has nothing like it', 'scancel ID, then sweep again with other --partition, --gpus or --mem'],
  [
    /^AccountNotAllowed|^QOSNotAllowed|^InvalidAccount|^InvalidQOS/,
    'waits for ever: its account or QOS may not use its partition',
    'scancel ID, then sweep again with other --account, --qos or --partition',
  ],
  [/^PartitionDown|^PartitionInactive/, 'waits for its partition, which takes no jobs to run', 'sweep with another --partition, or wait'],
  [/^(?:Assoc|QOS)[A-Z]|^MaxWallDurationPerJob/, 'waits at a limit of its account or QOS', 'sweep with less (--jobs, --time, --gpus), or wait'],
  [/DOWN, DRAINED|^ReqNodeNotAvail|^NodeDown/i, 'waits for nodes that are down, drained or reserved'],
  [/^BeginTime/, 'was put back into the queue and starts again in a moment'],
  [/^Resources/, 'waits for free resources'],
  [/^Priority/, 'waits behind jobs of higher priority'],
  [/^None$|^Prolog/, 'is about to start'],
];

/** A job that is not over, as far as is known. */
export interface LivingJob {
  readonly name: string;
  readonly phase: Exclude<JobPhase, 'over'>;
  readonly id?: string;
  /** Bytes that it asked for. */
  readonly memory?: number;
  readonly node?: string;
  readonly reason?: string;
  /** Why Slurm does not take it for now. */
  readonly postponed?: string;
}

/** The jobs of these records that are not over, as the queue has them now. @param queue jobs by name */
export function livingJobs(records: Iterable<JobRecord>, queue: ReadonlyMap<string, QueuedJob>): LivingJob[] {
  return [...records].flatMap(({ name, id, memory, over }) => {
    const { state, node, reason } = queue.get(name) ?? {};
    const phase = state === undefined ? 'unknown' : phaseOf(state);
    if (over || phase === 'over') return [];
    return [{ name, phase, ...(id !== undefined && { id }), ...(memory !== undefined && { memory }), ...(node !== undefined && { node }), ...(reason !== undefined && { reason }) }];
  });
}

const ABANDONED_MS = 120_000;

/** Whether a job was asked for so long ago that whoever did so has had his answer, or is gone. */
export const isAbandoned = ({ time, id }: JobRecord): boolean => id === undefined && Date.now() - time > ABANDONED_MS;

/** One line for jobs that wait for the same, and what mends it where waiting does not. */
export function queueLines(jobs: readonly LivingJob[]): string[] {
  const byText = new Map<string, number>();
  const mends = new Set<string>();
  for (const { phase, reason, id, postponed } of jobs) {
    if (phase === 'running') continue;
    const { text, mend }: Waiting = phase === 'unknown' ? { text: unansweredText(postponed) } : waitingText(reason, id ?? '?');
    byText.set(text, (byText.get(text) ?? 0) + 1);
    if (mend !== undefined) mends.add(mend);
  }
  return [...[...byText].map(([text, count]) => `queued   ${count === 1 ? 'a job' : `${count} jobs, each of which`} ${text}`), ...[...mends].map(mend => `         to mend it: ${mend}`)];
}

const unansweredText = (postponed: string | undefined): string =>
  postponed === undefined ? 'was handed in; Slurm has not answered yet' : `waits to be handed in: Slurm takes no more for now (${lastLine(postponed)})`;

/** Slurm says the reason last, after what led to it. */
export const lastLine = (said: string): string => said.trimEnd().split('\n').at(-1)!;

/** How a job ended, as a sentence without its subject. */
export function endText(state: string, reason: string | undefined): string {
  const why = reason === undefined ? '' : ` (${reason})`;
  return `${ENDS.get(state) ?? `ended as ${state}`}${why}`;
}

const ENDS = new Map([
  ['COMPLETED', 'left in peace'],
  ['CANCELLED', 'was cancelled'],
  ['TIMEOUT', 'reached its time limit before its worker left'],
  ['PREEMPTED', 'was preempted by another job'],
  ['NODE_FAIL', 'lost its node'],
  ['OUT_OF_MEMORY', 'ran out of the memory that it had asked for'],
  ['FAILED', 'failed'],
  ['BOOT_FAIL', 'failed, since its node did not boot'],
  ['DEADLINE', 'reached its deadline'],
  ['REVOKED', 'was revoked'],
  ['REFUSED', 'was refused'],
  ['LOST', 'was never taken by Slurm'],
  ['FORGOTTEN', 'is over; Slurm keeps no record of how (no accounting)'],
]);
