/** Where the measurement goes most against the paper: what a reader should look at first. */
import type { ClaimResult, PairResult } from './claims.ts';
import { formatDelta, formatPublishedDelta, type Unit } from '../../text/format.ts';
import type { AblationReport, ArmRow, Disagreement } from './model.ts';
import { mean } from '../statistics/statistics.ts';
import { FEWEST_SEEDS } from '../statistics/verdict.ts';

const SHOWN = 3;

export const disagreementRule =
  'Largest disagreements: comparisons of claims, and of arms with their default, whose measured difference has the other sign than the paper says, by how many standard errors of that difference; ' +
  'one for each ablation at most, the same runs once. The standard error is that of the differences per seed, below three seeds that of the test set.';

/** The largest over the report, largest first; those of an earlier ablation before equals. */
export function disagreements(ablations: readonly AblationReport[]): Disagreement[] {
  const ofEach = ablations.map(candidates);
  const taken = new Set<string>();
  const found: Disagreement[] = [];
  const ranked = ofEach.flatMap((list, i) => list.map(candidate => ({ ...candidate, place: i }))).sort((a, b) => byErrors(b.disagreement, a.disagreement) || a.place - b.place);
  for (const { disagreement, runs, place } of ranked) {
    if (found.length === SHOWN) break;
    if (taken.has(runs) || taken.has(`ablation ${place}`)) continue;
    taken.add(runs).add(`ablation ${place}`);
    found.push(disagreement);
  }
  return found;
}

/** Not a difference: of two without an error it would be no number. */
const byErrors = (a: Disagreement, b: Disagreement): number => Number(a.standardErrors > b.standardErrors) - Number(a.standardErrors < b.standardErrors);

interface Candidate {
  readonly disagreement: Disagreement;
  /** Equal for comparisons of the same numbers, in whichever tables they stand. */
  readonly runs: string;
}

function candidates(ablation: AblationReport): Candidate[] {
  const ofClaims = ablation.claims.flatMap(claim => claim.pairs.flatMap(pair => ofClaim(ablation, claim, pair) ?? []));
  const reference = ablation.rows.find(row => row.isDefault);
  const ofArms = reference === undefined ? [] : ablation.rows.flatMap(row => ofArm(ablation, row, reference) ?? []);
  return [...ofClaims, ...ofArms];
}

/** Where the paper's own table denies the claim, the measurement has the table's sign: that is no disagreement with the paper. */
function ofClaim({ name, title, table }: AblationReport, claim: ClaimResult, pair: PairResult): Candidate | undefined {
  const against = pair.verdict === 'contradicted' || pair.direction === 'disagrees';
  if (!against || pair.delta === undefined || (pair.published?.gap ?? 0) < 0) return undefined;
  const standardErrors = inErrors(pair.delta, pair.n, pair.standardError, pair.testError);
  return {
    disagreement: { ablation: name, title, table, arm: pair.arm.label, than: pair.than.label, delta: pair.delta, standardErrors, n: pair.n, published: pair.published?.gap, claim: claim.name },
    runs: runsOf(pair.delta, pair.n, standardErrors),
  };
}

function ofArm({ name, title, table }: AblationReport, row: ArmRow, reference: ArmRow): Candidate | undefined {
  if (row.agreement !== 'opposite sign' || row.delta === undefined || row.published?.delta === undefined) return undefined;
  const { n, value, standardError } = row.delta;
  const standardErrors = inErrors(value, n, standardError, testErrorOf(row, reference));
  // The arm that the paper has ahead comes first.
  const turned = row.published.delta < 0;
  const sign = turned ? -1 : 1;
  const [arm, than] = turned ? [reference.label, row.label] : [row.label, reference.label];
  return {
    disagreement: { ablation: name, title, table, arm, than, delta: sign * value, standardErrors, n, published: sign * row.published.delta, claim: undefined },
    runs: runsOf(value, n, standardErrors),
  };
}

function inErrors(delta: number, n: number, ofSeeds: number | undefined, ofTest: number | undefined): number {
  const error = n < FEWEST_SEEDS ? ofTest : ofSeeds;
  return error === undefined || error === 0 ? Infinity : Math.abs(delta) / error;
}

/** Over the seeds that both have, both arms taken as independent. */
function testErrorOf(a: ArmRow, b: ArmRow): number | undefined {
  const other = new Map(b.measured?.perSeed.map(({ seed, standardError }) => [seed, standardError]));
  const errors = (a.measured?.perSeed ?? []).flatMap(({ seed, standardError }) => (other.has(seed) ? [Math.hypot(standardError, other.get(seed)!)] : []));
  return errors.length === 0 ? undefined : mean(errors);
}

/** The same numbers to the last bits are the same runs. */
const runsOf = (delta: number, n: number, standardErrors: number): string => `${Math.abs(delta).toFixed(9)} ${n} ${standardErrors.toFixed(6)}`;

/** `A is 2.10 points below B (4.5 standard errors); the paper has it 1.0 above.` */
export function disagreementSentence({ arm, than, delta, standardErrors, published }: Disagreement, unit: Unit): string {
  const size = `${formatDelta(Math.abs(delta), unit).replace('+', '')}${unit === 'fraction' ? ' points' : ''}`;
  const errors = Number.isFinite(standardErrors) ? ` (${standardErrors.toFixed(1)} standard errors)` : '';
  const paper =
    published === undefined
      ? 'the paper has it the other way round'
      : published === 0
        ? 'the paper has them level'
        : `the paper has it ${formatPublishedDelta(Math.abs(published)).replace('+', '')} above`;
  return `${arm} is ${size} below ${than}${errors}; ${paper}.`;
}

export const disagreementTitle = 'Largest disagreements with the paper';
