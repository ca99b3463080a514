/** Sweeps that cannot see each other's processes share a store: only heartbeats tell one that the other lives, and nothing is run twice. */
import { hostname } from 'node:os';
import { execa, execaSync } from 'execa';
import { afterEach, expect, test } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { Host } from '../toy/host.ts';
import { ablateLine } from '../toy/program.ts';
import { endSweeps, startSweep, temporaryFolder, toyPlan } from '../toy/sweep.ts';

afterEach(endSweeps);

/** A table of processes of its own, as containers have it; without its own /proc it shows those of the host, by their numbers there. */
const [NAMESPACE, CONTAINER] = [
  ['unshare', '--pid', '--fork', '--kill-child'],
  ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'],
];
const mayUnshare = !execaSync(CONTAINER[0]!, [...CONTAINER.slice(1), 'true'], { reject: false }).failed;

test('a sweep in another container, or on a cloned machine, waits for the stages of one that it cannot see', async context => {
  // Minutes: however busy the machine, the stage still runs when all have come.
  const choice = { profile: 'slow', only: 'cut/whole', sets: ['milliseconds=2000'] };
  const options = { ...choice, devices: 'cpu:1x1', store: temporaryFolder('unseen') };
  const stock = (await toyPlan(choice)).arms[0]!.stages['stock']!;
  const first = startSweep(options);
  await first.until(e => e.type === 'progress' && e.key === stock && e.progress.step >= 1);
  const clone = new Host(hostname(), 0, '01234567-89ab-cdef-0123-456789abcdef');
  const beside = [startSweep(options, clone.env), ...(mayUnshare ? [startSweep(options, {}, CONTAINER), startSweep(options, {}, NAMESPACE)] : [])];
  const [program, ...args] = [
    ...(mayUnshare ? CONTAINER : []),
    ...ablateLine('experiments', 'status', '--store', options.store, '--profile', choice.profile, '--only', choice.only, '--set', choice.sets[0]!),
  ];
  const status = execa(program!, args, { env: mayUnshare ? {} : clone.env, reject: false, all: true });

  for (const sweep of beside) expect((await sweep.until(e => (e.type === 'waiting' || e.type === 'started') && e.key === stock)).type).toBe('waiting');
  const { exitCode, all } = await status;
  expect([exitCode, all.replaceAll(/\s+/g, ' ')]).toEqual([0, expect.stringMatching(/a sweep runs \(process \d+ on .*?, of another container or boot\)/)]);
  for (const { events } of beside) expect(events.filter(e => e.type === 'started')).toEqual([]);
  expect(openStoreReadOnly(options.store).attempts(stock)).toEqual([1]);
  if (!mayUnshare) context.skip('the part with containers was left out: unshare --pid is not permitted here');
});
