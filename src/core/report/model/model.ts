/** The report as plain data: everything that a renderer prints is decided here, and nothing about how it looks. */
import type { Assumption, Fact, Inconsistency } from '../../ablation/declaration.ts';
import type { StageCost } from '../../ablation/kind.ts';
import type { ClaimCount, ClaimResult } from './claims.ts';
import type { Agreement, Difference, OrderCount, OrderedPair } from '../statistics/compare.ts';
import type { Unit } from '../../text/format.ts';
import type { RankAgreement } from '../statistics/rank.ts';
import type { ArmRecipe, DefaultRecipe } from './recipes.ts';
import type { Retraining } from './retraining.ts';
import type { CurvePoint } from '../records/records.ts';
import type { ShownMeasure } from './measure.ts';
import type { Breakdown } from './breakdowns.ts';
import type { Elsewhere } from './elsewhere.ts';
import type { PictureTable } from './pictures.ts';

export interface Report {
  readonly study: string;
  readonly profile: string;
  readonly seeds: ReportSeeds;
  /** Those of the first screen say so. */
  readonly facts: readonly Fact[];
  /** What was changed in the profile for this report, as `path=json`. */
  readonly overrides: readonly string[];
  /** Values of the profile without a source. */
  readonly assumptions: readonly Assumption[];
  /** Whether an arm or a row for reference has a published value: without any there is no paper to speak of. */
  readonly published: boolean;
  /** What must be known before comparing. */
  readonly notes: readonly string[];
  /** Whether published values compare as values, not only in order and sign. */
  readonly comparable: boolean;
  readonly headline: ShownMeasure;
  readonly arms: ArmCount;
  /** Of all ablations, the same two arms of a table once. */
  readonly order: OrderCount;
  /** Of all ablations. */
  readonly claims: ClaimCount;
  /** Undefined where the profile gives no verdicts, and where the study names no condition. */
  readonly conditions: Conditions | undefined;
  /** How claims are judged, and what their intervals cover. */
  readonly claimRule: readonly string[];
  /** What came out, in one to three sentences; behind them one on conditions that are missed. */
  readonly verdict: readonly string[];
  /** How the order of arms is compared with the published one; empty where nothing is published. */
  readonly rule: string;
  /** Whether values compare with the published ones, and why not; empty where nothing is published. */
  readonly valueRule: string;
  readonly ablations: readonly AblationReport[];
  /** The paper's headline picture; undefined where the study declares none. */
  readonly overview: Overview | undefined;
  /** Of the default arms, each once; none where the factors of the arms were not given. */
  readonly defaultRecipes: readonly DefaultRecipe[];
  /** Every stage behind the numbers, in the order of the records. */
  readonly stages: readonly StageEntry[];
}

/** Whether the scale can show anything: only where these hold does a missing effect speak of the arms. From the records alone. */
export interface Conditions {
  readonly headroom: readonly HeadroomCondition[];
  /** Undefined where the study has no curve that could tell. */
  readonly training: TrainingCondition | undefined;
}

type ConditionState = 'met' | 'missed' | 'not measured';

interface NamedArm {
  /** With its ablation. */
  readonly name: string;
  readonly label: string;
}

/** What arms rest on is well above what they are to beat. */
export interface HeadroomCondition {
  readonly state: ConditionState;
  readonly of: NamedArm;
  /** Undefined where it is no arm of the report. */
  readonly baseline: NamedArm | undefined;
  /** First minus second; undefined where it is not measured. */
  readonly difference: Difference | undefined;
}

/** Arms are trained until they gain no more than the noise of the items that are held out. */
export interface TrainingCondition {
  /** Held-out items behind each curve. */
  readonly items: number;
  /** Those with a curve, each run once, by what they gain: the most first. */
  readonly arms: readonly TrainingEnd[];
}

export interface TrainingEnd extends NamedArm {
  readonly state: 'met' | 'missed';
  /** Of these seeds the numbers are means. */
  readonly n: number;
  /** Over the last quarter of the training, as a fraction. */
  readonly gain: number;
  /** Binomial, of the value at its end. */
  readonly standardError: number;
}

/** Seeds of the replicates, each list in order. */
export interface ReportSeeds {
  /** By the profile: what means, differences and verdicts are of. */
  readonly declared: readonly number[];
  /** The declared ones that some arm has a number of. */
  readonly measured: readonly number[];
  /** Beyond the declared ones: what they show is exploratory. */
  readonly extra: readonly number[];
}

export interface Overview {
  readonly title: string;
  readonly x: { readonly label: string; readonly values: readonly string[] };
  /** An arm for each of the values; undefined: there is none in this report. */
  readonly series: readonly { readonly label: string; readonly arms: readonly (ArmRow | undefined)[] }[];
}

export interface StageEntry {
  readonly key: string;
  readonly kind: string;
  readonly seed: number;
  readonly state: 'done' | 'failed';
  /** Places where arms use it, and the arm of the first: `ablation/arm`. */
  readonly uses: number;
  readonly firstUse: string;
  /** As of an arm. */
  readonly earlier: string | undefined;
  readonly resultSha256: string | undefined;
  readonly codeHash: string | undefined;
}

export interface ArmCount {
  readonly total: number;
  /** All seeds measured. */
  readonly done: number;
  /** Some seeds measured. */
  readonly partial: number;
  /** No seed measured, and a stage failed. */
  readonly failed: number;
  /** No seed measured, no stage failed: not run, or not finished. */
  readonly missing: number;
}

export interface AblationReport {
  readonly name: string;
  /** What all numbers below are of, if not said otherwise. */
  readonly measure: ShownMeasure;
  /** The same arms by its other numbers: what is not of one number stands in the first alone, and is empty here. */
  readonly others: readonly AblationReport[];
  /** Of another number with the name of that. */
  readonly title: string;
  readonly table: string;
  readonly question: string;
  /** Title of the numeric axis that the arms are places of. */
  readonly axis: string | undefined;
  readonly expected: string;
  /** One or two sentences on what was measured. */
  readonly finding: readonly string[];
  readonly rows: readonly ArmRow[];
  /** Arms that show what those above could reach: in no claim, no pair and no count. */
  readonly headroom: readonly ArmRow[];
  /** What they are; undefined where there are none. */
  readonly headroomNote: string | undefined;
  /** What puts the whole table in doubt, such as a teacher that is no better than the baseline: stands on top of it. */
  readonly warnings: readonly string[];
  /** One line on how many images arms, what they rest on and a baseline elsewhere saw; undefined where none that is measured saw any. */
  readonly images: string | undefined;
  /** Whether an arm or a row for reference has a published value. */
  readonly published: boolean;
  readonly columns: readonly ExtraColumn[];
  /** Notes of the numbers that were not run here, of all its numbers. */
  readonly sources: readonly string[];
  /** Arms of one table, two by two. */
  readonly pairs: readonly OrderedPair[];
  readonly order: OrderCount;
  /** The same as one number; undefined where there is nothing to correlate. */
  readonly rank: RankAgreement | undefined;
  readonly claims: readonly ClaimResult[];
  /** Published rows that are never run. */
  readonly references: readonly Reference[];
  /** Where the paper's text and its tables disagree. */
  readonly inconsistencies: readonly Inconsistency[];
  /** Stages that several arms share and none is charged for. */
  readonly shared: readonly SharedStage[];
  readonly curves: readonly CurveChart[];
  readonly pictures: readonly PictureTable[];
  readonly breakdowns: readonly Breakdown[];
  readonly failures: readonly Failure[];
  /** Undefined where the factors of the arms were not given, or the default arm is not among them. */
  readonly recipes: readonly ArmRecipe[] | undefined;
  /** Kinds of which it mixes states of the code, with their hashes; undefined where it mixes none that it knows of. */
  readonly mixedCode: string | undefined;
  readonly footnotes: readonly string[];
}

export type ArmState = 'done' | 'partial' | 'failed' | 'missing';

export interface ArmRow {
  /** Place in the declaration: fixes the arm's colour in every chart. */
  readonly index: number;
  /** Of an arm of the headroom with the name of its ablation. */
  readonly name: string;
  readonly label: string;
  /** Place on the ablation's axis. */
  readonly at: number | undefined;
  /** Of arms that stand together. */
  readonly group: string | undefined;
  /** Its row and column in a table of two crossed axes. */
  readonly crossed: readonly [row: string, column: string] | undefined;
  readonly isDefault: boolean;
  readonly state: ArmState;
  /** Seeds that are declared. */
  readonly wanted: number;
  /** Of the declared seeds or, where it has none of them, of those that it has. */
  readonly measured: Measurement | undefined;
  /** It has none of the declared seeds, only others. */
  readonly exploratory: boolean;
  /** Numbers of seeds that are not in the measurement, being beyond the declared ones. */
  readonly extraSeeds: readonly { readonly seed: number; readonly value: number }[];
  /** Revisions of code that its numbers were measured with and that are no longer the present ones: `distill 2 (now 3)`. */
  readonly earlier: string | undefined;
  /** Hashes of the code behind its numbers, of the kinds that the table mixes: `distill 0123456789ab`; undefined where it mixes none. */
  readonly code: string | undefined;
  /** Whether its own numbers are of more than one state of the code of a kind. */
  readonly mixesCode: boolean;
  /** To the default arm; undefined for the default arm itself and where there is nothing to pair. */
  readonly delta: Difference | undefined;
  readonly published: PublishedCell | undefined;
  /** Undefined where there is no pair of numbers to compare. */
  readonly agreement: Agreement | undefined;
  /** Measured minus published, only where values compare; in the headline's unit. */
  readonly valueGap: number | undefined;
  /** Where the study says how far trainings of one arm lie apart: whether that gap is one of them. */
  readonly retraining: Retraining | undefined;
  /** Note of a row that is not compared at equal data: it saw fewer images than an arm that it is compared with. */
  readonly fewerImages: string | undefined;
  /** Not run here: in nothing that is made of measured numbers. */
  readonly elsewhere: readonly Elsewhere[];
  /** Of one replicate, own stages only. */
  readonly cost: StageCost | undefined;
  /** Means over seeds, in the order of the ablation's columns. */
  readonly extra: readonly (number | undefined)[];
}

export interface Measurement {
  readonly n: number;
  readonly mean: number;
  /** `sample`: standard deviation over seeds; `binomial`: one seed, the standard error that the test set gives. */
  readonly spread: { readonly kind: 'sample' | 'binomial'; readonly value: number };
  readonly perSeed: readonly { readonly seed: number; readonly value: number; readonly standardError: number }[];
}

export interface PublishedCell {
  readonly value: number;
  readonly table: string;
  /** The cell is in another table than the default arm's: its value is printed, its difference is not taken. */
  readonly elsewhere: boolean;
  readonly inferred: boolean;
  /** To the published default arm; undefined for the default arm and for cells of another table. */
  readonly delta: number | undefined;
  readonly source: string;
}

export interface Reference {
  readonly label: string;
  readonly value: number;
  readonly unit: string;
  readonly table: string;
  readonly source: string;
  readonly inferred: boolean;
  readonly note: string | undefined;
}

export interface ExtraColumn {
  readonly role: string;
  readonly label: string;
  readonly unit: Unit;
}

export interface SharedStage {
  readonly key: string;
  readonly role: string;
  readonly kind: string;
  readonly seed: number;
  /** Arms that use it. */
  readonly arms: number;
  readonly cost: StageCost;
}

export interface CurveChart {
  /** Also part of the figure's file name. */
  readonly id: string;
  readonly title: string;
  readonly role: string;
  readonly metric: string;
  readonly unit: Unit;
  readonly logarithmic: boolean;
  readonly series: readonly CurveSeries[];
}

export interface CurveSeries {
  readonly arm: string;
  readonly label: string;
  readonly index: number;
  readonly seed: number;
  readonly points: readonly CurvePoint[];
}

export interface Failure {
  readonly key: string;
  readonly kind: string;
  readonly role: string;
  readonly seed: number;
  readonly arms: readonly string[];
  readonly reason: string;
}
