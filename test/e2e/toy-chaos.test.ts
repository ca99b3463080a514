/** Short runs of `make chaos`, each with one seed: kills by the hundred, and a little of everything. */
import { expect, test } from 'vitest';
import { runChaos } from '../chaos/chaos.ts';
import { disturbances, kills } from '../chaos/disturbances.ts';
import { faultsOf } from '../chaos/tally.ts';

const KILLS = 200;
const DISTURBANCES = 5;

test(`${KILLS} kills of workers and runners in every phase: the results are those of an undisturbed sweep, and nothing done is done again`, async () => {
  const lines: string[] = [];
  const tally = await runChaos({ seed: 5, disturbances: kills, lanes: 6, enough: t => t.kills >= KILLS, seeds: '0', say: line => lines.push(line) });
  expect(faultsOf(tally), lines.join('\n')).toBe(0);
  expect(tally.kills).toBeGreaterThanOrEqual(KILLS);
  expect(tally.resumes).toBeGreaterThan(0);
}, 1_800_000);

test('a sweep disturbed in other ways, too, loses nothing, does nothing twice and leaves nothing behind', async () => {
  const lines: string[] = [];
  const tally = await runChaos({ seed: 6, disturbances, enough: t => t.disturbances >= DISTURBANCES && t.kills > 0, seeds: '0', say: line => lines.push(line) });
  expect(faultsOf(tally), lines.join('\n')).toBe(0);
  expect(tally.kills).toBeGreaterThan(0);
  expect(tally.resumes).toBeGreaterThan(0);
  expect(tally.disturbances).toBeGreaterThanOrEqual(DISTURBANCES);
}, 1_800_000);
