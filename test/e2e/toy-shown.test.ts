/** What `sweep` and `status` show of stages side by side: the real program on the toy study. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { editableStudy } from '../toy/editable.ts';
import { toyPlan } from '../toy/sweep.ts';

// Slow enough for a look at it.
const chosen = ['--only', 'side-by-side/tall,side-by-side/middle,side-by-side/small', '--set', 'milliseconds=50'];

describe('a sweep with a pack', () => {
  const study = editableStudy('slow');

  it('shows the pack as one worker: when it starts, while it runs, and each member when it is done', async () => {
    const running = study.start('sweep', ...chosen, '--no-report', '--devices', 'cpu:1x1');
    const deadline = Date.now() + 300_000;
    let status = '';
    while (Date.now() < deadline && !status.includes('tree of 3 arms')) {
      await sleep(50);
      status = (await study.ablate('status', ...chosen)).stdout;
    }
    expect(status).toMatch(/cpu:0 {2}tree of 3 arms in side-by-side /);
    for (const arm of ['tall', 'middle', 'small']) expect(status).toMatch(new RegExp(`^ {4}[0-9a-f]{12} {2}tree of side-by-side/${arm} seed 0$`, 'm'));
    const { stdout, exitCode } = await running;
    expect(exitCode).toBe(0);
    expect(stdout.match(/^started tree .*$/gm)).toEqual(['started tree of 3 arms in side-by-side  on cpu:0']);
    expect(stdout.match(/^done +tree of .*$/gm)).toHaveLength(3);
  });
});

describe('sweep --accept-engine-change', () => {
  const study = editableStudy('quick');

  it('is off unless given, and then told to the stages', async () => {
    const accepts = async (seed: string, ...flags: string[]): Promise<unknown> => {
      expect((await study.ablate('sweep', '--only', 'cut/whole', '--seeds', seed, '--no-report', '--devices', 'cpu:1x1', ...flags)).exitCode).toBe(0);
      const plan = await toyPlan({ profile: 'quick', only: 'cut/whole', seeds: seed });
      return (openStoreReadOnly(join(study.folder, 'store')).provenance(plan.arms[0]!.stages['tree']!)!['stage'] as Record<string, unknown>)['accepts'];
    };
    expect(await accepts('0')).toBe(false);
    expect(await accepts('1', '--accept-engine-change')).toBe(true);
  });
});
