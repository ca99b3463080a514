/** A store as tables, for queries: rows are read when asked for, and nothing here can change the store. */
import { z } from 'zod';
import { StoreError } from './errors.ts';
import type { StageState, StoreReader } from './reader.ts';
import { newestArms } from './sweeps.ts';

export type StoreCell = string | number | null;
/** `TIMESTAMP` cells are ISO times in UTC, `JSON` cells text. @internal */
export type ColumnType = 'VARCHAR' | 'BIGINT' | 'DOUBLE' | 'TIMESTAMP' | 'JSON';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly help: string;
}

export interface StoreTable {
  readonly name: string;
  readonly help: string;
  readonly columns: readonly Column[];
  /** Cells in the order of the columns. What cannot be read is told to `warn` and passed over. */
  rows(store: StoreReader, warn: (message: string) => void): Iterable<readonly StoreCell[]>;
}

const column = (name: string, type: ColumnType, help: string): Column => ({ name, type, help });
const KEY = column('key', 'VARCHAR', 'of the stage');

const runs: StoreTable = {
  name: 'runs',
  help: 'one row a stage',
  columns: [
    KEY,
    column('kind', 'VARCHAR', 'distill, finetune, ...'),
    column('revision', 'BIGINT', 'of the kind'),
    column('label', 'VARCHAR', 'what it was first planned for'),
    column('seed', 'BIGINT', 'of the stage'),
    column('state', 'VARCHAR', 'done, running, stalled, failed, interrupted, absent (never attempted)'),
    column('attempt', 'BIGINT', 'the one that counts, else the newest; what follows is of it'),
    column('attempts', 'BIGINT', 'how many there were'),
    column('code', 'VARCHAR', 'of a failure'),
    column('reason', 'VARCHAR', 'of a failure'),
    column('place', 'VARCHAR', 'cpu:0, gpu:1'),
    column('host', 'VARCHAR', ''),
    column('created', 'TIMESTAMP', 'UTC'),
    column('ended', 'TIMESTAMP', 'UTC; of what still runs: when it last said so'),
    column('wall_seconds', 'DOUBLE', 'of the job, which may have run other stages beside it'),
    column('cpu_seconds', 'DOUBLE', 'its own share'),
    column('peak_memory_bytes', 'BIGINT', 'of the job'),
    column('commit', 'VARCHAR', 'of this program'),
    column('study_commit', 'VARCHAR', 'of the study'),
    column('code_hash', 'VARCHAR', 'of the files of the study that the kind loads'),
    column('recipe', 'JSON', ''),
    column('upstream', 'JSON', 'key of the stage in each slot'),
    column('provenance', 'JSON', 'host, versions, engine, command line, ...'),
  ],
  rows: (store, warn) => mapKeys(store, warn, key => [runRow(store, key, warn)]),
};

function runRow(store: StoreReader, key: string, warn: (message: string) => void): StoreCell[] {
  const or = <T>(read: () => T | undefined): T | undefined => readable(read, warn);
  const stage = or(() => store.stage(key));
  const state = store.state(key);
  const attempt = state.state === 'absent' ? undefined : state.attempt;
  const record = attempt === undefined ? undefined : or(() => store.attempt(key, attempt));
  const facts = or(() => store.provenance(key)) ?? {};
  const failure = state.state === 'failed' ? state : undefined;
  const text = (name: string): string | null => (typeof facts[name] === 'string' ? facts[name] : null);
  const number = (name: string): number | null => (typeof facts[name] === 'number' ? facts[name] : null);
  const whole = (name: string): number | null => {
    const value = Math.trunc(number(name) ?? NaN);
    return Number.isSafeInteger(value) ? value : null;
  };
  const time = (name: string): string | null => (z.iso.datetime().safeParse(facts[name]).success ? text(name) : null);
  return [
    key,
    stage?.kind ?? null,
    stage?.revision ?? null,
    stage?.label ?? null,
    stage?.seed ?? null,
    stateName(state),
    attempt ?? null,
    store.attempts(key).length,
    failure?.code ?? null,
    failure?.reason ?? null,
    record?.place ?? null,
    text('host') ?? record?.owner.host ?? null,
    record?.created ?? null,
    time('ended'),
    number('wall_seconds'),
    number('cpu_seconds'),
    whole('peak_memory_bytes'),
    text('commit'),
    studyCommit(facts),
    text('code_hash'),
    stage ? JSON.stringify(stage.recipe) : null,
    stage ? JSON.stringify(stage.upstream) : null,
    JSON.stringify(facts),
  ];
}

function studyCommit({ study }: Readonly<Record<string, unknown>>): string | null {
  const commit = typeof study === 'object' && study !== null && 'commit' in study ? study.commit : null;
  return typeof commit === 'string' ? commit : null;
}

const stateName = (state: StageState): string => (state.state === 'running' && state.stalled !== undefined ? 'stalled' : state.state);

const metrics: StoreTable = {
  name: 'metrics',
  help: 'one row a number of a curve, stitched over attempts: no step twice',
  columns: [KEY, column('step', 'BIGINT', 'finished steps'), column('epoch', 'DOUBLE', ''), column('name', 'VARCHAR', 'loss, lr, ...'), column('value', 'DOUBLE', '')],
  rows: (store, warn) =>
    mapKeys(store, warn, key => store.curve(key).flatMap(({ step, epoch, ...values }) => Object.entries(values).map(([name, value]): StoreCell[] => [key, step, epoch, name, value]))),
};

const results: StoreTable = {
  name: 'results',
  help: 'one row a number (or text) of a stage that is done',
  columns: [KEY, column('name', 'VARCHAR', 'accuracy, ...'), column('value', 'DOUBLE', 'absent where it is text'), column('text', 'VARCHAR', 'where it is none')],
  rows: (store, warn) =>
    mapKeys(store, warn, key => Object.entries(store.result(key) ?? {}).map(([name, value]): StoreCell[] => (typeof value === 'number' ? [key, name, value, null] : [key, name, null, value]))),
};

const items: StoreTable = {
  name: 'items',
  help: 'one row a test item of a stage that is done',
  columns: [KEY, column('item', 'BIGINT', 'its place in the test set, from 0'), column('correct', 'BIGINT', '1: right, 0: wrong')],
  rows: (store, warn) => mapKeys(store, warn, key => (store.items(key) ?? []).map((isRight, i): StoreCell[] => [key, i, isRight ? 1 : 0])),
};

const arms: StoreTable = {
  name: 'arms',
  help: 'one row a stage of an arm, as the newest sweep of it planned; a stage of several arms has a row in each',
  columns: [
    column('study', 'VARCHAR', 'its name; null in records of older versions'),
    column('profile', 'VARCHAR', ''),
    column('overrides', 'VARCHAR', 'of the profile, e.g. distill.epochs=5'),
    column('ablation', 'VARCHAR', ''),
    column('arm', 'VARCHAR', ''),
    column('seed', 'BIGINT', 'of the replicate'),
    column('role', 'VARCHAR', 'of the stage in the arm'),
    KEY,
  ],
  rows: (store, warn) =>
    newestArms(store.sweeps(warn)).flatMap(({ study = null, profile, overrides, ablation, arm, seed, stages }) =>
      Object.entries(stages).map(([role, key]): StoreCell[] => [study, profile, overrides.join(', '), ablation, arm, seed, role, key]),
    ),
};

export const TABLES: readonly StoreTable[] = [runs, metrics, results, items, arms];

function* mapKeys(store: StoreReader, warn: (message: string) => void, rows: (key: string) => readonly StoreCell[][]): Iterable<readonly StoreCell[]> {
  for (const key of store.keys()) yield* readable(() => rows(key), warn) ?? [];
}

function readable<T>(read: () => T | undefined, warn: (message: string) => void): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    warn(`${error.message}; passed over`);
    return undefined;
  }
}
