/** Short runs of `make chaos`, each with one seed: kills by the score and by the hundred, and a little of everything. */
import { expect, test } from 'vitest';
import { runChaos } from '../chaos/chaos.ts';
import { disturbances, kills } from '../chaos/disturbances.ts';
import { faultsOf } from '../chaos/tally.ts';

const DISTURBANCES = 5;
const timeout = 1_800_000;

/** Where everything is slow, all of so many kills may come before a first checkpoint: then it goes on for a while. @param lanes stores that are killed side by side */
async function expectToOutlive(count: number, lanes: number): Promise<void> {
  const lines: string[] = [];
  const tally = await runChaos({ seed: 5, disturbances: kills, lanes, enough: t => t.kills >= count && (t.resumes > 0 || t.kills >= 20 * count), seeds: '0', say: line => lines.push(line) });
  expect(faultsOf(tally), lines.join('\n')).toBe(0);
  expect(tally.kills).toBeGreaterThanOrEqual(count);
  expect(tally.resumes).toBeGreaterThan(0);
}

test('8 kills of workers and runners: the results are those of an undisturbed sweep, and nothing done is done again', { timeout }, () => expectToOutlive(8, 2));

test('200 kills of workers and runners, in every phase: the same', { timeout, tags: 'long' }, () => expectToOutlive(200, 6));

test('a sweep disturbed in other ways, too, loses nothing, does nothing twice and leaves nothing behind', { timeout, tags: 'long' }, async () => {
  const lines: string[] = [];
  const tally = await runChaos({
    seed: 6,
    disturbances,
    enough: t => t.disturbances >= DISTURBANCES && ((t.kills > 0 && t.resumes > 0) || t.disturbances >= 5 * DISTURBANCES),
    seeds: '0',
    say: line => lines.push(line),
  });
  expect(faultsOf(tally), lines.join('\n')).toBe(0);
  expect(tally.kills).toBeGreaterThan(0);
  expect(tally.resumes).toBeGreaterThan(0);
  expect(tally.disturbances).toBeGreaterThanOrEqual(DISTURBANCES);
});
