/** Where, when and by which code an attempt ran. No environment variables beyond those that pin a worker: secrets live there. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, hostname, platform, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../ablation/kind.ts';
import { placeEnvironment } from './devices.ts';
import type { Task } from './executors/executor.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Collects the facts of one attempt; `facts()` is complete at any moment. */
export class Provenance {
  readonly #start: JsonObject;
  readonly #startedAt = performance.now();
  #stage: JsonObject = {};

  constructor(task: Task) {
    const cpu = cpus();
    this.#start = {
      started: new Date().toISOString(),
      host: hostname(),
      system: `${platform()} ${release()} ${arch()}`,
      node: process.version,
      package: packageVersion(),
      ...commit(),
      cpu: cpu[0]?.model ?? 'unknown',
      cores: cpu.length,
      place: task.place,
      threads: task.execution.threads,
      environment: pins(),
      command: [...task.command],
      pid: process.pid,
    };
  }

  /** Facts that the stage itself gives; later ones win. */
  add(facts: JsonObject): void {
    this.#stage = { ...this.#stage, ...facts };
  }

  facts(): JsonObject {
    const { user, system } = process.cpuUsage();
    return {
      ...this.#start,
      ended: new Date().toISOString(),
      wall_seconds: (performance.now() - this.#startedAt) / 1e3,
      cpu_seconds: (user + system) / 1e6,
      peak_memory_bytes: process.resourceUsage().maxRSS * 1024,
      stage: this.#stage,
    };
  }
}

function pins(): JsonObject {
  const names = Object.keys(placeEnvironment({ name: '', device: 'cpu', threads: 1 }));
  return Object.fromEntries(names.flatMap(n => (process.env[n] === undefined ? [] : [[n, process.env[n]]])));
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
