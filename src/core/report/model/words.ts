/** Which words are used of a claim: a conclusion that was published is reproduced or contradicted, a study's own hypothesis supported or refuted. */
import type { Verdict } from '../statistics/verdict.ts';

/** `published`: it names a source, and both arms of one of its comparisons have published values. `own`: the study supposes it itself. */
export type Origin = 'published' | 'own';

interface HasOrigin {
  readonly origin: Origin;
}

interface Words {
  readonly one: string;
  readonly many: string;
  /** As the heading of a section of the report, of a table among others, and of a column. */
  readonly title: string;
  readonly caption: string;
  readonly corner: string;
  readonly verdicts: Readonly<Partial<Record<Verdict, string>>>;
}

const WORDS: Readonly<Record<Origin, Words>> = {
  published: { one: 'claim of the paper', many: 'claims of the paper', title: 'Claims of the paper', caption: 'Claims', corner: 'Claim', verdicts: {} },
  own: { one: 'hypothesis', many: 'hypotheses', title: 'Hypotheses', caption: 'Hypotheses', corner: 'Hypothesis', verdicts: { reproduced: 'supported', contradicted: 'refuted' } },
};

/** `1 claim of the paper`, `2 hypotheses`: without the number. */
export const claimNoun = (origin: Origin, count: number): string => (count === 1 ? WORDS[origin].one : WORDS[origin].many);

/** A verdict as it is told of such a claim. */
export const verdictWord = (verdict: Verdict, origin: Origin): string => WORDS[origin].verdicts[verdict] ?? verdict;

/** Claims by origin, published ones first: what is counted is counted apart. */
export const byOrigin = <C extends HasOrigin>(claims: readonly C[]): { readonly origin: Origin; readonly claims: readonly C[] }[] =>
  (['published', 'own'] as const).map(origin => ({ origin, claims: claims.filter(claim => claim.origin === origin) })).filter(group => group.claims.length > 0);

/** Heading of the section of the report that holds these claims. */
export const claimsTitle = (claims: readonly HasOrigin[]): string => joined(claims, 'title', ', and ');

/** Heading of a table of these claims among other tables. */
export const claimsCaption = (claims: readonly HasOrigin[]): string => joined(claims, 'caption', ' and ');

/** Heading of a column of these claims; in lower case what one of them is. */
export const claimsCorner = (claims: readonly HasOrigin[]): string => joined(claims, 'corner', ' or ');

function joined(claims: readonly HasOrigin[], field: 'title' | 'caption' | 'corner', by: string): string {
  const [first = WORDS.own[field], ...others] = byOrigin(claims).map(({ origin }) => WORDS[origin][field]);
  return [first, ...others.map(text => text.toLowerCase())].join(by);
}
