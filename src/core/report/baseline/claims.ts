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
  /** Which words are used of it. */
  readonly origin: Origin;
}

export interface ClaimChange {
  readonly ablation: string;
  readonly name: string;
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

/** What they are called together: all of them hypotheses of the study's own, or claims. */
export const claimWords = (changes: readonly ClaimChange[]): { readonly one: string; readonly many: string } =>
  changes.every(({ before, now }) => (now ?? before)!.origin === 'own') ? { one: 'hypothesis', many: 'hypotheses' } : { one: 'claim', many: 'claims' };

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
    return [{ ablation, name: claim, sentence: (b ?? a)!.sentence, before: a, now: b, cause }];
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
  new Map(
    report.ablations.flatMap(({ claims }) =>
      claims.map(claim => [`${claim.ablation}/${claim.name}`, { verdict: claim.verdict, direction: claim.direction, sentence: claim.sentence, origin: claim.origin }]),
    ),
  );
const isSame = (a: ClaimState | undefined, b: ClaimState | undefined): boolean => a?.verdict === b?.verdict && a?.direction === b?.direction;

const VERDICTS: readonly string[] = ['reproduced', 'contradicted', 'undecided', 'interim', 'exploratory', 'no verdict', 'not run'] satisfies Verdict[];
const DIRECTIONS: readonly string[] = ['agrees', 'disagrees', 'within noise'] satisfies Direction[];

const NEEDED: readonly string[] = ['ablation', 'claim', 'claim_verdict', 'claim_direction'];

/** A column that tables by the rules of today have, and older ones do not. */
const OF_TODAY = 'claim_before_correction';

/** What a report said about its claims, from its `tables/claims.csv`. Undefined when the table has another form. */
export function parseClaimStates(csv: string): PrintedClaims | undefined {
  const [header = [], ...rows] = rowsOf(csv);
  if (!NEEDED.every(name => header.includes(name))) return undefined;
  const states = new Map<string, ClaimState>();
  for (const row of rows) {
    const cell = (name: string): string => row[header.indexOf(name)] ?? '';
    const [verdict, direction, key] = [cell('claim_verdict'), cell('claim_direction'), `${cell('ablation')}/${cell('claim')}`];
    if (!VERDICTS.includes(verdict) || (direction !== '' && !DIRECTIONS.includes(direction))) return undefined;
    // A row for each of its comparisons.
    const isPublished = states.get(key)?.origin === 'published' || (cell('source') !== '' && cell('published_gap') !== '');
    states.set(key, {
      verdict: verdict as Verdict,
      direction: direction === '' ? undefined : (direction as Direction),
      sentence: oneLine(cell('sentence') || cell('claim')),
      origin: isPublished ? 'published' : 'own',
    });
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
