/** Feeds damaged inputs to a reader and judges what it makes of them. */
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { damaged, damages, type Codec, type Damage } from './damage.ts';

/**
 * `refused`: the reader's own error, or what it says instead of a value. `harmless`: read as if undamaged. `undetectable`:
 * read as something else that a writer could have written, in a file that nothing vouches for (a digit of a learning curve).
 */
type Outcome = 'refused' | 'harmless' | 'undetectable';

/** A reader did what it must not: crash, hang, take too much memory, or pass off damage as data. */
export class Fault extends Error {
  override readonly name = 'Fault';
}

/** What a reader came to. */
export type Reading<T> = { readonly value: T } | { readonly refused: string };

type Own = readonly (abstract new (...args: never[]) => Error)[];

/** @param own the errors by which the reader refuses; any other is a crash @throws Fault */
export async function reading<T>(read: () => T | Promise<T>, own: Own): Promise<Reading<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    if (!(error instanceof Error)) throw new Fault(`Expected an error, got a thrown ${typeof error}`);
    if (!own.some(type => error instanceof type)) throw new Fault(`Expected ${own.map(type => type.name).join(' or ') || 'no error'}, got ${error.stack ?? error.message}`, { cause: error });
    if (error.message.length < 10) throw new Fault(`Expected a message that says what is wrong, got '${error.message}'`, { cause: error });
    return { refused: error.message };
  }
}

/** One format as the runner sees it: inputs, and the judgement of one. */
interface Subject<I> {
  readonly inputs: fc.Arbitrary<I>;
  /** Undefined for what is no damaged input: the damage changed nothing, or cannot be written. @throws Fault */
  judge(input: I): Promise<Outcome | undefined>;
  close(): void;
}

/** A format whose valid files are made once and damaged again and again. */
export interface FileSubject<T> {
  /** The file that is damaged, then others of the format, whose parts get into it. */
  readonly samples: readonly Buffer[];
  readonly codec?: Codec;
  /** Puts a file where the reader looks for it. @returns false where the system takes no such file */
  readonly plant?: (bytes: Buffer) => boolean;
  read(bytes: Buffer): Promise<T> | T;
  readonly own: Own;
  /** What is read is vouched for by a checksum: whatever is accepted is equal to the undamaged. */
  readonly sealed?: boolean;
  /** What the reader says instead of throwing. */
  isRefusal?(value: T): boolean;
  /** Whether `value` is equal to what is read of an undamaged file. */
  same?(value: T, undamaged: T): boolean;
  /** @throws Fault when an accepted value is not what the reader promises */
  check?(value: T, bytes: Buffer): void;
  close?(): void;
}

export interface RunOptions {
  readonly seed: number;
  readonly inputs: number;
  /** Of a failure that is gone through again, as fast-check prints it. */
  readonly path?: string;
  /** Milliseconds that an input may take (default 10,000: longer than any reader needs for some kilobytes, on any machine). */
  readonly limit?: number;
}

export interface Tally {
  inputs: number;
  refused: number;
  harmless: number;
  undetectable: number;
  slowestMs: number;
  seconds: number;
  /** How to see it again, and what went wrong. */
  fault?: { readonly path: string; readonly report: string };
}

export interface Format {
  readonly name: string;
  readonly run: (options: RunOptions) => Promise<Tally>;
}

export const fileFormat = <T>(name: string, open: () => FileSubject<T> | Promise<FileSubject<T>>): Format => format<Damage[]>(name, async () => subjectOf(await open()));

export const format = <I>(name: string, open: () => Subject<I> | Promise<Subject<I>>): Format => ({
  name,
  run: async options => run(name, await open(), options),
});

async function subjectOf<T>(file: FileSubject<T>): Promise<Subject<Damage[]>> {
  const {
    samples: [whole, ...donors],
    codec,
  } = file;
  const read = (bytes: Buffer): Promise<Reading<T>> => reading(() => file.read(bytes), file.own);
  file.plant?.(whole!);
  const undamaged = await read(whole!);
  if ('refused' in undamaged || file.isRefusal?.(undamaged.value)) throw new Fault(`Expected the undamaged file to be read, got ${JSON.stringify(undamaged)}`);
  return {
    inputs: damages(codec),
    async judge(list) {
      const bytes = damaged(whole!, list, donors, codec);
      if (bytes.equals(whole!) || file.plant?.(bytes) === false) return undefined;
      const found = await read(bytes);
      if ('refused' in found || file.isRefusal?.(found.value)) return 'refused';
      file.check?.(found.value, bytes);
      if (file.same?.(found.value, undamaged.value) ?? isDeepStrictEqual(found.value, undamaged.value)) return 'harmless';
      if (file.sealed) throw new Fault(`Expected damage to be detected, got ${JSON.stringify(found.value).slice(0, 500)}`);
      return 'undetectable';
    },
    close: () => file.close?.(),
  };
}

const LIMIT_MS = 10_000;
/** After which a reader that gives no other code a turn is ended together with its process. */
const HANG_SECONDS = 60;
const LIMIT_KILOBYTES = 1 << 20;

async function run<I>(name: string, subject: Subject<I>, { seed, inputs, path, limit = LIMIT_MS }: RunOptions): Promise<Tally> {
  const tally: Tally = { inputs: 0, refused: 0, harmless: 0, undetectable: 0, slowestMs: 0, seconds: 0 };
  const began = performance.now(),
    memory = process.resourceUsage().maxRSS;
  const watch = watchdog(`${name}: expected every input to be read within ${HANG_SECONDS} s. Again: ${commandOf(name, { seed, inputs })}`);
  const property = fc.asyncProperty(subject.inputs, async input => {
    watch.beat();
    const start = performance.now();
    const outcome = await within(limit, subject.judge(input));
    const ms = performance.now() - start;
    if (ms > limit) throw new Fault(`Expected an input to be read within ${limit} ms, got ${Math.round(ms)} ms`);
    if (process.resourceUsage().maxRSS > memory + LIMIT_KILOBYTES) throw new Fault(`Expected at most ${LIMIT_KILOBYTES} KiB of memory more, got ${process.resourceUsage().maxRSS - memory}`);
    if ('polluted' in {}) throw new Fault('Expected the prototype of objects to stay as it is, got a new field');
    fc.pre(outcome !== undefined);
    tally.inputs++;
    tally[outcome]++;
    tally.slowestMs = Math.max(tally.slowestMs, ms);
  });
  try {
    const details = await fc.check(property, { seed, numRuns: inputs, maxSkipsPerRun: 1000, ...(path !== undefined && { path }) });
    if (details.failed) tally.fault = { path: details.counterexamplePath ?? '', report: `${fc.defaultReportMessage(details)}\n${reasonOf(details.errorInstance)}` };
  } finally {
    watch.stop();
    subject.close();
  }
  tally.seconds = (performance.now() - began) / 1e3;
  return tally;
}

/** What makes a failure happen again. */
export const commandOf = (name: string, { seed, inputs, path }: RunOptions): string =>
  `make fuzz ARGS="--format '${name}' --seed ${seed} ${path === undefined ? `--inputs ${inputs}` : `--path ${path}`}"`;

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Fault(`Expected an input to be read within ${ms} ms, got no end`)), ms);
  });
  try {
    return await Promise.race([work, end]);
  } finally {
    clearTimeout(timer);
  }
}

/** Another thread: this one cannot notice that it hangs. */
function watchdog(message: string): { beat(): void; stop(): void } {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('watchdog.mjs', import.meta.url), { workerData: { beats, seconds: HANG_SECONDS, message }, execArgv: [] });
  worker.unref();
  return { beat: () => void Atomics.add(beats, 0, 1), stop: () => void worker.terminate() };
}

/** A fault says all; of anything else, an error of the harness, the place is needed, too. */
const reasonOf = (error: unknown): string => (error instanceof Fault ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error));
