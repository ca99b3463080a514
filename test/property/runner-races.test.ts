/** The loop of a run against workers, a second runner, a rival on another host, Ctrl-C and the clock, in every order that comes up. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defineKind, z } from '../../src/core/ablation/define.ts';
import { keyOf } from '../../src/core/ablation/identity.ts';
import type { Plan, PlannedStage } from '../../src/core/plan/plan.ts';
import type { RunEvent, RunSummary } from '../../src/core/runner/events.ts';
import type { Limits } from '../../src/core/runner/limits.ts';
import { runPlan } from '../../src/core/runner/run.ts';
import type { StoreReader } from '../../src/core/store/reader.ts';
import { openStore, openStoreReadOnly } from '../../src/core/store/store.ts';
import { temporaryFolder } from '../toy/sweep.ts';
import { ACTS, ANSWERS, compete, Referee, resultOf, Workers, type Turn } from '../helpers/runner-players.ts';

/** Most that a batch divides into. */
const MOST_MICRO_BATCHES = 4;

/** Up to two inputs; trees of one bed run side by side. */
const tree = defineKind({
  name: 'tree',
  revision: 1,
  recipe: z.strictObject({ number: z.int(), bed: z.int().nullable() }),
  upstream: { a: { kinds: ['tree'], optional: true }, b: { kinds: ['tree'], optional: true } },
  metrics: {},
  cost: () => ({ labelledImages: 0, unlabelledImages: 1, flops: 2 }),
  memory: () => ({ shared: 1, own: 1 }),
  canSplit: (_, microBatches) => microBatches <= MOST_MICRO_BATCHES,
  packing: {
    key: ({ recipe: { number, bed } }) => (bed === null ? { number } : { bed }),
    sharedFlops: () => 1,
    load: () => Promise.reject(new Error('Expected no code of a stage to be loaded')),
  },
  load: () => Promise.reject(new Error('Expected no code of a stage to be loaded')),
});

interface Node {
  readonly inputs: readonly number[];
  readonly bed: number | null;
}

/** Arms are the trees on which nothing else grows. */
function planOf(nodes: readonly Node[]): Plan {
  const stages: PlannedStage[] = [];
  for (const [number, { inputs, bed }] of nodes.entries()) {
    const upstream = number === 0 ? {} : Object.fromEntries(inputs.map((n, i) => ['ab'[i]!, stages[n % number]!.key]));
    const identity = { kind: tree.name, revision: 1, recipe: { number, bed }, seed: 0, upstream };
    stages.push({ ...identity, key: keyOf(identity), cost: tree.cost(identity.recipe, {}), roles: ['tree'], users: [{ ablation: 'a', arm: `arm-${number}`, seed: 0 }] });
  }
  const used = new Set(stages.flatMap(stage => Object.values(stage.upstream)));
  const arms = stages.filter(({ key }) => !used.has(key)).map(({ key, users }) => ({ ...users[0]!, stages: { tree: key }, final: key, finals: [key] }));
  return { stages: new Map(stages.map(stage => [stage.key, stage])), arms };
}

interface RunnerCase {
  readonly places: number;
  readonly answers: readonly (typeof ANSWERS)[number][];
  /** Ctrl-C after so many turns, and again after so many more. */
  readonly stop: { readonly after: number; readonly again: number | null } | null;
}

const runner: fc.Arbitrary<RunnerCase> = fc.record({
  places: fc.integer({ min: 1, max: 3 }),
  answers: fc.array(fc.constantFrom(...ANSWERS), { maxLength: 12 }),
  stop: fc.option(fc.record({ after: fc.nat(40), again: fc.option(fc.nat(20)) }), { freq: 2 }),
});
const nodes: fc.Arbitrary<Node[]> = fc.array(fc.record({ inputs: fc.array(fc.nat(), { maxLength: 2 }), bed: fc.option(fc.nat(1)) }), { minLength: 1, maxLength: 7 });
/** Most often it takes a stage, stands still until that is taken from it, and then ends it all the same. */
const late = (['takes', 'stands still', 'commits'] as const).map(act => ({ act, which: 0 }));
const acts = fc
  .array(
    fc.oneof(
      fc.constant(late),
      fc.record({ act: fc.constantFrom(...ACTS), which: fc.nat() }).map(act => [act]),
    ),
    { maxLength: 8 },
  )
  .map(list => list.flat());

const LEASE_MS = 5_000;
/** Of what a watcher looks at in one go. */
const TICK_MS = 500;
const LIMITS: Limits = { load: 10_000, trace: 10_000, evaluate: 10_000, save: 10_000, step: { times: 1, floor: 10_000, unknown: 10_000 } };
/** Of real time: a run that takes longer does not end. */
const END_MS = 20_000;

let clock = 0;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
  vi.spyOn(performance, 'now').mockImplementation(() => clock);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** As long as it is wanted. Between two ticks what the disk has to do is done. */
async function timePasses(turn: Turn, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await sleep(1);
    await turn('time passes');
    clock += TICK_MS;
    vi.advanceTimersByTime(TICK_MS);
  }
}

/** Ctrl-C, or nothing. */
function interrupted({ stop: at }: RunnerCase, turn: Turn): { readonly stop: AbortSignal; readonly kill: AbortSignal } {
  const [stop, kill] = [new AbortController(), new AbortController()];
  const press = async (after: number, again: number | null): Promise<void> => {
    for (let i = 0; i < after; i++) await turn('nobody presses Ctrl-C');
    stop.abort();
    for (let i = 0; i < (again ?? 0); i++) await turn('nobody presses Ctrl-C again');
    if (again !== null) kill.abort();
  };
  if (at) void press(at.after, at.again);
  return { stop: stop.signal, kill: kill.signal };
}

interface Ran {
  readonly summary: RunSummary;
  readonly events: readonly RunEvent[];
  readonly workers: Workers;
  readonly stopped: boolean;
}

/** What a run says of itself, against the store and against itself. */
function expectTrue({ summary, events, workers, stopped }: Ran, plan: Plan, store: StoreReader): void {
  const { done, reused, failed, blocked, interrupted: cut, left } = summary;
  const lost = new Set([...failed.map(f => f.key), ...blocked]);
  expect([...done, ...reused, ...lost, ...cut, ...left].sort()).toEqual([...plan.stages.keys()].sort()); // each came to one end
  if (!stopped) expect([cut, left]).toEqual([[], []]);
  for (const key of [...done, ...reused]) expect(store.result(key)).toEqual(resultOf(key));
  for (const key of blocked) expect(Object.values(plan.stages.get(key)!.upstream).some(input => lost.has(input))).toBe(true);
  for (const { counts: c } of events) expect(c.done + c.reused + c.failed + c.blocked + c.interrupted + c.running + c.queued).toBe(c.total);
  expect(new Set(done).size).toBe(events.filter(e => e.type === 'finished').length);
  // As it was in a pack, as it was twice, and with half and a quarter of its micro-batch.
  for (const times of workers.submitted.values()) expect(times).toBeLessThanOrEqual(5);
  expect(workers.isIdle).toBe(true);
}

test('every run ends, with every stage done once, failed for good, blocked or stopped, whatever the order of events', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), nodes, fc.array(runner, { minLength: 1, maxLength: 2 }), acts, async (s, trees, runners, rival) => {
      const plan = planOf(trees);
      const dir = temporaryFolder('races');
      openStore(dir);
      const turn: Turn = label => s.schedule(Promise.resolve(), label);
      const reader = openStoreReadOnly(dir),
        referee = new Referee(plan, reader, LEASE_MS);
      const runs = runners.map(async (given, i): Promise<Ran> => {
        const store = openStore(dir, { lease: LEASE_MS }),
          events: RunEvent[] = [];
        const workers = new Workers({ name: `runner ${i}`, ...given, store, turn, referee });
        const summary = await runPlan({
          plan,
          kinds: [tree],
          store,
          executor: workers,
          experiments: '/none',
          dataDir: '/none',
          poll: 1,
          limits: LIMITS,
          ...interrupted(given, turn),
          onEvent: event => events.push(event),
        });
        return { summary, events, workers, stopped: given.stop !== null };
      });
      const competing = compete({ acts: rival, lease: LEASE_MS, plan, store: openStore(dir, { lease: LEASE_MS }), turn, referee });
      let over = false;
      void timePasses(turn, () => over);
      const ended = Promise.all([Promise.all(runs), competing]).finally(() => {
        over = true;
      });
      const hangs = sleep(END_MS, undefined, { ref: false }).then(() => {
        throw new Error(`The run did not end.\n${JSON.stringify(s.report())}`);
      });
      const [all] = await s.waitFor(Promise.race([ended, hangs]));

      expect(referee.faults).toEqual([]);
      for (const ran of all) expectTrue(ran, plan, reader);
      for (const key of plan.stages.keys()) {
        const committed = reader.attempts(key).filter(n => reader.states(key, n).at(-1)?.state === 'done');
        expect(committed).toEqual(reader.doneAttempt(key) === undefined ? [] : [reader.doneAttempt(key)]);
      }
    }),
    { numRuns: 60 },
  );
}, 120_000);
