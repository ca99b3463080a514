/** Whether arms had anything to learn: what they rest on against what they are to beat, as a warning on a table and as a condition of the whole report. */
import { armNameText } from '../../ablation/claims.ts';
import type { Study } from '../../ablation/declaration.ts';
import { formatValue, listed, plural } from '../../text/format.ts';
import type { ReportRecord } from '../records/records.ts';
import { difference, type Replicates } from '../statistics/compare.ts';
import { mean, tidy } from '../statistics/statistics.ts';
import { declaredOf } from '../statistics/verdict.ts';
import type { Baseline, HeadroomPair } from './headroom.ts';
import type { HeadroomCondition } from './model.ts';
import type { ShownMeasure } from './measure.ts';
import { placeRecords, replicates, type Placed } from './usage.ts';

interface Measurements {
  readonly study: Study;
  /** Seeds of the profile. */
  readonly declared: readonly number[];
  readonly records: readonly ReportRecord[];
}

interface TeacherInput extends Measurements {
  readonly headline: ShownMeasure;
  readonly baselines: readonly Baseline[];
}

/** One for each baseline that something of the headroom does not beat, by more than the standard error of their difference. */
export function teacherWarnings({ study, declared, records, headline, baselines }: TeacherInput): string[] {
  const measuredOf = measuredIn({ study, declared, records });
  return baselines.flatMap(({ ablation, arm, label, rests }) => {
    const baseline = measuredOf(ablation, arm);
    if (baseline.size === 0) return [];
    const idle = rests.flatMap(({ name, label: of }) => {
      const measured = measuredOf(study.headroom!.name, name);
      return measured.size === 0 || isBetter(measured, baseline) ? [] : [`${of} (${meanText(measured, headline)})`];
    });
    if (idle.length === 0) return [];
    const [are, them] = idle.length === 1 ? ['is', 'it'] : ['are', 'them'];
    return [`${listed(idle)} ${are} no better than ${label} (${meanText(baseline, headline)}), the baseline: arms that rest on ${them} have little to gain.`];
  });
}

/** ShownMeasure numbers of an arm, of the seeds that count. */
function measuredIn({ study, declared, records }: Measurements): (ablation: string, arm: string) => Replicates {
  const byAblation = new Map<string, ReadonlyMap<string, readonly Placed[]>>();
  return (ablation, arm) => {
    const placed = byAblation.get(ablation) ?? placeRecords(records, ablation);
    byAblation.set(ablation, placed);
    const all = replicates(placed.get(arm) ?? [], study.report.headline);
    return new Map(declaredOf([...all.keys()], declared).map(seed => [seed, all.get(seed)!]));
  };
}

/** Standard errors of their difference that what arms rest on has to be above what they are to beat: with less there is hardly anything to learn. */
export const HEADROOM_ERRORS = 3;

/** One for each pair; not measured as long as no seed has both. */
export function headroomConditions({ pairs, ...measurements }: Measurements & { readonly pairs: readonly HeadroomPair[] }): HeadroomCondition[] {
  const measuredOf = measuredIn(measurements);
  return pairs.map(({ of, baseline }) => {
    const name = measurements.study.headroom!.name;
    const found = baseline && difference(measuredOf(name, of.name), measuredOf(baseline.ablation, baseline.arm));
    const pair = { of: { ...of, name: `${name}/${of.name}` }, baseline: baseline && { name: armNameText(baseline), label: baseline.label } };
    // Values that vary neither over seeds nor over images decide nothing.
    if (found === undefined || found.standardError === 0) return { ...pair, state: 'not measured', difference: undefined };
    return { ...pair, state: tidy(found.value - HEADROOM_ERRORS * found.standardError) >= 0 ? 'met' : 'missed', difference: found };
  });
}

const meanOf = (measured: Replicates): number => mean([...measured.values()].map(({ value }) => value));

/** By more than the standard error of the difference, where some seed has both. */
function isBetter(measured: Replicates, baseline: Replicates): boolean {
  const found = difference(measured, baseline);
  return found === undefined ? meanOf(measured) > meanOf(baseline) : found.value > found.standardError;
}

const meanText = (measured: Replicates, { unit }: ShownMeasure): string => `${formatValue(meanOf(measured), unit)}${unit === 'fraction' ? '\u00a0%' : ''}, ${plural(measured.size, 'seed')}`;
