/**
 * A cluster behind a network that loses, delays and doubles whatever passes through it, and an executor that copes: the proof
 * that the interface suffices for one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../../src/core/ablation/kind.ts';
import { memoryLimits, type MemoryLimits, type Place } from '../../src/core/runner/devices.ts';
import { execute } from '../../src/core/runner/execute.ts';
import type { Ended, Executor, Job, JobListener, Task } from '../../src/core/runner/executors/executor.ts';
import { draw } from '../toy/kinds/grow.ts';

type Push = (key: string, progress: Progress) => void;

interface ClusterJob {
  readonly task: Task;
  readonly push: Push;
  readonly stop: AbortController;
  state: 'queued' | 'running' | 'over';
  ended?: Ended;
}

/** Runs jobs on a few nodes, each in the order in which they came. Remembers all that it ever ran. */
export class Cluster {
  readonly #nodes: number;
  readonly #jobs = new Map<string, ClusterJob>();
  /** Names of the jobs that it started. */
  readonly started: string[] = [];

  constructor(nodes: number) {
    this.#nodes = nodes;
  }

  /** A name that is known is that job: it is not run again. */
  submit(name: string, task: Task, push: Push): void {
    if (this.#jobs.has(name)) return;
    this.#jobs.set(name, { task, push, stop: new AbortController(), state: 'queued' });
    this.#schedule();
  }

  poll(name: string): ClusterJob['state'] {
    return this.#jobs.get(name)!.state;
  }

  /** Of a job that has not begun: it never will. */
  cancel(name: string): void {
    const job = this.#jobs.get(name)!;
    if (job.state === 'queued') Object.assign(job, { state: 'over', ended: { exitCode: 75 } });
    job.stop.abort(new DOMException('the cluster was asked for it', 'AbortError'));
  }

  collect(name: string): Ended {
    return this.#jobs.get(name)!.ended!;
  }

  #schedule(): void {
    const atWork = [...this.#jobs.values()].filter(job => job.state === 'running').length;
    const waiting = [...this.#jobs].filter(([, job]) => job.state === 'queued').slice(0, this.#nodes - atWork);
    for (const [name, job] of waiting) void this.#run(name, job);
  }

  async #run(name: string, job: ClusterJob): Promise<void> {
    job.state = 'running';
    this.started.push(name);
    await execute(job.task, { signal: job.stop.signal, progress: job.push });
    Object.assign(job, { state: 'over', ended: { exitCode: 0 } });
    this.#schedule();
  }
}

export interface Weather {
  /** Shares of what is sent. */
  readonly lost: number;
  readonly doubled: number;
  /** Milliseconds at most. */
  readonly delay: number;
}

export class Network {
  readonly #seed: number;
  readonly #weather: Weather;
  #sent = 0;
  readonly counts = { lost: 0, doubled: 0 };

  constructor(seed: number, weather: Weather) {
    this.#seed = seed;
    this.#weather = weather;
  }

  /** A request and its answer. @throws Error when either was lost: nobody knows which */
  async call<T>(request: () => T): Promise<T> {
    await this.#delay();
    if (this.#falls(this.#weather.lost, 'lost')) throw new Error('no answer');
    if (this.#falls(this.#weather.doubled, 'doubled')) request();
    const answer = request();
    await this.#delay();
    if (this.#falls(this.#weather.lost, 'lost')) throw new Error('no answer');
    return answer;
  }

  /** A message that nobody answers; a delay may put it after later ones. */
  async push(message: () => void): Promise<void> {
    if (this.#falls(this.#weather.lost, 'lost')) return;
    const doubled = this.#falls(this.#weather.doubled, 'doubled');
    await this.#delay();
    message();
    if (!doubled) return;
    await this.#delay();
    message();
  }

  #falls(share: number, what: keyof Network['counts']): boolean {
    const falls = draw(this.#seed, 'network', this.#sent++) < share;
    if (falls) this.counts[what]++;
    return falls;
  }

  #delay(): Promise<void> {
    return sleep(draw(this.#seed, 'delay', this.#sent++) * this.#weather.delay);
  }
}

const POLL_MS = 5;

export class ClusterExecutor implements Executor {
  readonly places: number;
  readonly memory: MemoryLimits;
  readonly #free: Place[];
  readonly #cluster: Cluster;
  readonly #network: Network;

  /** @param places jobs in the cluster at once, running or in its queue */
  constructor(cluster: Cluster, network: Network, places: number) {
    this.#cluster = cluster;
    this.#network = network;
    this.places = places;
    this.memory = memoryLimits([]);
    this.#free = Array.from({ length: places }, (_, i) => ({ name: `cluster:${i}`, device: 'cpu', threads: 1 }));
  }

  reserve(): Place | undefined {
    return this.#free.shift();
  }

  release(place: Place): void {
    this.#free.push(place);
  }

  submit(place: Place, task: Task, listener: JobListener): Job {
    const asked = { toStop: false };
    const ended = this.#accompany(task, listener, asked).finally(() => this.release(place));
    const stop = (): void => void (asked.toStop = true);
    return { ended, stop, kill: stop };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #accompany(task: Task, listener: JobListener, asked: { readonly toStop: boolean }): Promise<Ended> {
    const name = task.attempts.map(({ key, attempt }) => `${key}-${attempt}`).join('+');
    const push: Push = (key, progress) => void this.#network.push(() => listener.progress(key, progress));
    await this.#insist(() => this.#cluster.submit(name, task, push));
    for (;;) {
      if (asked.toStop) await this.#insist(() => this.#cluster.cancel(name));
      const state = await this.#insist(() => this.#cluster.poll(name));
      if (state === 'running') listener.began();
      if (state === 'over') return this.#insist(() => this.#cluster.collect(name));
      await sleep(POLL_MS);
    }
  }

  /** Until there is an answer. */
  async #insist<T>(request: () => T): Promise<T> {
    for (;;) {
      try {
        return await this.#network.call(request);
      } catch {
        await sleep(POLL_MS);
      }
    }
  }
}
