/** Where, when and by which code an attempt ran. No environment variables beyond those that pin a worker: secrets live there. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, hostname, platform, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../ablation/kind.ts';
import { placeEnvironment } from './devices.ts';
import type { Task } from './executors/executor.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Jobs that this process has begun. */
let jobs = 0;

/** What one job of this process spends, from now on. */
export class JobMeter {
  /** Jobs that the process ran before: after the first, the engine is loaded and its buffers are there. */
  readonly before = jobs++;
  readonly #members: number;
  readonly #started = performance.now();
  readonly #cpu = process.cpuUsage();
  readonly #peakIsOurs = forgetPeakMemory();

  constructor({ attempts }: Pick<Task, 'attempts'>) {
    this.#members = attempts.length;
  }

  /** CPU seconds are the member's share, so that sums over attempts are right; time and memory are the job's. */
  facts(): JsonObject {
    const { user, system } = process.cpuUsage(this.#cpu);
    return {
      wall_seconds: (performance.now() - this.#started) / 1e3,
      cpu_seconds: (user + system) / 1e6 / this.#members,
      peak_memory_bytes: (this.#peakIsOurs ? peakMemory() : undefined) ?? process.resourceUsage().maxRSS * 1024,
    };
  }
}

/** Collects the facts of one attempt; `facts()` is complete at any moment. */
export class Provenance {
  readonly #start: JsonObject;
  readonly #meter: JobMeter;
  #stage: JsonObject = {};

  constructor(task: Task, meter: JobMeter) {
    this.#meter = meter;
    this.#start = {
      started: new Date().toISOString(),
      ...processFacts(),
      place: task.place,
      threads: task.execution.threads,
      environment: pins(task),
      command: [...task.command],
      jobs_before: meter.before,
      ...(task.attempts.length > 1 && { pack: { members: task.attempts.length, keys: task.attempts.map(a => a.key) } }),
    };
  }

  /** Facts that the stage itself gives; later ones win. */
  add(facts: JsonObject): void {
    this.#stage = { ...this.#stage, ...facts };
  }

  facts(): JsonObject {
    return { ...this.#start, ended: new Date().toISOString(), ...this.#meter.facts(), stage: this.#stage };
  }
}

let known: JsonObject | undefined;

/** Read once: the code that a process runs is what it was at its start. */
function processFacts(): JsonObject {
  const cpu = cpus();
  known ??= {
    host: hostname(),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    package: packageVersion(),
    ...commit(),
    cpu: cpu[0]?.model ?? 'unknown',
    cores: cpu.length,
    pid: process.pid,
  };
  return known;
}

function pins({ environment }: Task): JsonObject {
  const names = [...Object.keys(placeEnvironment({ name: '', device: 'cpu', threads: 1 })), ...Object.keys(environment)];
  return Object.fromEntries(names.flatMap(n => (process.env[n] === undefined ? [] : [[n, process.env[n]]])));
}

/** Linux only. @returns whether the peak counts from now on */
function forgetPeakMemory(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

/** Most bytes of memory that the process held since the peak was forgotten. */
function peakMemory(): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

function packageVersion(): string {
  const { name, version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { name: string; version: string };
  return `${name} ${version}`;
}

/** Null outside a git checkout. */
function commit(): JsonObject {
  const head = git('rev-parse', 'HEAD');
  return { commit: head ?? null, dirty: head === undefined ? null : git('status', '--porcelain') !== '' };
}

function git(...args: string[]): string | undefined {
  try {
    return execFileSync('git', ['-C', ROOT, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 }).trim();
  } catch {
    return undefined;
  }
}
