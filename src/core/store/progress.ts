/** Where a running attempt stands, for whoever looks in: its worker appends it, and no result depends on it. */
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson } from '../ablation/json.ts';
import type { Progress } from '../ablation/kind.ts';
import { lstatIfThere } from '../disk/beneath.ts';
import { hasCode, StoreError } from './errors.ts';
import type { Appender } from './files.ts';
import { attemptFiles } from './layout.ts';
import { parseObject, readEnd } from './read.ts';

const progressLine = z.object({
  time: z.iso.datetime(),
  phase: z.enum(['load', 'trace', 'step', 'evaluate', 'save']),
  step: z.int(),
  /** 0 where the stage does not say. */
  steps: z.int(),
  images_per_second: z.number().optional(),
  /** Share of the time. */
  waiting: z.number().optional(),
});
export type ProgressLine = z.infer<typeof progressLine>;

/** Between lines of one phase: a twentieth of the time so far, within these bounds. Short stages show their pace, long ones stay small. */
const LEAST_MS = 500,
  MOST_MS = 10_000;

/** Appends every change of phase, and a line now and then. */
export class ProgressLog {
  readonly #open: () => Appender;
  #appender: Appender | undefined;
  readonly #began = performance.now();
  #last: { readonly phase: Progress['phase']; readonly time: number } | undefined;

  constructor(open: () => Appender) {
    this.#open = open;
  }

  note({ phase, step, steps, imagesPerSecond, waiting }: Progress): void {
    const time = performance.now();
    if (this.#last?.phase === phase && time - this.#last.time < Math.min(MOST_MS, Math.max(LEAST_MS, (time - this.#began) / 20))) return;
    this.#last = { phase, time };
    const pace = { ...(Number.isFinite(imagesPerSecond) && { images_per_second: imagesPerSecond! }), ...(Number.isFinite(waiting) && { waiting: waiting! }) };
    try {
      this.#appender ??= this.#open();
      this.#appender.append(canonicalJson({ time: new Date().toISOString(), phase, step, steps, ...pace }));
    } catch (error) {
      // What only people read must not fail a stage; a disk that takes no line takes no result either, and that one says why.
      if (!(error instanceof StoreError)) throw error;
    }
  }

  close(): void {
    this.#appender?.close();
    this.#appender = undefined;
  }
}

const TAIL_BYTES = 16_384;

/** The last lines, oldest first; lines that are none (torn, or of another version) are passed over. */
export function readProgress(attemptDir: string): ProgressLine[] {
  return tail(join(attemptDir, attemptFiles.progress))
    .split('\n')
    .flatMap(text => {
      const line = progressLine.safeParse(parseObject(text));
      return line.success ? [line.data] : [];
    });
}

/** When a worker last wrote something of an attempt, in milliseconds since 1970 by the clock of the file system. The heartbeat is not among it: that is the runner's. */
export function lastWriteTime(attemptDir: string): number | undefined {
  const { progress, metrics, log, states, worker } = attemptFiles;
  const times = [progress, metrics, log, states, worker].flatMap(name => lstatIfThere(join(attemptDir, name))?.mtimeMs ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

function tail(path: string): string {
  try {
    return readEnd(path, TAIL_BYTES);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return '';
    throw error;
  }
}
