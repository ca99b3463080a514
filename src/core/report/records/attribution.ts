/**
 * Which stage of which arm each record stands for, by the declarations. A key is the hash of what an arm declares, so a
 * number cannot be moved to another arm unnoticed, and a report needs no store to show it.
 */
import type { Plan } from '../../plan/plan.ts';
import { usesByKey } from './collect.ts';
import { sortRecords, type RecordUse, type ReportRecord } from './records.ts';

export interface Attributed {
  /** Records of stages that the plan needs, with the uses that it gives them. */
  readonly records: readonly ReportRecord[];
  /** Keys of those whose recorded uses are others. */
  readonly misplaced: readonly string[];
  /** Records of stages that no arm of the plan needs: what it declares has changed since they were made. */
  readonly unneeded: readonly ReportRecord[];
}

/** @param plan for the seeds of these records, see {@link seedsOf} */
export function attribute(records: readonly ReportRecord[], plan: Plan): Attributed {
  const places = usesByKey(plan);
  const needed = records.filter(record => places.has(record.key));
  const placed = sortRecords(needed.map(record => ({ ...record, uses: places.get(record.key)! })));
  const uses = new Map(needed.map(record => [record.key, usesText(record.uses)]));
  return {
    records: placed,
    misplaced: placed.filter(record => usesText(record.uses) !== uses.get(record.key)).map(record => record.key),
    unneeded: records.filter(record => !places.has(record.key)),
  };
}

const usesText = (uses: readonly RecordUse[]): string =>
  uses
    .map(({ ablation, arm, seed, role }) => JSON.stringify([ablation, arm, seed, role]))
    .sort()
    .join();

/** Seeds of the replicates that these records are of, ascending. */
export const seedsOf = (records: readonly ReportRecord[]): number[] => [...new Set(records.flatMap(({ uses }) => uses.map(use => use.seed)))].sort((a, b) => a - b);
