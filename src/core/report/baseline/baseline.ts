/** What changed between two reports, as plain data: results by key, arms by seed, claims, and what it cost. */
import type { StageCost } from '../../ablation/kind.ts';
import { compareArms, type ArmChange, type RunChanges } from './arms.ts';
import { claimChanges, type ClaimChange, type ClaimState, type PrintedClaims } from './claims.ts';
import { buildReport, type ReportInput } from '../model/build.ts';
import { verdictRule } from '../model/claims.ts';
import { adoptedPlace, type AdoptedNumber } from '../records/adopted.ts';
import type { Engines } from '../records/engines.ts';
import type { ShownMeasure } from '../model/measure.ts';
import { byText, tellsMore, type ReportRecord } from '../records/records.ts';
import type { WrittenRecords } from '../records/written.ts';

/** A report to compare with. */
export interface Baseline {
  /** In words: `origin/main (1a2b3c4d5e6f)`. */
  readonly label: string;
  /** Whether it is a commit after which the checkout does not come: what it has beyond that looks as if it had been removed. */
  readonly ahead: boolean;
  /** Undefined when it has no report of this profile. */
  readonly records: readonly ReportRecord[] | undefined;
  readonly engines: Engines;
  /** Numbers that were not run there; undefined for a store, which has none. */
  readonly adopted?: readonly AdoptedNumber[];
  /** What it says about its claims; undefined for a store, which says nothing. */
  readonly claims: PrintedClaims | undefined;
}

/** Two different results of one stage: its identity is the same, so its numbers should be. */
export interface Conflict {
  readonly key: string;
  readonly kind: string;
  /** Where it is used first, as `ablation/arm, seed 0`. */
  readonly place: string;
  readonly fields: readonly { readonly name: string; readonly before: string; readonly now: string }[];
  /** Both engines, where they are known and differ: the usual cause. */
  readonly engines: { readonly before: string; readonly now: string } | undefined;
  /** The same of the hashes of code. */
  readonly codes: { readonly before: string; readonly now: string } | undefined;
}

/** Totals of one side. */
export interface SideSummary {
  /** With at least one seed, declared by now or not. */
  readonly arms: number;
  readonly claims: readonly ClaimState[];
}

export interface StageSum {
  readonly stages: number;
  readonly cost: StageCost;
}

export interface Changes {
  readonly baseline: string;
  /** As of the baseline. */
  readonly ahead: boolean;
  readonly headline: ShownMeasure;
  /** Undefined when the baseline has no report of this profile. */
  readonly before: SideSummary | undefined;
  readonly now: SideSummary;
  readonly conflicts: readonly Conflict[];
  /** Arms that differ, in the order of the report; arms that share their runs stand once. */
  readonly arms: readonly ArmChange[];
  /** Arms that both sides have with the same results. */
  readonly sameArms: number;
  readonly claims: readonly ClaimChange[];
  readonly runs: RunChanges;
  /** How many numbers from elsewhere only one side has; one with another value stands in both. */
  readonly adopted: { readonly added: number; readonly removed: number };
  /** Finished stages that only one side has. */
  readonly added: StageSum;
  readonly removed: StageSum;
  /** Those of the removed in whose place nothing stands. */
  readonly vanished: number;
}

/** Whether anything of substance differs. */
export const hasChanges = ({ conflicts, arms, claims, added, removed }: Changes): boolean => conflicts.length + arms.length + claims.length + added.stages + removed.stages > 0;

/** Compares a report with a baseline. Both are judged by the declarations of today, except that claims keep the verdicts that the baseline printed. */
export function compareReports(input: ReportInput, baseline: Baseline): Changes {
  const { study, profile, ablations, records: now } = input;
  const before = baseline.records ?? [];
  const report = buildReport(input);
  const claims = claimChanges(report, buildReport({ ...input, records: before }), baseline.claims);
  const arms = compareArms({ study, profile, ablations, rule: ablation => verdictRule(profile, ablation), before, now });
  return {
    baseline: baseline.label,
    ahead: baseline.ahead,
    headline: report.headline,
    before: baseline.records === undefined ? undefined : { arms: arms.before, claims: claims.before },
    now: { arms: arms.now, claims: claims.now },
    conflicts: conflicts(before, now, baseline.engines, input.engines ?? {}),
    arms: arms.changes,
    sameArms: arms.same,
    claims: baseline.records === undefined ? [] : claims.changes,
    runs: arms.runs,
    adopted: baseline.adopted === undefined ? { added: 0, removed: 0 } : adoptedChanges(baseline.adopted, input.adopted ?? []),
    added: sum(without(now, before)),
    removed: sum(without(before, now)),
    vanished: arms.vanished,
  };
}

function adoptedChanges(before: readonly AdoptedNumber[], now: readonly AdoptedNumber[]): Changes['adopted'] {
  const text = (number: AdoptedNumber): string => `${adoptedPlace(number)} ${number.value}`;
  const [earlier, later] = [before, now].map(numbers => new Set(numbers.map(text))) as [Set<string>, Set<string>];
  return { added: [...later].filter(each => !earlier.has(each)).length, removed: [...earlier].filter(each => !later.has(each)).length };
}

const without = (records: readonly ReportRecord[], others: readonly ReportRecord[]): ReportRecord[] => {
  const known = new Set(others.filter(record => record.state === 'done').map(record => record.key));
  return records.filter(record => !known.has(record.key));
};

function sum(records: readonly ReportRecord[]): StageSum {
  const done = records.filter(record => record.state === 'done');
  const add = (pick: (cost: StageCost) => number): number => done.reduce((total, { cost }) => total + pick(cost), 0);
  return { stages: done.length, cost: { labelledImages: add(c => c.labelledImages), unlabelledImages: add(c => c.unlabelledImages), flops: add(c => c.flops) } };
}

function conflicts(ofBaseline: readonly ReportRecord[], ofReport: readonly ReportRecord[], enginesBefore: Engines, enginesNow: Engines): Conflict[] {
  const earlier = new Map(ofBaseline.filter(record => record.state === 'done').map(record => [record.key, record]));
  return ofReport.flatMap((record): Conflict[] => {
    const known = earlier.get(record.key);
    if (known === undefined || record.state !== 'done') return [];
    const fields = resultFields(known, record);
    if (fields.length === 0) return [];
    const {
      key,
      kind,
      uses: [use],
    } = record;
    const engines = { before: enginesBefore[key]?.text ?? '', now: enginesNow[key]?.text ?? '' };
    const told = engines.before !== '' && engines.now !== '' && engines.before !== engines.now;
    const [before, now] = [known.codeHash, record.codeHash];
    const codes = before === undefined || now === undefined || before === now ? undefined : { before, now };
    return [{ key, kind, place: `${use!.ablation}/${use!.arm}, seed ${use!.seed}`, fields, engines: told ? engines : undefined, codes }];
  });
}

/** Numbers that the identity decides. Costs are computed from recipes, not measured: they may be counted otherwise. */
function resultFields(before: ReportRecord, now: ReportRecord): Conflict['fields'] {
  const names = (pick: (record: ReportRecord) => object): string[] => [...new Set([...Object.keys(pick(before)), ...Object.keys(pick(now))])].sort(byText);
  const more = tellsMore(before, now);
  const results = (more === undefined ? names(record => record.result) : []).flatMap(name => {
    const [a, b] = [before.result[name], now.result[name]];
    return a === b ? [] : [{ name, before: String(a ?? 'none'), now: String(b ?? 'none') }];
  });
  const curves = names(record => record.curves).flatMap(name => {
    const [a, b] = [before.curves[name], now.curves[name]];
    // A curve that only one side has is drawn by only one side.
    if (a === undefined || b === undefined || JSON.stringify(a) === JSON.stringify(b)) return [];
    return [{ name: `curve of ${name}`, before: lastValue(a), now: lastValue(b) }];
  });
  if (results.length + curves.length > 0) return [...results, ...curves];
  return [...(more === undefined ? hashField('result.json', before.resultSha256 ?? 'none', now.resultSha256 ?? 'none') : []), ...hashField('items.bin', before.itemsSha256, now.itemsSha256)];
}

/** Reports of older versions tell nothing of items. */
const hashField = (file: string, before: string | undefined, now: string | undefined): Conflict['fields'] =>
  before === undefined || now === undefined || before === now ? [] : [{ name: `SHA-256 of ${file}`, before: before.slice(0, 12), now: now.slice(0, 12) }];

const lastValue = (points: readonly (readonly [number, number])[]): string => `ends at ${points.at(-1)?.[1] ?? 'nothing'}`;

/** Both sides of a comparison, of some ablations only. */
export function ofAblations(
  names: ReadonlySet<string>,
  { records, adopted }: Pick<WrittenRecords, 'records' | 'adopted'>,
  baseline: Baseline,
): { records: ReportRecord[]; adopted: AdoptedNumber[]; baseline: Baseline } {
  const only = (numbers: readonly AdoptedNumber[]): AdoptedNumber[] => numbers.filter(({ ablation }) => names.has(ablation));
  const restrict = (all: readonly ReportRecord[]): ReportRecord[] =>
    all.flatMap(record => {
      const uses = record.uses.filter(use => names.has(use.ablation));
      return uses.length === 0 ? [] : [{ ...record, uses }];
    });
  const claims = baseline.claims && { ...baseline.claims, states: new Map([...baseline.claims.states].filter(([name]) => names.has(name.split('/')[0]!))) };
  return {
    records: restrict(records),
    adopted: only(adopted),
    baseline: { ...baseline, records: baseline.records && restrict(baseline.records), ...(baseline.adopted && { adopted: only(baseline.adopted) }), claims },
  };
}
