/** How long the rest of a run takes, from what the stages so far took. */
import { leastTime } from '../plan/needed.ts';
import { amountOf } from '../plan/pace.ts';
import { workOf, type WorkEstimate } from '../plan/priority.ts';
import type { Plan, PlannedStage } from '../plan/plan.ts';

interface Spent {
  work: number;
  seconds: number;
}

export class Eta {
  readonly #stages: ReadonlyMap<string, PlannedStage>;
  readonly #work: WorkEstimate;
  /** Share of each unfinished stage that is behind it. */
  readonly #shares = new Map<string, number>();
  readonly #finished = new Set<string>();
  readonly #spent = new Map<string, Spent>();
  readonly #workers: number;

  constructor(plan: Plan, done: Iterable<string>, workers: number) {
    this.#stages = plan.stages;
    this.#work = workOf(plan.stages.values());
    this.#workers = workers;
    for (const key of done) this.#finished.add(key);
  }

  /** A running stage has come from `from` to `share` of its way (0 to 1) in `seconds`. */
  progress(key: string, share: number): void {
    this.#shares.set(key, share);
  }

  /** `share`: how much of the stage this attempt did, less than 1 after a resume. */
  finish(key: string, seconds: number, share = 1): void {
    this.#finished.add(key);
    const stage = this.#stages.get(key);
    // Of what counts nothing, as the reading of a file, a second says nothing of others.
    if (stage === undefined || amountOf(stage.cost) === 0) return;
    const spent = this.#spent.get(stage.kind) ?? { work: 0, seconds: 0 };
    spent.work += this.#work(stage.cost) * share;
    spent.seconds += seconds;
    this.#spent.set(stage.kind, spent);
  }

  /** Seconds until all is done; undefined as long as nothing has been measured. */
  secondsLeft(): number | undefined {
    const overall = [...this.#spent.values()].reduce((a, b) => ({ work: a.work + b.work, seconds: a.seconds + b.seconds }), { work: 0, seconds: 0 });
    if (overall.work === 0) return undefined;
    const left = (stage: PlannedStage): number => {
      if (this.#finished.has(stage.key)) return 0;
      const { work, seconds } = this.#spent.get(stage.kind) ?? overall;
      return (this.#work(stage.cost) * (1 - (this.#shares.get(stage.key) ?? 0)) * seconds) / work;
    };
    return leastTime(this.#stages.values(), left, this.#workers).least;
  }
}
