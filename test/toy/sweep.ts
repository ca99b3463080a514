/** Runs the driver as a real process and looks at what it leaves, for end-to-end tests. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { loadExperiments } from '../../src/core/ablation/load.ts';
import { buildPlan, type Plan } from '../../src/core/plan/plan.ts';
import type { RunEvent, RunSummary } from '../../src/core/runner/events.ts';
import { attemptFiles } from '../../src/core/store/layout.ts';
import { readProgress, type ProgressLine } from '../../src/core/store/progress.ts';
import type { StoreReader } from '../../src/core/store/reader.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { compiledDriver } from './compiled.ts';
import type { DriveOptions } from './drive.ts';

export const toyExperiments = fileURLToPath(new URL('experiments', import.meta.url));

export const temporaryFolder = (name: string): string => mkdtempSync(join(tmpdir(), `ablate-${name}-`));

export async function toyPlan({ declarations = 'experiments', ...choice }: Pick<DriveOptions, 'profile' | 'only' | 'seeds' | 'sets' | 'declarations'>): Promise<Plan> {
  return buildPlan(await loadExperiments(fileURLToPath(new URL(declarations, import.meta.url)), choice));
}

export interface Sweep {
  readonly pid: number;
  /** Everything told so far. */
  readonly events: readonly RunEvent[];
  /** Resolves when an event passes the test. @throws when the driver ends before */
  until(test: (event: RunEvent) => boolean): Promise<RunEvent>;
  kill(signal: NodeJS.Signals): void;
  /** Kills the driver and its workers at one instant, as a power cut does. */
  killGroup(): void;
  /** Undefined when it was killed. */
  readonly summary: Promise<RunSummary | undefined>;
}

const started: Sweep[] = [];

/** For `afterEach`, or `afterAll` where tests run side by side: a test that fails in the middle leaves no process behind. */
export function endSweeps(): void {
  for (const sweep of started.splice(0)) {
    try {
      sweep.killGroup();
    } catch {
      // The group has ended.
    }
  }
}

/**
 * Starts a sweep in a process group of its own.
 * @param env variables beside those of this process
 * @param within a command that runs what follows it, e.g. in a container
 */
export function startSweep(options: DriveOptions, env: Readonly<Record<string, string>> = {}, within: readonly string[] = []): Sweep {
  const [program, ...args] = [...within, process.execPath, compiledDriver(), JSON.stringify(options)];
  const child = execa(program, args, {
    detached: true,
    reject: false,
    buffer: false,
    stderr: 'inherit',
    env,
  });
  const events: RunEvent[] = [];
  const watchers = new Set<() => void>();
  let ended = false;
  const read = async (): Promise<RunSummary | undefined> => {
    let summary: RunSummary | undefined;
    for await (const line of child.iterable({ preserveNewlines: false })) {
      const value = JSON.parse(line) as RunEvent | ({ type: 'summary' } & RunSummary);
      if (value.type === 'summary') summary = value;
      else events.push(value);
      watchers.forEach(w => w());
    }
    return summary;
  };
  const summary = read()
    .catch(() => undefined)
    .finally(() => {
      ended = true;
      watchers.forEach(w => w());
    });
  const until = (test: (event: RunEvent) => boolean): Promise<RunEvent> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = events.find(test);
        if (!found && !ended) return;
        watchers.delete(look);
        if (found) resolve(found);
        else reject(new Error(`the sweep ended before the event; it told ${events.map(e => e.type).join(', ')}`));
      };
      watchers.add(look);
      look();
    });
  const sweep: Sweep = {
    pid: child.pid!,
    events,
    until,
    kill: signal => void child.kill(signal),
    killGroup: () => void process.kill(-child.pid!, 'SIGKILL'),
    summary,
  };
  started.push(sweep);
  return sweep;
}

/** Bytes of every `result.json` and output file that counts, by key and name. */
export function committedBytes(store: StoreReader, plan: Plan): Record<string, string> {
  const found: Record<string, string> = {};
  for (const key of plan.stages.keys()) {
    const attempt = store.doneAttempt(key);
    if (attempt === undefined) continue;
    for (const file of [attemptFiles.result, attemptFiles.manifest]) found[`${key}/${file}`] = readFileSync(join(store.attemptDir(key, attempt), file), 'utf8');
  }
  return found;
}

const PATIENCE_MS = 300_000;

/** Waits until a store is as wanted. It is read here: to ask the program again and again takes a core, and comes late on a busy machine. @throws after five minutes */
export async function untilStore(dir: string, wanted: (store: StoreReader) => boolean): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(20)) {
    if (existsSync(join(dir, 'store.json')) && wanted(openStoreReadOnly(dir))) return;
  }
  throw new Error(`${dir} did not come so far within five minutes.`);
}

/** Waits until a running stage is as wanted. */
export const untilRunning = (dir: string, wanted: (line: ProgressLine) => boolean): Promise<void> =>
  untilStore(dir, store =>
    store.keys().some(key => {
      const state = store.state(key);
      const line = state.state === 'running' ? readProgress(store.attemptDir(key, state.attempt)).at(-1) : undefined;
      return line !== undefined && wanted(line);
    }),
  );

/** Whether a process is there and no zombie. */
export function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
