import { expect, test } from 'vitest';
import { demandFor, type JobView } from '../../../../src/core/slurm/demand.ts';

const GIBI = 2 ** 30;
const job = (name: string, more: Partial<JobView> = {}): JobView => ({ name, phase: 'running', free: 0, ...more });
const limits = { most: 4, workers: 1 };

test('one job for each stage that is ready, at most so many', () => {
  expect(demandFor({ ready: [undefined, undefined], open: 2 }, [], limits)).toEqual({ submit: [undefined, undefined], cancel: [] });
  expect(demandFor({ ready: Array<undefined>(9).fill(undefined), open: 9 }, [job('a')], limits).submit).toHaveLength(3);
  expect(demandFor({ ready: [undefined], open: 1 }, [], { ...limits, most: 0 }).submit).toEqual([]);
});

test('who is idle, or waits, takes one', () => {
  expect(demandFor({ ready: [undefined, undefined], open: 2 }, [job('idle', { free: 1 }), job('waits', { phase: 'waiting', free: 1 }), job('busy')], limits).submit).toEqual([]);
  expect(demandFor({ ready: [undefined, undefined], open: 2 }, [job('unanswered', { phase: 'unknown', free: 1 })], limits).submit).toEqual([undefined]);
});

test('a job takes as many as it has idle workers', () => {
  expect(demandFor({ ready: Array<undefined>(9).fill(undefined), open: 9 }, [job('a', { free: 3 })], { most: 4, workers: 4 }).submit).toHaveLength(2);
});

test('the smallest that suffices takes a stage, so that the large ones are left for large ones', () => {
  const jobs = [job('large', { free: 1, memory: 8 * GIBI }), job('small', { free: 1, memory: 2 * GIBI })];
  expect(demandFor({ ready: [GIBI, 8 * GIBI], open: 2 }, jobs, limits).submit).toEqual([]);
  expect(demandFor({ ready: [4 * GIBI, 8 * GIBI], open: 2 }, jobs, limits).submit).toEqual([4 * GIBI]);
});

test('what waits is cancelled only where there is no work for it to come, the last in the queue first', () => {
  const waiting = ['a', 'b', 'c'].map(name => job(name, { phase: 'waiting', free: 1 }));
  expect(demandFor({ ready: [], open: 3 }, waiting, limits).cancel).toEqual([]);
  expect(demandFor({ ready: [], open: 1 }, waiting, limits).cancel).toEqual(['b', 'c']);
  expect(demandFor({ ready: [], open: 0 }, [job('runs', { free: 1 })], limits).cancel).toEqual([]);
});

test('an idle job that is too small for all that is ready makes room for one that is not', () => {
  const jobs = [job('small', { free: 1, memory: GIBI }), job('busy', { memory: GIBI }), job('large', { free: 1, memory: 8 * GIBI })];
  expect(demandFor({ ready: [8 * GIBI, 8 * GIBI], open: 2 }, jobs, { most: 3, workers: 1 })).toEqual({ submit: [], cancel: ['small'] });
  expect(demandFor({ ready: [8 * GIBI, 8 * GIBI], open: 2 }, jobs, { most: 4, workers: 1 })).toEqual({ submit: [8 * GIBI], cancel: [] });
  expect(demandFor({ ready: [8 * GIBI, 8 * GIBI, GIBI], open: 3 }, jobs, { most: 3, workers: 1 }).cancel).toEqual([]);
});
