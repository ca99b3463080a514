import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { allocationOf } from '../../../../src/core/slurm/allocation.ts';

const MEBI = 2 ** 20;
const job = { SLURM_JOB_ID: '7' };

test('outside of a job nothing is', () => {
  expect(allocationOf({ CUDA_VISIBLE_DEVICES: '0', SLURM_MEM_PER_NODE: '5' })).toEqual({});
});

test('a worker for each GPU, else for each CPU', () => {
  expect(allocationOf({ ...job, CUDA_VISIBLE_DEVICES: '1,3' }).devices).toBe('gpu:1,3');
  expect(allocationOf({ ...job, CUDA_VISIBLE_DEVICES: 'GPU-5a6b' }).devices).toBe('gpu:GPU-5a6b');
  for (const none of ['', '-1', 'NoDevFiles']) expect(allocationOf({ ...job, CUDA_VISIBLE_DEVICES: none, SLURM_CPUS_ON_NODE: '3' }).devices).toBe('cpu:3x1');
  expect(allocationOf({ ...job, SLURM_CPUS_PER_TASK: '2', SLURM_CPUS_ON_NODE: '8' }).devices).toBe('cpu:2x1');
  expect(allocationOf(job).devices).toBe(`cpu:${availableParallelism()}x1`);
});

test('memory of the node, or of its CPUs; 0 is all of it', () => {
  expect(allocationOf({ ...job, SLURM_MEM_PER_NODE: '300' }).memory).toBe(300 * MEBI);
  expect(allocationOf({ ...job, SLURM_MEM_PER_CPU: '100', SLURM_CPUS_ON_NODE: '3' }).memory).toBe(300 * MEBI);
  expect(allocationOf({ ...job, SLURM_MEM_PER_NODE: '0' })).not.toHaveProperty('memory');
  expect(allocationOf(job)).not.toHaveProperty('memory');
});

test('node and end, where Slurm tells', () => {
  expect(allocationOf({ ...job, SLURMD_NODENAME: 'n1', SLURM_JOB_END_TIME: '1700000000', SLURM_CPUS_ON_NODE: '1' })).toEqual({ job: '7', node: 'n1', end: 1_700_000_000_000, devices: 'cpu:1x1' });
});
