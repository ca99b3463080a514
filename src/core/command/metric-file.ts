/** The lines of metrics that a program appends to a file, read while it runs. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { PermanentError } from '../ablation/errors.ts';
import type { Progress, StageContext } from '../ablation/kind.ts';
import { hasCode } from '../store/errors.ts';
import { LineSplitter, type Line } from './lines.ts';
import { parseMetricLine } from './metric-line.ts';

/** Of a line, and of what is read at once. */
const MOST_BYTES = 64 * 1024;

export class MetricFile {
  readonly #path: string;
  readonly #context: Pick<StageContext, 'metric' | 'progress'>;
  readonly #lines = new LineSplitter(MOST_BYTES);
  readonly #chunk = Buffer.alloc(MOST_BYTES);
  #read = 0;
  #number = 0;
  #steps = 0;
  #progress: Progress | undefined;

  constructor(path: string, context: Pick<StageContext, 'metric' | 'progress'>) {
    this.#path = path;
    this.#context = context;
  }

  /**
   * Records what was appended since the last call.
   * @param ended whether the program has: then what stands behind the last newline is a line, too
   * @throws PermanentError for a line that is none of metrics
   */
  take(ended = false): void {
    for (const chunk of this.#appended()) {
      for (const line of this.#lines.push(chunk)) this.#record(line);
      if (this.#lines.open > MOST_BYTES) throw tooLong(this.#number + 1);
    }
    const rest = ended ? this.#lines.rest() : undefined;
    if (rest) this.#record(rest);
    // One word for all that came at once: the time from word to word tells how long a step takes.
    if (this.#progress !== undefined) this.#context.progress(this.#progress);
    this.#progress = undefined;
  }

  *#appended(): Generator<Buffer> {
    const fd = openIfThere(this.#path);
    if (fd === undefined) return;
    try {
      const found = fstatSync(fd);
      if (!found.isFile()) throw new PermanentError('BAD_METRICS', 'Metrics: expected a file to which lines are appended, got something else');
      if (found.size < this.#read) throw new PermanentError('BAD_METRICS', 'Metrics: expected a file to which lines are appended, got one that was written anew; open it to append');
      for (let size = this.#next(fd); size > 0; size = this.#next(fd)) {
        this.#read += size;
        yield this.#chunk.subarray(0, size);
      }
    } finally {
      closeSync(fd);
    }
  }

  #next(fd: number): number {
    return readSync(fd, this.#chunk, 0, MOST_BYTES, this.#read);
  }

  #record({ text, bytes }: Line): void {
    this.#number++;
    if (bytes > MOST_BYTES) throw tooLong(this.#number);
    if (text.trim() === '') return;
    const { step, steps = this.#steps, phase = 'step', epoch, numbers } = parseMetricLine(text, `Metrics, line ${this.#number}`);
    this.#steps = steps;
    if (Object.keys(numbers).length > 0) this.#context.metric({ step, epoch: epoch!, ...numbers });
    const { loss } = numbers;
    this.#progress = { phase, step, steps, ...(loss !== undefined && { loss }) };
  }
}

const tooLong = (line: number): PermanentError => new PermanentError('BAD_METRICS', `Metrics, line ${line}: expected at most ${MOST_BYTES} bytes, got a longer line`);

/** A pipe that nobody writes to must not keep us. */
function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
