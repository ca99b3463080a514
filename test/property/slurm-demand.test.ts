/** Whatever is ready and whatever is in the queue: never too many jobs, never too few, none cancelled for which work may come. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { demandFor, type JobView, type Limits, type Work } from '../../src/core/slurm/demand.ts';

const size = fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined });
const limits: fc.Arbitrary<Limits> = fc.record({ most: fc.integer({ min: 0, max: 6 }), workers: fc.integer({ min: 1, max: 3 }) });
const job = (workers: number): fc.Arbitrary<Omit<JobView, 'name'>> =>
  fc.record({ phase: fc.constantFrom('unknown' as const, 'waiting' as const, 'running' as const), memory: size, free: fc.integer({ min: 0, max: workers }) });
const situation = limits.chain(limit =>
  fc.record({
    limit: fc.constant(limit),
    jobs: fc.array(job(limit.workers), { maxLength: 8 }).map(jobs => jobs.map((one, i): JobView => ({ name: `j${i}`, ...one }))),
    work: fc.array(size, { maxLength: 12 }).chain(ready => fc.integer({ min: ready.length, max: ready.length + 5 }).map((open): Work => ({ ready, open }))),
  }),
);

/** Whether each of the stages can have a worker of its own: the most demanding first, each the smallest that suffices. */
function served(ready: Work['ready'], workers: readonly number[]): boolean {
  const free = [...workers].sort((a, b) => a - b);
  return [...ready]
    .sort((a, b) => (b ?? 0) - (a ?? 0))
    .every(needed => {
      const found = free.findIndex(memory => (needed ?? 0) <= memory);
      if (found >= 0) free.splice(found, 1);
      return found >= 0;
    });
}

test('never more jobs than asked for, and each ready stage has a worker unless there are so many', () => {
  fc.assert(
    fc.property(situation, ({ limit, jobs, work }) => {
      const { submit } = demandFor(work, jobs, limit);
      if (submit.length > 0) expect(jobs.length + submit.length).toBeLessThanOrEqual(limit.most);
      const free = [...jobs.flatMap(one => Array<number>(one.free).fill(one.memory ?? Infinity)), ...submit.flatMap(memory => Array<number>(limit.workers).fill(memory ?? Infinity))];
      expect(jobs.length + submit.length >= limit.most || served(work.ready, free)).toBe(true);
      expect(submit.length).toBeLessThanOrEqual(work.ready.length);
    }),
    { numRuns: 2000 },
  );
});

test('none is cancelled for which work may come, but for those in the way of larger ones', () => {
  fc.assert(
    fc.property(situation, ({ limit, jobs, work }) => {
      const { submit, cancel } = demandFor(work, jobs, limit);
      const waiting = jobs.filter(({ phase }) => phase === 'waiting').map(({ name }) => name);
      const surplus = new Set(waiting.slice(work.open));
      expect([...surplus].filter(name => !cancel.includes(name))).toEqual([]);
      for (const one of jobs.filter(({ name }) => cancel.includes(name) && !surplus.has(name))) {
        expect(jobs.length + submit.length).toBeGreaterThanOrEqual(limit.most);
        expect(one).toMatchObject({ free: limit.workers });
        expect(work.ready.filter(needed => (needed ?? 0) <= (one.memory ?? Infinity))).toEqual([]);
      }
    }),
    { numRuns: 2000 },
  );
});
