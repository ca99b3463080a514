// For those whose compiler reads these sources, by a link to a clone.
/// <reference types="node" />
/**
 * `tinymim-ablations`: what declarations import. A study is a folder with `study.ts`, `ablations/<name>.ts` and
 * `profiles/<name>.ts`, each with its declaration as default export; `ablate --experiments <folder>` plans, runs and reports it.
 *
 *     // ablations/softmax.ts
 *     import { defineAblation } from 'tinymim-ablations';
 *     import type { Factors } from 'tinymim-ablations/tinymim';
 *
 *     export default defineAblation<Factors>({ name: 'softmax', ... });
 *
 * What a study needs, each with an example that is tested:
 *
 * - `defineAblation`, `defineProfile`, `defineStudy`: what is compared, at which scale, and which stages that becomes. `axesOf` gives arms from axes.
 * - `stageKind`: a kind of stage in TypeScript. `commandStage`: one that a program of any language runs.
 * - `openStore`: what was run, as plain data: arms, seeds, results, curves, verdicts.
 * - `z`, the schema library (zod) that factors, profiles and recipes are described with, and `asBefore` for a field that a recipe gets later.
 *
 * A running stage throws `Interrupted` once it has checkpointed on request, `PermanentError` where trying again cannot help.
 *
 * Beside it: `tinymim-ablations/tinymim`, the study of TinyMIM with its factors and profiles, and
 * `tinymim-ablations/experiments/...`, the declarations that come with the package (`experiments/profiles/mini`).
 * Nothing here loads an engine.
 */
export { axesOf, type ArmPiece, type Axes, type AxisPoint } from './core/ablation/axes.ts';
export type {
  AblationDeclaration,
  ArmDeclaration,
  Assumption,
  BreakdownDeclaration,
  Claim,
  Comparison,
  Fact,
  Headroom,
  HeadroomArm,
  Inconsistency,
  OverviewDeclaration,
  PictureDeclaration,
  ProfileBase,
  Published,
  PublishedValues,
  ReferenceRow,
  ReportColumn,
  ReportCurve,
  StageSpec,
  StatedThroughput,
  Study,
} from './core/ablation/declaration.ts';
export { asBefore } from './core/ablation/as-before.ts';
export {
  defineAblation,
  defineProfile,
  defineStudy,
  defineKind as stageKind,
  /** @deprecated `stageKind` is its name. */
  defineKind,
  z,
} from './core/ablation/define.ts';
export { commandStage, type CommandStageOptions } from './core/command/command-stage.ts';
export { Interrupted, PermanentError, UsageError } from './core/ablation/errors.ts';
export type {
  Checkpoint,
  Checkpoints,
  Execution,
  Exported,
  Exporter,
  Exporting,
  ExportRequest,
  JsonObject,
  JsonValue,
  MetricRecord,
  MetricSpec,
  Objection,
  PackRunner,
  Packing,
  Phase,
  Progress,
  SlotSpec,
  StageContext,
  StageCost,
  StageDisk,
  StageIdentity,
  StageKind,
  StageResult,
  StageRunner,
  UpstreamOutput,
} from './core/ablation/kind.ts';
export { openStore, type ReadableStore, type StoredArm, type StoredStage } from './core/inspect/open-store.ts';
export type { StoredComparison, StoredOutcome, StoredVerdict, VerdictsOptions } from './core/inspect/stored-verdict.ts';
