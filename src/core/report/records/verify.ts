/** Records against the store that they were read from: what was edited by hand, left out or added shows here. */
import type { Study } from '../../ablation/declaration.ts';
import { keyOf } from '../../ablation/identity.ts';
import type { Plan } from '../../plan/plan.ts';
import { StoreError } from '../../store/errors.ts';
import type { StoreReader } from '../../store/reader.ts';
import { collectRecords } from './collect.ts';
import { hashOfItems } from './items.ts';
import { shorten } from '../../text/clean.ts';
import { byText, recordText, type ReportRecord } from './records.ts';

/** One field of one record that is not what the store says. */
export interface RecordProblem {
  readonly key: string;
  /** The record in words: `distill of relation/qk-vv, seed 0`. */
  readonly record: string;
  /** Path within the record: `result.accuracy`, `curves.loss`, `resultSha256`. */
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}

/**
 * Compares every record with the store: that its key is the hash of the identity there, that the stage is done with a
 * valid `result.json` of this hash and these numbers, and, where the plan needs the stage, that uses, cost and curves are
 * those that `ablate report` would write. A result of the store that no record tells of is a problem, too.
 * @param plan for the seeds of the records
 */
export function verifyRecords(records: readonly ReportRecord[], study: Study, plan: Plan, store: StoreReader): RecordProblem[] {
  const fresh = new Map(collectRecords(study, plan, store).map(record => [record.key, record]));
  const known = new Set(records.map(record => record.key));
  const ofRecords = records.flatMap(record => {
    const problem = (field: string, expected: unknown, got: unknown): RecordProblem => ({ key: record.key, record: recordText(record), field, expected: shown(expected), got: shown(got) });
    return [...stageProblems(record, store, problem), ...plannedProblems(record, fresh.get(record.key), problem)];
  });
  const missing = [...fresh.values()].filter(({ key }) => !known.has(key));
  return [
    ...ofRecords,
    ...missing.map((record): RecordProblem => ({ key: record.key, record: recordText(record), field: 'record', expected: `that of a stage which is ${record.state}`, got: 'none' })),
  ];
}

type ProblemOf = (field: string, expected: unknown, got: unknown) => RecordProblem;

function stageProblems(record: ReportRecord, store: StoreReader, problem: ProblemOf): RecordProblem[] {
  let stage: ReturnType<StoreReader['stage']>;
  try {
    stage = store.stage(record.key);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return [problem('key', 'a stage of the store', error.message)];
  }
  if (stage === undefined) return [problem('key', 'a stage of the store', record.key)];
  const { kind, seed } = stage;
  const key = keyOf(stage);
  return [
    ...(key === record.key ? [] : [problem('key', key, record.key)]),
    ...(kind === record.kind ? [] : [problem('kind', kind, record.kind)]),
    ...(seed === record.seed ? [] : [problem('seed', seed, record.seed)]),
    ...(record.state === 'done' ? resultProblems(record, store, problem) : failureProblems(record, store, problem)),
  ];
}

function resultProblems(record: ReportRecord, store: StoreReader, problem: ProblemOf): RecordProblem[] {
  const attempt = store.doneAttempt(record.key);
  if (attempt === undefined) {
    const committed = store.committedAttempt(record.key);
    const why = committed === undefined ? store.state(record.key).state : store.incomplete(record.key, committed);
    return [problem('state', `a stage that is done, in the store it is ${committed === undefined ? '' : 'damaged: '}${why ?? 'not whole'}`, record.state)];
  }
  const sha256 = store.resultSha256(record.key, attempt);
  return [
    ...differences('result', store.result(record.key) ?? {}, record.result, problem),
    ...(sha256 === record.resultSha256 ? [] : [problem('resultSha256', sha256, record.resultSha256)]),
    ...itemProblems(record, store.itemBytes(record.key, attempt), problem),
  ];
}

/** A record of an older report tells nothing of items, which is no fault. */
function itemProblems({ itemsSha256 }: ReportRecord, bytes: Uint8Array | undefined, problem: ProblemOf): RecordProblem[] {
  const expected = bytes && hashOfItems(bytes);
  return itemsSha256 === undefined || itemsSha256 === expected ? [] : [problem('itemsSha256', expected, itemsSha256)];
}

function failureProblems(record: ReportRecord, store: StoreReader, problem: ProblemOf): RecordProblem[] {
  const { state } = store.state(record.key);
  return state === 'failed' ? [] : [problem('state', state, record.state)];
}

/** What the store's attempt says beyond its result. A record of a stage that the plan does not need is left at that. */
function plannedProblems(record: ReportRecord, fresh: ReportRecord | undefined, problem: ProblemOf): RecordProblem[] {
  if (fresh?.state !== record.state) return [];
  return [
    ...(JSON.stringify(fresh.uses) === JSON.stringify(record.uses) ? [] : [problem('uses', fresh.uses.map(useText), record.uses.map(useText))]),
    ...differences('cost', fresh.cost, record.cost, problem),
    ...differences('curves', fresh.curves, record.curves, problem),
    ...(fresh.codeHash === record.codeHash ? [] : [problem('codeHash', fresh.codeHash, record.codeHash)]),
  ];
}

function differences(field: string, expected: Readonly<Record<string, unknown>>, got: Readonly<Record<string, unknown>>, problem: ProblemOf): RecordProblem[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(got)])].sort(byText);
  return names.flatMap(name => {
    const [a, b] = [expected[name], got[name]];
    if (JSON.stringify(a) === JSON.stringify(b)) return [];
    return [Array.isArray(a) && Array.isArray(b) ? pointProblem(`${field}.${name}`, a, b, problem) : problem(`${field}.${name}`, a, b)];
  });
}

/** A curve is told by its first point that differs. */
function pointProblem(field: string, expected: readonly unknown[], got: readonly unknown[], problem: ProblemOf): RecordProblem {
  const at = Array.from({ length: Math.max(expected.length, got.length) }, (_, i) => i).find(i => JSON.stringify(expected[i]) !== JSON.stringify(got[i])) ?? 0;
  return problem(`${field}[${at}]`, expected[at], got[at]);
}

const useText = ({ ablation, arm, seed, role }: ReportRecord['uses'][number]): string => `${ablation}/${arm} seed ${seed} ${role}`;

const SHOWN = 160;

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
  return shorten(text, SHOWN);
}
