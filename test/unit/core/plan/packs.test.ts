import { describe, expect, it } from 'vitest';
import type { StageKind } from '../../../../src/core/ablation/kind.ts';
import { packMemory, packStages, type PackChoice } from '../../../../src/core/plan/packs.ts';
import { packLabel, type Plan, type PlannedStage } from '../../../../src/core/plan/plan.ts';
import { priorities } from '../../../../src/core/plan/priority.ts';
import { makespan, schedule, type Pack, type ScheduledPack } from '../../../../src/core/plan/schedule.ts';
import { sharingsOf, together, type Sharings } from '../../../../src/core/plan/sharing.ts';

interface Made {
  flops?: number;
  upstream?: string[];
  kind?: string;
}
const stage = (key: string, { flops = 10, upstream = [], kind = 'student' }: Made = {}): PlannedStage => ({
  key,
  kind,
  revision: 1,
  recipe: {},
  seed: 0,
  upstream: Object.fromEntries(upstream.map((k, i) => [`slot${i}`, k])),
  roles: [kind],
  users: [{ ablation: 'a', arm: key, seed: 0 }],
  cost: { labelledImages: 0, unlabelledImages: 0, flops },
});
const planOf = (...stages: PlannedStage[]): Pick<Plan, 'stages'> => ({ stages: new Map(stages.map(s => [s.key, s])) });
const many = (count: number, name = 's', made: Made = {}): PlannedStage[] => Array.from({ length: count }, (_, i) => stage(`${name}${i}`, made));
/** Half of the work of each is shared with the group. */
const sharing = (stages: readonly PlannedStage[], group = 'g', memory = { shared: 100, own: 10 }): [string, { group: string; share: number; memory: typeof memory }][] =>
  stages.map(s => [s.key, { group, share: 0.5, memory }]);
const pack = (stages: PlannedStage[], choice: Partial<PackChoice> = {}, all = stages): string[][] =>
  packStages(planOf(...all), stages, { places: 1, memory: Infinity, sharings: new Map(sharing(stages)), ...choice }).map(p => p.map(s => s.key));

describe('packStages', () => {
  it('puts stages that share into as few packs as size allows, of nearly equal size', () => {
    expect(pack(many(12)).map(p => p.length)).toEqual([12]);
    expect(pack(many(13)).map(p => p.length)).toEqual([6, 7]);
    expect(pack(many(9), { largest: 3 }).map(p => p.length)).toEqual([3, 3, 3]);
  });

  it('keeps every stage, once, also those that share with none', () => {
    const stages = [...many(5), stage('lone', { kind: 'other' })];
    const packs = pack(stages, { sharings: new Map(sharing(stages.slice(0, 5))) });
    expect(packs.flat().sort()).toEqual(stages.map(s => s.key).sort());
    expect(packs).toContainEqual(['lone']);
  });

  it('keeps groups apart', () => {
    const [a, b] = [many(2, 'a'), many(2, 'b')];
    expect(pack([...a, ...b], { sharings: new Map([...sharing(a, 'ga'), ...sharing(b, 'gb')]) })).toEqual([
      ['a0', 'a1'],
      ['b0', 'b1'],
    ]);
  });

  it('splits what does not fit into memory; a stage too large for it has to try alone', () => {
    const stages = many(6);
    const packs = packStages(planOf(...stages), stages, { places: 1, memory: 130, sharings: new Map(sharing(stages)) });
    expect(packs.map(p => p.length)).toEqual([3, 3]);
    for (const p of packs) expect(packMemory(p, new Map(sharing(stages)))).toBe(100 + 3 * 10);
    expect(pack(stages, { memory: 50 }).map(p => p.length)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('splits a pack where a worker would be idle, and not where others keep it busy', () => {
    expect(pack(many(8), { places: 2 }).map(p => p.length)).toEqual([4, 4]);
    expect(pack(many(8), { places: 4 }).map(p => p.length)).toEqual([2, 2, 2, 2]);
    const [a, b] = [many(4, 'a'), many(4, 'b')];
    expect(pack([...a, ...b], { places: 2, sharings: new Map([...sharing(a, 'ga'), ...sharing(b, 'gb')]) }).map(p => p.length)).toEqual([4, 4]);
  });

  it('takes into account what is at work', () => {
    const stages = many(4),
      long = stage('long', { flops: 60 });
    // The other place is busy until all four are done: a split would gain nothing.
    expect(pack([...stages, long], { places: 2, running: [[long]], sharings: new Map(sharing(stages)) })).toEqual([['s0', 's1', 's2', 's3']]);
    const short = stage('short', { flops: 1 });
    expect(pack([...stages, short], { places: 2, running: [[short]], sharings: new Map(sharing(stages)) })).toHaveLength(2);
  });

  it('has the stages first on which most depends', () => {
    const stages = many(4),
      after = stage('after', { upstream: ['s2'], flops: 50, kind: 'other' });
    expect(pack([...stages, after], { places: 2, sharings: new Map(sharing(stages)) }, [...stages, after])[0]).toContain('s2');
  });

  it('lets a stage run alone that has to', () => {
    expect(pack(many(3), { alone: new Set(['s1']) })).toEqual([['s0', 's2'], ['s1']]);
  });

  it('never packs a stage with one that waits for it', () => {
    const first = stage('first'),
      second = stage('second', { upstream: ['first'] }),
      third = stage('third', { upstream: ['second'] });
    expect(pack([first, second, third])).toEqual([['first'], ['second'], ['third']]);
  });
});

describe('sharingsOf', () => {
  const kind = (more: Partial<StageKind>): StageKind => ({ name: 'student', revision: 1, ...more }) as StageKind;
  const packing = { key: () => ({ teacher: 'x' }), sharedFlops: () => 4 } as unknown as StageKind['packing'];
  const memory = () => ({ shared: 1, own: 1 });

  it('has what a kind says; kinds that say nothing share nothing', () => {
    const plan = planOf(stage('s', { flops: 10 }), stage('o', { kind: 'other' }));
    const found = sharingsOf([kind({ packing: packing!, memory }), kind({ name: 'other' })], plan);
    expect(found.get('s')).toMatchObject({ share: 0.4, memory: { shared: 1, own: 1 } });
    expect(found.has('o')).toBe(false);
  });

  it('does not let stages share a process that need different ones', () => {
    const stages = [
      { ...stage('a'), recipe: { fast: true } },
      { ...stage('b'), recipe: { fast: false } },
    ];
    const found = sharingsOf([kind({ packing: packing!, environment: r => ('fast' in r && r['fast'] === true ? { FLAGS: 'x' } : {}) })], planOf(...stages));
    expect(found.get('a')!.group).not.toBe(found.get('b')!.group);
  });

  it('together, stages do once what they share: the largest of it', () => {
    const stages = [stage('a', { flops: 10 }), stage('b', { flops: 20 })];
    const sharings: Sharings = new Map(sharing(stages));
    expect(together(stages, sharings, s => s.cost.flops)).toBe(5 + 10 + 10);
    expect(together(stages, new Map(), s => s.cost.flops)).toBe(30);
  });
});

describe('schedule', () => {
  const lengthOf = (p: Pack): number => p.reduce((sum, s) => sum + s.cost.flops, 0);
  const run = (stages: PlannedStage[], packs: Pack[], places: number): ScheduledPack[] => schedule(packs, priorities(planOf(...stages)), lengthOf, places);

  it('starts the longest path first, inputs before what needs them, one pack a place', () => {
    const stages = [stage('a', { flops: 1 }), stage('b', { flops: 2 }), stage('c', { flops: 4, upstream: ['a'] }), stage('d', { flops: 3 })];
    const slots = run(
      stages,
      stages.map(s => [s]),
      2,
    );
    expect(slots.map(s => [s.pack[0]!.key, s.start, s.end])).toEqual([
      ['a', 0, 1],
      ['d', 0, 3],
      ['c', 1, 5],
      ['b', 3, 5],
    ]);
    expect(makespan(slots)).toBe(5);
  });

  it('waits for all inputs of a pack', () => {
    const stages = [stage('a', { flops: 1 }), stage('b', { flops: 5 }), stage('c', { upstream: ['a'] }), stage('d', { upstream: ['b'] })];
    expect(run(stages, [[stages[0]!], [stages[1]!], [stages[2]!, stages[3]!]], 2)[2]).toMatchObject({ start: 5 });
  });

  it('refuses packs that wait for each other', () => {
    const stages = [stage('a'), stage('b'), stage('c', { upstream: ['a'] }), stage('d', { upstream: ['b'] })];
    expect(() =>
      run(
        stages,
        [
          [stages[0]!, stages[3]!],
          [stages[1]!, stages[2]!],
        ],
        2,
      ),
    ).toThrow('without a cycle');
  });

  /** A grid like the one of the paper: a teacher, students of it in groups that share, and classifiers of each. */
  function grid(groups: readonly number[]): { stages: PlannedStage[]; sharings: Sharings } {
    const students = groups.map((count, g) => many(count, `g${g}-`, { flops: 80 + 7 * g, upstream: ['teacher'] }));
    const tuned = students.flat().map(s => stage(`tuned-${s.key}`, { flops: 70, upstream: [s.key], kind: 'classifier' }));
    const scored = tuned.map(t => stage(`scored-${t.key}`, { flops: 2, upstream: [t.key], kind: 'score' }));
    const stages = [stage('teacher', { flops: 300, kind: 'teacher' }), stage('scratch', { flops: 200, kind: 'classifier' }), ...students.flat(), ...tuned, ...scored];
    return { stages, sharings: new Map(students.flatMap((group, g) => sharing(group, `g${g}`))) };
  }

  it.each([[[24]], [[9, 5, 3, 1]], [[8, 8, 4, 2, 1, 1]], [[3, 2]], [[7]]])('students in packs and their classifiers end nearly together on two places: groups of %j', groups => {
    const { stages, sharings } = grid(groups);
    const plan = planOf(...stages);
    const length = (p: Pack): number => together(p, sharings, s => s.cost.flops);
    const packs = packStages(plan, stages, { places: 2, memory: Infinity, sharings });
    const slots = schedule(packs, priorities(plan), length, 2);
    const end = makespan(slots);
    const idleAtTheEnd = [0, 1].reduce((sum, place) => sum + end - Math.max(0, ...slots.filter(s => s.place === place).map(s => s.end)), 0);
    expect(idleAtTheEnd / (2 * end)).toBeLessThan(0.03);
    const alone = makespan(
      schedule(
        stages.map(s => [s]),
        priorities(plan),
        length,
        2,
      ),
    );
    expect(end).toBeLessThan(alone);
  });
});

describe('packLabel', () => {
  it('says how many, and of which ablations', () => {
    const of = (...ablations: string[]): string => packLabel(ablations.map((ablation, i) => ({ ...stage(`s${i}`), users: [{ ablation, arm: 'x', seed: 0 }] })));
    expect(of('relation')).toBe('student of relation/x seed 0');
    expect(of('relation', 'layer', 'relation')).toBe('student of 3 arms in relation, layer');
    expect(of('a', 'b', 'c', 'd')).toBe('student of 4 arms in 4 ablations');
  });
});
