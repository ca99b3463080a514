import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDisplay } from '../../../../src/cli/terminal/display.ts';
import type { Plan } from '../../../../src/core/plan/plan.ts';
import type { RunCounts } from '../../../../src/core/runner/events.ts';
import { toyPlan } from '../../../toy/sweep.ts';

const counts: RunCounts = { total: 9, done: 0, reused: 0, failed: 0, blocked: 0, interrupted: 0, running: 3, queued: 6 };

describe('a display without a terminal', () => {
  const lines: string[] = [];
  let plan: Plan;

  beforeEach(async () => {
    plan = await toyPlan({ profile: 'quick', only: 'side-by-side/tall,side-by-side/middle,cut/whole' });
    lines.length = 0;
    vi.useFakeTimers();
    vi.spyOn(process.stdout, 'write').mockImplementation(text => lines.push(stripVTControlCharacters(String(text))) > 0);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('has one line a worker: of a pack the member that is furthest behind', () => {
    const display = createDisplay(plan, [], 2, false);
    const [whole, tall, middle] = ['whole', 'tall', 'middle'].map(arm => plan.arms.find(a => a.arm === arm)!.stages['tree']!);
    const start = (key: string, label: string, place: string, pack: string[]): void => display.event({ type: 'started', key, label, attempt: 1, place, pack, counts });
    for (const key of [tall!, middle!]) start(key, key, 'cpu:0', [tall!, middle!]);
    start(whole!, 'tree of cut/whole seed 0', 'cpu:1', [whole!]);
    expect(lines.map(l => l.trim())).toEqual(['started tree of 2 arms in side-by-side  on cpu:0', 'started tree of cut/whole seed 0  on cpu:1']);
    const progress = (key: string, place: string, step: number): void => display.event({ type: 'progress', key, label: key, place, progress: { phase: 'step', step, steps: 5, loss: 0.5 }, counts });
    progress(tall!, 'cpu:0', 4);
    progress(middle!, 'cpu:0', 3);
    progress(whole!, 'cpu:1', 2);
    vi.advanceTimersByTime(30_000);
    display.close();
    const last = lines.at(-1)!;
    expect(last).toContain('cpu:0 tree of 2 arms in side-by-side step 3/5;');
    expect(last).toContain('cpu:1 tree of cut/whole seed 0 step 2/5 loss 0.5000');
  });

  it('says once of a stage that a number is doubtful, however often it is told', () => {
    const display = createDisplay(plan, [], 2, false);
    const [whole, tall] = ['whole', 'tall'].map(arm => plan.arms.find(a => a.arm === arm)!.stages['tree']!);
    const tell = (key: string, label: string): void =>
      display.event({ type: 'progress', key, label, place: 'cpu:0', progress: { phase: 'load', step: 0, steps: 0, doubt: 'height: expected at least 1, got 0: it is dead' }, counts });
    for (const key of [whole!, tall!]) display.event({ type: 'started', key, label: `tree ${key}`, attempt: 1, place: 'cpu:0', pack: [key], counts });
    lines.length = 0;
    for (const key of [whole!, tall!, whole!]) tell(key, `tree ${key}`);
    display.close();
    expect(lines.map(l => l.trim())).toEqual([whole!, tall!].map(key => `doubtful tree ${key}  height: expected at least 1, got 0: it is dead`));
  });

  it('says with how many threads, where a stage has those of idle workers', () => {
    const display = createDisplay(plan, [], 2, false);
    const [whole] = plan.arms.filter(a => a.arm === 'whole').map(a => a.stages['tree']!);
    display.event({ type: 'started', key: whole!, label: 'tree', attempt: 1, place: 'cpu:0', threads: 2, pack: [whole!], counts });
    display.close();
    expect(lines.map(l => l.trim())).toEqual(['started tree  on cpu:0 with 2 threads']);
  });
});
