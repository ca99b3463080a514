/** Runs a command and records what its processes did with the processor: threads' clocks, kernels' spans, JavaScript's stacks. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { execa } from 'execa';
import { requireCompiler } from '../../../src/setup/binding.ts';

/** A thread of a Node process. */
export interface ThreadTime {
  readonly process: number;
  readonly thread: number;
  readonly seconds: number;
  /** As the system calls it. */
  readonly name: string;
  /** Of a thread that runs JavaScript. */
  readonly javaScript?: 'main' | 'worker';
}

/** Time within one op, less that within others. `bucket` counts tenths of a second since 1970. */
export interface KernelTime {
  readonly process: number;
  readonly thread: number;
  readonly bucket: number;
  readonly op: string;
  readonly seconds: number;
}

/** What a main thread was at for a moment. */
export interface Sample {
  readonly process: number;
  readonly bucket: number;
  readonly seconds: number;
  /** Innermost first, each `function folder/file`, the file without its ending. */
  readonly stack: readonly string[];
}

export interface Recording {
  readonly wallSeconds: number;
  /** Of all processes, those without Node included. */
  readonly cpuSeconds: number;
  /** File of each Node process. */
  readonly programs: ReadonlyMap<number, string>;
  readonly threads: readonly ThreadTime[];
  readonly kernels: readonly KernelTime[];
  readonly samples: readonly Sample[];
}

const SAMPLER = fileURLToPath(new URL('sampler.cjs', import.meta.url));
const KERNELS = fileURLToPath(new URL('kernels.cc', import.meta.url));
const POLL_MS = 200;

/** @throws Error where the command fails, with its last lines */
export async function record(args: readonly string[]): Promise<Recording> {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  try {
    const library = join(folder, 'kernels.so');
    await execa(await requireCompiler(), ['-shared', '-fPIC', '-O2', '-std=c++17', KERNELS, '-o', library, '-ldl']);
    const clocks = new ThreadClocks(folder),
      poll = setInterval(() => clocks.read(), POLL_MS);
    const began = performance.now(),
      before = childrenSeconds();
    try {
      const run = await execa(process.execPath, [...args], {
        env: { LEDGER_FOLDER: folder, LD_PRELOAD: library, NODE_OPTIONS: `--require ${SAMPLER}` },
        reject: false,
        all: true,
        stdin: 'ignore',
        buffer: true,
      });
      if (run.failed) throw new Error(`Expected ${args.slice(1, 3).join(' ')} to succeed, got exit code ${String(run.exitCode)}.\n${run.all.split('\n').slice(-20).join('\n')}`);
    } finally {
      clearInterval(poll);
    }
    return { wallSeconds: (performance.now() - began) / 1e3, cpuSeconds: childrenSeconds() - before, programs: clocks.programs(), threads: clocks.times(), ...readFolder(folder) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** CPU time of all ended children of this process and theirs (`man 5 proc`, fields cutime and cstime, in hundredths). */
function childrenSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

interface ThreadFile {
  readonly process: number;
  readonly isMainThread: boolean;
  readonly program: string;
}

/** The clocks of all threads of the Node processes that tell of themselves in `folder`, as they stood last. */
class ThreadClocks {
  readonly #folder: string;
  readonly #files = new Map<number, ThreadFile>();
  readonly #times = new Map<string, ThreadTime>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  read(): void {
    for (const [thread, file] of jsonFiles<ThreadFile>(this.#folder, 'thread')) this.#files.set(thread, file);
    for (const process of new Set([...this.#files.values()].map(file => file.process))) {
      for (const thread of listed(`/proc/${process}/task`)) {
        const folder = `/proc/${process}/task/${thread}`;
        const nanoseconds = Number(readIfThere(`${folder}/schedstat`).split(' ')[0]);
        if (nanoseconds > 0) this.#times.set(`${process} ${thread}`, { process, thread: Number(thread), name: readIfThere(`${folder}/comm`).trim(), seconds: nanoseconds / 1e9 });
      }
    }
  }

  programs(): Map<number, string> {
    return new Map([...this.#files.values()].filter(file => file.isMainThread).map(file => [file.process, file.program]));
  }

  times(): ThreadTime[] {
    return [...this.#times.values()].map(time => {
      const file = this.#files.get(time.thread);
      return { ...time, ...(file && { javaScript: file.isMainThread ? 'main' : 'worker' }) };
    });
  }
}

const BUCKET_US = 1e5;

interface CpuProfile {
  /** Microseconds from the profiler's clock to 1970's. */
  readonly offset: number;
  readonly startTime: number;
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string }; readonly children?: readonly number[] }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

function readFolder(folder: string): Pick<Recording, 'kernels' | 'samples'> {
  const kernels = readdirSync(folder)
    .filter(name => name.startsWith('kernels-'))
    .flatMap(name =>
      parse<Record<'bucket' | 'thread' | 'op' | 'ns', string>>(readFileSync(join(folder, name)), { columns: true }).map(({ bucket, thread, op, ns }) => ({
        process: Number(name.slice('kernels-'.length, -'.csv'.length)),
        thread: Number(thread),
        bucket: Number(bucket),
        op,
        seconds: Number(ns) / 1e9,
      })),
    );
  return { kernels, samples: [...jsonFiles<CpuProfile>(folder, 'samples')].flatMap(([process, profile]) => samplesOf(process, profile)) };
}

/** Equal stacks of one bucket are one sample. */
function samplesOf(process: number, { offset, startTime, nodes, samples, timeDeltas }: CpuProfile): Sample[] {
  const stacks = new Map<number, readonly string[]>();
  const byId = new Map(nodes.map(node => [node.id, node]));
  const open: { id: number; above: readonly string[] }[] = [{ id: nodes[0]!.id, above: [] }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { callFrame, children = [] } = byId.get(next.id)!;
    const file = /([^/]*\/)?[^/]*?(?=(\.[cm]?[jt]s)?$)/.exec(callFrame.url)?.[0] ?? '';
    const stack = [`${callFrame.functionName} ${file}`, ...next.above];
    stacks.set(next.id, stack);
    open.push(...children.map(id => ({ id, above: stack })));
  }
  const totals = new Map<string, { bucket: number; node: number; microseconds: number }>();
  let time = startTime + offset;
  samples.forEach((node, i) => {
    time += timeDeltas[i]!;
    const bucket = Math.floor(time / BUCKET_US),
      lasted = timeDeltas[i + 1] ?? 0;
    const total = totals.get(`${bucket} ${node}`) ?? { bucket, node, microseconds: 0 };
    total.microseconds += lasted;
    totals.set(`${bucket} ${node}`, total);
  });
  return [...totals.values()].map(({ bucket, node, microseconds }) => ({ process, bucket, seconds: microseconds / 1e6, stack: stacks.get(node)! }));
}

function* jsonFiles<T>(folder: string, name: string): Generator<[number, T]> {
  for (const file of listed(folder)) {
    if (!file.startsWith(`${name}-`)) continue;
    const text = readIfThere(join(folder, file));
    // One that is being written is there in full the next time.
    if (text.endsWith('}')) yield [Number(/\d+/.exec(file)![0]), JSON.parse(text) as T];
  }
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
