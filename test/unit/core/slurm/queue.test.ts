import { describe, expect, test } from 'vitest';
import { endText, livingJobs, parseQueue, phaseOf, queueLines, type LivingJob, type QueuedJob } from '../../../../src/core/slurm/queue.ts';
import type { JobRecord } from '../../../../src/core/store/jobs.ts';

describe('what squeue prints', () => {
  test('jobs of this prefix, whatever else is in the queue', () => {
    const printed = [
      '7|ablate-1a2b3c4d-1-1|RUNNING|n1|None',
      '8|ablate-1a2b3c4d-1-2|PENDING||Resources',
      '9|ablate-ffffffff-1-1|RUNNING|n2|None',
      '10|bash|RUNNING|n2|None',
      '11|x|ablate-1a2b3c4d-1-9|RUNNING|n2|None', // a name with our separator
      '12_[0-9]|ablate-1a2b3c4d-1-3|PENDING||Priority', // an array
      '13|ablate-1a2b3c4d-1-4|PENDING||(ReqNodeNotAvail, UnavailableNodes:n[1|2])',
      '14|ablate-1a2b3c4d-1-5',
      '15|ablate-1a2b3c4d-1-6|',
      'CLUSTER: one',
      '',
    ].join('\n');
    expect(parseQueue(printed, 'ablate-1a2b3c4d-')).toEqual([
      { id: '7', name: 'ablate-1a2b3c4d-1-1', state: 'RUNNING', node: 'n1' },
      { id: '8', name: 'ablate-1a2b3c4d-1-2', state: 'PENDING', reason: 'Resources' },
      { id: '13', name: 'ablate-1a2b3c4d-1-4', state: 'PENDING', reason: '(ReqNodeNotAvail, UnavailableNodes:n[1|2])' },
    ]);
  });

  test('states of Slurm as what they mean for us; those that nobody knows wait', () => {
    const of = (phase: string, ...states: string[]) => expect(Object.fromEntries(states.map(state => [state, phaseOf(state)]))).toEqual(Object.fromEntries(states.map(state => [state, phase])));
    of('over', 'BOOT_FAIL', 'CANCELLED', 'COMPLETED', 'DEADLINE', 'FAILED', 'LAUNCH_FAILED', 'NODE_FAIL', 'OUT_OF_MEMORY', 'PREEMPTED', 'RECONFIG_FAIL', 'REVOKED', 'TIMEOUT');
    of('running', 'RUNNING', 'CONFIGURING', 'COMPLETING', 'RESIZING', 'SIGNALING', 'STAGE_OUT', 'STOPPED', 'SUSPENDED');
    of('waiting', 'PENDING', 'REQUEUED', 'REQUEUE_FED', 'REQUEUE_HOLD', 'RESV_DEL_HOLD', 'SPECIAL_EXIT', 'EXPEDITING');
  });
});

const record = (name: string, more: Partial<JobRecord> = {}): JobRecord => ({ name, time: 0, log: `/s/${name}`, ...more });

test('jobs that live are those that are over neither for the store nor for the queue', () => {
  const queue = new Map<string, QueuedJob>(
    [
      { id: '1', name: 'a', state: 'RUNNING', node: 'n1' },
      { id: '2', name: 'b', state: 'FAILED' },
    ].map(job => [job.name, job]),
  );
  const records = [record('a', { id: '1', memory: 5 }), record('b', { id: '2' }), record('c', { id: '3', over: { state: 'COMPLETED' } }), record('d')];
  expect(livingJobs(records, queue)).toEqual([
    { name: 'a', phase: 'running', id: '1', memory: 5, node: 'n1' },
    { name: 'd', phase: 'unknown' },
  ]);
});

describe('what a person reads of jobs that wait', () => {
  const waiting = (reason?: string, more: Partial<LivingJob> = {}): LivingJob => ({ name: 'a', phase: 'waiting', id: '7', ...(reason !== undefined && { reason }), ...more });

  test.each([
    [undefined, 'is about to start'],
    ['Prolog', 'is about to start'],
    ['Resources', 'waits for free resources'],
    ['Priority', 'waits behind jobs of higher priority'],
    ['BeginTime', 'was put back into the queue and starts again in a moment'],
    ['JobHeldUser', 'is held', 'scontrol release 7'],
    ['JobHeldAdmin', 'is held by an administrator', 'ask them, or scancel 7'],
    ['launch failed requeued held', 'is held, since it could not be started', 'see the log of its node, then scontrol release 7'],
    ['JobHoldMaxRequeue', 'is held, since it could not be started', 'see the log of its node, then scontrol release 7'],
    ['DependencyNeverSatisfied', 'waits for a job that failed', 'scancel 7'],
    ['PartitionTimeLimit', "waits for ever: it asks for more time than its partition's limit", 'scancel 7, then sweep again with a shorter --time'],
    ['PartitionNodeLimit', 'waits for ever: its partition has nothing like it', 'scancel 7, then sweep again with other --partition, --gpus or --mem'],
    ['BadConstraints', 'waits for ever: its partition has nothing like it', 'scancel 7, then sweep again with other --partition, --gpus or --mem'],
    ['QOSNotAllowed', 'waits for ever: its account or QOS may not use its partition', 'scancel 7, then sweep again with other --account, --qos or --partition'],
    ['PartitionDown', 'waits for its partition, which takes no jobs to run', 'sweep with another --partition, or wait'],
    ['QOSMaxCpuPerUserLimit', 'waits at a limit of its account or QOS', 'sweep with less (--jobs, --time, --gpus), or wait'],
    ['AssocGrpGRES', 'waits at a limit of its account or QOS', 'sweep with less (--jobs, --time, --gpus), or wait'],
    ['ReqNodeNotAvail, UnavailableNodes:n1', 'waits for nodes that are down, drained or reserved'],
    ['Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions', 'waits for nodes that are down, drained or reserved'],
    ['SomethingNew', 'waits (SomethingNew)'],
  ])('%s', (reason, text, mend?: string) => {
    expect(queueLines([waiting(reason)])).toEqual([`queued   a job ${text}`, ...(mend === undefined ? [] : [`         to mend it: ${mend}`])]);
  });

  test('those that wait for the same are one line, each mended by itself; what runs is not told', () => {
    expect(queueLines([waiting('Resources'), waiting('Resources', { id: '8' }), waiting('JobHeldUser'), waiting('JobHeldUser', { id: '9' }), waiting(undefined, { phase: 'running' })])).toEqual([
      'queued   2 jobs, each of which waits for free resources',
      'queued   2 jobs, each of which is held',
      '         to mend it: scontrol release 7',
      '         to mend it: scontrol release 9',
    ]);
  });

  test('one that Slurm has not answered for, or does not take for now', () => {
    expect(queueLines([{ name: 'a', phase: 'unknown' }])).toEqual(['queued   a job was handed in; Slurm has not answered yet']);
    expect(queueLines([{ name: 'a', phase: 'unknown', postponed: 'sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed' }])).toEqual([
      'queued   a job waits to be handed in: Slurm takes no more for now (sbatch: error: Batch job submission failed)',
    ]);
  });
});

test('how a job ended, for all states', () => {
  expect(endText('TIMEOUT', undefined)).toBe('reached its time limit before its worker left');
  expect(endText('FAILED', 'exit code 2:0')).toBe('failed (exit code 2:0)');
  expect(endText('SOMETHING_NEW', undefined)).toBe('ended as SOMETHING_NEW');
  for (const state of ['CANCELLED', 'PREEMPTED', 'NODE_FAIL', 'OUT_OF_MEMORY', 'BOOT_FAIL', 'DEADLINE', 'REVOKED', 'REFUSED', 'LOST', 'FORGOTTEN'])
    expect(endText(state, undefined)).not.toContain(state);
});
