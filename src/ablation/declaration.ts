/** What a researcher declares: ablations and profiles. Pure data; see `experiments/`. */
import type { z } from 'zod';
import type { JsonObject, StageKind } from './kind.ts';

/** A number of the paper with the record it was read from. */
export interface Published {
  readonly value: number;
  readonly unit: string;
  readonly table: string;
  readonly row: string;
  readonly column: string;
  readonly source: string;
  readonly quote: string;
  readonly note?: string;
  /** The text of the table left open which of two rows this value belongs to; the assignment is an inference. */
  readonly inferred?: boolean;
}

export interface ArmDeclaration<F> {
  readonly name: string;
  readonly label: string;
  /** What differs from the ablation's `base`. */
  readonly factors: Partial<F>;
  readonly published?: Published;
  readonly note?: string;
}

/** One study, usually one table of the paper. */
export interface AblationDeclaration<F> {
  /** Also the file's name: `experiments/ablations/<name>.ts`. */
  readonly name: string;
  readonly title: string;
  /** Table of the paper, or `ours` for a study beyond it. */
  readonly table: string;
  readonly question: string;
  /** What this study is expected to show, and at what cost: one or two sentences for plan and report. */
  readonly expected: string;
  /** Factors that all arms share. */
  readonly base: Partial<F>;
  /** Name of the arm that deltas are taken against. */
  readonly default: string;
  readonly arms: readonly ArmDeclaration<F>[];
  readonly footnotes?: readonly string[];
}

/** A stage as `Study.realise` describes it, before keys are known. Upstream stages are nested. */
export interface StageSpec {
  readonly kind: string;
  /** Its place in the arm (`teacher`, `distill`, `finetune`, ...): for labels and report columns, never part of the identity. */
  readonly role: string;
  readonly recipe: JsonObject;
  readonly seed: number;
  readonly upstream: Readonly<Record<string, StageSpec>>;
}

/** One number of a stage of the arm, as a column of the report's table. */
export interface ReportColumn {
  readonly role: string;
  readonly metric: string;
  readonly label: string;
}

/** A curve of the report, read from `metrics.jsonl` of the stage with this role. */
export interface ReportCurve {
  readonly role: string;
  readonly metric: string;
  readonly title: string;
}

/** What every profile has; a study adds its own fields. */
export interface ProfileBase {
  /** Also the file's name: `experiments/profiles/<name>.ts`. */
  readonly name: string;
  /** Default seeds of the replicates. */
  readonly seeds: readonly number[];
}

/** What joins declarations to stages: the vocabulary of factors, the profiles, and how an arm becomes stages. */
export interface Study<F extends object = JsonObject, P extends ProfileBase = ProfileBase> {
  readonly name: string;
  /** Strict schema with defaults: parsing a partial choice gives the full one. */
  readonly factors: z.ZodType<F>;
  readonly profile: z.ZodType<P>;
  readonly kinds: readonly StageKind[];
  /** The last stage of the arm (`role: 'evaluate'` for us); all others hang on it as upstream stages. */
  realise(factors: F, profile: P, seed: number): StageSpec;
  readonly report: {
    /** The number that arms are compared by, and its binomial standard error in the same result. */
    readonly headline: { readonly role: string; readonly metric: string; readonly standardError: string };
    readonly columns: readonly ReportColumn[];
    readonly curves: readonly ReportCurve[];
    /** Roles whose cost is charged to the arm itself; the others (a shared teacher) are listed apart. */
    readonly ownRoles: readonly string[];
    /** What the reader must know before comparing with the paper, e.g. that values of another data set do not compare. */
    notes(profile: P): readonly string[];
    /** Whether published values may be compared as values, not only in order and sign. */
    comparable(profile: P): boolean;
    /** Gap of two published values, in their unit, below which the paper itself does not separate two arms; absent: only ties. */
    readonly publishedNoise?: { readonly value: number; readonly source: string };
    /** Facts for the head of the report: data set, sizes, schedules, seeds. */
    facts(profile: P): readonly { readonly label: string; readonly value: string }[];
  };
}
