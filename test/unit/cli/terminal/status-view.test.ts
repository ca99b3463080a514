/** From what a look finds to numbers and text: without a sweep. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { devicesText, placeNamed } from '../../../../src/core/inspect/places.ts';
import type { StageSnapshot, Snapshot, StageProgress } from '../../../../src/core/inspect/snapshot.ts';
import { countsOf, statusText } from '../../../../src/cli/terminal/status-view.ts';
import { outstanding, timeLeft } from '../../../../src/core/inspect/time-left.ts';
import type { Plan, PlannedStage } from '../../../../src/core/plan/plan.ts';
import { parseDevices } from '../../../../src/core/runner/devices.ts';
import type { StageState } from '../../../../src/core/store/reader.ts';

const owner = { host: 'elsewhere', boot: 'b', pid: 7, started: '1' };
const stage = (key: string, upstream: Record<string, string> = {}): PlannedStage => ({
  key,
  kind: 'train',
  revision: 1,
  recipe: {},
  seed: 0,
  upstream,
  roles: ['train'],
  users: [{ ablation: 'a', arm: key, seed: 0 }],
  cost: { labelledImages: 10, unlabelledImages: 0, flops: 10 },
});
const planOf = (...stages: PlannedStage[]): Plan => ({
  stages: new Map(stages.map(s => [s.key, s])),
  arms: stages.map(s => ({ ablation: 'a', arm: s.key, seed: 0, stages: { train: s.key }, final: s.key, finals: [s.key] })),
});
const work = (place: string, more: Partial<StageProgress> = {}): StageProgress => ({ place, owner, ...more });
const running: StageState = { state: 'running', attempt: 1, owner };
const failed: StageState = { state: 'failed', attempt: 2, code: 'BAD', reason: 'it broke', permanent: false };
const done: StageState = { state: 'done', attempt: 1 };

function look(plan: Plan, states: Readonly<Record<string, StageState>>, works: Readonly<Record<string, StageProgress>> = {}): Snapshot {
  const stages = [...plan.stages.values()].map((s): StageSnapshot => {
    const at = works[s.key];
    return { stage: s, state: states[s.key] ?? { state: 'absent' }, log: `/store/${s.key}/log.txt`, ...(at && { progress: at }) };
  });
  return { stages, runners: [owner] };
}

describe('places', () => {
  it.each(['cpu:2x1', 'cpu:1x4', 'gpu:0,1,5', 'gpu:0x2,3', 'gpu:1,cpu:2x3', 'inline'])('%s is told from its places', list => {
    expect(devicesText(parseDevices(list))).toBe(list);
    expect(devicesText(parseDevices(list).map(({ name, threads }) => placeNamed(name, threads)))).toBe(list);
  });
});

describe('outstanding', () => {
  it('leaves out what no arm waits for, and knows what a failure blocks', () => {
    const plan = planOf(stage('a'), stage('b', { from: 'a' }), stage('c', { from: 'b' }), stage('d'));
    const found = outstanding(plan, look(plan, { a: failed, d: done }));
    expect(found.toRun.map(s => s.key)).toEqual(['a', 'b', 'c']);
    expect([...found.blocked]).toEqual(['b', 'c']);
  });
});

describe('timeLeft', () => {
  const options = (plan: Plan, snapshot: Snapshot, workers: number) => ({ plan, kinds: [], snapshot, places: parseDevices(`cpu:${workers}x1`), duration: () => 10 });

  it('lets what runs go on at its pace, and fills the places as they become free', () => {
    const plan = planOf(stage('a'), stage('b'), stage('c'), stage('d', { from: 'c' }));
    const at = look(plan, { a: running, b: running }, { a: work('cpu:0', { secondsLeft: 4 }), b: work('cpu:1', { step: 5, steps: 10 }) });
    const { seconds, stages } = timeLeft(options(plan, at, 2));
    expect(Object.fromEntries(stages)).toEqual({ a: 4, b: 5, c: 10, d: 10 });
    expect(seconds).toBe(4 + 10 + 10);
  });

  it('counts members of a pack once, at the pace that they share', () => {
    const plan = planOf(stage('a'), stage('b'), stage('c'));
    const at = look(plan, { a: running, b: running }, { a: work('cpu:0', { secondsLeft: 6 }), b: work('cpu:0', { secondsLeft: 7 }) });
    expect(timeLeft(options(plan, at, 1)).seconds).toBe(7 + 10);
  });

  it('leaves out what failed and what waits for it, and says nothing where something is not known', () => {
    const plan = planOf(stage('a'), stage('b', { from: 'a' }), stage('c'));
    expect(timeLeft(options(plan, look(plan, { a: failed }), 1)).seconds).toBe(10);
    expect(timeLeft({ ...options(plan, look(plan, {}), 1), duration: s => (s.key === 'c' ? undefined : 3) })).toEqual({
      stages: new Map([
        ['a', 3],
        ['b', 3],
      ]),
    });
    expect(timeLeft(options(plan, look(plan, { a: done, b: done, c: done }), 1)).seconds).toBe(0);
  });
});

describe('statusText', () => {
  it('tells all of it within 100 columns, however large the numbers', () => {
    const long = { ...stage('x'.repeat(32)), users: Array.from({ length: 12 }, (_, seed) => ({ ablation: 'an-ablation-with-a-long-name', arm: 'and-an-arm-with-one', seed })) };
    const plan = planOf(stage('a'), stage('b'), long, stage('c'), stage('d'));
    const at = look(
      plan,
      {
        a: done,
        b: failed,
        c: { state: 'interrupted', attempt: 1 },
        [long.key]: { ...running, stalled: `no step for ten minutes, ${'where it takes a second or so, '.repeat(6)}as a rule` },
      },
      { [long.key]: work('gpu:0.12', { phase: 'step', step: 1_234_567, steps: 9_999_999, imagesPerSecond: 123_456, waiting: 1, secondsLeft: 3e6, silentSeconds: 1e5 }) },
    );
    expect(countsOf(at.stages)).toEqual({ done: 1, running: 0, stalled: 1, failed: 1, interrupted: 1, left: 1 });
    const text = stripVTControlCharacters(
      statusText({ plan, scale: 'mini', snapshot: at, left: timeLeft({ plan, kinds: [], snapshot: at, places: parseDevices('cpu:2x1'), duration: () => 60 }), doubts: new Map(), devices: 'gpu:0x13' }),
    );
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect(text).toContain('1 of 5 stages done, 1 failed');
    expect(text).toMatch(/gpu:0\.12 .*step 1,234,567\/9,999,999 +123,456 images\/s +833 h 20 min left +27 h 46 min ago/);
    expect(text).not.toContain('waiting'); // for which there is no room left
    expect(text).toContain('stalled: no step for ten minutes');
    expect(text).toMatch(/failed {2}train of a\/b seed 0 {2}b\n {4}it broke \(BAD\)\n {4}log: .*\/store\/b\/log\.txt/);
    expect(text.replaceAll(/\s+/g, ' ')).toContain('a sweep runs (process 7 on elsewhere)');
  });

  it('tells how much of its time a worker waits for images', () => {
    const plan = planOf(stage('a'), stage('b'));
    const at = look(plan, { a: running, b: running }, { a: work('gpu:0', { phase: 'step', step: 10, steps: 31_200, imagesPerSecond: 1234, waiting: 0.124 }), b: work('gpu:1') });
    const text = stripVTControlCharacters(statusText({ plan, scale: 'mini', snapshot: at, left: { stages: new Map() }, doubts: new Map(), devices: 'gpu:0,1' }));
    expect(text).toMatch(/gpu:0 .*step 10\/31,200 +1,234 images\/s +12 % waiting\n/);
  });
});
