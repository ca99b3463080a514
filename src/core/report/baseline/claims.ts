/** Claims of two reports side by side: whose verdict changed, and whether results or rules changed it. */
import { CsvError, parse } from 'csv-parse/sync';
import { oneLine } from '../../text/clean.ts';
import type { Report } from '../model/model.ts';
import type { Origin } from '../model/words.ts';
import type { Direction, Verdict } from '../statistics/verdict.ts';

export interface ClaimState {
  readonly verdict: Verdict;
  /** Of a claim without a verdict for or against it. */
  readonly direction: Direction | undefined;
  readonly sentence: string;
  readonly origin: Origin;
}

export interface ClaimChange {
  readonly ablation: string;
  readonly name: string;
  readonly sentence: string;
  readonly origin: Origin;
  readonly before: ClaimState | undefined;
  readonly now: ClaimState | undefined;
  /** `rules`: the earlier results give the new verdict, too, so what changed is how the claim is declared or judged. */
  readonly cause: 'results' | 'rules' | 'new' | 'gone';
}

export interface ClaimComparison {
  readonly changes: readonly ClaimChange[];
  readonly before: readonly ClaimState[];
  readonly now: readonly ClaimState[];
}

/** By `ablation/claim`. */
export type ClaimStates = ReadonlyMap<string, ClaimState>;

/** What a report said about its claims. */
export interface PrintedClaims {
  readonly states: ClaimStates;
  /** Whether its verdicts are of the rules of today: an older version of this program judged by others, which no reader compares. */
  readonly current: boolean;
}

/**
 * @param earlier the baseline's records, judged by the declarations of today
 * @param printed what the baseline itself said of its claims; undefined for a store, which says nothing
 */
export function claimChanges(report: Report, earlier: Report, printed: PrintedClaims | undefined): ClaimComparison {
  const now = statesOf(report);
  const rejudged = statesOf(earlier);
  const before = statesBefore(printed, rejudged);
  const changes = [...new Set([...now.keys(), ...before.keys()])].flatMap((name): ClaimChange[] => {
    const [a, b] = [before.get(name), now.get(name)];
    if (isSame(a, b)) return [];
    const cause = a === undefined ? 'new' : b === undefined ? 'gone' : isSame(rejudged.get(name), b) ? 'rules' : 'results';
    const [ablation, claim] = splitName(name);
    const { sentence, origin } = (b ?? a)!;
    return [{ ablation, name: claim, sentence, origin, before: a, now: b, cause }];
  });
  return { changes, before: [...before.values()], now: [...now.values()] };
}

/** As printed; by other rules than those of today only for what is declared no more, and cannot be judged anew. */
function statesBefore(printed: PrintedClaims | undefined, rejudged: ClaimStates): ClaimStates {
  if (printed === undefined) return rejudged;
  if (printed.current) return printed.states;
  return new Map([...printed.states].map(([name, state]) => [name, rejudged.get(name) ?? state]));
}

const splitName = (name: string): [string, string] => [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)];
const statesOf = (report: Report): ClaimStates =>
  new Map(report.ablations.flatMap(({ claims }) => claims).map(({ ablation, name, verdict, direction, sentence, origin }) => [`${ablation}/${name}`, { verdict, direction, sentence, origin }]));
const isSame = (a: ClaimState | undefined, b: ClaimState | undefined): boolean => a?.verdict === b?.verdict && a?.direction === b?.direction;

const VERDICTS: readonly string[] = ['reproduced', 'contradicted', 'undecided', 'interim', 'exploratory', 'no verdict', 'not run'] satisfies Verdict[];
const DIRECTIONS: readonly string[] = ['agrees', 'disagrees', 'within noise'] satisfies Direction[];

/** A column that tables by the rules of today have, and older ones do not. */
const OF_TODAY = 'claim_before_correction';

/** What a report said about its claims, from its `tables/claims.csv`. Undefined when the table has another form. */
export function parseClaimStates(csv: string): PrintedClaims | undefined {
  const [header = [], ...rows] = rowsOf(csv);
  const [ablation, claim, verdict, direction] = ['ablation', 'claim', 'claim_verdict', 'claim_direction'].map(name => header.indexOf(name)) as [number, number, number, number];
  if (Math.min(ablation, claim, verdict, direction) < 0) return undefined;
  const states = new Map<string, ClaimState>();
  for (const row of rows) {
    const [says, points, name] = [row[verdict] ?? '', row[direction] ?? '', row[claim] ?? ''];
    if (!VERDICTS.includes(says) || (points !== '' && !DIRECTIONS.includes(points))) return undefined;
    const sentence = oneLine(row[header.indexOf('sentence')] ?? name);
    const key = `${row[ablation] ?? ''}/${name}`;
    // One row for each comparison.
    const isPublished = states.get(key)?.origin === 'published' || ['source', 'published_gap'].every(column => (row[header.indexOf(column)] ?? '') !== '');
    states.set(key, { verdict: says as Verdict, direction: points === '' ? undefined : (points as Direction), sentence, origin: isPublished ? 'published' : 'own' });
  }
  return { states, current: header.includes(OF_TODAY) };
}

/** None where the text is no CSV. */
function rowsOf(csv: string): string[][] {
  try {
    return parse(csv, { relax_column_count: true });
  } catch (error) {
    if (error instanceof CsvError) return [];
    throw error;
  }
}
