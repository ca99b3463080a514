/** Claims of two reports side by side: whose verdict changed, and whether results or rules changed it. */
import { CsvError, parse } from 'csv-parse/sync';
import type { Report } from '../model/model.ts';
import type { Direction, Verdict } from '../statistics/verdict.ts';

export interface ClaimState {
  readonly verdict: Verdict;
  /** Of an undecided claim. */
  readonly direction: Direction | undefined;
}

export interface ClaimChange {
  readonly ablation: string;
  readonly name: string;
  /** Its name where it is declared no more. */
  readonly sentence: string;
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

/**
 * @param earlier the baseline's records, judged by the declarations of today
 * @param printed what the baseline itself said of its claims; undefined for a store, which says nothing
 */
export function claimChanges(report: Report, earlier: Report, printed: ClaimStates | undefined): ClaimComparison {
  const now = statesOf(report);
  const rejudged = statesOf(earlier);
  const before = printed ?? rejudged;
  const sentences = new Map(claimsOf(report).map(claim => [nameOf(claim), claim.sentence]));
  const changes = [...new Set([...now.keys(), ...before.keys()])].flatMap((name): ClaimChange[] => {
    const [a, b] = [before.get(name), now.get(name)];
    if (isSame(a, b)) return [];
    const cause = a === undefined ? 'new' : b === undefined ? 'gone' : isSame(rejudged.get(name), b) ? 'rules' : 'results';
    const [ablation, claim] = splitName(name);
    return [{ ablation, name: claim, sentence: sentences.get(name) ?? claim, before: a, now: b, cause }];
  });
  return { changes, before: [...before.values()], now: [...now.values()] };
}

const claimsOf = (report: Report) => report.ablations.flatMap(({ claims }) => claims);
const nameOf = ({ ablation, name }: { ablation: string; name: string }): string => `${ablation}/${name}`;
const splitName = (name: string): [string, string] => [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)];
const statesOf = (report: Report): ClaimStates => new Map(claimsOf(report).map(claim => [nameOf(claim), { verdict: claim.verdict, direction: claim.direction }]));
const isSame = (a: ClaimState | undefined, b: ClaimState | undefined): boolean => a?.verdict === b?.verdict && a?.direction === b?.direction;

const VERDICTS: readonly string[] = ['reproduced', 'contradicted', 'undecided', 'not run'] satisfies Verdict[];
const DIRECTIONS: readonly string[] = ['agrees', 'disagrees', 'within noise'] satisfies Direction[];

/**
 * What a report said about its claims, from its `tables/claims.csv`. Undefined when the table has another form: that of an
 * older version of this program.
 */
export function parseClaimStates(csv: string): ClaimStates | undefined {
  const [header = [], ...rows] = rowsOf(csv);
  const [ablation, claim, verdict, direction] = ['ablation', 'claim', 'claim_verdict', 'claim_direction'].map(name => header.indexOf(name)) as [number, number, number, number];
  if (Math.min(ablation, claim, verdict, direction) < 0) return undefined;
  const states = new Map<string, ClaimState>();
  for (const row of rows) {
    const [says, points] = [row[verdict] ?? '', row[direction] ?? ''];
    if (!VERDICTS.includes(says) || (points !== '' && !DIRECTIONS.includes(points))) return undefined;
    states.set(`${row[ablation] ?? ''}/${row[claim] ?? ''}`, { verdict: says as Verdict, direction: points === '' ? undefined : (points as Direction) });
  }
  return states;
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
