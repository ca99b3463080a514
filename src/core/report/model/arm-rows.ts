/** An arm of a table with its records, and the row that it comes to by one of the numbers that the table has. */
import type { AblationDeclaration, ArmDeclaration, ProfileBase, Published, ReportColumn, Study } from '../../ablation/declaration.ts';
import { headlineMeasure, noiseOf, publishedFor, type Measure } from '../../ablation/measures.ts';
import { finishedOf, mixedCodes, type CodesByKind } from '../records/code.ts';
import type { Engines } from '../records/engines.ts';
import type { AdoptedNumber } from '../records/adopted.ts';
import { byText, type ReportRecord } from '../records/records.ts';
import { agreement, difference, publishedDifference, type Replicate, type Replicates } from '../statistics/compare.ts';
import { mean, sampleStd } from '../statistics/statistics.ts';
import { declaredOf } from '../statistics/verdict.ts';
import { oneLine } from '../../text/clean.ts';
import { formatCode, scale } from '../../text/format.ts';
import type { ClaimResult } from './claims.ts';
import { elsewhereOf, type Elsewhere } from './elsewhere.ts';
import type { TableHeadroom } from './headroom.ts';
import type { ShownMeasure } from './measure.ts';
import type { ArmRow, ArmState, Measurement, PublishedCell } from './model.ts';
import type { ArmRecipe } from './recipes.ts';
import { retraining } from './retraining.ts';
import { earlierText, replicateCost, replicates, resultNumber, type Placed } from './usage.ts';

export interface AblationInput {
  readonly study: Study;
  readonly profile: ProfileBase;
  readonly ablation: AblationDeclaration<object>;
  /** Sorted. */
  readonly records: readonly ReportRecord[];
  /** Of all ablations, in their order. */
  readonly adopted: readonly AdoptedNumber[];
  /** Seeds that the profile declares for it, and for the headroom in its table. */
  readonly declared: readonly number[];
  readonly headroomSeeds: readonly number[];
  readonly comparable: boolean;
  readonly engines: Engines;
  /** The claims that this ablation declares. */
  readonly claims: readonly ClaimResult[];
  readonly recipes: readonly ArmRecipe[] | undefined;
  readonly headroom: TableHeadroom;
}

/** An ablation by one of its numbers. */
export interface MeasureInput extends AblationInput {
  readonly measure: Measure;
  readonly shown: ShownMeasure;
  /** The ablation's first measure. */
  readonly first: string;
  /** Roles of stages that arms have for its other numbers alone. */
  readonly otherRoles: ReadonlySet<string>;
}

/** An arm with its records, before rows are made. */
export interface Arm {
  readonly declaration: ArmDeclaration<object>;
  readonly label: string;
  readonly published: Published | undefined;
  /** Of all its stages. */
  readonly all: readonly Placed[];
  /** Without those of other numbers. */
  readonly placed: readonly Placed[];
  /** Those that count. */
  readonly replicates: Replicates;
  readonly extraSeeds: ArmRow['extraSeeds'];
  readonly elsewhere: readonly Elsewhere[];
}

/** @param input.ablation which the arm is recorded under */
export function armOf(
  { ablation, declared, measure, first, otherRoles, adopted }: Pick<MeasureInput, 'declared' | 'measure' | 'first' | 'otherRoles' | 'adopted'> & { readonly ablation: { readonly name: string } },
  declaration: ArmDeclaration<object>,
  placed: ReadonlyMap<string, readonly Placed[]>,
): Arm {
  const all = placed.get(declaration.name) ?? [];
  const ofMeasure = all.filter(({ role }) => !otherRoles.has(role));
  const measured = replicates(ofMeasure, measure);
  const counted = new Set(declaredOf([...measured.keys()], declared));
  const ofSeeds = (isCounted: boolean): [number, Replicate][] => [...measured].filter(([seed]) => counted.has(seed) === isCounted);
  return {
    declaration,
    label: oneLine(declaration.label),
    published: publishedFor(declaration.published, measure.name, first),
    all,
    placed: ofMeasure,
    replicates: new Map(ofSeeds(true)),
    extraSeeds: ofSeeds(false).map(([seed, { value }]) => ({ seed, value })),
    elsewhere: elsewhereOf(adopted, { ablation: ablation.name, arm: declaration.name, metric: measure.name }),
  };
}

/** What an arm came to by itself. @param mixed kinds whose code the table mixes */
export function measuredRow({ study, declared, measure }: Pick<MeasureInput, 'study' | 'declared' | 'measure'>, arm: Arm, mixed: CodesByKind) {
  return {
    label: arm.label,
    at: undefined,
    group: undefined,
    crossed: undefined,
    isDefault: false,
    state: armState(arm, declared.length, isExploratory(arm, declared)),
    wanted: declared.length,
    measured: measurement(arm.replicates),
    exploratory: isExploratory(arm, declared),
    extraSeeds: arm.extraSeeds,
    earlier: earlierText(
      study,
      arm.placed.map(({ record }) => record),
    ),
    ...codeOf(arm, mixed),
    delta: undefined,
    published: undefined,
    agreement: undefined,
    valueGap: undefined,
    retraining: undefined,
    fewerImages: undefined,
    elsewhere: arm.elsewhere,
    cost: replicateCost(arm.placed, measure.role, role => study.report.ownRoles.includes(role)),
  };
}

export function buildRow(input: MeasureInput, arms: readonly Arm[], arm: Arm, index: number, mixed: CodesByKind, columns: readonly ReportColumn[]): ArmRow {
  const { study, ablation, measure, shown, comparable } = input;
  const ofHeadline = measure.name === headlineMeasure(study).name;
  const isDefault = arm.declaration.name === ablation.default;
  const reference = arms.find(other => other.declaration.name === ablation.default);
  const row = measuredRow(input, arm, mixed);
  const { measured } = row;
  const delta = isDefault || reference === undefined ? undefined : difference(arm.replicates, reference.replicates);
  const published = publishedCell(arm, reference, isDefault);
  const valueGap = comparable && measured !== undefined && published !== undefined ? measured.mean - published.value / scale(1, shown.unit) : undefined;
  return {
    ...row,
    index,
    name: arm.declaration.name,
    at: arm.declaration.at,
    group: arm.declaration.group === undefined ? undefined : oneLine(arm.declaration.group),
    crossed: crossedOf(arm.declaration),
    isDefault,
    delta,
    published,
    agreement: delta === undefined || published?.delta === undefined ? undefined : agreement(delta, published.delta, noiseOf(study, measure)),
    valueGap,
    retraining: valueGap === undefined || !ofHeadline || study.report.retraining === undefined ? undefined : retraining(scale(valueGap, shown.unit), measured!.n, study.report.retraining),
    extra: columns.map(column => columnMean(arm.all, column)),
  };
}

function crossedOf({ crossed }: ArmDeclaration<object>): ArmRow['crossed'] {
  return crossed === undefined ? undefined : [oneLine(crossed[0]), oneLine(crossed[1])];
}

function codeOf({ placed }: Arm, mixed: CodesByKind): Pick<ArmRow, 'code' | 'mixesCode'> {
  const finished = finishedOf(placed.map(({ record }) => record));
  const codes = new Map<string, Set<string>>();
  for (const { kind, codeHash } of finished) if (mixed.has(kind)) codes.set(kind, (codes.get(kind) ?? new Set<string>()).add(formatCode(codeHash)));
  const texts = [...codes].sort(([a], [b]) => byText(a, b)).map(([kind, hashes]) => `${oneLine(kind)} ${[...hashes].sort(byText).join(', ')}`);
  return { code: texts.length === 0 ? undefined : texts.join('; '), mixesCode: mixedCodes(finished).size > 0 };
}

export const isExploratory = ({ replicates }: Arm, declared: readonly number[]): boolean => [...replicates.keys()].some(seed => !declared.includes(seed));

function armState(arm: Arm, wanted: number, exploratory: boolean): ArmState {
  if (arm.replicates.size >= wanted && !exploratory) return 'done';
  if (arm.replicates.size > 0) return 'partial';
  return arm.placed.some(p => p.record.state === 'failed') ? 'failed' : 'missing';
}

function measurement(values: Replicates): Measurement | undefined {
  const perSeed = [...values].map(([seed, r]) => ({ seed, value: r.value, standardError: r.standardError })).sort((a, b) => a.seed - b.seed);
  const first = perSeed[0];
  if (first === undefined) return undefined;
  const list = perSeed.map(s => s.value);
  const spread = list.length === 1 ? { kind: 'binomial' as const, value: first.standardError } : { kind: 'sample' as const, value: sampleStd(list) };
  return { n: list.length, mean: mean(list), spread, perSeed };
}

function publishedCell({ published }: Arm, reference: Arm | undefined, isDefault: boolean): PublishedCell | undefined {
  if (published === undefined) return undefined;
  const base = reference?.published;
  const elsewhere = base !== undefined && published.table !== base.table;
  return {
    value: published.value,
    table: oneLine(published.table),
    elsewhere,
    inferred: published.inferred === true,
    delta: isDefault || elsewhere || base === undefined ? undefined : publishedDifference(published.value, base.value),
    source: oneLine(published.source),
  };
}

export function columnMean(placed: readonly Placed[], { role, metric, optional }: ReportColumn): number | undefined {
  const finished = placed.filter(p => p.role === role && p.record.state === 'done' && (optional !== true || p.record.result[metric] !== undefined));
  return finished.length === 0 ? undefined : mean(finished.map(p => resultNumber(p.record, metric)));
}
