/** Where, when, by which code and at what cost an attempt ran. Nothing that could hold a secret enters. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, cpus, hostname, platform, release, totalmem } from 'node:os';
import type { JsonObject } from '../ablation/kind.ts';
import { ROOT } from '../../installation.ts';
import { repositoryAround } from '../code/git.ts';
import type { KindCode, UnknownCode } from '../code/kind-code.ts';
import { codeState, type CodeState } from './code-state.ts';
import { placeEnvironment } from './devices.ts';
import { EnergyMeter } from './energy.ts';
import type { Task } from './executors/executor.ts';
import { holdsSecret, isSecretName, publicCommand } from './secrets.ts';

const require = createRequire(import.meta.url);

/**
 * Variables that change how an engine or Node runs; no other is recorded but those of the worker's place and of its stage.
 * `TF_` alone would not do: Terraform's variables, which may be secrets, begin with it too.
 */
const RECORDED =
  /^(?:(?:TF_(?:CPP|CUBLAS|CUDNN|DETERMINISTIC|DISABLE|ENABLE|FORCE|GPU|NUM|ONEDNN|USE|XLA)|XLA|CUDA|NVIDIA|OMP|KMP|MKL|OPENBLAS|TINYMIM)_\w+|NODE_OPTIONS|UV_THREADPOOL_SIZE|MALLOC_ARENA_MAX|LD_PRELOAD)$/;

const energy = new EnergyMeter();

/** Jobs that this process has begun. */
let jobs = 0;

/** What one job of this process spends, from now on. */
export class JobMeter {
  /** Jobs that the process ran before: after the first, the engine is loaded and its buffers are there. */
  readonly before = jobs++;
  readonly #members: number;
  readonly #started = performance.now();
  readonly #cpu = process.cpuUsage();
  readonly #childrenCpu = childrenSeconds();
  readonly #peakIsOurs = forgetPeakMemory();
  readonly #joules = energy.joules();

  constructor({ attempts }: Pick<Task, 'attempts'>) {
    this.#members = attempts.length;
  }

  /** CPU seconds are the member's share, so that sums over attempts are right; time, memory and energy (of the whole machine) are the job's. */
  facts(): JsonObject & { readonly wall_seconds: number } {
    const { user, system } = process.cpuUsage(this.#cpu);
    const joules = energy.joules();
    return {
      wall_seconds: (performance.now() - this.#started) / 1e3,
      cpu_seconds: ((user + system) / 1e6 + childrenSeconds() - this.#childrenCpu) / this.#members,
      peak_memory_bytes: (this.#peakIsOurs ? peakMemory() : undefined) ?? process.resourceUsage().maxRSS * 1024,
      ...(joules !== undefined && this.#joules !== undefined && { machine_energy_joules: joules - this.#joules }),
    };
  }
}

/** Collects the facts of one attempt; `facts()` is complete at any moment. */
export class Provenance {
  readonly #start: JsonObject & { readonly started: string };
  readonly #meter: JobMeter;
  readonly #experiments: string;
  #code: JsonObject = {};
  #stage: JsonObject = {};

  constructor(task: Task, meter: JobMeter) {
    this.#meter = meter;
    this.#experiments = task.experiments;
    this.#start = {
      started: new Date().toISOString(),
      ...processFacts(),
      study: codeAround(task.experiments).facts,
      place: task.place,
      threads: task.execution.threads,
      ...(task.borrowedThreads !== undefined && { borrowed_threads: task.borrowedThreads }),
      environment: recordedEnvironment(process.env, [...Object.keys(placeEnvironment({ name: '', device: 'cpu', threads: 1 })), ...Object.keys(task.environment)]),
      command: publicCommand(task.command),
      jobs_before: meter.before,
      ...(task.attempts.length > 1 && { pack: { members: task.attempts.length, keys: task.attempts.map(a => a.key) } }),
    };
  }

  /** Facts that the stage itself gives; later ones win. */
  add(facts: JsonObject): void {
    this.#stage = { ...this.#stage, ...facts };
  }

  /** The code of the stage's kind. */
  ranBy(code: KindCode | UnknownCode): void {
    this.#code = 'hash' in code ? { code_hash: code.hash } : { code_unknown: code.unknown };
  }

  /** How the code of program and study differs from their commits, bounded and without secrets; undefined where it does not, outside a git checkout, and for a study of the program's own. */
  diffs(): { readonly program: string | undefined; readonly study: string | undefined } {
    const [program, study] = [codeAround(ROOT), codeAround(this.#experiments)];
    return { program: program.diff, study: study === program ? undefined : study.diff };
  }

  /** `ended` is as long after `started` as the job took: the clock may be set meanwhile. */
  facts(): JsonObject {
    const spent = this.#meter.facts();
    const ended = new Date(Date.parse(this.#start.started) + 1e3 * spent.wall_seconds).toISOString();
    return { ...this.#start, ...this.#code, ended, ...spent, stage: this.#stage };
  }
}

/** By repository, each read once: the code that a process runs is what it was at its start. */
const codes = new Map<string | undefined, CodeState>();

function codeAround(folder: string): CodeState {
  const repository = repositoryAround(folder);
  const state = codes.get(repository) ?? codeState(folder);
  codes.set(repository, state);
  return state;
}

let known: JsonObject | undefined;

function processFacts(): JsonObject {
  const cpu = cpus();
  known ??= {
    host: hostname(),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    ...packages(),
    ...codeAround(ROOT).facts,
    cpu: cpu[0]?.model ?? 'unknown',
    cores: cpu.length,
    gpus: gpuModels(),
    memory_bytes: totalmem(),
    pid: process.pid,
  };
  return known;
}

/**
 * Of all variables those that change how a worker runs; none whose name or value could be a secret.
 * @param more names beside those that are always recorded
 * @internal
 */
export function recordedEnvironment(env: Readonly<Record<string, string | undefined>>, more: readonly string[] = []): Record<string, string> {
  const names = Object.keys(env)
    .filter(name => (RECORDED.test(name) || more.includes(name)) && !isSecretName(name))
    .sort();
  return Object.fromEntries(names.flatMap(name => (env[name] === undefined || holdsSecret(env[name]) ? [] : [[name, env[name]]])));
}

/** As the NVIDIA driver names them, in its order; none where it does not tell. @internal */
export function gpuModels(root = '/proc/driver/nvidia/gpus'): string[] {
  try {
    return readdirSync(root)
      .sort()
      .map(gpu => /^Model:\s*(.+)$/m.exec(readFileSync(`${root}/${gpu}/information`, 'utf8'))?.[1]?.trim() ?? 'unknown');
  } catch {
    return [];
  }
}

/** Of processes that we have started and that have ended, with theirs; 0 where the system does not tell. */
function childrenSeconds(): number {
  try {
    const text = readFileSync('/proc/self/stat', 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[13]) + Number(fields[14])) / TICKS_A_SECOND;
  } catch {
    return 0;
  }
}
/** Linux gives all programs this unit. */
const TICKS_A_SECOND = 100;

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

/** This package, and those that it stands on as they are installed. */
function packages(): JsonObject {
  const { name, version, dependencies = {} } = readPackage(ROOT)!;
  const installed = Object.keys(dependencies).map(d => [d, installedVersion(d) ?? 'unknown']);
  return { package: `${name} ${version}`, packages: Object.fromEntries(installed) as JsonObject };
}

/** Beside us or further up, as Node finds it. */
function installedVersion(name: string): string | undefined {
  const folders = require.resolve.paths(name) ?? [];
  return folders.map(dir => readPackage(`${dir}/${name}/`)?.version).find(version => version !== undefined);
}

function readPackage(dir: string): { name: string; version: string; dependencies?: Record<string, string> } | undefined {
  try {
    return JSON.parse(readFileSync(`${dir}package.json`, 'utf8')) as { name: string; version: string };
  } catch {
    return undefined;
  }
}
