import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { JobJournal, readJob, readJobs } from '../../../../src/core/store/jobs.ts';
import { temporaryFolder } from '../../../toy/sweep.ts';

function journal(): { readonly store: string; readonly jobs: JobJournal } {
  const store = temporaryFolder('jobs');
  return { store, jobs: new JobJournal(store) };
}

test('what became of a job is known to whoever looks into the store', () => {
  const { store, jobs } = journal();
  expect(readJobs(store, 'a-')).toEqual([]);
  expect(jobs.ask('a-1', { memory: 5, seconds: 60 })).toBe(true);
  expect(jobs.ask('a-2', {})).toBe(true);
  jobs.accepted('a-1', '7');
  jobs.unwanted('a-1');
  jobs.over('a-1', 'CANCELLED', 'None');
  expect(readJobs(store, 'a-')).toMatchObject([{ name: 'a-1', id: '7', memory: 5, unwanted: true, over: { state: 'CANCELLED', reason: 'None' } }, { name: 'a-2' }]);
  expect(readJobs(store, 'b-')).toEqual([]);
  for (const field of ['id', 'unwanted', 'over', 'memory']) expect(readJob(store, 'a-2')).not.toHaveProperty(field);
});

test('a name is taken once, whoever asks', () => {
  const { store, jobs } = journal();
  expect([jobs.ask('a-1', {}), new JobJournal(store).ask('a-1', { memory: 9 })]).toEqual([true, false]);
  expect(readJob(store, 'a-1')).not.toHaveProperty('memory');
  expect(readJobs(store, '')).toHaveLength(1); // nothing half made beside it
});

test('one that is accepted after its end goes on', () => {
  const { store, jobs } = journal();
  jobs.ask('a-1', {});
  jobs.accepted('a-1', '7');
  jobs.over('a-1', 'NODE_FAIL');
  jobs.accepted('a-1', '7');
  expect(readJob(store, 'a-1')).not.toHaveProperty('over');
  jobs.over('a-1', 'COMPLETED');
  expect(readJob(store, 'a-1')).toMatchObject({ over: { state: 'COMPLETED' } });
});

test('torn and strange lines are passed over; a job without a sound one is over', () => {
  const { store, jobs } = journal();
  jobs.ask('a-1', {});
  const line = (text: string): void => appendFileSync(join(store, 'jobs', 'a-1', 'job.jsonl'), `${text}\n`);
  for (const text of ['{"type":"acc', '{"type":"of a newer version","time":"2026-01-01T00:00:00.000Z"}', '[]', '{"type":"accepted","time":"2026-01-01T00:00:00.000Z","id":"7\\u001b[31m"}']) line(text);
  expect(readJob(store, 'a-1')).toMatchObject({ name: 'a-1' });
  expect(readJob(store, 'a-1').id).not.toContain('\u001b');
  mkdirSync(join(store, 'jobs', 'a-2'));
  writeFileSync(join(store, 'jobs', 'a-2', 'job.jsonl'), '');
  expect(readJob(store, 'a-2')).toMatchObject({ over: { state: 'LOST' } });
});

test('names that are no jobs are passed over, and no link is followed', () => {
  const { store, jobs } = journal();
  jobs.ask('a-1', {});
  mkdirSync(join(store, 'jobs', 'a-1 b'));
  mkdirSync(join(store, 'jobs', '.tmp-x'));
  expect(readJobs(store, '')).toHaveLength(1);
  const outside = temporaryFolder('outside');
  writeFileSync(join(outside, 'job.jsonl'), '{"type":"asked","time":"2026-01-01T00:00:00.000Z"}\n');
  symlinkSync(outside, join(store, 'jobs', 'a-9'));
  expect(() => readJobs(store, 'a-9')).toThrow(/link/);
});
