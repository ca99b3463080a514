/** A short `make chaos` with one seed. */
import { expect, test } from 'vitest';
import { runChaos } from '../chaos/chaos.ts';
import { faultsOf } from '../chaos/tally.ts';

test('a disturbed sweep loses nothing, does nothing twice and leaves nothing behind', async () => {
  const lines: string[] = [];
  const tally = await runChaos({ seed: 6, seconds: 25, seeds: '0', say: line => lines.push(line) });
  expect(faultsOf(tally), lines.join('\n')).toBe(0);
  expect(tally.kills).toBeGreaterThan(0);
  expect(tally.resumes).toBeGreaterThan(0);
  expect(tally.disturbances).toBeGreaterThan(1);
});
