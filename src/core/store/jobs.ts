/**
 * Jobs that were handed to a scheduler to work on a store: what was asked for, under which name, what the scheduler made of it. Whoever looks
 * into the store from another machine, or after the runner died, knows them from here.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson } from '../ablation/json.ts';
import { entryBeneath } from '../disk/beneath.ts';
import { harmless } from '../text/clean.ts';
import { filesWithin, nodeFiles, type Files } from './files.ts';
import { layout } from './layout.ts';
import { temporaryIn } from './names.ts';
import { listFolder, readTornLines } from './read.ts';

const text = z.string().transform(harmless);

/** One line of a job's file. */
const jobLine = z.discriminatedUnion('type', [
  /** `memory`: bytes asked for; `seconds`: time asked for. */
  z.object({ type: z.literal('asked'), time: z.iso.datetime(), memory: z.number().optional(), seconds: z.number().optional() }),
  z.object({ type: z.literal('accepted'), time: z.iso.datetime(), id: text }),
  /** Somebody who hands in jobs wants it to end. */
  z.object({ type: z.literal('unwanted'), time: z.iso.datetime() }),
  z.object({ type: z.literal('over'), time: z.iso.datetime(), state: text, reason: text.optional() }),
]);
type JobLine = z.infer<typeof jobLine>;
type WithoutTime<T> = T extends unknown ? Omit<T, 'time'> : never;

export interface JobRecord {
  readonly name: string;
  /** When it was asked for, in milliseconds since 1970. */
  readonly time: number;
  readonly memory?: number;
  /** The scheduler's; absent as long as no answer has come. */
  readonly id?: string;
  /** It ends because a sweep wants it to. */
  readonly unwanted?: true;
  /** Absent as long as nobody has seen its end. `state` as the scheduler says. */
  readonly over?: { readonly state: string; readonly reason?: string | undefined };
  /** What its processes print by themselves. */
  readonly log: string;
}

const JOBS = 'jobs',
  FILE = 'job.jsonl',
  LOG = 'log.txt';

/** Names of jobs are those of folders. */
const isJobName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(name);

export class JobJournal {
  readonly #store: string;
  readonly #files: Files;

  /** @param store folder of one that is open */
  constructor(store: string) {
    this.#store = store;
    this.#files = filesWithin(store, nodeFiles);
  }

  /** @returns false where the name is taken, by whoever */
  ask(name: string, asked: { readonly memory?: number; readonly seconds?: number }): boolean {
    const folder = layout.jobs(this.#store);
    this.#files.makeFolder(folder);
    const temporary = temporaryIn(folder);
    this.#files.makeFolder(temporary);
    this.#files.write(join(temporary, FILE), `${lineText({ type: 'asked', ...asked })}\n`);
    const made = this.#files.publishFolder(temporary, join(folder, name));
    if (!made) this.#files.remove(temporary);
    return made;
  }

  accepted(name: string, id: string): void {
    this.#append(name, { type: 'accepted', id });
  }

  unwanted(name: string): void {
    this.#append(name, { type: 'unwanted' });
  }

  over(name: string, state: string, reason?: string): void {
    this.#append(name, { type: 'over', state, ...(reason !== undefined && { reason }) });
  }

  logFile(name: string): string {
    return logOf(this.#store, name);
  }

  #append(name: string, line: WithoutTime<JobLine>): void {
    const appender = this.#files.openAppend(join(layout.jobs(this.#store), name, FILE));
    try {
      appender.append(lineText(line));
      appender.sync();
    } finally {
      appender.close();
    }
  }
}

const logOf = (store: string, name: string): string => join(layout.jobs(store), name, LOG);

const lineText = (line: WithoutTime<JobLine>): string => canonicalJson({ time: new Date().toISOString(), ...line });

/** Those whose name begins so, in the order in which they were asked for. Reads those anew that `known` does not have as over. @throws UnsafePathError where a link is in the way */
export function readJobs(store: string, prefix: string, known: ReadonlyMap<string, JobRecord> = new Map()): JobRecord[] {
  if (entryBeneath(store, JOBS) === undefined) return [];
  return listFolder(layout.jobs(store))
    .filter(name => name.startsWith(prefix) && isJobName(name))
    .map(name => {
      const before = known.get(name);
      return before?.over ? before : readJob(store, name);
    })
    .sort((a, b) => a.time - b.time || a.name.localeCompare(b.name));
}

/** One that was asked for. */
export function readJob(store: string, name: string): JobRecord {
  entryBeneath(store, JOBS, name);
  const lines = readTornLines(join(layout.jobs(store), name, FILE)).flatMap(line => {
    const parsed = jobLine.safeParse(line);
    return parsed.success ? [parsed.data] : [];
  });
  const asked = lines.find(line => line.type === 'asked');
  // The name is taken all the same.
  if (asked?.type !== 'asked') return { name, time: 0, log: logOf(store, name), over: { state: 'LOST' } };
  const accepted = lines.findLast(line => line.type === 'accepted');
  // What was taken for over, and was put back into the queue, is accepted again.
  const last = lines.findLast(line => line.type === 'over' || line.type === 'accepted');
  const over = last?.type === 'over' ? last : undefined;
  return {
    name,
    time: Date.parse(asked.time),
    log: logOf(store, name),
    ...(asked.memory !== undefined && { memory: asked.memory }),
    ...(accepted && { id: accepted.id }),
    ...(lines.some(line => line.type === 'unwanted') && { unwanted: true }),
    ...(over && { over: { state: over.state, reason: over.reason } }),
  };
}
