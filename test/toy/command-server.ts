/**
 * The program as one process that answers command lines one after the other, where the start of a process is not what is tested:
 * a start takes longer than most commands. Started by `commands.ts`, ends with the process that started it.
 */
import { register } from 'node:module';
import { run } from '../../src/cli/main.ts';

export interface CommandLine {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Variables beside those that the server began with. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as they came. */
  readonly all: string;
}

const count = new Int32Array(new SharedArrayBuffer(4));
register('./fresh.mjs', import.meta.url, { data: { shared: count } });

const environment = { ...process.env };

function setEnvironment(env: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) if (!(name in environment)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, environment, env);
}

type Write = typeof process.stdout.write;

/** Keeps what is written from now on instead of printing it. */
function captureOutput(): { readonly stdout: string[]; readonly stderr: string[]; readonly all: string[]; readonly release: () => void } {
  const [stdout, stderr, all]: string[][] = [[], [], []];
  const keep =
    (texts: string[]): Write =>
    (chunk: Uint8Array | string, ...rest: readonly unknown[]) => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      texts.push(text);
      all!.push(text);
      const told = rest.at(-1);
      if (typeof told === 'function') process.nextTick(told);
      return true;
    };
  const streams = [process.stdout, process.stderr] as const;
  const writes = streams.map((stream): Write => stream.write.bind(stream));
  process.stdout.write = keep(stdout!);
  process.stderr.write = keep(stderr!);
  return {
    stdout: stdout!,
    stderr: stderr!,
    all: all!,
    release: () =>
      streams.forEach((stream, i) => {
        stream.write = writes[i]!;
      }),
  };
}

/** As a shell's `$(...)` and execa give it. */
const joined = (texts: readonly string[]): string => texts.join('').replace(/\r?\n$/, '');

async function answer({ argv, cwd, env }: CommandLine): Promise<Answer> {
  Atomics.add(count, 0, 1);
  process.chdir(cwd);
  setEnvironment(env);
  process.exitCode = undefined;
  const { stdout, stderr, all, release } = captureOutput();
  try {
    const exitCode = await run(argv).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      return 1;
    });
    return { exitCode, stdout: joined(stdout), stderr: joined(stderr), all: joined(all) };
  } finally {
    release();
    process.exitCode = undefined;
    process.stdout.removeAllListeners('error');
  }
}

process.on('message', (line: CommandLine) => void answer(line).then(found => process.send!(found)));
process.on('disconnect', () => process.exit());
process.send!('ready');
