/** How the answers of Slurm's programs are read; the programs are processes that say what is asked of them. */
import { afterEach, expect, test } from 'vitest';
import { SlurmClient } from '../../../../src/core/slurm/client.ts';
import { StandIns } from '../../../slurm/stand-ins.ts';

let slurm: StandIns;
afterEach(() => slurm.release());
const client = new SlurmClient();

test('the id of a job, also of one on another cluster, whatever is printed beside', async () => {
  slurm = new StandIns();
  slurm.says('sbatch', { out: 'This cluster is down on Friday\n12;other' });
  expect(await client.submit(['--time=5'], '#!/bin/sh\n')).toEqual({ type: 'answer', value: '12' });
  expect(slurm.calls('sbatch')).toEqual(['sbatch --parsable --time=5']);
  expect(slurm.script).toBe('#!/bin/sh\n');
  slurm.says('sbatch', { out: '' });
  expect(await client.submit([], '')).toMatchObject({ type: 'silence' });
});

test.each([
  ['sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)', 'silence'],
  ['sbatch: error: Batch job submission failed: Socket timed out on send/recv operation', 'silence'],
  ['sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received', 'silence'],
  ['sbatch: error: If munged is up, restart with --num-threads=10\nsbatch: error: Munge encode failed: Failed to connect', 'silence'],
  ['sbatch: error: invalid partition specified: nowhere\nsbatch: error: Batch job submission failed: Invalid partition name specified', 'refused'],
  ['sbatch: error: Batch job submission failed: Requested node configuration is not available', 'refused'],
  ["sbatch: error: QOSMaxWallDurationPerJobLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)", 'refused'],
  ["sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)", 'later'],
  ["sbatch: error: AssocGrpSubmitJobsLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)", 'later'],
  ["sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)", 'later'],
])('%s: %s', async (err, type) => {
  slurm = new StandIns();
  slurm.says('sbatch', { err });
  const said = await client.submit([], '');
  expect(said.type === 'refused' && said.later ? 'later' : said.type).toBe(type);
  expect(said).toMatchObject({ why: err });
});

test('no program of Slurm, or no cluster of this machine: a message with the way out', async () => {
  slurm = new StandIns([]);
  await expect(client.queue('ablate-')).rejects.toThrow("Expected Slurm's squeue on the PATH, got none");
  slurm.release();
  slurm = new StandIns();
  slurm.says('squeue', { err: 'squeue: error: fetch_config: DNS SRV lookup failed\nsqueue: fatal: Could not establish a configuration source' });
  await expect(client.queue('ablate-')).rejects.toThrow('set SLURM_CONF');
});

test('one call asks for all jobs, without what a person has set for their own eyes', async () => {
  slurm = new StandIns();
  slurm.queue('1|ablate-1-1-1|RUNNING|n1|None', '2|other|RUNNING|n1|None');
  expect(await client.queue('ablate-')).toEqual({ type: 'answer', value: [{ id: '1', name: 'ablate-1-1-1', state: 'RUNNING', node: 'n1' }] });
  expect(slurm.calls('squeue')).toHaveLength(1);
});

test('a job that a job hands in knows nothing of the one that did', async () => {
  slurm = new StandIns();
  slurm.says('sbatch', { out: '1' });
  const mine = { SLURM_MEM_PER_NODE: '5', CUDA_VISIBLE_DEVICES: '3', SQUEUE_PARTITION: 'p', SLURM_CONF: '/etc/mine', SLURMD_NODENAME: 'n1', SBATCH_PARTITION: 'p', TINYMIM_CACHE: '/c' };
  const before = { ...process.env };
  try {
    Object.assign(process.env, mine);
    await client.submit([], '');
    // Of a machine that is no node: what a person has set.
    expect(slurm.environment).toEqual(expect.arrayContaining(['SLURM_MEM_PER_NODE=5', 'CUDA_VISIBLE_DEVICES=3', 'SLURM_CONF=/etc/mine']));
    expect(slurm.environment.join()).not.toContain('SQUEUE_PARTITION');
    process.env['SLURM_JOB_ID'] = '7';
    await client.submit([], '');
    expect(slurm.environment).toEqual(expect.arrayContaining(['SLURM_CONF=/etc/mine', 'SBATCH_PARTITION=p', 'TINYMIM_CACHE=/c']));
    expect(slurm.environment.filter(line => /^(?:SLURM_MEM|SLURM_JOB|SLURMD|CUDA)/.test(line))).toEqual([]);
  } finally {
    for (const name of [...Object.keys(mine), 'SLURM_JOB_ID']) {
      if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before[name];
    }
  }
});

test('how a job ended: by the accounting where it knows, else by the controller, else nobody knows', async () => {
  slurm = new StandIns(['sbatch', 'squeue', 'scancel', 'scontrol', 'sacct']);
  slurm.says('sacct', { out: 'OUT_OF_MEMORY|0:125' });
  expect(await client.ending('7')).toEqual({ type: 'answer', value: { state: 'OUT_OF_MEMORY', reason: 'exit code 0:125' } });
  expect(slurm.calls('scontrol')).toEqual([]);
  slurm.says('sacct', { out: 'CANCELLED by 1000|0:15' });
  expect(await client.ending('7')).toMatchObject({ value: { state: 'CANCELLED' } });
  slurm.says('scontrol', { out: 'JobId=7 JobName=x JobState=FAILED Reason=NonZeroExitCode Dependency=(null) ExitCode=2:0' });
  slurm.says('sacct', { out: 'RUNNING|0:0' }); // of a database that missed its end
  expect(await client.ending('7')).toEqual({ type: 'answer', value: { state: 'FAILED', reason: 'exit code 2:0' } });
  slurm.says('sacct', { err: 'Slurm accounting storage is disabled' });
  expect(await client.ending('7')).toMatchObject({ value: { state: 'FAILED' } });
  slurm.says('sacct', { err: 'sacct: error: slurm_persist_conn_open: Connection refused' });
  expect(await client.ending('7')).toMatchObject({ value: { state: 'FAILED' } });
  slurm.says('scontrol', { err: 'slurm_load_jobs error: Invalid job id specified' });
  expect(await client.ending('7')).toEqual({ type: 'answer', value: undefined });
  slurm.says('scontrol', { err: 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' });
  expect(await client.ending('7')).toMatchObject({ type: 'silence' });
});

test('no sacct is no fault', async () => {
  slurm = new StandIns();
  slurm.says('scontrol', { out: 'JobId=7 JobState=COMPLETED Reason=None ExitCode=0:0' });
  expect(await client.ending('7')).toEqual({ type: 'answer', value: { state: 'COMPLETED', reason: 'None' } });
});

test('jobs are ended, or warned, in one call; none in none', async () => {
  slurm = new StandIns();
  await client.cancel([]);
  await client.cancel(['1', '2']);
  await client.cancel(['3'], 'USR2');
  expect(slurm.calls('scancel')).toEqual(['scancel 1 2', 'scancel --batch --signal=USR2 3']);
  slurm.says('scancel', { err: 'scancel: error: Kill job error on job id 1: Job/step already completing or completed' });
  expect(await client.cancel(['1'])).toMatchObject({ type: 'answer' });
  slurm.says('scancel', { err: 'scancel: error: Unable to contact slurm controller (connect failure)' });
  expect(await client.cancel(['1'])).toMatchObject({ type: 'silence' });
});
