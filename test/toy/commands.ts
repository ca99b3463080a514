/** Command lines of the program, answered by a process that stays: see `command-server.ts`. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ALLOW_TYPESCRIPT } from '../helpers/typescript.ts';
import type { Answer, CommandLine } from './command-server.ts';

const SERVER = fileURLToPath(new URL('command-server.ts', import.meta.url));

/** One for each file of tests. */
let server: Promise<ChildProcess> | undefined;
/** The server answers one command line after the other. */
let last: Promise<unknown> = Promise.resolve();

async function start(): Promise<ChildProcess> {
  const child = fork(SERVER, { execArgv: ['--import', ALLOW_TYPESCRIPT], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  child.stdout!.resume();
  await once(child, 'message');
  return child;
}

async function ask(line: CommandLine): Promise<Answer> {
  const child = await (server ??= start());
  const gone = new AbortController();
  const ended = once(child, 'exit', { signal: gone.signal }).then(() => {
    throw new Error(`The program ended during: ${line.argv.join(' ')}`);
  });
  const answered = once(child, 'message', { signal: gone.signal }).then(([answer]) => answer as Answer);
  child.send(line);
  try {
    return await Promise.race([answered, ended]);
  } finally {
    gone.abort();
    for (const promise of [ended, answered]) promise.catch(() => undefined);
  }
}

/** Runs a command line of the program as `node src/cli/ablate.mjs` does, without the start of a process. Those called at once wait for each other. */
export function command(argv: readonly string[], { cwd = process.cwd(), env = {} }: Partial<Pick<CommandLine, 'cwd' | 'env'>> = {}): Promise<Answer> {
  const answer = last.then(() => ask({ argv, cwd, env }));
  last = answer.catch(() => undefined);
  return answer;
}
