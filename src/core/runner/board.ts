/** The state of every stage of a run: which may start, which wait, what became of the others. */
import { priorities } from '../plan/priority.ts';
import type { Plan, PlannedStage } from '../plan/plan.ts';
import type { Counts } from './events.ts';

export type Standing = 'queued' | 'running' | 'done' | 'reused' | 'failed' | 'blocked' | 'interrupted';

export class Board {
  readonly #standings = new Map<string, Standing>();
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
      if (this.#standings.has(key)) return;
      const stage = plan.stages.get(key)!;
      this.#stages.set(key, stage);
      if (isDone(key)) {
        this.#standings.set(key, 'reused');
        return;
      }
      this.#standings.set(key, 'queued');
      const upstream = Object.values(stage.upstream);
      upstream.forEach(enter);
      this.#missing.set(key, new Set(upstream.filter(k => this.#standings.get(k) !== 'reused')));
      for (const k of new Set(upstream)) this.#downstream.set(k, [...(this.#downstream.get(k) ?? []), key]);
    };
    for (const arm of plan.arms) enter(arm.final);
    this.#enterOtherDone(plan, isDone);
  }

  stage(key: string): PlannedStage {
    return this.#stages.get(key)!;
  }

  with(standing: Standing): string[] {
    return [...this.#standings].flatMap(([key, s]) => (s === standing ? [key] : []));
  }

  /** Queued stages whose inputs are there, those first on which the longest path hangs; of equals the first declared. */
  ready(): string[] {
    return this.with('queued')
      .filter(key => this.#missing.get(key)!.size === 0 && !this.#held.has(key))
      .sort((a, b) => this.#priorities.get(b)! - this.#priorities.get(a)!);
  }

  isHeld(key: string): boolean {
    return this.#held.has(key);
  }

  /** Keeps a queued stage from starting (another runner works on it) until released. */
  hold(key: string): void {
    this.#standings.set(key, 'queued');
    this.#held.add(key);
  }

  release(key: string): void {
    this.#held.delete(key);
  }

  set(key: string, standing: Exclude<Standing, 'blocked'>): void {
    this.#standings.set(key, standing);
    if (standing !== 'done' && standing !== 'reused') return;
    for (const k of this.#downstream.get(key) ?? []) this.#missing.get(k)!.delete(key);
  }

  /** Marks everything downstream of a failed stage. @returns the keys newly blocked */
  block(key: string): string[] {
    return (this.#downstream.get(key) ?? []).flatMap(k => {
      if (this.#standings.get(k) !== 'queued') return [];
      this.#standings.set(k, 'blocked');
      return [k, ...this.block(k)];
    });
  }

  counts(): Counts {
    const counts = { queued: 0, running: 0, done: 0, reused: 0, failed: 0, blocked: 0, interrupted: 0 };
    for (const standing of this.#standings.values()) counts[standing]++;
    return { total: this.#standings.size, ...counts };
  }

  /** Done stages that only done ones need: part of the plan, and reused. */
  #enterOtherDone(plan: Plan, isDone: (key: string) => boolean): void {
    for (const [key, stage] of plan.stages) {
      if (this.#standings.has(key) || !isDone(key)) continue;
      this.#stages.set(key, stage);
      this.#standings.set(key, 'reused');
    }
  }
}
