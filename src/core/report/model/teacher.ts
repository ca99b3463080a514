/** Whether the arms of a table had anything to learn: a warning where what they rest on is no better than what they are to beat. */
import type { Study } from '../../ablation/declaration.ts';
import { formatValue, plural } from '../../text/format.ts';
import type { ReportRecord } from '../records/records.ts';
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

/** One for each baseline that something of the headroom does not beat, by the means as they are measured. */
export function teacherWarnings({ study, declared, records, headline, baselines }: TeacherInput): string[] {
  const measuredMean = (placed: readonly Placed[] = []): Mean | undefined => {
    const all = replicates(placed, study.report.headline);
    const values = declaredOf([...all.keys()], declared).map(seed => all.get(seed)!.value);
    return values.length === 0 ? undefined : { mean: mean(values), n: values.length };
  };
  const teachers = placeRecords(records, study.headroom?.name ?? '');
  return baselines.flatMap(({ ablation, arm, label, rests }) => {
    const baseline = measuredMean(placeRecords(records, ablation).get(arm));
    if (baseline === undefined) return [];
    const idle = rests.flatMap(({ name, label: of }) => {
      const measured = measuredMean(teachers.get(name));
      return measured === undefined || measured.mean > baseline.mean ? [] : [`${of} (${meanText(measured, headline)})`];
    });
    if (idle.length === 0) return [];
    const [are, them] = idle.length === 1 ? ['is', 'it'] : ['are', 'them'];
    return [`${listed(idle)} ${are} no better than the baseline ${label} (${meanText(baseline, headline)}): arms that rest on ${them} have little to gain.`];
  });
}

interface Mean {
  readonly mean: number;
  readonly n: number;
}

const meanText = ({ mean: value, n }: Mean, { unit }: Headline): string => `${formatValue(value, unit)}${unit === 'fraction' ? '\u00a0%' : ''}, ${plural(n, 'seed')}`;

const listed = (texts: readonly string[]): string => (texts.length === 1 ? texts[0]! : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)!}`);
