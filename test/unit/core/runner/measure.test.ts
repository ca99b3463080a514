/** Probing toy stages in real processes, and what is kept of it. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Shapes } from '../../../../src/core/plan/pace.ts';
import type { Plan } from '../../../../src/core/plan/plan.ts';
import { sharingsOf } from '../../../../src/core/plan/sharing.ts';
import { parseDevices } from '../../../../src/core/runner/devices.ts';
import { hardwareName, measureStages, type Outcome } from '../../../../src/core/runner/measure.ts';
import { engineText, keepMeasurement, measurementsIn, readMeasurements, type Hardware } from '../../../../src/core/runner/measurements.ts';
import { openStore, type Store } from '../../../../src/core/store/store.ts';
import toyStudy from '../../../toy/experiments/study.ts';
import { temporaryFolder, toyExperiments, toyPlan } from '../../../toy/sweep.ts';

const hardware: Hardware = { device: 'cpu', threads: 1, cpu: 'a CPU', engine: 'tensorflow 2' };

describe('measureStages', () => {
  it('runs some steps of each stage with untrained inputs, and says why where it cannot', async () => {
    const plan = await toyPlan({ profile: 'slow', only: 'trouble/sound,trouble/fail-permanently' });
    const shapes = new Shapes(toyStudy.kinds, plan);
    const outcomes: Outcome[] = [];
    const places = parseDevices('cpu:2x1');
    await measureStages(new Map([[hardwareName(places[0]!), [...plan.stages.values()]]]), places, {
      plan,
      kinds: toyStudy.kinds,
      shapes,
      store: undefined,
      fits: new Map(),
      experiments: toyExperiments,
      dataDir: tmpdir(),
      onOutcome: o => outcomes.push(o),
    });
    expect(outcomes.map(o => o.stage.key).sort()).toEqual([...plan.stages.keys()].sort());
    const of = (arm: string, role: string): Outcome => outcomes.find(o => o.stage.key === plan.arms.find(a => a.arm === arm)!.stages[role])!;
    for (const role of ['stock', 'tree']) {
      const outcome = of('sound', role);
      if ('failure' in outcome) throw new Error(outcome.failure);
      // Every step of the 100 sleeps for 20 ms.
      expect(outcome.measurement.perSecond).toBeLessThanOrEqual(1000 / 19);
      expect(outcome.measurement.perSecond).toBeGreaterThan(0);
      // The second time neither a process nor a study has to load.
      expect(outcome.measurement.start).toBeLessThan(outcome.measurement.process!);
      expect(outcome.measurement.shape).toBe(shapes.of(outcome.stage));
      expect(outcome.engine).toBeNull();
    }
    expect(of('sound', 'weigh')).toHaveProperty('measurement');
    expect(of('fail-permanently', 'tree')).toMatchObject({ failure: 'The tree has blight and no second try will cure it' });
  });
});

describe('kept measurements', () => {
  const file = (): string => join(mkdtempSync(join(tmpdir(), 'ablate-kept-')), 'cache/throughput.jsonl');

  it('come back for the same hardware and engine only; a stage without engine fits any', () => {
    const path = file();
    const kept = { perSecond: 5, start: 1, process: 2, device: 'cpu' as const, threads: 1, cpu: 'a CPU' };
    keepMeasurement(path, { ...kept, shape: 's1', engine: 'tensorflow 2' });
    keepMeasurement(path, { ...kept, shape: 's2', engine: null });
    keepMeasurement(path, { ...kept, shape: 's3', engine: 'tensorflow 1' });
    keepMeasurement(path, { ...kept, shape: 's4', engine: null, threads: 2 });
    keepMeasurement(path, { ...kept, shape: 's5', engine: null, cpu: 'another CPU' });
    keepMeasurement(path, { ...kept, shape: 's6', engine: null, device: 'gpu' });
    expect(readMeasurements(path, hardware).map(m => m.shape)).toEqual(['s1', 's2']);
    writeFileSync(path, `${readFileSync(path, 'utf8')}{"shape":"torn`);
    expect(readMeasurements(path, hardware)).toHaveLength(2);
    expect(readMeasurements(path, hardware)[0]).toMatchObject({ perSecond: 5, start: 1, process: 2 });
    expect(readMeasurements(file(), hardware)).toEqual([]);
  });

  it('names the engine as its provenance does', () => {
    expect(engineText({ engine: { name: 'tensorflow', libraryVersion: '2.21.0' } })).toBe('tensorflow 2.21.0');
    expect(engineText({})).toBeNull();
  });
});

describe('measurements of finished stages', () => {
  interface Facts {
    place: string;
    jobs_before?: number;
    pack?: { members: number };
    stage: { images_per_second?: number };
  }
  const finish = async (store: Store, plan: Plan, key: string, facts: Facts, seconds: number): Promise<void> => {
    store.ensureStage(key, plan.stages.get(key)!, 'label');
    const acquired = await store.acquire(key, facts.place);
    if (acquired.type !== 'acquired') throw new Error('taken');
    const created = Date.parse(store.attempt(key, acquired.attempt.number)!.created);
    acquired.attempt.provenance({ ...facts, ended: new Date(created + 1000 * seconds).toISOString(), cpu: 'a CPU ', threads: 1 });
    await acquired.attempt.commit({ height: 1 });
  };

  it('are taken from whole first attempts on the same hardware', async () => {
    const plan = await toyPlan({ profile: 'quick', only: 'cut' });
    const store = openStore(temporaryFolder('finished'));
    const shapes = new Shapes(toyStudy.kinds, plan);
    const [stock, tree, weigh, other] = [...plan.stages.keys()];
    await finish(store, plan, stock!, { place: 'cpu:0', stage: { images_per_second: 2 } }, 4); // 5 images
    await finish(store, plan, tree!, { place: 'cpu:1', stage: {} }, 10);
    await finish(store, plan, weigh!, { place: 'gpu:0', stage: {} }, 10);
    // A first attempt that was interrupted: the second did only a part.
    store.ensureStage(other!, plan.stages.get(other!)!, 'label');
    const first = await store.acquire(other!, 'cpu:0');
    if (first.type === 'acquired') first.attempt.record({ state: 'interrupted' });
    await finish(store, plan, other!, { place: 'cpu:0', stage: {} }, 1);
    expect(measurementsIn(store, plan, shapes, sharingsOf(toyStudy.kinds, plan), hardware)).toEqual([
      { shape: shapes.of(plan.stages.get(stock!)!), perSecond: 2, start: 1.5 },
      { shape: shapes.of(plan.stages.get(tree!)!), perSecond: 0.5, start: 0 },
    ]);
  });

  it('of a pack tell how fast a stage runs alone; those of a new process, whose start is in their times, count last', async () => {
    const plan = await toyPlan({ profile: 'quick', only: 'side-by-side/tall,side-by-side/middle' });
    const store = openStore(temporaryFolder('packed'));
    const shapes = new Shapes(toyStudy.kinds, plan);
    const [tall, middle] = plan.arms.map(arm => arm.stages['tree']!);
    // Two trees of 5 steps in 8 s: half of the work of each is shared, so that of 4 s each does 3 in a pack and 4 alone.
    await finish(store, plan, middle!, { place: 'cpu:0', jobs_before: 1, pack: { members: 2 }, stage: { images_per_second: 5 / 3 } }, 8);
    await finish(store, plan, tall!, { place: 'cpu:0', jobs_before: 0, pack: { members: 2 }, stage: {} }, 6);
    const [first, second] = measurementsIn(store, plan, shapes, sharingsOf(toyStudy.kinds, plan), hardware);
    expect(first).toMatchObject({ shape: shapes.of(plan.stages.get(tall!)!), start: 0 });
    expect(first!.perSecond).toBeCloseTo(5 / 4);
    expect(second).toMatchObject({ shape: shapes.of(plan.stages.get(middle!)!) });
    expect(second!.perSecond).toBeCloseTo(5 / 4);
    expect(second!.start).toBeCloseTo(2);
  });
});
