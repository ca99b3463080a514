/** What the package's types say of verdicts: of themselves, without those of the report. */

/** Whose claims, at which scale. */
export interface VerdictsOptions {
  /** Name of the profile. */
  readonly profile: string;
  /** Folder of declarations: the current one where it is not told. */
  readonly experiments?: string;
  /** As `--set` has them: `distill.epochs=5`. */
  readonly overrides?: readonly string[];
  /** Folder of prepared data sets, `data` in the cache that `ablate doctor` names: for profiles whose images are a folder of one's own, and no others. */
  readonly dataDir?: string;
}

/** One comparison of a claim, so turned that more is better: a difference of errors is positive where the first arm has fewer. Numbers are in the unit of the measure. */
export interface StoredComparison {
  /** `greater`: the first arm is above the second by more than the margin; `not-worse`: not below it by more; `same`: neither above the other by more. */
  readonly type: 'greater' | 'not-worse' | 'same';
  /** `ablation/arm`. */
  readonly arm: string;
  readonly than: string;
  /** Name of the number that is compared. */
  readonly measure: string;
  readonly margin: number;
  /** Of each seed that counts. */
  readonly perSeed: readonly { readonly seed: number; readonly difference: number }[];
  /** Mean over the seeds, and its standard error; absent where no seed has both arms. */
  readonly difference?: number;
  readonly standardError?: number;
  /** Of the mean, at the level that decides; absent where there is no verdict to give. */
  readonly interval?: { readonly low: number; readonly high: number; readonly level: number };
}

/**
 * `interim`: not all declared seeds are there yet; `exploratory`: there are only seeds that nobody declared; `no verdict`: the profile gives none.
 */
export type StoredOutcome = 'reproduced' | 'contradicted' | 'undecided' | 'interim' | 'exploratory' | 'no verdict' | 'not run';

/** How a claim came out. */
export interface StoredVerdict {
  readonly ablation: string;
  /** Name of the claim. */
  readonly claim: string;
  readonly sentence: string;
  /** After the correction for all claims of the ablation. */
  readonly verdict: StoredOutcome;
  /** As if it were the only claim. */
  readonly beforeCorrection: StoredOutcome;
  /** Where the mean of a claim points that is neither reproduced nor contradicted; absent where an arm was not run. */
  readonly direction?: 'agrees' | 'disagrees' | 'within noise';
  /** Declared seeds that all its arms have, and how many are declared. */
  readonly seeds: { readonly n: number; readonly declared: number };
  /** Two-sided p of the claim, and after the correction; absent where there is no verdict to give. */
  readonly p?: { readonly value: number; readonly adjusted: number };
  /** What the published table says of it; absent where it does not have both arms. */
  readonly published?: 'supports' | 'contradicts' | 'within noise';
  /** A claim needs all of them. */
  readonly comparisons: readonly StoredComparison[];
}
