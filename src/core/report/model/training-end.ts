/** Whether arms were trained long enough: by how much the curves that count held-out items still rose at the end. */
import { armNameText } from '../../ablation/claims.ts';
import type { AblationDeclaration, ProfileBase, Study } from '../../ablation/declaration.ts';
import { isHeadroom } from '../../ablation/headroom.ts';
import { declaredSeeds } from '../../ablation/swept.ts';
import { oneLine } from '../../text/clean.ts';
import { byText, type CurvePoint, type ReportRecord } from '../records/records.ts';
import { mean, tidy } from '../statistics/statistics.ts';
import { declaredOf } from '../statistics/verdict.ts';
import { valueAt } from './curves.ts';
import type { TrainingCondition, TrainingEnd } from './model.ts';
import { placeRecords, type Placed } from './usage.ts';

/** Share of a training that is its end. */
const END = 1 / 4;

/**
 * What a curve gains over the last quarter of its training, on the straight lines between its points; undefined where it has no point before that.
 * @internal
 */
export function gainAtEnd(points: readonly CurvePoint[]): number | undefined {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const from = (1 - END) * last[0];
  return first[0] > from ? undefined : tidy(last[1] - valueAt(points, from));
}

interface TrainingInput {
  readonly study: Study;
  readonly profile: ProfileBase;
  /** The headroom among them: its arms are trained as others are. */
  readonly ablations: readonly AblationDeclaration<object>[];
  readonly records: readonly ReportRecord[];
}

/** Undefined where no curve of the study counts held-out items. */
export function trainingCondition({ study, profile, ablations, records }: TrainingInput): TrainingCondition | undefined {
  const curves = study.report.curves.filter(curve => curve.items !== undefined);
  if (curves.length === 0) return undefined;
  // One set of them: the condition is about all arms alike.
  const items = Math.min(...curves.map(curve => curve.items!(profile)));
  const ends = new Map<string, TrainingEnd>();
  for (const { name: ablation, arms } of tablesFirst(study, ablations)) {
    const placed = placeRecords(records, ablation);
    for (const { name, label } of arms) {
      const own = (placed.get(name) ?? []).filter(({ role, record }) => curves.some(curve => curve.role === role && (record.curves[curve.metric] ?? []).length > 0));
      const counted = declaredOf([...new Set(own.map(({ seed }) => seed))], declaredSeeds(profile, ablation));
      const trained = own.filter(({ seed }) => counted.includes(seed));
      const run = trained
        .map(({ record }) => record.key)
        .sort(byText)
        .join();
      const end = ends.has(run) || items === 0 ? undefined : endOf(trained, place => curves.find(({ role }) => role === place)!.metric, items);
      if (end !== undefined) ends.set(run, { name: armNameText({ ablation, arm: name }), label: oneLine(label), ...end });
    }
  }
  const sorted = [...ends.values()].sort((a, b) => b.gain - a.gain || byText(a.name, b.name));
  return { items, arms: sorted };
}

/** A run that several tables show is named after the first of them. */
const tablesFirst = (study: Study, ablations: readonly AblationDeclaration<object>[]): AblationDeclaration<object>[] =>
  [false, true].flatMap(expected => ablations.filter(({ name }) => isHeadroom(study, name) === expected));

/** Means over the seeds of one arm. @param metricOf of a role */
function endOf(trained: readonly Placed[], metricOf: (role: string) => string, items: number): Pick<TrainingEnd, 'state' | 'n' | 'gain' | 'standardError'> | undefined {
  const ends = trained.flatMap(({ role, record }) => {
    const points = record.curves[metricOf(role)]!;
    const gain = gainAtEnd(points);
    return gain === undefined ? [] : [{ gain, share: points.at(-1)![1] }];
  });
  if (ends.length === 0) return undefined;
  const [gain, share] = [tidy(mean(ends.map(end => end.gain))), mean(ends.map(end => end.share))];
  // Records are whatever their file says: a share beyond its ends has no error.
  const standardError = Math.sqrt(Math.max(0, share * (1 - share)) / items);
  return { state: gain <= 0 || gain < standardError ? 'met' : 'missed', n: ends.length, gain, standardError };
}
