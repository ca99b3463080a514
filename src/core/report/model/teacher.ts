/** Whether the arms of a table had anything to learn: a warning where what they rest on is no better than what they are to beat. */
import type { Study } from '../../ablation/declaration.ts';
import { formatValue, plural } from '../../text/format.ts';
import type { ReportRecord } from '../records/records.ts';
import { difference, type Replicates } from '../statistics/compare.ts';
import { mean } from '../statistics/statistics.ts';
import { declaredOf } from '../statistics/verdict.ts';
import type { Baseline } from './headroom.ts';
import type { Headline } from './model.ts';
import { placeRecords, replicates, type Placed } from './usage.ts';

interface TeacherInput {
  readonly study: Study;
  /** Seeds of the profile. */
  readonly declared: readonly number[];
  readonly records: readonly ReportRecord[];
  readonly headline: Headline;
  readonly baselines: readonly Baseline[];
}

/** One for each baseline that something of the headroom does not beat, by more than the standard error of their difference. */
export function teacherWarnings({ study, declared, records, headline, baselines }: TeacherInput): string[] {
  const measuredOf = (placed: readonly Placed[] = []): Replicates => {
    const all = replicates(placed, study.report.headline);
    return new Map(declaredOf([...all.keys()], declared).map(seed => [seed, all.get(seed)!]));
  };
  const teachers = placeRecords(records, study.headroom?.name ?? '');
  return baselines.flatMap(({ ablation, arm, label, rests }) => {
    const baseline = measuredOf(placeRecords(records, ablation).get(arm));
    if (baseline.size === 0) return [];
    const idle = rests.flatMap(({ name, label: of }) => {
      const measured = measuredOf(teachers.get(name));
      return measured.size === 0 || isBetter(measured, baseline) ? [] : [`${of} (${meanText(measured, headline)})`];
    });
    if (idle.length === 0) return [];
    const [are, them] = idle.length === 1 ? ['is', 'it'] : ['are', 'them'];
    return [`${listed(idle)} ${are} no better than ${label} (${meanText(baseline, headline)}), the baseline: arms that rest on ${them} have little to gain.`];
  });
}

const meanOf = (measured: Replicates): number => mean([...measured.values()].map(({ value }) => value));

/** By more than the standard error of the difference, where some seed has both. */
function isBetter(measured: Replicates, baseline: Replicates): boolean {
  const found = difference(measured, baseline);
  return found === undefined ? meanOf(measured) > meanOf(baseline) : found.value > found.standardError;
}

const meanText = (measured: Replicates, { unit }: Headline): string => `${formatValue(meanOf(measured), unit)}${unit === 'fraction' ? '\u00a0%' : ''}, ${plural(measured.size, 'seed')}`;

const listed = (texts: readonly string[]): string => (texts.length === 1 ? texts[0]! : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)!}`);
