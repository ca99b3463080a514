/** One run of a program as a child process: its end, and the end of all that it has started. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa, type ResultPromise } from 'execa';
import { killDescendants } from '../runner/process-tree.ts';
import type { OutputLog } from './output-log.ts';

export interface ProgramEnd {
  readonly exitCode?: number;
  readonly signal?: string;
  /** Why it could not be started: the system's code (`ENOENT`), and in words. */
  readonly unstarted?: { readonly code: string; readonly text: string };
}

export interface Start {
  readonly words: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** By it the processes of one run are known, wherever they have gone. */
const MARK = 'ABLATE_RUN';
/** Processes that end with their parent by themselves, as those of a pool, have this long for it. */
const FAREWELL_MS = 1_000;
/** Ends the group of a program whose worker was killed: the pipe that it reads then ends. `$1` is the group. */
const GUARD = 'read -r _ || kill -s KILL -- "-$1"';

export class RunningProgram {
  readonly ended: Promise<ProgramEnd>;
  readonly #process: ResultPromise<ReturnType<typeof options>>;
  readonly #guard: ResultPromise<typeof GUARD_OPTIONS> | undefined;
  readonly #mark: string;
  readonly #printed: Promise<unknown>;
  #over = false;
  #peak = 0;

  /** @param mark unlike that of any other run */
  constructor({ words: [program = '', ...args], folder, environment }: Start, mark: string, log: OutputLog) {
    this.#mark = `${MARK}=${mark}`;
    this.#process = execa(program, args, options(folder, { ...environment, [MARK]: mark }));
    const { pid, stdout, stderr } = this.#process;
    // Not of its group, which it ends.
    if (pid !== undefined) this.#guard = execa('sh', ['-c', GUARD, 'sh', String(pid)], GUARD_OPTIONS);
    this.#guard?.stdin.on('error', () => undefined); // it has ended before us
    this.#printed = Promise.all([log.follow(stdout, false), log.follow(stderr, true)]);
    // Not once its output has ended as well: a child that it left behind may hold that open for ever.
    this.ended = new Promise<ProgramEnd>(resolve => {
      this.#process.once('exit', (code, signal) => resolve({ ...(code !== null && { exitCode: code }), ...(signal !== null && { signal }) }));
      void this.#process.then(result => {
        if (pid === undefined) resolve({ unstarted: { code: result.code ?? 'UNKNOWN', text: result.originalMessage ?? 'it did not start' } });
      });
    }).finally(() => (this.#over = true));
  }

  /** Bytes of memory that the program itself held at most; 0 where the system does not tell. */
  get peakMemory(): number {
    return this.#peak;
  }

  /** Looks at its memory: what it held is not known once it has ended. */
  look(): void {
    const status = this.#process.pid === undefined ? undefined : read(`/proc/${this.#process.pid}/status`);
    this.#peak = Math.max(this.#peak, 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(status ?? '')?.[1] ?? 0));
  }

  /** Asks the program itself: what it has started is its own to end. */
  askToStop(): void {
    if (!this.#over) this.#process.kill('SIGTERM');
  }

  /** Ends it and all that it has started. */
  kill(): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    if (!this.#over) killDescendants(pid);
    send(-pid);
    for (const { pid: stray } of this.#left()) send(stray);
  }

  /** After its end: ends what it has left behind, and closes its output. @returns what was left, by name and number */
  async close(): Promise<string[]> {
    const left = await this.#leftForLong();
    if (left.length > 0) this.kill();
    await Promise.race([this.#printed, sleep(FAREWELL_MS, undefined, { ref: false })]);
    this.#process.stdout.destroy();
    this.#process.stderr.destroy();
    await this.#printed;
    this.#guard?.kill('SIGKILL');
    return left.map(({ pid, name }) => `${name} (process ${pid})`);
  }

  async #leftForLong(): Promise<Left[]> {
    const until = performance.now() + FAREWELL_MS;
    let left = this.#left();
    while (left.length > 0 && performance.now() < until) {
      await sleep(20);
      left = this.#left();
    }
    return left;
  }

  /** Of its group, and those that have left it. */
  #left(): Left[] {
    const { pid: group } = this.#process;
    if (group === undefined) return [];
    const found = markedProcesses(this.#mark);
    if (found !== undefined) return found.filter(({ pid }) => pid !== group || this.#over);
    return this.#over && isThere(-group) ? [{ pid: group, name: 'its group' }] : [];
  }
}

interface Left {
  readonly pid: number;
  readonly name: string;
}

/** Processes that were started with this variable; undefined where there is no /proc. Those that have ended have none. */
function markedProcesses(mark: string): Left[] | undefined {
  let pids: string[];
  try {
    pids = readdirSync('/proc').filter(name => /^\d+$/.test(name));
  } catch {
    return undefined;
  }
  return pids.flatMap(pid => (read(`/proc/${pid}/environ`)?.includes(mark) === true ? [{ pid: Number(pid), name: read(`/proc/${pid}/comm`)?.trim() ?? 'unknown' }] : []));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function send(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const options = (cwd: string, env: Readonly<Record<string, string>>) =>
  ({ cwd, env, stdin: 'ignore', encoding: 'buffer', buffer: false, detached: true, reject: false, cleanup: false, forceKillAfterDelay: false }) as const;

const GUARD_OPTIONS = { stdin: 'pipe', stdout: 'ignore', stderr: 'ignore', detached: true, reject: false, cleanup: false, forceKillAfterDelay: false } as const;
