/** A child process that answers requests, one JSON object a line, so that rounds of several of them can be interleaved. */
import { createInterface } from 'node:readline';
import { execa } from 'execa';

export interface Peer {
  /** @throws Error with the end of what the process wrote to stderr when it fails or dies */
  ask<T>(op: string, request?: object): Promise<T>;
  /** Ends the process; what it was asked for is lost. */
  close(): Promise<void>;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Waiting {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
}

const STDERR_LINES = 30;

export function startPeer(name: string, { file, args, env = {} }: Command): Peer {
  const child = execa(file, args, { env, stdin: 'pipe', stdout: 'pipe', stderr: 'pipe', buffer: false, reject: false });
  const waiting: Waiting[] = [];
  const heard: string[] = [];
  let gone: Error | undefined;
  createInterface({ input: child.stderr }).on('line', line => {
    heard.push(line);
    if (heard.length > STDERR_LINES) heard.shift();
  });
  createInterface({ input: child.stdout }).on('line', line => {
    const reply = JSON.parse(line) as { error?: string };
    const { resolve, reject } = waiting.shift()!;
    if (reply.error === undefined) resolve(reply);
    else reject(new Error(`${name}: ${reply.error}\n${heard.join('\n')}`));
  });
  child.stdin.on('error', () => undefined); // its end is reported below
  const ended = child.then(({ exitCode, signal }) => {
    gone = new Error(`${name}: the process ended (${signal ?? `exit code ${String(exitCode)}`}).\n${heard.join('\n')}`);
    for (const { reject } of waiting.splice(0)) reject(gone);
  });
  return {
    ask: <T>(op: string, request: object = {}) =>
      new Promise<T>((resolve, reject) => {
        if (gone) {
          reject(gone);
          return;
        }
        waiting.push({ resolve: reply => resolve(reply as T), reject });
        child.stdin.write(`${JSON.stringify({ op, ...request })}\n`);
      }),
    close: async () => {
      child.stdin.end();
      child.kill();
      await ended;
    },
  };
}

/** The other end: answers the requests on stdin until it ends. */
export function serve(handlers: Readonly<Record<string, (request: never) => object | Promise<object>>>): void {
  const reply = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
  let last = Promise.resolve();
  createInterface({ input: process.stdin }).on('line', line => {
    last = last.then(async () => {
      const { op, ...request } = JSON.parse(line) as { op: string };
      try {
        reply(await handlers[op]!(request as never));
      } catch (error) {
        process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        reply({ error: error instanceof Error ? error.message : String(error) });
      }
    });
  });
}
