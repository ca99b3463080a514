/** What testing many claims at once means for them, and what so few seeds can show at all. */
import { survives, type ClaimResult } from './claims.ts';
import { formatPValue, plural } from '../../text/format.ts';
import { smallestSignFlipPValue } from '../statistics/sign-flip.ts';
import { ALPHA, FEWEST_SEEDS } from '../statistics/verdict.ts';

export interface Multiplicity {
  /** Claims that Holm's correction is over: those with a p-value or, while none has one, all. */
  readonly family: number;
  /** Claims with a p-value. */
  readonly tested: number;
  readonly reproduced: number;
  /** Of the reproduced claims, those whose adjusted p is at most 5 %. */
  readonly afterHolm: { readonly tTest: number; readonly signFlip: number };
  /** Most seeds of a comparison; 0: nothing is measured. */
  readonly seeds: number;
  /** Smallest sign-flip p that so many seeds allow, and the same after Holm's correction over the family. */
  readonly smallestP: number;
  readonly smallestAdjusted: number;
  /** Fewest seeds whose smallest sign-flip p is at most 5 % after it. */
  readonly seedsForHolm: number;
}

/** Undefined when no claim is declared. */
export function multiplicity(claims: readonly ClaimResult[]): Multiplicity | undefined {
  if (claims.length === 0) return undefined;
  const tested = claims.filter(claim => claim.tTest !== undefined).length;
  const family = tested === 0 ? claims.length : tested;
  const reproduced = claims.filter(claim => claim.verdict === 'reproduced');
  const seeds = Math.max(...claims.flatMap(claim => claim.pairs.map(pair => pair.n)), 0);
  const after = (n: number): number => Math.min(1, family * smallestSignFlipPValue(n));
  let seedsForHolm = FEWEST_SEEDS;
  while (after(seedsForHolm) > ALPHA) seedsForHolm += 1;
  return {
    family,
    tested,
    reproduced: reproduced.length,
    afterHolm: { tTest: reproduced.filter(claim => survives(claim.tTest)).length, signFlip: reproduced.filter(claim => survives(claim.signFlip)).length },
    seeds,
    smallestP: smallestSignFlipPValue(seeds),
    smallestAdjusted: after(seeds),
    seedsForHolm,
  };
}

/** What became of the reproduced claims, and what the seeds could not have shown. */
export function multiplicitySentences(m: Multiplicity | undefined): string[] {
  if (m === undefined) return [];
  return [...(m.reproduced === 0 ? [] : [holmSentence(m)]), ...(m.seeds === 0 ? [] : [seedsSentence(m)])];
}

function holmSentence({ family, reproduced, afterHolm }: Multiplicity): string {
  return `With Holm\u2019s correction over the ${plural(family, 'claim')} that have a p, ${afterHolm.tTest} of the ${reproduced} reproduced ${afterHolm.tTest === 1 ? 'remains' : 'remain'} by the t test (\u2021 marks those that do not) and ${afterHolm.signFlip} by the sign-flip test. Contradicted claims are not corrected.`;
}

/** Said whether or not it hides something: a reader must not take a large p of few seeds for evidence against a claim. */
function seedsSentence({ family, seeds, smallestP, smallestAdjusted, seedsForHolm }: Multiplicity): string {
  const floor = `The exact sign-flip test cannot give ${plural(seeds, 'seed')} a p below 1/${2 ** seeds} = ${formatPValue(smallestP)}`;
  const corrected = `after Holm\u2019s correction over ${plural(family, 'claim')}`;
  if (smallestAdjusted <= ALPHA) return `${floor}, or ${formatPValue(smallestAdjusted)} ${corrected}.`;
  return `${floor}: ${plural(seeds, 'seed')} cannot reach 5 % ${corrected}, whatever ${seeds === 1 ? 'it shows' : 'they show'}. From ${seedsForHolm} seeds on that is possible.`;
}
