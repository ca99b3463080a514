/** What a researcher declares: ablations and profiles. Pure data; see `experiments/`. */
import type { z } from 'zod';
import type { JsonObject, StageKind } from './kind.ts';
import type { SlurmOptions } from './slurm.ts';

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

/** Of the ablation's first measure, or of several by their names. */
export type PublishedValues = Published | Readonly<Record<string, Published>>;

interface ArmBase {
  readonly name: string;
  readonly label: string;
  readonly published?: PublishedValues;
  readonly note?: string;
  /** Place on the ablation's `axis`. */
  readonly at?: number;
  /** Arms of one group stand together in a chart, e.g. those of one model size; over an axis they share a line. */
  readonly group?: string;
  /** Its row and column in a table of two crossed axes, which a report has where the arms of an ablation fill one. `product` of two axes gives them. */
  readonly crossed?: readonly [row: string, column: string];
}

/** An arm chooses its factors, or takes over those of an arm of another ablation, so that both tables show one run. */
export type ArmDeclaration<F> = ArmBase &
  (
    | {
        /** What differs from the ablation's `base`. */
        readonly factors: Partial<F>;
        readonly sameAs?: never;
      }
    | {
        /** `ablation/arm`. That arm must have factors of its own; the `base` of this ablation does not apply. */
        readonly sameAs: string;
        readonly factors?: never;
      }
  );

/** One comparison between arms. Arms are named `arm` within their ablation, or `ablation/arm`. Above is better: below where lower is better. */
export type Comparison =
  /** `arm` is above `than`. */
  (
    | { readonly type: 'greater'; readonly arm: string; readonly than: string }
    /** `arm` is not below `than` by more than the margin. */
    | { readonly type: 'not-worse'; readonly arm: string; readonly than: string }
    /** Whether it is `arm` or `than` makes no difference beyond the margin. */
    | { readonly type: 'same'; readonly arm: string; readonly than: string }
    /** `arm` is above each of the others. */
    | { readonly type: 'best'; readonly arm: string; readonly of: readonly string[] }
    /** Each arm is above the one before it. */
    | { readonly type: 'monotone'; readonly arms: readonly string[] }
  ) & {
    /** By which of the ablation's measures; default: its first. Arms of other ablations have to have it, too. */
    readonly measure?: string;
  };

/**
 * A conclusion as comparisons between arms; it holds when all its parts hold. With a source, and with published values of arms that it compares, it
 * is one of the paper, to be reproduced; else a hypothesis of the study's own, to be supported.
 */
export interface Claim {
  /** Unique within the ablation. */
  readonly name: string;
  /** The conclusion in words. */
  readonly sentence: string;
  /** Where the paper draws it, e.g. `section 4.2, Table 5`; a hypothesis of one's own has none. */
  readonly source?: string;
  readonly parts: readonly Comparison[];
  /** In the unit of the published values; default: that of the profile. */
  readonly margin?: number;
  readonly note?: string;
}

/** A published row that is shown and never run. */
export interface ReferenceRow {
  readonly label: string;
  readonly published: PublishedValues;
  readonly note?: string;
}

/** Where the paper's text and its tables disagree; the report shows both. */
export interface Inconsistency {
  readonly text: string;
  readonly table: string;
  readonly source: string;
}

/** One study, usually one table of the paper. */
export interface AblationDeclaration<F> {
  /** Also the file's name: `experiments/ablations/<name>.ts`. */
  readonly name: string;
  readonly title: string;
  /** Place in plan and report; ablations without one come last, by name. */
  readonly order?: number;
  /** Table of the paper, or `ours` for a study beyond it. */
  readonly table: string;
  readonly question: string;
  /** What this study is expected to show, and at what cost: one or two sentences for plan and report. */
  readonly expected: string;
  /** Title of the numeric axis that the arms are places of; absent: the chart has a row for each arm. */
  readonly axis?: string;
  /** Names of the numbers that its arms are compared by, the first of them first: the study's headline, by the name of its metric, or of its `report.measures`. Default: the headline alone. */
  readonly measures?: readonly string[];
  /** Factors that all arms share. */
  readonly base: Partial<F>;
  /** Name of the arm that deltas are taken against. */
  readonly default: string;
  readonly arms: readonly ArmDeclaration<F>[];
  readonly claims?: readonly Claim[];
  readonly references?: readonly ReferenceRow[];
  readonly inconsistencies?: readonly Inconsistency[];
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

/** A number that arms are compared by, with the error that a finite test set gives it: both of the result of one stage. */
export interface MeasureDeclaration {
  readonly role: string;
  readonly metric: string;
  /** Binomial, of a share of right items. */
  readonly standardError: string;
}

/** One beside the headline, for ablations that name it. */
interface FurtherMeasure<P = ProfileBase> extends MeasureDeclaration {
  /** What it is called at a scale; default: the label of its metric. */
  label?(profile: P): string;
  /** Roles of stages that an arm has for this number alone, beside that of the number itself: other numbers are not charged for them. */
  readonly roles?: readonly string[];
}

/** One number of a stage of the arm, as a column of the report's table. */
export interface ReportColumn {
  readonly role: string;
  readonly metric: string;
  readonly label: string;
  /** Records may lack the number, as those of older versions do; a table without any has no such column. */
  readonly optional?: boolean;
}

/** A curve of the report, read from `metrics.jsonl` of the stage with this role. */
export interface ReportCurve<P = ProfileBase> {
  readonly role: string;
  readonly metric: string;
  readonly title: string;
  /**
   * Where the curve is the share of held-out items that are right: how many there are. Such a curve tells whether training was long enough: a
   * report with verdicts says of which arms it still rose at the end.
   */
  items?(profile: P): number;
}

/** Numbers of one result over an axis, for each arm that has them: a chart below the tables of its ablation, and a table of its values. */
export interface BreakdownDeclaration<P = ProfileBase> {
  /** Of the stage that has the numbers. */
  readonly role: string;
  /** Told apart by it from others of the role; a part of file names. */
  readonly name: string;
  readonly title: string;
  /** What a reader has to know of it, a sentence each. */
  readonly notes?: readonly string[];
  /** Title of the axis, e.g. `severity`. */
  readonly axis: string;
  /** At each the mean of these numbers of the result. */
  places(profile: P): readonly { readonly label: string; readonly metrics: readonly string[] }[];
  /** `lines` over places that have an order, with a panel for each column of crossed arms; a `matrix` of arms and places. */
  readonly as: 'lines' | 'matrix';
}

/** Where pictures stand: PNGs as `data:` addresses in the results of the stage of a role, under its prefix and the name of a row. */
interface PicturesOf {
  readonly role: string;
  readonly prefix: string;
}

/** What has a colour in pictures. */
export interface PictureColour {
  readonly label: string;
  /** Red, green, blue; 0 to 255. */
  readonly colour: readonly [number, number, number];
}

/** Pictures of the same things by every arm that has them, below the tables of its ablation. */
export interface PictureDeclaration<P = ProfileBase> {
  readonly title: string;
  /** Names of the rows, which the keys of the results end in. */
  readonly rows: readonly string[];
  /** Of each row what it shows, in words: for who does not see it. */
  readonly about?: PicturesOf;
  /** The same for all arms. */
  readonly shared: readonly (PicturesOf & { readonly label: string })[];
  /** Of each arm the first of these that it has. */
  readonly own: readonly PicturesOf[];
  /** How to read them. */
  legend?(profile: P): string;
  /** What colours in them mean. */
  colours?(profile: P): readonly PictureColour[];
}

/** A fact about a profile for the head of the report. */
export interface Fact {
  readonly label: string;
  readonly value: string;
  /** Stands on the first screen. */
  readonly lead?: boolean;
  /** Tells how large the scale is: stands beside the conditions under which it can show anything, too. */
  readonly scale?: boolean;
  /** The fact is the engine: where stages recorded theirs, a report says those instead of the value. Titles, by the name that is recorded. */
  readonly engines?: Readonly<Record<string, string>>;
}

/** A chart of arms of several ablations: a line for each series over the places of one axis. */
export interface OverviewDeclaration {
  readonly title: string;
  readonly x: { readonly label: string; readonly values: readonly string[] };
  /** An arm (`ablation/arm`) for each place of the axis; null: there is none. */
  readonly series: readonly { readonly label: string; readonly arms: readonly (string | null)[] }[];
}

/** A value of a profile that no source gives. */
export interface Assumption {
  /** Path in the profile, e.g. `finetune.schedule.base_lr`. */
  readonly field: string;
  readonly value: string;
  readonly reason: string;
}

/** An arm that shows what others could reach: the teacher that they learn from, say, trained and tested as they are. */
export interface HeadroomArm<F> {
  /** Of one name there is one arm, whichever rest on it. */
  readonly name: string;
  readonly label: string;
  /** Over the defaults of the study's schema. */
  readonly factors: Partial<F>;
}

/**
 * Arms beside the declared ones, each once for all tables that need it. They run with the arms that rest on them and stand in grey in their tables;
 * no claim and no comparison has them.
 */
export interface Headroom<F> {
  /** Stands where names of ablations do: `teachers`, with its arms as `teachers/mae-l`. */
  readonly name: string;
  readonly title: string;
  /** What the rows are, for tables that have them. */
  readonly note: string;
  /** Those that an arm rests on. */
  of(factors: F): readonly HeadroomArm<F>[];
  /**
   * Factors of the arm that rests on none of them and that this one is to beat: where what it rests on is no better, a report warns, and one with
   * verdicts says whether it is far enough above. An arm of any ablation of the report that has these factors is that baseline.
   */
  baseline?(factors: F): Partial<F>;
}

/** Speed of hardware that the plan is priced for, where no machine at hand could measure it. */
export interface StatedThroughput {
  /** E.g. `A100 GPU`. */
  readonly device: string;
  /** Sustained by one device in stages of a recipe, not its peak. */
  readonly flopsPerSecond: number;
  readonly source: string;
  /** What it would sustain if the profile said something else, with the `--set` for that, e.g. `engine.precision=tf32`. */
  readonly otherwise?: readonly { readonly set: string; readonly flopsPerSecond: number }[];
}

/** A file that a stage starts from and somebody has to bring. */
export interface InputFile {
  /** What it is, e.g. `mae-vit-l, the L teacher: ...`, for people. */
  readonly text: string;
  /** Where it lies, for the worker (`Execution.inputFile`), unless that knows by itself. */
  readonly path?: string;
  /** Where it is not there, or another than it should be. */
  readonly missing?: {
    /** How to mend it, unless the text says so: the words behind `ablate`. */
    readonly mend?: readonly string[];
  };
  /** A stage that makes the same kind of thing here, and the `--set` that asks for it. */
  readonly instead?: { readonly stage: StageSpec; readonly set: string };
}

/** Where files may lie. */
export interface InputFolders {
  /** Of the declarations. */
  readonly declarations: string;
  /** Of prepared data sets; a machine may have none, and is asked only where a file lies there. */
  readonly dataDir: () => string;
}

export interface ImportOptions {
  /** Under which profiles ask for it; default: the file's own name in a form that can be typed. */
  readonly name?: string | undefined;
  /** Folder of prepared data sets. */
  readonly dataDir: string;
  /** An empty folder on the same disk, removed afterwards. */
  readonly scratch: string;
  /** Import although the file holds what is not known. */
  readonly allowUnexpected?: boolean | undefined;
  /** The name may mean something else already. */
  readonly replace?: boolean | undefined;
}

/** What was imported. */
export interface ImportedFile {
  readonly name: string;
  /** What stages know it by. */
  readonly sha256: string;
  /** Where it is kept. */
  readonly path: string;
  /** What was read, in lines for people. */
  readonly read: readonly string[];
  /** Lists of what was found otherwise than stages have it, by what it is. */
  readonly findings: Readonly<Record<string, readonly string[]>>;
}

/** What every profile has; a study adds its own fields. */
export interface ProfileBase {
  /** Also the file's name: `experiments/profiles/<name>.ts`. */
  readonly name: string;
  /** Seeds of the replicates. A verdict is given on these, when all of them are there. */
  readonly seeds: readonly number[];
  /** What a sweep runs where nothing is chosen, part after part. Absent: every ablation, with all seeds. */
  readonly sweep?: readonly SweepPart[] | undefined;
  /** How claims are judged at this scale; false: not at all, as its numbers mean nothing. Default: without a margin. */
  readonly verdicts?: VerdictDeclaration | false | undefined;
}

interface SweepPart {
  /** Names of ablations, the study's headroom among them where it is to have seeds of its own. */
  readonly ablations: readonly string[];
  /** Seeds of these ablations, and of verdicts on their claims; default: the profile's. */
  readonly seeds?: readonly number[] | undefined;
}

interface VerdictDeclaration {
  /** Difference that is too small to matter at this scale, in the unit of the published values. */
  readonly margin: number;
  /** Where the margin comes from, or why it is assumed. */
  readonly source: string;
  /** Standard deviation over seeds of the difference of two arms, in the same unit: what `plan` counts with until records tell it. */
  readonly spread?: { readonly value: number; readonly source: string } | undefined;
}

/** What set-up has to provide. */
export interface NotReady {
  /** Without a full stop. */
  readonly what: string;
  /** Arguments of the program that mend it. */
  readonly mend: readonly string[];
}

/** What joins declarations to stages: the vocabulary of factors, the profiles, and how an arm becomes stages. */
export interface Study<F extends object = JsonObject, P extends ProfileBase = ProfileBase> {
  readonly name: string;
  /** Strict schema with defaults: parsing a partial choice gives the full one. */
  readonly factors: z.ZodType<F>;
  readonly profile: z.ZodType<P>;
  readonly kinds: readonly StageKind[];
  /**
   * The last stage of the arm, with the role of the number that it is compared by; all others hang on it as upstream stages. Where an ablation names
   * several numbers, or another than the headline: one for each that this profile can measure, of the same upstream stages; none: the arm is left out.
   * @param measures as the ablation names them
   */
  realise(factors: F, profile: P, seed: number, measures: readonly string[]): StageSpec | readonly StageSpec[];
  readonly headroom?: Headroom<F>;
  /** What jobs of a Slurm cluster are asked for with, unless the command line says otherwise. */
  readonly slurm?: SlurmOptions;
  /**
   * Why stages of this profile cannot run here (they can still be planned), or undefined.
   * @param devices that workers would run on; absent as long as nobody has chosen
   */
  notRunnable?(profile: P, devices?: readonly ('cpu' | 'gpu')[]): string | undefined;
  /**
   * What `ablate setup` has to provide before stages of this profile can run, or undefined.
   * @param dataDir folder of prepared data sets
   */
  notReady?(profile: P, dataDir: string): NotReady | undefined;
  /**
   * Does by itself what this machine can before stages of this profile run, and need be done once: such as listing a folder of images.
   * @param say tells a person how far it is
   * @throws UsageError where what the machine was told leads to nothing
   */
  prepare?(profile: P, dataDir: string, say: (line: string) => void): Promise<void>;
  /**
   * The profile with what this machine holds under the names in it, such as hashes of imported files. What is not there stays as it is.
   * @param dataDir gives the folder of prepared data sets; a machine may have none, and is asked only for a name
   * @throws UsageError where what is there does not fit the profile
   */
  resolve?(profile: P, dataDir: () => string): P;
  /** The file that a stage of this profile starts from; undefined: none. */
  inputFile?(stage: Pick<StageSpec, 'kind' | 'recipe'>, profile: P, folders: InputFolders): InputFile | undefined;
  /** Reads a file, whoever wrote it, and puts it where stages find it. @throws UsageError for one that cannot be used */
  importFile?(file: string, options: ImportOptions): Promise<ImportedFile>;
  statedThroughput?(profile: P, recipe: JsonObject): StatedThroughput | undefined;
  readonly report: {
    /** The number that arms are compared by. */
    readonly headline: MeasureDeclaration;
    /** Others, by the names under which ablations ask for them. */
    readonly measures?: Readonly<Record<string, FurtherMeasure<P>>>;
    readonly columns: readonly ReportColumn[];
    readonly curves: readonly ReportCurve<P>[];
    readonly pictures?: readonly PictureDeclaration<P>[];
    readonly breakdowns?: readonly BreakdownDeclaration<P>[];
    /** Roles whose cost is charged to the arm itself; the others (a shared teacher) are listed apart. */
    readonly ownRoles: readonly string[];
    /**
     * What the reader must know before comparing, e.g. that values of another data set do not compare.
     * @param published whether the report has published values; without them there is no paper to compare with
     */
    notes(profile: P, published: boolean): readonly string[];
    /** Whether published values may be compared as values, not only in order and sign. */
    comparable(profile: P): boolean;
    /**
     * Gap of two published values, in their unit, below which the paper itself does not separate two arms; absent: only
     * ties.
     */
    readonly publishedNoise?: { readonly value: number; readonly source: string };
    /**
     * Published values of one arm trained with several seeds, in the unit of the other published values. Where values compare, a report says from
     * their spread whether a measured value is what a retraining would give.
     */
    readonly retraining?: { readonly values: readonly number[]; readonly source: string };
    /** Values of the profile without a source; plan and report list them. */
    assumptions?(profile: P): readonly Assumption[];
    /** Facts for the head of the report: data set, sizes, schedules, seeds. */
    facts(profile: P): readonly Fact[];
    /** The paper's headline picture, first among the charts. */
    readonly overview?: OverviewDeclaration;
  };
}
