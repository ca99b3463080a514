import { describe, expect, it } from 'vitest';
import { leastTime, stagesToRun } from '../../../../src/core/plan/needed.ts';
import { amountOf, Pace, Shapes } from '../../../../src/core/plan/pace.ts';
import type { Plan, PlannedArm, PlannedStage } from '../../../../src/core/plan/plan.ts';
import type { JsonObject, StageKind } from '../../../../src/core/ablation/kind.ts';
import { toyPlan } from '../../../toy/sweep.ts';
import toyStudy from '../../../toy/experiments/study.ts';

const stage = (
  key: string,
  kind: string,
  { images = 0, flops = 0, recipe = {}, upstream = {} }: { images?: number; flops?: number; recipe?: JsonObject; upstream?: Record<string, string> } = {},
): PlannedStage => ({ key, kind, revision: 1, recipe, seed: 0, upstream, roles: [kind], users: [], cost: { labelledImages: 0, unlabelledImages: images, flops } });
const planOf = (...stages: PlannedStage[]): Plan => ({ stages: new Map(stages.map(s => [s.key, s])), arms: [] });
const kind = (name: string, more: Partial<StageKind> = {}): StageKind => ({ name, revision: 1, ...more }) as StageKind;

describe('stagesToRun', () => {
  it('leaves out what is done, and what only done stages need', async () => {
    const plan = await toyPlan({ profile: 'quick', only: 'cut' });
    const arm = (name: string): PlannedArm => plan.arms.find(a => a.arm === name)!;
    const done = new Set([arm('half').final, arm('none').stages['tree']!]);
    const run = stagesToRun(plan, key => done.has(key)).map(s => s.key);
    // `half` is done as a whole; of `none` only the weighing is left; the stock is needed by `whole` alone.
    expect(new Set(run)).toEqual(new Set([...Object.values(arm('whole').stages), arm('none').final]));
    expect(run).toEqual([...plan.stages.keys()].filter(key => run.includes(key)));
    expect(stagesToRun(plan, key => plan.arms.some(a => a.final === key))).toEqual([]);
  });
});

describe('leastTime', () => {
  it('is an even share of the work, but no less than the longest chain', () => {
    const stages = [stage('a', 'x'), stage('b', 'x', { upstream: { in: 'a' } }), stage('c', 'x'), stage('d', 'x', { upstream: { in: 'gone' } })];
    expect(leastTime(stages, () => 10, 1)).toEqual({ total: 40, chain: 20, least: 40 });
    expect(leastTime(stages, () => 10, 4)).toEqual({ total: 40, chain: 20, least: 20 });
    expect(leastTime([], () => 10, 4)).toEqual({ total: 0, chain: 0, least: 0 });
  });
});

describe('Shapes', () => {
  it('are what the kind says, with the recipes of the inputs, else the whole recipe', () => {
    const a = stage('a', 'base', { recipe: { width: 1 } }),
      b = stage('b', 'base', { recipe: { width: 2 } });
    const of = (recipe: JsonObject, input: PlannedStage): PlannedStage => stage(`of ${JSON.stringify(recipe)} ${input.key}`, 'top', { recipe, upstream: { in: input.key } });
    const stages = [of({ rate: 1 }, a), of({ rate: 2 }, a), of({ rate: 1 }, b)];
    const plan = planOf(a, b, ...stages);
    const whole = new Shapes([kind('base'), kind('top')], plan);
    expect(new Set([a, b, ...stages].map(s => whole.of(s))).size).toBe(5);
    const ofInput = new Shapes([kind('base'), kind('top', { shape: (_, inputs) => ({ width: inputs['in']!['width']! }) })], plan);
    expect(stages.map(s => ofInput.of(s))).toEqual([0, 0, 2].map(i => ofInput.of(stages[i]!)));
    expect(new Set(stages.map(s => ofInput.of(s))).size).toBe(2);
  });

  it('change with the revision of the kind', async () => {
    const plan = await toyPlan({ profile: 'quick', only: 'cut/half' });
    const raised = toyStudy.kinds.map(k => ({ ...k, revision: 7 }));
    const first = [...plan.stages.values()][0]!;
    expect(new Shapes(raised, plan).of(first)).not.toBe(new Shapes(toyStudy.kinds, plan).of(first));
  });
});

describe('Pace', () => {
  const short = stage('short', 'a', { images: 100, flops: 1e3 }),
    long = stage('long', 'a', { images: 300, flops: 3e3 });
  const other = stage('other', 'a', { images: 100, flops: 4e3, recipe: { big: true } });
  const foreign = stage('foreign', 'b', { flops: 2e3 });
  const plan = planOf(short, long, other, foreign);
  const shapes = new Shapes([kind('a', { shape: r => ({ big: r['big'] ?? false }) }), kind('b')], plan);

  it('knows nothing before a measurement', () => {
    expect(new Pace(shapes, plan, []).duration(short)).toBeUndefined();
  });

  it('takes the measured rate for every length of the shape, and the start beside it', () => {
    const pace = new Pace(shapes, plan, [{ shape: shapes.of(short), perSecond: 10, start: 2 }]);
    expect(pace.duration(short)).toEqual({ seconds: 12, measured: true });
    expect(pace.duration(long)).toEqual({ seconds: 32, measured: true });
    expect(pace.isMeasured(long)).toBe(true);
  });

  it('estimates other shapes of the kind, and then other kinds, from their FLOPs', () => {
    const measurements = [{ shape: shapes.of(short), perSecond: 10, start: 2 }]; // 1e3 FLOPs in 10 s
    const pace = new Pace(shapes, plan, measurements);
    expect(pace.duration(other)).toEqual({ seconds: 42, measured: false });
    expect(pace.duration(foreign)).toEqual({ seconds: 22, measured: false });
    const both = new Pace(shapes, plan, [...measurements, { shape: shapes.of(foreign), perSecond: 1e3, start: 0 }]);
    expect(both.duration(other)).toEqual({ seconds: 42, measured: false }); // of its own kind
    expect(both.duration(foreign)).toEqual({ seconds: 2, measured: true });
  });

  it('takes a stage that counts nothing, as one that copies a file, for its start alone', () => {
    const file = stage('file', 'c', { recipe: { name: 'one' } }),
      unknown = stage('unknown', 'c', { recipe: { name: 'another' } });
    const withFiles = planOf(short, file, unknown),
      found = new Shapes([kind('a'), kind('c')], withFiles);
    const pace = new Pace(found, withFiles, [
      { shape: found.of(short), perSecond: 10, start: 2 },
      { shape: found.of(file), perSecond: 0, start: 3 },
    ]);
    expect(pace.duration(file)).toEqual({ seconds: 3, measured: true });
    expect(pace.duration(unknown)).toEqual({ seconds: 3, measured: false });
    expect(pace.duration(short)).toEqual({ seconds: 12, measured: true });
  });

  it('counts in FLOPs beside a stage that counts nothing', () => {
    const file = stage('file', 'c'),
      test = stage('test', 'b', { flops: 1e3 }),
      withFile = planOf(short, file, test),
      found = new Shapes([kind('a'), kind('b'), kind('c')], withFile);
    expect(new Pace(found, withFile, [{ shape: found.of(test), perSecond: 1e3, start: 0 }]).duration(short)).toEqual({ seconds: 1, measured: false });
  });

  it('of several measurements of a shape the last counts', () => {
    const pace = new Pace(
      shapes,
      plan,
      [10, 20].map(perSecond => ({ shape: shapes.of(short), perSecond, start: 0 })),
    );
    expect(pace.duration(short)!.seconds).toBe(5);
  });

  it('a worker spends once on its process what every first stage takes, and more on the first stage of each shape that it meets', () => {
    const measured = [5, 3, 4].map((process, i) => ({ shape: shapes.of([short, other, foreign][i]!), perSecond: 10, start: 2, process }));
    const pace = new Pace(shapes, plan, measured);
    expect(pace.once([short, other, foreign], 1)).toBe(3 + 2 + 1);
    expect(pace.once([short, long, foreign], 2)).toBe(4 + 1); // both workers meet the shape of two stages
    expect(pace.once([short, other], 2)).toBe(3 + 2 / 2);
    expect(pace.once([], 2)).toBe(0);
    expect(pace.duration(short)).toEqual({ seconds: 12, measured: true });
  });

  it('a later measurement that does not know the start of a process keeps what is known of it', () => {
    const [first, later] = [
      { shape: shapes.of(short), perSecond: 10, start: 2, process: 3 },
      { shape: shapes.of(short), perSecond: 20, start: 1 },
    ];
    const pace = new Pace(shapes, plan, [first, later]);
    expect(pace.duration(short)!.seconds).toBe(6);
    expect(pace.once([short], 1)).toBe(3);
    expect(new Pace(shapes, plan, [later]).once([short], 1)).toBe(0);
  });

  it('counts FLOPs where a stage has no images', () => {
    expect([short, foreign].map(s => amountOf(s.cost))).toEqual([100, 2e3]);
  });
});
