/** Arms of two reports side by side: new, gone, better, worse. */
import type { AblationDeclaration, Study } from '../../ablation/declaration.ts';
import { difference, testSetError, type Replicate } from '../statistics/compare.ts';
import { byText, type ReportRecord } from '../records/records.ts';
import { mean, sampleStd } from '../statistics/statistics.ts';
import { oneLine } from '../../text/clean.ts';
import { metricSpec, replicate } from '../model/usage.ts';
import { FEWEST_SEEDS } from '../statistics/verdict.ts';

export type ArmOutcome =
  | 'new'
  | 'gone'
  /** Beyond noise, from {@link FEWEST_SEEDS} seeds on. */
  | 'better'
  | 'worse'
  /** Towards better or worse by more than the known error, with fewer seeds: a direction, no effect. */
  | 'up'
  | 'down'
  /** Its results changed by less than noise. */
  | 'within noise'
  /** The seeds in common are as they were: the estimate changed, the arm did not. */
  | 'more seeds'
  | 'fewer seeds'
  | 'other seeds';

export interface ArmChange {
  /** `ablation/arm`. */
  readonly name: string;
  readonly label: string;
  /** Other arms with the same runs. */
  readonly also: readonly string[];
  readonly outcome: ArmOutcome;
  readonly before: ArmMean | undefined;
  readonly now: ArmMean | undefined;
  /** Of better, worse and within noise, in the headline's unit. */
  readonly difference: ArmDifference | undefined;
}

interface ArmMean {
  readonly n: number;
  readonly mean: number;
}

interface ArmDifference {
  /** Now minus before. */
  readonly value: number;
  /** What it must exceed. */
  readonly noise: number;
  /** Seeds in common; 0: the means are compared as independent. */
  readonly pairs: number;
}

export interface ArmsInput {
  readonly study: Study;
  readonly ablations: readonly AblationDeclaration<object>[];
  readonly before: readonly ReportRecord[];
  readonly now: readonly ReportRecord[];
}

/** How arms are told apart, in words for the report. */
export const armRule =
  'Better and worse: the 95 % t interval of the differences per seed, now minus before, does not hold zero; three common seeds are needed for one. ' +
  'Fewer show a direction only, up or down where the difference exceeds twice its standard error (for one seed that of the test set, which does not cover the spread over seeds). ' +
  'All else is within noise. Seeds that all moved alike are judged by the test set, too; without a common seed the means are compared as independent. ' +
  'Seeds that were only added or left out change the estimate, not the arm.';

/** Standard errors that a difference must exceed where it has no interval. */
const STANDARD_ERRORS = 2;

/** Differences that are the same but for the last bits of a double. */
const NO_SPREAD = 1e-12;

interface Measured extends Replicate {
  readonly key: string;
}
type Seeds = ReadonlyMap<number, Measured>;

/** Changed arms in the order of the declarations, those that are declared no more last; and how many are the same. */
export function armChanges({ study, ablations, before, now }: ArmsInput): { changes: ArmChange[]; same: number } {
  const sides = { before: measuredArms(study, before), now: measuredArms(study, now) };
  const declared = ablations.flatMap(ablation => ablation.arms.map(arm => ({ name: `${ablation.name}/${arm.name}`, label: `${oneLine(ablation.title)}: ${oneLine(arm.label)}` })));
  const labels = new Map(declared.map(({ name, label }) => [name, label]));
  const undeclared = [...new Set([...sides.before.keys(), ...sides.now.keys()])].filter(name => !labels.has(name)).sort(byText);
  const better = metricSpec(study, [...now, ...before], study.report.headline.role, study.report.headline.metric)?.better === 'lower' ? -1 : 1;
  const groups = new Map<string, ArmChange>();
  let same = 0;
  for (const name of [...labels.keys(), ...undeclared]) {
    const [a, b] = [sides.before.get(name) ?? new Map<number, Measured>(), sides.now.get(name) ?? new Map<number, Measured>()];
    if (a.size + b.size === 0) continue;
    const outcome = compareArm(a, b, better);
    if (outcome === undefined) {
      same += 1;
      continue;
    }
    const runs = JSON.stringify([keysOf(a), keysOf(b)]);
    const known = groups.get(runs);
    groups.set(runs, known === undefined ? { name, label: labels.get(name) ?? oneLine(name), also: [], ...outcome, before: meanOf(a), now: meanOf(b) } : { ...known, also: [...known.also, name] });
  }
  return { changes: [...groups.values()], same };
}

function measuredArms({ report: { headline } }: Study, records: readonly ReportRecord[]): Map<string, Map<number, Measured>> {
  const arms = new Map<string, Map<number, Measured>>();
  for (const record of records) {
    if (record.state !== 'done') continue;
    for (const { ablation, arm, seed, role } of record.uses) {
      if (role !== headline.role) continue;
      const name = `${ablation}/${arm}`;
      const ofArm = arms.get(name) ?? new Map<number, Measured>();
      arms.set(name, ofArm.set(seed, { key: record.key, ...replicate(record, headline) }));
    }
  }
  return arms;
}

const keysOf = (seeds: Seeds): string[] => [...seeds.values()].map(({ key }) => key).sort(byText);

const meanOf = (seeds: Seeds): ArmMean | undefined => (seeds.size === 0 ? undefined : { n: seeds.size, mean: mean([...seeds.values()].map(({ value }) => value)) });

/** Undefined: the same results for the same seeds. */
function compareArm(before: Seeds, now: Seeds, better: 1 | -1): Pick<ArmChange, 'outcome' | 'difference'> | undefined {
  if (before.size === 0) return { outcome: 'new', difference: undefined };
  if (now.size === 0) return { outcome: 'gone', difference: undefined };
  const common = [...before.keys()].filter(seed => now.has(seed));
  if (common.length > 0 && common.every(seed => before.get(seed)!.value === now.get(seed)!.value)) return seedsChanged(before.size - common.length, now.size - common.length);
  const found = common.length > 0 ? pairedDifference(now, before) : independentDifference(now, before);
  const beyond = Math.abs(found.value) > found.noise;
  const decided = (common.length > 0 ? common.length : Math.min(before.size, now.size)) >= FEWEST_SEEDS;
  const [up, down] = decided ? (['better', 'worse'] as const) : (['up', 'down'] as const);
  return { outcome: !beyond ? 'within noise' : found.value * better > 0 ? up : down, difference: found };
}

function seedsChanged(gone: number, added: number): Pick<ArmChange, 'outcome' | 'difference'> | undefined {
  if (gone + added === 0) return undefined;
  return { outcome: gone === 0 ? 'more seeds' : added === 0 ? 'fewer seeds' : 'other seeds', difference: undefined };
}

function pairedDifference(now: Seeds, before: Seeds): ArmDifference {
  const { value, standardError, interval, n } = difference(now, before)!;
  const half = interval === undefined ? STANDARD_ERRORS * standardError : (interval.high - interval.low) / 2;
  // Seeds that all moved by the same amount leave no spread to judge by: the test set's error stands in.
  const noise = half > NO_SPREAD ? half : STANDARD_ERRORS * mean([...now].flatMap(([seed, each]) => (before.has(seed) ? [testSetError(each, before.get(seed)!).standardError] : [])));
  return { value, noise, pairs: n };
}

function independentDifference(now: Seeds, before: Seeds): ArmDifference {
  const [a, b] = [now, before].map(seeds => {
    const values = [...seeds.values()];
    const list = values.map(({ value }) => value);
    return { mean: mean(list), error: list.length === 1 ? values[0]!.standardError : sampleStd(list) / Math.sqrt(list.length) };
  }) as [{ mean: number; error: number }, { mean: number; error: number }];
  return { value: a.mean - b.mean, noise: STANDARD_ERRORS * Math.hypot(a.error, b.error), pairs: 0 };
}
