/** A sweep whose jobs are promises: what is handed in, when it gives up, and with which words. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadExperiments } from '../../../../src/core/ablation/load.ts';
import type { SlurmOptions } from '../../../../src/core/ablation/slurm.ts';
import { buildPlan } from '../../../../src/core/plan/plan.ts';
import { submitOnce, sweepOnSlurm, type SlurmSweepOptions } from '../../../../src/core/slurm/sweep.ts';
import { readJobs, type JobRecord } from '../../../../src/core/store/jobs.ts';
import { openStore, type Store } from '../../../../src/core/store/store.ts';
import { StandIns } from '../../../slurm/stand-ins.ts';
import { temporaryFolder, toyExperiments } from '../../../toy/sweep.ts';

let slurm: StandIns;
let store: Store;
let said: string[];

beforeEach(() => {
  store = openStore(temporaryFolder('store'));
  slurm = new StandIns();
  said = [];
});
afterEach(() => slurm.release());

async function options(only: string, asked: SlurmOptions = {}): Promise<SlurmSweepOptions> {
  const experiments = await loadExperiments(toyExperiments, { profile: 'quick', only });
  return {
    plan: buildPlan(experiments),
    kinds: experiments.study.kinds,
    store,
    slurm: asked,
    folder: '/study',
    selection: { only },
    command: round => ['node', 'worker', round],
    onEvent: () => undefined,
    say: line => said.push(line),
  };
}

const jobs = (): JobRecord[] => readJobs(store.dir, 'ablate-');
const queue = (state: (job: JobRecord, index: number) => string): void => slurm.queue(...jobs().map((job, i) => `${job.id!}|${job.name}|${state(job, i)}`));

test('one job for what is ready, none beside it, and a name for each round', async () => {
  const all = await options('cut', { jobs: 3 });
  slurm.says('sbatch', { out: '1' });
  expect(await submitOnce(all)).toBe(1); // of seven stages one can begin
  queue(() => 'PENDING||Priority');
  expect(await submitOnce(all)).toBe(1);
  expect(jobs()[0]!.name).toMatch(/^ablate-[0-9a-f]{8}-1-1$/);
  queue(() => 'COMPLETED||None');
  slurm.says('sbatch', { out: '2' });
  expect(await submitOnce(all)).toBe(1); // nothing was done, and none is left: a new round
  expect(jobs()[1]!.name).toMatch(/-2-1$/);
  expect(slurm.script).toContain(jobs()[1]!.name.replace(/-1$/, ''));
});

test('several who hand in at once hand in no more than one does', async () => {
  const all = await options('cut,variety,side-by-side', { jobs: 8 });
  slurm.says('sbatch', { out: '1' });
  slurm.says('scontrol', { out: 'JobId=1 JobState=PENDING Reason=None ExitCode=0:0' });
  const counts = await Promise.all(Array.from({ length: 4 }, () => submitOnce(all)));
  // Two stages can begin, one for each variety.
  expect(jobs()).toHaveLength(2);
  expect(Math.max(...counts)).toBe(2);
});

test('who leaves is no taker of its own stage, and hands in none where it is unwanted', async () => {
  const all = await options('cut/whole', { jobs: 1 });
  slurm.says('sbatch', { out: '1' });
  await submitOnce(all);
  queue(() => 'RUNNING|n1|None');
  expect(await submitOnce(all)).toBe(1);
  slurm.says('sbatch', { out: '2' });
  expect(await submitOnce(all, '1')).toBe(1);
  expect(jobs().map(({ id }) => id)).toEqual(['1', '2']);
  appendFileSync(join(store.dir, 'jobs', jobs()[1]!.name, 'job.jsonl'), `{"time":"${new Date().toISOString()}","type":"unwanted"}\n`);
  queue(() => 'RUNNING|n1|None');
  await submitOnce(all, '2');
  expect(jobs()).toHaveLength(2);
});

test('refused from the first: the words of Slurm, the option, and that nothing is lost', async () => {
  slurm.says('sbatch', { err: 'sbatch: error: invalid partition specified: p\nsbatch: error: Batch job submission failed: Invalid partition name specified' });
  await expect(sweepOnSlurm(await options('cut/whole', { partition: 'p' }))).rejects.toThrow(/invalid partition specified: p[^]*Choose another --partition[^]*Nothing is lost/);
});

test.each([
  ['Invalid account or account/partition combination specified', '--account'],
  ['Invalid qos specification', '--qos'],
  ['Invalid generic resource (gres) specification', '--gpus'],
  ['Memory specification can not be satisfied', '--mem'],
  ['Requested time limit is invalid (missing or exceeds some limit)', '--time'],
  ['Invalid feature specification', '--constraint'],
  ['Requested node configuration is not available', 'sinfo -o'],
  ['More processors requested than permitted', '--cpus'],
  ["QOSMaxWallDurationPerJobLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)", '--time'],
  ["QOSMaxGRESPerUser\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)", 'Choose less'],
  ["unrecognized option '--foo'", '--sbatch'],
])('refused: %s', async (why, hint) => {
  slurm.says('sbatch', { err: `sbatch: error: ${why}` });
  await expect(sweepOnSlurm(await options('cut/whole'))).rejects.toThrow(hint);
});

test('three jobs that fail before they begin a stage end the sweep, with what the last one printed', async () => {
  const all = await options('cut/whole', { jobs: 1 });
  const failed = new Set<string>();
  const fail = setInterval(() => {
    slurm.says('sbatch', { out: String(jobs().length + 1) });
    for (const { name, log } of jobs()) if (!failed.has(name)) appendFileSync(log, `cannot find module, try ${failed.add(name).size}\n`);
    queue(() => 'FAILED||NonZeroExitCode');
  }, 20);
  try {
    await expect(sweepOnSlurm(all)).rejects.toThrow(/3 in a row that ended before \(FAILED\)[^]*cannot find module, try 3[^]*--prologue/);
  } finally {
    clearInterval(fail);
  }
  expect(jobs()).toHaveLength(3);
  expect(said.filter(line => line.includes('failed'))).toHaveLength(3);
});

test('every job cancelled by hand: nothing more is handed in', async () => {
  const all = await options('cut/whole', { jobs: 1 });
  slurm.says('sbatch', { out: '1' });
  await submitOnce(all);
  queue(() => 'PENDING||Priority');
  const running = sweepOnSlurm(all);
  queue(() => 'CANCELLED||None');
  // Begun while the job was in the queue, or after: a new round then hands in one that is cancelled, too.
  const cancel = setInterval(() => queue(() => 'CANCELLED||None'), 20);
  const summary = await running.finally(() => clearInterval(cancel));
  expect(summary).toMatchObject({ done: [], failed: [] });
  expect(summary.left).toHaveLength(3);
  expect(said.at(-1)).toContain('cancelled by hand');
});
