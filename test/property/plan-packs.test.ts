/** Packs and schedules of any plan: every stage once, within bounds, inputs first, one pack a place at a time. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packMemory, packStages, type PackChoice } from '../../src/core/plan/packs.ts';
import type { PlannedStage } from '../../src/core/plan/plan.ts';
import { priorities } from '../../src/core/plan/priority.ts';
import { makespan, schedule, type Pack } from '../../src/core/plan/schedule.ts';
import { together, type Sharing } from '../../src/core/plan/sharing.ts';

interface Case {
  readonly stages: PlannedStage[];
  readonly choice: PackChoice & { readonly largest: number };
}

/** Stages in topological order with inputs among those before, some of which share in one of three groups. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    nodes: fc.array(
      fc.record({
        flops: fc.integer({ min: 1, max: 100 }),
        inputs: fc.array(fc.nat(), { maxLength: 2 }),
        group: fc.option(fc.nat(2)),
        own: fc.integer({ min: 1, max: 50 }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { minLength: 1, maxLength: 25 },
    ),
    places: fc.integer({ min: 1, max: 4 }),
    memory: fc.integer({ min: 20, max: 300 }),
    largest: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ nodes, ...limits }) => {
    const stages = nodes.map(({ flops, inputs }, i): PlannedStage => ({
      key: `s${i}`,
      kind: 'k',
      revision: 1,
      recipe: {},
      seed: 0,
      roles: ['r'],
      users: [],
      cost: { labelledImages: 0, unlabelledImages: 0, flops },
      upstream: i === 0 ? {} : Object.fromEntries(inputs.map((n, slot) => [`slot${slot}`, `s${n % i}`])),
    }));
    const sharings = new Map(nodes.flatMap(({ group, own, share }, i): [string, Sharing][] => (group === null ? [] : [[`s${i}`, { group: String(group), share, memory: { shared: 10, own } }]])));
    return { stages, choice: { ...limits, sharings } };
  });

const planOf = (stages: readonly PlannedStage[]) => ({ stages: new Map(stages.map(s => [s.key, s])) });
const played = ({ stages, choice }: Case, packs: readonly Pack[]) => schedule(packs, priorities(planOf(stages)), pack => together(pack, choice.sharings, s => s.cost.flops), choice.places);

describe('packStages', () => {
  test('holds every stage once, of one group a pack, within its bounds', () => {
    let shared = 0;
    fc.assert(
      fc.property(cases, ({ stages, choice }) => {
        const packs = packStages(planOf(stages), stages, choice);
        expect(
          packs
            .flat()
            .map(s => s.key)
            .sort(),
        ).toEqual(stages.map(s => s.key).sort());
        for (const pack of packs.filter(p => p.length > 1)) {
          expect(new Set(pack.map(s => choice.sharings.get(s.key)!.group)).size).toBe(1);
          expect(pack.length).toBeLessThanOrEqual(choice.largest);
          expect(packMemory(pack, choice.sharings)).toBeLessThanOrEqual(choice.memory);
          shared++;
        }
      }),
    );
    expect(shared).toBeGreaterThan(0);
  });
});

describe('schedule', () => {
  test('starts a pack after its inputs and never two at once on a place; the whole takes no less than its bounds', () => {
    fc.assert(
      fc.property(cases, given => {
        const { stages, choice } = given;
        const slots = played(given, packStages(planOf(stages), stages, choice));
        const endOf = new Map(slots.flatMap(slot => slot.pack.map(s => [s.key, slot.end] as const)));
        expect(endOf.size).toBe(stages.length);
        for (const slot of slots) {
          for (const stage of slot.pack) for (const key of Object.values(stage.upstream)) expect(endOf.get(key)!).toBeLessThanOrEqual(slot.start);
          for (const other of slots) if (other !== slot && other.place === slot.place) expect(other.end <= slot.start || slot.end <= other.start).toBe(true);
        }
        const total = slots.reduce((sum, slot) => sum + slot.end - slot.start, 0);
        expect(makespan(slots)).toBeGreaterThanOrEqual(total / choice.places - 1e-9);
      }),
    );
  });
});
