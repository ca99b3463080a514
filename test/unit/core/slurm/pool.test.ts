/** Jobs of a round, with programs of Slurm that lose answers, refuse, and forget. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SlurmClient } from '../../../../src/core/slurm/client.ts';
import { JobPool } from '../../../../src/core/slurm/pool.ts';
import { readJobs } from '../../../../src/core/store/jobs.ts';
import { StandIns } from '../../../slurm/stand-ins.ts';
import { temporaryFolder } from '../../../toy/sweep.ts';

const PREFIX = 'ablate-1a2b3c4d-';
const name = (number: number): string => `${PREFIX}1-${number}`;

let slurm: StandIns;
let store: string;
let said: string[];

const open = (): JobPool =>
  new JobPool({ client: new SlurmClient(), store, prefix: PREFIX, round: `${PREFIX}1`, slurm: { partition: 'p' }, folder: '/study', command: ['node', 'worker'], say: line => said.push(line) });
const accept = (id: string): void => slurm.says('sbatch', { out: id });
const refuse = (err: string): void => slurm.says('sbatch', { err });
const record = (number: number) => readJobs(store, PREFIX).find(job => job.name === name(number))!;

const SILENT = 'error: Unable to contact slurm controller (connect failure)';

beforeEach(() => {
  slurm = new StandIns();
  store = temporaryFolder('pool');
  said = [];
});
afterEach(() => slurm.release());

test('a job is written down before it is asked for, and known by whoever looks into the store', async () => {
  accept('7');
  const pool = open();
  expect(await pool.submit(2 ** 30, 600)).toEqual({ type: 'handed-in' });
  expect(slurm.calls('sbatch')[0]).toContain(`--job-name=${name(1)} --output=${join(store, 'jobs', name(1), 'log.txt')}`);
  expect(slurm.calls('sbatch')[0]).toContain('--time=10');
  expect(slurm.script).toBe('#!/bin/bash\nexec node worker\n');
  expect(record(1)).toMatchObject({ id: '7', memory: 2 ** 30 });
  slurm.queue(`7|${name(1)}|RUNNING|n1|None`);
  const other = open();
  await other.look();
  expect(other.jobs()).toEqual([{ name: name(1), phase: 'running', id: '7', memory: 2 ** 30, node: 'n1' }]);
  await other.submit(undefined, undefined);
  expect(slurm.calls('sbatch')[1]).toContain(`--job-name=${name(2)}`);
});

test('an answer that was lost: the job that the queue shows is ours, else it is handed in again under its name', async () => {
  refuse(SILENT);
  const pool = open();
  expect(await pool.submit(undefined, undefined)).toEqual({ type: 'handed-in' });
  expect(pool.silence()?.why).toContain('Unable to contact');
  expect(pool.jobs()).toEqual([{ name: name(1), phase: 'unknown' }]);

  slurm.queue(`7|${name(1)}|PENDING||Priority`);
  expect(await pool.look()).toBe(true);
  expect(pool.silence()).toBeUndefined();
  expect(record(1)).toMatchObject({ id: '7' });
  expect(slurm.calls('sbatch')).toHaveLength(1);

  await pool.submit(undefined, undefined);
  accept('8');
  await pool.look();
  expect(
    slurm
      .calls('sbatch')
      .slice(1)
      .map(call => /--job-name=(\S+)/.exec(call)![1]),
  ).toEqual([name(2), name(2)]);
  expect(record(2)).toMatchObject({ id: '8' });
  expect(said).toEqual(
    [
      `Slurm does not answer: sbatch: ${SILENT}. What runs goes on; asking again.`,
      'Slurm answers again.',
      `Slurm does not answer: sbatch: ${SILENT}. What runs goes on; asking again.`,
      'Slurm answers again.',
    ].map(line => line.replace('sbatch: ', '')),
  );
});

test('a job that was taken twice, as after a lost answer: one of both counts, the other is cancelled', async () => {
  accept('7');
  const pool = open();
  await pool.submit(undefined, undefined);
  slurm.queue(`6|${name(1)}|RUNNING|n1|None`, `7|${name(1)}|PENDING||Priority`);
  await pool.look();
  expect(slurm.calls('scancel')).toEqual(['scancel 7']);
  expect(pool.jobs()).toMatchObject([{ id: '6', phase: 'running' }]);
  slurm.queue(`6|${name(1)}|RUNNING|n1|None`, `7|${name(1)}|CANCELLED||None`);
  await pool.look();
  expect(pool.jobs()).toHaveLength(1);
  expect(slurm.calls('scancel')).toHaveLength(1);
});

test('silence is no end of a job', async () => {
  accept('7');
  const pool = open();
  await pool.submit(undefined, undefined);
  slurm.says('squeue', { err: SILENT });
  for (let look = 0; look < 3; look++) expect(await pool.look()).toBe(false);
  expect(pool.jobs()).toHaveLength(1);
  expect(pool.lines().at(-1)).toMatch(/^Slurm has not answered for \d+ s: what runs goes on/);
  expect(said).toHaveLength(1);
  // The queue answers and does not show it; how it ended is not told.
  slurm.queue();
  slurm.says('scontrol', { err: SILENT });
  await pool.look();
  expect(pool.jobs()).toHaveLength(1);
  expect(record(1)).not.toHaveProperty('over');
});

test('a job that the queue does not show any more is over, as the controller remembers, or however', async () => {
  const pool = open();
  for (const id of ['7', '8']) {
    accept(id);
    await pool.submit(undefined, undefined);
  }
  slurm.queue(`8|${name(2)}|RUNNING|n1|None`);
  slurm.says('scontrol', { out: 'JobId=7 JobState=NODE_FAIL Reason=NodeDown ExitCode=0:0' });
  await pool.look();
  expect(record(1)).toMatchObject({ over: { state: 'NODE_FAIL', reason: 'NodeDown' } });
  expect(said).toEqual(['job 7 lost its node; its stages go on in another']);
  slurm.queue();
  slurm.says('scontrol', { err: 'slurm_load_jobs error: Invalid job id specified' });
  await pool.look();
  expect(record(2)).toMatchObject({ over: { state: 'FORGOTTEN' } });
  expect(pool.jobs()).toEqual([]);
});

test('a job that was put back into the queue after its end was seen goes on', async () => {
  accept('7');
  const pool = open();
  await pool.submit(undefined, undefined);
  slurm.queue(`7|${name(1)}|NODE_FAIL|n1|NodeDown`);
  await pool.look();
  expect(pool.jobs()).toEqual([]);
  slurm.queue(`7|${name(1)}|PENDING||BeginTime`);
  await pool.look();
  expect(pool.jobs()).toMatchObject([{ id: '7', phase: 'waiting' }]);
  const other = open();
  await other.look();
  expect(other.jobs()).toMatchObject([{ id: '7', phase: 'waiting' }]);
});

test('refused is over, and told; refused for now is asked again under its name', async () => {
  const pool = open();
  refuse('sbatch: error: invalid partition specified: p');
  expect(await pool.submit(undefined, undefined)).toEqual({ type: 'refused', why: 'sbatch: error: invalid partition specified: p', later: false });
  expect(record(1)).toMatchObject({ over: { state: 'REFUSED' } });
  expect(pool.jobs()).toEqual([]);
  refuse('sbatch: error: QOSMaxSubmitJobPerUserLimit');
  expect(await pool.submit(undefined, undefined)).toMatchObject({ type: 'refused', later: true });
  await pool.look();
  await pool.look();
  expect(slurm.calls('sbatch')).toHaveLength(4);
  expect(pool.lines()).toEqual(['queued   a job waits to be handed in: Slurm takes no more for now (sbatch: error: QOSMaxSubmitJobPerUserLimit)']);
  accept('9');
  await pool.look();
  expect(pool.jobs()).toMatchObject([{ name: name(2), id: '9' }]);
  expect(pool.lines()[0]).not.toContain('takes no more');
});

test('who reckons with fewer jobs than there are is overtaken, and hands in none', async () => {
  const [one, other] = [open(), open()];
  accept('7');
  await one.look();
  await other.look();
  await one.submit(undefined, undefined);
  expect(await other.submit(undefined, undefined)).toEqual({ type: 'overtaken' });
  expect(slurm.calls('sbatch')).toHaveLength(1);
  slurm.queue(`7|${name(1)}|PENDING||Priority`);
  await other.look();
  expect(other.jobs()).toHaveLength(1);
  expect(await other.submit(undefined, undefined)).toEqual({ type: 'handed-in' });
});

test('a job that cannot be read has its name all the same', async () => {
  mkdirSync(join(store, 'jobs', name(1)), { recursive: true });
  writeFileSync(join(store, 'jobs', name(1), 'job.jsonl'), '{"type":"as');
  accept('7');
  const pool = open();
  await pool.look();
  expect(pool.jobs()).toEqual([]);
  await pool.submit(undefined, undefined);
  expect(record(2)).toMatchObject({ id: '7' });
});

test('cancelled by hand is what no sweep wanted', async () => {
  const pool = open();
  for (const id of ['7', '8', '9']) {
    accept(id);
    await pool.submit(undefined, undefined);
  }
  slurm.queue(`7|${name(1)}|PENDING||Priority`, `8|${name(2)}|RUNNING|n1|None`, `9|${name(3)}|RUNNING|n1|None`);
  await pool.look();
  await pool.end(pool.jobs().slice(0, 2), true);
  expect(slurm.calls('scancel')).toEqual(['scancel 7', 'scancel --batch --signal=USR2 8']);
  slurm.queue(...[7, 8, 9].map((id, i) => `${id}|${name(i + 1)}|CANCELLED||None`));
  await pool.look();
  expect(pool.cancelledByHand()).toBe(1);
  expect(said).toEqual(['job 9 was cancelled; its stages go on in another']);
  const other = open();
  await other.look();
  expect(other.cancelledByHand()).toBe(1);
});

test('what nobody has taken is not handed in any more once it is unwanted; what Slurm took all the same is cancelled', async () => {
  refuse(SILENT);
  const pool = open();
  await pool.submit(undefined, undefined);
  slurm.says('squeue', { err: SILENT });
  await pool.end(pool.jobs(), true);
  await pool.look();
  expect(pool.jobs()).toHaveLength(1); // nothing is known
  accept('7');
  slurm.queue();
  await pool.look();
  expect(slurm.calls('sbatch')).toHaveLength(1);
  expect(record(1)).toMatchObject({ over: { state: 'LOST' } });
  slurm.queue(`6|${name(1)}|PENDING||Priority`);
  await pool.look();
  expect(slurm.calls('scancel')).toEqual(['scancel 6']);
});

test('ends of which another may end the same way, up to the last that did not', async () => {
  const pool = open();
  const ends = ['FAILED', 'COMPLETED', 'FAILED', 'OUT_OF_MEMORY', 'BOOT_FAIL'];
  for (const [i] of ends.entries()) {
    accept(String(i + 1));
    await pool.submit(undefined, undefined);
  }
  slurm.queue(...ends.map((state, i) => `${i + 1}|${name(i + 1)}|${state}||NonZeroExitCode`));
  await pool.look();
  expect(pool.lastBadEnds().map(({ id }) => id)).toEqual(['3', '4', '5']);
});

test('a job that Slurm ended for want of memory has run out of it, also where only its log says so', async () => {
  const pool = open();
  for (const id of ['1', '2']) {
    accept(id);
    await pool.submit(undefined, undefined);
  }
  writeFileSync(record(1).log, 'started stock\nslurmstepd-n1: error: StepId=1.batch exceeded memory limit (356257792 > 104857600), being killed\n');
  writeFileSync(record(2).log, 'a stage said: exceeded memory limit\n');
  slurm.queue(`1|${name(1)}|FAILED|n1|JobLaunchFailure`, `2|${name(2)}|FAILED|n1|NonZeroExitCode`);
  await pool.look();
  expect([1, 2].map(number => record(number).over!.state)).toEqual(['OUT_OF_MEMORY', 'FAILED']);
});
