/** The state of every stage of a run: which may start, which wait, what became of the others. */
import { priorities } from '../plan/priority.ts';
import type { Plan, PlannedStage } from '../plan/plan.ts';
import type { RunCounts } from './events.ts';

export type StageStatus = 'queued' | 'running' | 'done' | 'reused' | 'failed' | 'blocked' | 'interrupted';

export class StageTracker {
  readonly #statuses = new Map<string, StageStatus>();
  readonly #stages = new Map<string, PlannedStage>();
  /** Upstream stages not done yet. */
  readonly #missing = new Map<string, Set<string>>();
  readonly #downstream = new Map<string, string[]>();
  /** Queued, and not ours to start. */
  readonly #held = new Set<string>();
  readonly #priorities: ReadonlyMap<string, number>;

  /** @param isDone what the store holds already; stages upstream of a done one are not needed for it */
  constructor(plan: Plan, isDone: (key: string) => boolean) {
    this.#priorities = priorities(plan);
    const enter = (key: string): void => {
      if (this.#statuses.has(key)) return;
      const stage = plan.stages.get(key)!;
      this.#stages.set(key, stage);
      if (isDone(key)) {
        this.#statuses.set(key, 'reused');
        return;
      }
      this.#statuses.set(key, 'queued');
      const upstream = Object.values(stage.upstream);
      upstream.forEach(enter);
      this.#missing.set(key, new Set(upstream.filter(k => this.#statuses.get(k) !== 'reused')));
      for (const k of new Set(upstream)) this.#downstream.set(k, [...(this.#downstream.get(k) ?? []), key]);
    };
    for (const arm of plan.arms) arm.finals.forEach(enter);
    this.#enterOtherDone(plan, isDone);
  }

  stage(key: string): PlannedStage {
    return this.#stages.get(key)!;
  }

  keysWith(status: StageStatus): string[] {
    return [...this.#statuses].flatMap(([key, s]) => (s === status ? [key] : []));
  }

  /** Queued stages whose inputs are there, those first on which the longest path hangs; of equals the first declared. */
  ready(): string[] {
    return this.keysWith('queued')
      .filter(key => this.#missing.get(key)!.size === 0 && !this.#held.has(key))
      .sort((a, b) => this.#priorities.get(b)! - this.#priorities.get(a)!);
  }

  isHeld(key: string): boolean {
    return this.#held.has(key);
  }

  /** Keeps a queued stage from starting (another runner works on it) until released. */
  hold(key: string): void {
    this.#statuses.set(key, 'queued');
    this.#held.add(key);
  }

  release(key: string): void {
    this.#held.delete(key);
  }

  set(key: string, status: Exclude<StageStatus, 'blocked'>): void {
    this.#statuses.set(key, status);
    if (status !== 'done' && status !== 'reused') return;
    for (const k of this.#downstream.get(key) ?? []) this.#missing.get(k)!.delete(key);
  }

  /** Marks everything downstream of a failed stage. @returns the keys newly blocked */
  block(key: string): string[] {
    return (this.#downstream.get(key) ?? []).flatMap(k => {
      if (this.#statuses.get(k) !== 'queued') return [];
      this.#statuses.set(k, 'blocked');
      return [k, ...this.block(k)];
    });
  }

  counts(): RunCounts {
    const counts = { queued: 0, running: 0, done: 0, reused: 0, failed: 0, blocked: 0, interrupted: 0 };
    for (const status of this.#statuses.values()) counts[status]++;
    return { total: this.#statuses.size, ...counts };
  }

  /** Done stages that only done ones need: part of the plan, and reused. */
  #enterOtherDone(plan: Plan, isDone: (key: string) => boolean): void {
    for (const [key, stage] of plan.stages) {
      if (this.#statuses.has(key) || !isDone(key)) continue;
      this.#stages.set(key, stage);
      this.#statuses.set(key, 'reused');
    }
  }
}
