/** What a store says of the claims that declarations make: plain data, by the rules of the report. */
import { loadEveryAblation, loadExperiments } from '../ablation/load.ts';
import { evaluateClaims, type ClaimResult, type PairResult } from '../report/model/claims.ts';
import { collectRecords, planOfStore } from '../report/records/collect.ts';
import type { StoreReader } from '../store/reader.ts';
import type { StoredComparison, StoredVerdict, VerdictsOptions } from './stored-verdict.ts';

/** @throws UsageError where a declaration or an override is wrong */
export async function verdictsIn(store: StoreReader, { profile: name, experiments = '.', overrides: sets = [], dataDir }: VerdictsOptions): Promise<StoredVerdict[]> {
  const { study, profile, overrides, dir } = await loadExperiments(experiments, { profile: name, sets, ...(dataDir !== undefined && { dataDir: () => dataDir }) });
  const ablations = await loadEveryAblation(dir, study);
  const records = collectRecords(study, planOfStore({ study, profile, overrides, ablations }, store), store);
  return evaluateClaims({ study, profile, ablations: ablations.map(({ declaration }) => declaration), records }).map(storedVerdict);
}

const storedVerdict = ({ ablation, name, sentence, verdict, beforeCorrection, direction, seeds, p, published, pairs }: ClaimResult): StoredVerdict => ({
  ablation,
  claim: name,
  sentence,
  verdict,
  beforeCorrection,
  seeds,
  ...(direction !== undefined && { direction }),
  ...(p !== undefined && { p }),
  ...(published !== undefined && { published }),
  comparisons: pairs.map(storedComparison),
});

const storedComparison = ({ type, arm, than, measure, margin, perSeed, delta, standardError, interval }: PairResult): StoredComparison => ({
  type,
  arm: `${arm.ablation}/${arm.arm}`,
  than: `${than.ablation}/${than.arm}`,
  measure: measure.name,
  margin,
  perSeed: perSeed.map(({ seed, delta: difference }) => ({ seed, difference })),
  ...(delta !== undefined && { difference: delta }),
  ...(standardError !== undefined && { standardError }),
  ...(interval !== undefined && { interval: { low: interval.low, high: interval.high, level: interval.level } }),
});
