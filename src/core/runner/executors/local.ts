/** Workers as child processes of this one, each pinned to its place and kept from job to job. */
import { canonicalJson } from '../../ablation/json.ts';
import { memoryLimits, type MemoryLimits, type Place } from '../devices.ts';
import type { Executor, Job, JobListener, Task } from './executor.ts';
import { LocalWorker } from './local-worker.ts';

export interface LocalOptions {
  /** Whether a worker may be given the threads of idle ones: not where the engine has but one (default yes). */
  readonly lends?: boolean;
  /** Bytes of the machine that its workers may take, where an allocation says so. */
  readonly memory?: number;
}

export class LocalExecutor implements Executor {
  readonly places: number;
  readonly #lends: boolean;
  readonly memory: MemoryLimits;
  readonly #free: Place[];
  /** Free places whose threads another one has, by its name. */
  readonly #lent = new Map<string, readonly Place[]>();
  /** The living worker of each place, by the place's name. */
  readonly #workers = new Map<string, LocalWorker>();

  constructor(places: readonly Place[], { lends = true, memory }: LocalOptions = {}) {
    this.places = places.length;
    this.#lends = lends;
    this.memory = memoryLimits(places, memory);
    this.#free = [...places];
  }

  reserve(environment: Task['environment']): Place | undefined {
    const first = this.#free[0];
    if (first === undefined) return undefined;
    const place = this.#free.find(p => p.device === first.device && this.#suits(p, environment)) ?? first;
    this.#free.splice(this.#free.indexOf(place), 1);
    return place;
  }

  widen(place: Place): Place {
    if (!this.#lends || place.device !== 'cpu') return place;
    const lent = this.#free.filter(({ device }) => device === 'cpu');
    if (lent.length === 0) return place;
    const borrowed = lent.reduce((sum, { threads }) => sum + threads, 0);
    this.#lent.set(place.name, lent);
    for (const one of lent) this.#free.splice(this.#free.indexOf(one), 1);
    return { ...place, threads: place.threads + borrowed, borrowed };
  }

  release({ borrowed = 0, ...place }: Place): void {
    this.#free.push({ ...place, threads: place.threads - borrowed }, ...(this.#lent.get(place.name) ?? []));
    this.#lent.delete(place.name);
  }

  submit(place: Place, task: Task, listener: JobListener): Job {
    const job = this.#workerFor(place, task).run(task, listener);
    return { ...job, ended: job.ended.finally(() => this.release(place)) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#workers.values()].map(worker => worker.leave()));
  }

  #suits(place: Place, environment: Task['environment']): boolean {
    const worker = this.#workers.get(place.name);
    return worker?.idle === true && worker.threads === place.threads && canonicalJson(worker.environment) === canonicalJson(environment);
  }

  #workerFor(place: Place, task: Task): LocalWorker {
    const known = this.#workers.get(place.name);
    if (known && this.#suits(place, task.environment)) return known;
    // Of another environment or width: it is gone long before the new one has loaded anything.
    void known?.leave();
    const worker = new LocalWorker(place, task);
    this.#workers.set(place.name, worker);
    void worker.gone.then(() => {
      if (this.#workers.get(place.name) === worker) this.#workers.delete(place.name);
    });
    return worker;
  }
}
