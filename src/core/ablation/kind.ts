/**
 * The contract between the core (ablation, plan, store, runner, report) and the stages it runs. The core deals in stages
 * of registered kinds and knows nothing of models or engines: another paper, or a stage that runs any command, is another
 * set of kinds. This file holds types only and loads nothing.
 */
import type { z } from 'zod';

/** A plain JSON object: what a recipe is once its schema has filled in the defaults. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** All that decides a stage's numbers. Two stages with equal identities are one stage. Never in it: device, workers, paths, labels, role. */
export interface StageIdentity {
  readonly kind: string;
  /** Of the kind, when the numbers of this recipe last changed. */
  readonly revision: number;
  /** As the kind's schema parses it. */
  readonly recipe: JsonObject;
  readonly seed: number;
  /** Key of the stage in each filled slot. */
  readonly upstream: Readonly<Record<string, string>>;
  /** Hash of the files that the kind's module loads, of a kind that wants it there (`codeInKey`). */
  readonly codeHash?: string;
}

/** One input of a stage: which kinds of stage may fill it. */
export interface SlotSpec {
  readonly kinds: readonly string[];
  readonly optional?: boolean;
}

/** How one number of `result.json` is named, printed and compared. */
export interface MetricSpec {
  readonly label: string;
  /** `fraction` prints as a percentage. */
  readonly unit: 'fraction' | 'loss' | 'count' | 'ratio';
  readonly better: 'higher' | 'lower' | 'none';
  readonly help: string;
  /** Numbers below this put all that rests on the stage in doubt, and why: the sweep and `ablate status` say so while it runs, and so does the report. */
  readonly doubtful?: { readonly below: number; readonly why: string };
}

/** What a stage spends; decided by its identity alone, so reports may print it. */
export interface StageCost {
  /** Images seen with their labels, counting every epoch. */
  readonly labelledImages: number;
  /** Images seen without labels, counting every epoch. */
  readonly unlabelledImages: number;
  /** Floating-point operations of the whole stage (multiply-adds count 2), 0 when unknown. */
  readonly flops: number;
}

export interface StageDisk {
  readonly output: number;
  readonly checkpoint: number;
}

export interface StageMemory {
  readonly shared: number;
  readonly own: number;
}

/** Something about a recipe that is known without running it: told as `<field>: expected <expected>, got <its value>`. */
export interface Objection {
  /**
   * `impossible`: it runs nowhere, or its numbers would mean nothing; plan and sweep refuse it. `unavailable`: it cannot be run yet; plan
   * says so, a sweep refuses it. `doubtful`: it runs, and is surely not meant; plan, sweep and report say so.
   */
  readonly weight: 'impossible' | 'unavailable' | 'doubtful';
  /** Path in the recipe, e.g. `schedule.batch_size`. */
  readonly field: string;
  /** What would be right, and why: `at most 256, the images that it trains on`. */
  readonly expected: string;
}

/** What decides the numbers of a program, beside its recipe. */
export interface ProgramCode {
  /** Files, and folders with all files below them, relative to the file that declares the kind. */
  readonly sources: readonly string[];
  /** What it is told at its start, where that is not of the machine. */
  readonly told: JsonObject;
}

/** A kind of stage, registered with the core. `R` is its recipe after parsing. */
export interface StageKind<R extends object = JsonObject> {
  readonly name: string;
  /** Raised whenever the numbers that this kind produces from the same recipe change. Part of the identity. */
  readonly revision: number;
  /**
   * The revision in which the numbers of this recipe last changed, where that of the kind was raised for other recipes alone: it is
   * what stands in the identity. Default: `revision`.
   */
  changedIn?(recipe: R): number;
  /**
   * Whether the hash of the files that this kind's module loads is part of the identity: then every edit of them makes other stages, and nobody
   * need raise the revision. Default: it is only recorded.
   */
  readonly codeInKey?: boolean;
  /** Of a kind whose numbers a program makes (`commandStage`): what counts as its code, in the place of what its module loads. */
  readonly program?: ProgramCode;
  /** Strict schema; its output is the canonical recipe. Every field may change the result, and nothing else is in it. */
  readonly recipe: z.ZodType<R>;
  readonly upstream: Readonly<Record<string, SlotSpec>>;
  readonly metrics: Readonly<Record<string, MetricSpec>>;
  /** Cost of a stage, given the recipes of its direct upstream stages by slot. */
  cost(recipe: R, upstream: Readonly<Record<string, JsonObject>>): StageCost;
  /**
   * All that can be said against a recipe without running it (shapes, divisibility, lengths), given the recipes of the direct upstream
   * stages by slot. Plans ask it once for each recipe, and so does a worker before it runs one. The schema refuses what is wrong with a
   * field by itself; this is for fields that do not go together. Default: nothing.
   */
  check?(recipe: R, upstream: Readonly<Record<string, JsonObject>>): readonly Objection[];
  /** Bytes that a finished stage leaves, and that one checkpoint of it takes. */
  disk?(recipe: R, upstream: Readonly<Record<string, JsonObject>>): StageDisk;
  /**
   * What decides how fast a stage runs (model, batch, target; not rates or lengths), given the recipes of its direct
   * upstream stages by slot: stages of equal shape are measured once. Default: the whole recipe and those of its inputs.
   */
  shape?(recipe: R, upstream: Readonly<Record<string, JsonObject>>): JsonObject;
  /**
   * Loads a function that writes into `output` what a finished stage of this recipe leaves, untrained: so that a stage
   * downstream can be measured before this one has run. Called in worker processes only.
   */
  loadUntrained?(): Promise<(recipe: R, output: string) => Promise<void>>;
  /** How stages of this kind share work, where they can. */
  readonly packing?: Packing<R>;
  /** Variables that the process of a worker needs from its start to run this recipe; default none. */
  environment?(recipe: R): Readonly<Record<string, string>>;
  /**
   * Whether metrics, result and files have the same bytes with any number of threads: only such a stage is given the threads of
   * workers that have nothing to do. Default: they may differ.
   */
  anyThreads?(recipe: R): boolean;
  /**
   * Estimate of the bytes that running stages take, with their batches in so many times as many micro-batches as their recipes say:
   * of those in one process the largest `shared`, and the `own` of each.
   */
  memory?(recipe: R, upstream: Readonly<Record<string, JsonObject>>, microBatches: number): StageMemory;
  /**
   * Whether a stage can run with its batches in so many times as many micro-batches (`execution.microBatches`), where memory
   * does not suffice for those of its recipe. Default: it cannot.
   */
  canSplit?(recipe: R, microBatches: number): boolean;
  /** How what a finished stage leaves goes out to other programs; default: not at all. */
  readonly exporting?: Exporting<R>;
  /** Loads the code that runs the stage (and with it the engine). Called in worker processes only. */
  load(): Promise<StageRunner<R>>;
}

/** What `ablate export` writes of a stage. */
export interface Exporting<R extends object = JsonObject> {
  /** What `--to` takes, the names of other programs, with the ending of a file for each. */
  readonly formats: Readonly<Record<string, string>>;
  /** Loads the code that writes. Called in the process of the command. */
  load(): Promise<Exporter<R>>;
}

/** Writes one file, whole or not at all. @throws PermanentError where the stage left what cannot go there */
export type Exporter<R extends object = JsonObject> = (request: ExportRequest<R>) => Promise<Exported>;

export interface ExportRequest<R extends object = JsonObject> {
  readonly recipe: R;
  /** One of the kind's formats. */
  readonly format: string;
  /** Folder with the final files of the stage. Read-only. */
  readonly output: string;
  /** Where the file is written. */
  readonly path: string;
  /** Which stage made it, for the file itself to say. */
  readonly origin: Readonly<Record<string, string>>;
  /** Folder of prepared data sets, which may be empty. */
  readonly dataDir: string;
}

/** What a person needs to know of an exported file. */
export interface Exported {
  /** Lines of code that load it in the other program. */
  readonly usage: readonly string[];
  /** What was left out, or is not as one would think: a sentence each. */
  readonly notes: readonly string[];
  /** What a card says of the file beside what is known of its stage, e.g. a hash of its content. */
  readonly facts?: JsonObject;
}

/**
 * Stages that share work when one process runs them side by side, e.g. students of one teacher. Who runs beside whom never
 * changes a number: a stage in a pack has the bytes of a stage alone.
 */
export interface Packing<R extends object = JsonObject> {
  /** Stages of a kind with equal keys may run in one pack. */
  key(stage: { readonly recipe: R; readonly seed: number; readonly upstream: Readonly<Record<string, string>> }): JsonObject;
  /** Of the stage's `flops`, those that a pack spends once: the largest of its members'. Given the recipes of the direct upstream stages by slot. */
  sharedFlops(recipe: R, upstream: Readonly<Record<string, JsonObject>>): number;
  /** Loads the code that runs a pack. Called in worker processes only. */
  load(): Promise<PackRunner<R>>;
}

/** Runs stages side by side. What one comes to (its result, or why it failed or stopped) is its own: the others go on. */
export type PackRunner<R extends object = JsonObject> = (contexts: readonly StageContext<R>[]) => Promise<readonly PromiseSettledResult<StageResult>[]>;

/** Runs one stage to its end and returns the numbers of `result.json`: decided by the identity, nothing else. */
export type StageRunner<R extends object = JsonObject> = (context: StageContext<R>) => Promise<StageResult>;
export type StageResult = Record<string, number | string>;

/** What an upstream stage left for the stages after it. */
export interface UpstreamOutput {
  readonly key: string;
  readonly kind: string;
  readonly recipe: JsonObject;
  readonly result: StageResult;
  /** Folder with its final files, e.g. `model.safetensors`. Read-only. */
  readonly output: string;
}

/** Where a stage can continue from. */
export interface Checkpoint {
  readonly step: number;
  /** Folder with the files that `save` wrote. Verified against their checksums. */
  readonly dir: string;
}

export interface Checkpoints {
  /** The newest undamaged checkpoint of any attempt of this stage, or undefined at the very start. */
  latest(): Promise<Checkpoint | undefined>;
  /** True when it is time for a periodic checkpoint; asking costs nothing. */
  due(): boolean;
  /**
   * `write` fills an empty folder; it counts only once complete. The one before it is kept, in case this one is found
   * damaged; older ones of this attempt are removed. Metrics of steps up to `step` must have been recorded before.
   */
  save(step: number, write: (dir: string) => Promise<void>): Promise<void>;
}

export type Phase = 'load' | 'trace' | 'step' | 'evaluate' | 'save';

/** What a person watching sees. Never enters a result. */
export interface Progress {
  readonly phase: Phase;
  readonly step: number;
  readonly steps: number;
  readonly imagesPerSecond?: number;
  /** Share of the time of its steps in which they waited for data. */
  readonly waiting?: number;
  readonly loss?: number;
  /** Something to be said once, as that a number is doubtful (`MetricSpec.doubtful`). */
  readonly doubt?: string;
}

/** How, not what: these may never change a number of the result; `microBatches` changes last digits, and is recorded. */
export interface Execution {
  readonly device: 'cpu' | 'gpu';
  readonly threads: number;
  /** Folder of prepared data sets. */
  readonly dataDir: string;
  /** The file that the stage starts from, where the study says where it lies (`InputFile.path`). The recipe says what is in it. */
  readonly inputFile?: string;
  /** Whether a checkpoint may be continued on another engine, library or type of CPU than it was written on. */
  readonly acceptEngineChange: boolean;
  /**
   * By what the micro-batches of the recipe are multiplied, their size divided (1, 2, 4, ...; default 1): where memory ran out, or a GPU has
   * too little of it by the kind's estimate.
   * The batch stays the same, and with it all that is drawn for it or mixed within it.
   */
  readonly microBatches?: number;
}

export interface StageContext<R extends object = JsonObject> {
  readonly recipe: R;
  readonly seed: number;
  readonly upstream: Readonly<Record<string, UpstreamOutput>>;
  /** Empty folder for the files that downstream stages need. */
  readonly output: string;
  /** Path of a folder, on the same disk as output and checkpoints, for what this attempt alone needs. Whoever wants one makes it; it is removed at the end. */
  readonly scratch: string;
  readonly checkpoints: Checkpoints;
  readonly execution: Execution;
  /** Appends one record to `metrics.jsonl`. `step` counts finished steps and never decreases within an attempt. */
  metric(record: MetricRecord): void;
  progress(progress: Progress): void;
  /**
   * For a stage that tests: of each item of the test set, in its order, whether it was right. Kept beside the result as one bit an item, so that
   * arms can be compared item by item; decided by the identity, as the result is. Of several calls the last counts.
   */
  items(right: readonly boolean[]): void;
  /** A line for the log of the attempt. */
  log(line: string): void;
  /** Facts about this attempt for its provenance in the store: never part of a result. A report shows those that `src/core/report/records/public-facts.ts` names. */
  provenance(facts: JsonObject): void;
  /** Aborted when the stage should checkpoint and leave; the stage then throws `Interrupted` (`src/core/ablation/errors.ts`). */
  readonly signal: AbortSignal;
}

/** One line of `metrics.jsonl`. Everything but `images_per_second` and `waiting` is decided by the identity. */
export interface MetricRecord {
  readonly step: number;
  /** x-axis of all curves: comparable across batch sizes. */
  readonly epoch: number;
  readonly [name: string]: number;
}
