/**
 * Worlds in which the truth is known, judged by the functions that reports use: how often is a verdict false? Accuracies of an arm scatter over
 * seeds by one point about its true mean; what seeds do to all arms alike comes on top, as do arms that several claims share.
 */
import { pairsOf, type Pair } from '../../src/core/ablation/claims.ts';
import type { Claim, Comparison, ProfileBase } from '../../src/core/ablation/declaration.ts';
import { evaluateClaims, type ClaimResult } from '../../src/core/report/model/claims.ts';
import type { ReportRecord } from '../../src/core/report/records/records.ts';
import { stream, type Stream } from '../../src/engine/random/rng.ts';
import { accuracyRecords, claim, claimAblation } from '../helpers/report/claims.ts';
import { sampleStudy } from '../helpers/report/sample.ts';

export interface World {
  readonly name: string;
  /** True means by arm, in points. */
  readonly means: Readonly<Record<string, number>>;
  /** Each is a claim of its own. */
  readonly claims: readonly Comparison[];
  /** In points. */
  readonly margin: number;
  /** What chance does to an arm, in points; default: a standard normal number. */
  readonly noise?: (arm: string, random: Stream) => number;
}

/** What seeds do to all arms alike, in points. */
const COMMON = 2;
const LEVEL = 0.5;
const ABLATION = 'world';

const claimOf = (comparison: Comparison, i: number): Claim => claim([comparison], { name: `c${i}` });

/** Verdicts that would be false of a comparison; on the boundary of what it says both are, which is the worst case. */
interface Falsehoods {
  readonly reproduced: boolean;
  readonly contradicted: boolean;
}

/** By definition of the comparison, not by any test: what is a fact about the true means. */
export function falsehoods(comparison: Comparison, { means, margin }: Pick<World, 'means' | 'margin'>): Falsehoods {
  const gaps = pairsOf(comparison, ABLATION).map(({ type, arm, than }) => ({ type, gap: means[arm.arm]! - means[than.arm]! }));
  return { reproduced: !gaps.every(({ type, gap }) => holds(type, gap, margin)), contradicted: !gaps.some(({ type, gap }) => fails(type, gap, margin)) };
}

function holds(type: Pair['type'], gap: number, margin: number): boolean {
  return type === 'greater' ? gap > margin : type === 'not-worse' ? gap > -margin : Math.abs(gap) < margin;
}

const fails = (type: Pair['type'], gap: number, margin: number): boolean => (type === 'same' ? Math.abs(gap) > margin : gap < -margin);

/** One go at a world: its records may be judged more than once, as more seeds come in. */
interface Trial {
  /** Of the first `measured` seeds, when `declared` are declared. */
  judge(measured: number, declared: number): ClaimResult[];
}

/** @param seeds most that a trial can be asked for */
function trials(world: World, seeds: number, seed: number): (repetition: number) => Trial {
  const arms = Object.keys(world.means);
  const ablation = claimAblation(ABLATION, arms, world.claims.map(claimOf));
  const places = accuracyRecords(Object.fromEntries(arms.map(arm => [`${ABLATION}/${arm}`, new Array<number>(seeds).fill(0)])));
  const { noise = (_: string, random: Stream) => random.normal() } = world;
  return repetition => {
    const random = stream(seed, world.name, repetition);
    const common = random.normals(seeds);
    const records = places.map((record): ReportRecord => {
      const [use] = record.uses;
      const points = world.means[use!.arm]! + COMMON * common[use!.seed]! + noise(use!.arm, random);
      return { ...record, result: { ...record.result, accuracy: LEVEL + points / 100 } };
    });
    return {
      judge: (measured, declared) => {
        const profile: ProfileBase = { name: 'p', seeds: Array.from({ length: declared }, (_, i) => i), verdicts: { margin: world.margin, source: 'simulated' } };
        return evaluateClaims({ study: sampleStudy, profile, ablations: [ablation], records: records.filter(record => record.uses[0]!.seed < measured) });
      },
    };
  };
}

/** Shares of repetitions, or of all claims of all repetitions. */
export interface Errors {
  /** Of false verdicts among all claims, each judged as if it were the only one. */
  readonly oneClaim: number;
  /** With a false verdict in any claim, each judged as if it were the only one. */
  readonly uncorrected: number;
  /** With a false verdict in any claim after Holm's correction, as reports print it. */
  readonly corrected: number;
  /** Of right verdicts among all claims, as reports print them. */
  readonly right: number;
}

export interface Runs {
  readonly seeds: number;
  readonly repetitions: number;
  /** Decides all that is random. */
  readonly seed: number;
}

export function measureErrors(world: World, { seeds, repetitions, seed }: Runs): Errors {
  const next = trials(world, seeds, seed);
  const falseOf = world.claims.map(comparison => falsehoods(comparison, world));
  const isFalse = (verdict: ClaimResult['verdict'], i: number): boolean => (verdict === 'reproduced' || verdict === 'contradicted') && falseOf[i]![verdict];
  let ofClaims = 0,
    uncorrected = 0,
    corrected = 0,
    right = 0;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const results = next(repetition).judge(seeds, seeds);
    const alone = results.filter(({ beforeCorrection }, i) => isFalse(beforeCorrection, i)).length;
    ofClaims += alone;
    if (alone > 0) uncorrected += 1;
    if (results.some(({ verdict }, i) => isFalse(verdict, i))) corrected += 1;
    right += results.filter(({ verdict }, i) => ['reproduced', 'contradicted'].includes(verdict) && !isFalse(verdict, i)).length;
  }
  return {
    oneClaim: ofClaims / (repetitions * world.claims.length),
    uncorrected: uncorrected / repetitions,
    corrected: corrected / repetitions,
    right: right / (repetitions * world.claims.length),
  };
}

/** Looks at the results of a growing number of seeds. */
export interface Looks {
  readonly from: number;
  readonly to: number;
  readonly repetitions: number;
  readonly seed: number;
}

/**
 * How often looking again after each further seed comes upon a false verdict of the only claim.
 * @param declared seeds that are declared at a look, by the number that is measured then: those very ones, for who stops at will
 */
export function measureStopping(world: World, { from, to, repetitions, seed }: Looks, declared: (measured: number) => number): number {
  const next = trials(world, to, seed);
  const falseVerdicts = falsehoods(world.claims[0]!, world);
  let stopped = 0;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const trial = next(repetition);
    for (let measured = from; measured <= to; measured++) {
      const [{ verdict }] = trial.judge(measured, declared(measured)) as [ClaimResult];
      if ((verdict !== 'reproduced' && verdict !== 'contradicted') || !falseVerdicts[verdict]) continue;
      stopped += 1;
      break;
    }
  }
  return stopped / repetitions;
}

/** Standard error of a share that was simulated. */
export const simulationError = (share: number, repetitions: number): number => Math.sqrt((share * (1 - share)) / repetitions);
