/** Which difference of two arms the declared seeds can show, said before anything is spent on them. */
import type { ProfileBase, Study } from '../ablation/declaration.ts';
import { isHeadroom } from '../ablation/headroom.ts';
import type { PlannedExperiments } from '../plan/plan.ts';
import { declaredSeeds } from '../ablation/swept.ts';
import { givesVerdicts, marginOf } from '../report/model/claims.ts';
import { metricSpec, replicate } from '../report/model/usage.ts';
import { collectRecords } from '../report/records/collect.ts';
import { byText, parseRecords, type ReportRecord } from '../report/records/records.ts';
import { readReportText, RECORDS_FILE } from '../report/records/written.ts';
import { detectableDifference } from '../report/statistics/power.ts';
import { pairedDeltas, sampleStd, tidy } from '../report/statistics/statistics.ts';
import { ALPHA, FEWEST_SEEDS } from '../report/statistics/verdict.ts';
import type { StoreReader } from '../store/reader.ts';
import { scale, type Unit } from '../text/format.ts';

/** Chance of a verdict where the true difference is the one that is named. */
const POWER = 0.8;
/** Fewer tell too little of others. */
const FEWEST_PAIRS = 3;

/** Standard deviation, over seeds, of the difference of two arms, in the headline's unit. */
export type Spread =
  { readonly of: 'records'; readonly deviation: number; readonly pairs: number; readonly seeds: readonly number[] } | { readonly of: 'profile'; readonly deviation: number; readonly source: string };

/** The smallest true difference that becomes a verdict with probability {@link POWER}. In the headline's unit; where no spread is known, in standard deviations, beyond the margin. */
interface Detectable {
  readonly margin: number;
  readonly spread: Spread | undefined;
  /** Of one comparison that is a claim by itself. */
  readonly one: number;
  /** Of the first step of Holm's correction, in the ablation that declares most claims; undefined where none declares two. */
  readonly family: { readonly ablation: string; readonly claims: number; readonly difference: number } | undefined;
}

export interface PowerForecast {
  /** That the profile declares for ablations whose claims get verdicts; the fewest where they differ. */
  readonly seeds: number;
  /** Ablations whose claims get none, as they have too few seeds. */
  readonly without: readonly string[];
  /** That a verdict needs. */
  readonly needs: number;
  /** False: the profile gives no verdicts. */
  readonly gives: boolean;
  readonly power: number;
  readonly unit: Unit;
  /** Undefined where no verdict can be given. */
  readonly shows: Detectable | undefined;
}

/** Records that tell how far seeds spread. */
export interface EarlierRuns {
  /** Of the profile's report, which may not be there. */
  readonly reportDir: string;
  readonly store: StoreReader | undefined;
}

/**
 * Undefined where no claim is declared.
 * @throws RecordError where the report is damaged
 */
export function forecastPower({ study, profile, ablations, plan }: PlannedExperiments, { reportDir, store }: EarlierRuns): PowerForecast | undefined {
  const declared = ablations.map(({ declaration: { name, claims = [] } }) => ({ ablation: name, claims: claims.length })).filter(({ claims }) => claims > 0);
  if (declared.length === 0) return undefined;
  const families = declared.filter(({ ablation }) => givesVerdicts(profile, ablation));
  const { headline } = study.report;
  const unit = metricSpec(study, [], headline.role, headline.metric)?.unit ?? 'ratio';
  const seeds = Math.min(...(families.length > 0 ? families : declared).map(({ ablation }) => declaredSeeds(profile, ablation).length));
  const without = declared.filter(each => !families.includes(each)).map(({ ablation }) => ablation);
  const forecast = { seeds, needs: FEWEST_SEEDS, gives: profile.verdicts !== false, without, power: POWER, unit };
  if (families.length === 0) return { ...forecast, shows: undefined };
  const text = readReportText(reportDir, RECORDS_FILE);
  const tests = new Map([...plan.stages].filter(([, { roles }]) => roles.includes(headline.role)));
  const records = [...(text === undefined ? [] : parseRecords(text)), ...(store === undefined ? [] : collectRecords(study, { ...plan, stages: tests }, store))];
  return { ...forecast, shows: detectable(seeds, spreadOf(study, records) ?? assumedSpread(profile, unit), marginOf(profile) / scale(1, unit), families) };
}

function detectable(n: number, spread: Spread | undefined, margin: number, families: readonly { readonly ablation: string; readonly claims: number }[]): Detectable {
  const largest = families.reduce((most, each) => (each.claims > most.claims ? each : most));
  const question = { n, standardDeviation: spread?.deviation ?? 1, margin: spread === undefined ? 0 : margin };
  const among = (claims: number): number => detectableDifference({ ...question, alpha: ALPHA / claims }, POWER);
  return { margin, spread, one: among(1), family: largest.claims < 2 ? undefined : { ...largest, difference: among(largest.claims) } };
}

function assumedSpread({ verdicts }: ProfileBase, unit: Unit): Spread | undefined {
  const assumed = (verdicts || undefined)?.spread;
  return assumed === undefined ? undefined : { of: 'profile', deviation: assumed.value / scale(1, unit), source: assumed.source };
}

/** Pooled over the pairs of arms of one ablation that have enough seeds in common; undefined where there are too few of them. @internal */
export function spreadOf(study: Study, records: readonly ReportRecord[]): Spread | undefined {
  const pairs = pairsWithSeeds(measuredArms(study, records));
  const squares = pairs.reduce((sum, deltas) => sum + (deltas.length - 1) * sampleStd(deltas) ** 2, 0);
  const freedom = pairs.reduce((sum, deltas) => sum + deltas.length - 1, 0);
  // Seeds that agree to the last image say nothing of others.
  if (pairs.length < FEWEST_PAIRS || tidy(squares) === 0) return undefined;
  return { of: 'records', deviation: Math.sqrt(squares / freedom), pairs: pairs.length, seeds: [...new Set(pairs.map(({ length }) => length))].sort((a, b) => a - b) };
}

interface MeasuredArm {
  readonly keys: Set<string>;
  readonly values: Map<number, number>;
}

/** By ablation and arm. Of two numbers for one seed the later counts. */
function measuredArms(study: Study, records: readonly ReportRecord[]): ReadonlyMap<string, ReadonlyMap<string, MeasuredArm>> {
  const { headline } = study.report;
  const ablations = new Map<string, Map<string, MeasuredArm>>();
  for (const record of records) {
    for (const { ablation, arm, seed, role } of record.state === 'done' ? record.uses : []) {
      if (role !== headline.role || isHeadroom(study, ablation)) continue;
      const arms = ablations.get(ablation) ?? new Map<string, MeasuredArm>();
      const known = arms.get(arm) ?? { keys: new Set(), values: new Map<number, number>() };
      known.keys.add(record.key);
      known.values.set(seed, replicate(record, headline).value);
      ablations.set(ablation, arms.set(arm, known));
    }
  }
  return ablations;
}

/** The differences of each two arms over their common seeds, once for the same runs. */
function pairsWithSeeds(ablations: ReadonlyMap<string, ReadonlyMap<string, MeasuredArm>>): number[][] {
  const pairs = new Map<string, number[]>();
  for (const arms of ablations.values()) {
    const all = [...arms.values()];
    for (const [i, a] of all.entries()) {
      for (const b of all.slice(i + 1)) {
        const deltas = pairedDeltas(a.values, b.values).map(({ delta }) => delta);
        const runs = JSON.stringify([a, b].map(({ keys }) => [...keys].sort(byText)).sort());
        if (deltas.length >= FEWEST_SEEDS) pairs.set(runs, deltas);
      }
    }
  }
  return [...pairs.values()];
}
