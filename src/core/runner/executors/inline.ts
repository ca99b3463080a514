/** Stages in the calling process, one after the other: for a debugger, which may hold them as long as it likes. */
import { canonicalJson } from '../../ablation/json.ts';
import { memoryLimits, placeEnvironment, type MemoryLimits, type Place } from '../devices.ts';
import { execute } from '../execute.ts';
import type { Ended, Executor, Job, JobListener, Task } from './executor.ts';

export class InlineExecutor implements Executor {
  readonly places = 1;
  readonly memory: MemoryLimits;
  readonly #place: Place;
  #free = true;
  /** What the first job asked for: an engine reads its environment when it is loaded. */
  #environment: Task['environment'] | undefined;

  constructor(place: Place) {
    this.#place = place;
    this.memory = memoryLimits([place]);
  }

  reserve(): Place | undefined {
    if (!this.#free) return undefined;
    this.#free = false;
    return this.#place;
  }

  release(): void {
    this.#free = true;
  }

  /** `kill` cannot do more than `stop`: the process is the caller's. */
  submit(_place: Place, task: Task, { progress }: JobListener): Job {
    const stop = new AbortController();
    const ask = (): void => stop.abort(new DOMException('the runner asked for it', 'AbortError'));
    const ended = this.#run(task, { signal: stop.signal, progress }).finally(() => this.release());
    return { ended, stop: ask, kill: ask };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #run(task: Task, hooks: Parameters<typeof execute>[1]): Promise<Ended> {
    this.#environment ??= task.environment;
    if (canonicalJson(this.#environment) !== canonicalJson(task.environment)) {
      return {
        error: `expected stages of one environment in one process (${canonicalJson(this.#environment)}), got one that needs ${canonicalJson(task.environment)}; run it with --devices cpu:1x1, or by itself`,
      };
    }
    Object.assign(process.env, placeEnvironment(this.#place), task.environment);
    try {
      await execute(task, hooks);
      return { alive: true };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  }
}
