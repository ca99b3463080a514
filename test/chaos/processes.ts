/** A sweep as real processes, and what can be done to them. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execaNode } from 'execa';
import type { RunEvent, RunSummary } from '../../src/core/runner/events.ts';
import type { DriveOptions } from '../toy/drive.ts';
import { compiledDriver } from '../toy/compiled.ts';

/** A sweep that takes longer than this hangs. */
const LIMIT_MS = 120_000;

const living = new Set<Sweep>();
process.on('exit', () => living.forEach(sweep => sweep.signalAll('SIGKILL')));

export class Sweep {
  readonly pid: number;
  readonly events: RunEvent[] = [];
  /** Of a sweep that came to its end. */
  summary: RunSummary | undefined;
  /** Resolves when the runner has ended. */
  readonly ended: Promise<void>;
  #text = '';

  /** Starts a runner in a process group of its own. */
  constructor(options: DriveOptions) {
    const child = execaNode(compiledDriver(), [JSON.stringify(options)], { detached: true, reject: false, buffer: false, all: true });
    this.pid = child.pid!;
    const read = async (): Promise<void> => {
      for await (const line of child.iterable({ from: 'all' })) this.#read(line);
    };
    living.add(this);
    this.ended = Promise.all([read().catch(() => undefined), child]).then(() => undefined);
  }

  /** All that it printed: events with the reasons of failures, warnings, the error that it died of. */
  get text(): string {
    return this.#text;
  }

  /** Sends a signal to the runner alone. @returns processes reached */
  signalRunner(signal: NodeJS.Signals): number {
    return send(this.pid, signal);
  }

  /** Sends a signal to one of the workers. @param pick in [0, 1) @returns processes reached */
  signalWorker(signal: NodeJS.Signals, pick: number): number {
    const workers = this.workers();
    const worker = workers[Math.floor(pick * workers.length)];
    return worker === undefined ? 0 : send(worker, signal);
  }

  /** Sends a signal to runner and workers at one instant, as a power cut does. @returns processes reached */
  signalAll(signal: NodeJS.Signals): number {
    const reached = this.members().filter(isOurs).length;
    return send(-this.pid, signal) === 0 ? 0 : reached;
  }

  /** Processes of the workers, also when the runner is gone. */
  workers(): number[] {
    return this.members().filter(pid => commandLine(pid).includes('runner/worker.'));
  }

  /** Processes of the group that have not ended. */
  members(): number[] {
    return livingProcesses().flatMap(({ pid, group }) => (group === this.pid ? [pid] : []));
  }

  /** Waits until runner and workers are gone. @returns false when they had to be killed because they hang */
  async gone(): Promise<boolean> {
    const deadline = performance.now() + LIMIT_MS;
    while (this.members().length > 0 && performance.now() < deadline) await sleep(20);
    const hangs = this.members().length > 0;
    if (hangs) this.signalAll('SIGKILL');
    await this.ended;
    living.delete(this);
    return !hangs;
  }

  #read(line: string): void {
    this.#text += `${line}\n`;
    if (!line.startsWith('{"')) return;
    const value = JSON.parse(line) as RunEvent | ({ type: 'summary' } & RunSummary);
    if (value.type === 'summary') this.summary = value;
    else this.events.push(value);
  }
}

const isOurs = (pid: number): boolean => /toy\/drive\.ts|runner\/worker\.ts/.test(commandLine(pid));

function send(pid: number, signal: NodeJS.Signals): number {
  try {
    process.kill(pid, signal);
    return 1;
  } catch {
    return 0; // it has ended
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Zombies have ended. */
function livingProcesses(): { readonly pid: number; readonly group: number }[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        const text = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state, , group] = text.slice(text.lastIndexOf(')') + 2).split(' ');
        return state === 'Z' || state === 'X' ? [] : [{ pid: Number(name), group: Number(group) }];
      } catch {
        return [];
      }
    });
}
