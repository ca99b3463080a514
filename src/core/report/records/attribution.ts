/**
 * Which stage of which arm each record stands for, by the declarations. A key is the hash of what an arm declares, so a
 * number cannot be moved to another arm unnoticed, and a report needs no store to show it.
 */
import type { Plan } from '../../plan/plan.ts';
import { earlierStages, type EarlierStage } from '../../plan/revisions.ts';
import { usesByKey } from './collect.ts';
import { byText, placeText, sortRecords, type RecordUse, type ReportRecord } from './records.ts';

export interface Attributed {
  /** Records of stages that the plan needs, now or before the code of a kind changed, with the uses that it gives them. */
  readonly records: readonly ReportRecord[];
  /** Keys of those whose recorded uses, or earlier revisions, are others. */
  readonly misplaced: readonly string[];
  /** Records whose every place another has taken: a rerun after a change of code. */
  readonly replaced: readonly ReportRecord[];
  /** Records of stages that no arm of the plan needs: what it declares has changed since they were made. */
  readonly unneeded: readonly ReportRecord[];
}

/** @param plan for the seeds of these records, see {@link seedsOf} */
export function attribute(records: readonly ReportRecord[], plan: Plan): Attributed {
  const places = usesByKey(plan);
  const current = records.filter(({ key }) => places.has(key)).map(record => ({ ...record, earlierRevisions: undefined, uses: places.get(record.key)! }));
  const others = records.filter(({ key }) => !places.has(key));
  const { earlier, unneeded } = ofEarlierRevisions(others, plan, places);
  // A result stands before what came before it, and before a failure.
  const inTurn = [...current.filter(({ state }) => state === 'done'), ...earlier, ...current.filter(({ state }) => state === 'failed')];
  const { placed, replaced } = takePlaces(inTurn);
  const recorded = new Map(records.map(record => [record.key, standing(record)]));
  const sorted = sortRecords(placed);
  return { records: sorted, misplaced: sorted.filter(record => standing(record) !== recorded.get(record.key)).map(({ key }) => key), replaced, unneeded };
}

/** Results whose key is that of a declared stage before the code of a kind changed; the newest first. */
function ofEarlierRevisions(records: readonly ReportRecord[], plan: Plan, places: ReadonlyMap<string, RecordUse[]>): { earlier: ReportRecord[]; unneeded: ReportRecord[] } {
  const keyAt = new Map(plan.arms.flatMap(({ ablation, arm, seed, stages }) => Object.entries(stages).map(([role, key]) => [placeText({ ablation, arm, seed, role }), key])));
  const earlierOf = earlierStages(plan);
  const found = records.map(record => {
    // The recorded uses say where to look; the key proves it.
    const candidates = [...new Set(record.uses.map(use => keyAt.get(placeText(use))))].filter(key => key !== undefined);
    const matches = record.state === 'failed' ? [] : candidates.flatMap(key => earlierOf(key).flatMap(stage => (stage.key === record.key ? [{ now: key, stage }] : [])));
    return { record, match: matches[0] };
  });
  const earlier = found.flatMap(({ record, match }) => (match === undefined ? [] : [{ record, stage: match.stage, uses: places.get(match.now)! }]));
  return {
    earlier: earlier.sort((a, b) => newerFirst(a.stage, b.stage)).map(({ record, stage, uses }) => ({ ...record, uses, earlierRevisions: stage.revisions })),
    unneeded: found.filter(({ match }) => match === undefined).map(({ record }) => record),
  };
}

const newerFirst = (a: EarlierStage, b: EarlierStage): number => a.age - b.age || byText(a.key, b.key);

/** Each place belongs to the first record that stands for it. */
function takePlaces(records: readonly ReportRecord[]): { placed: ReportRecord[]; replaced: ReportRecord[] } {
  const taken = new Set<string>();
  const placed: ReportRecord[] = [];
  const replaced: ReportRecord[] = [];
  for (const record of records) {
    const uses = record.uses.filter(use => !taken.has(placeText(use)));
    for (const use of uses) taken.add(placeText(use));
    if (uses.length > 0) placed.push({ ...record, uses });
    else replaced.push(record);
  }
  return { placed, replaced };
}

const standing = ({ uses, earlierRevisions = {} }: ReportRecord): string => JSON.stringify([uses.map(placeText).sort(byText), Object.entries(earlierRevisions).sort(([a], [b]) => byText(a, b))]);

/** Seeds of the replicates that these records are of, ascending. */
export const seedsOf = (records: readonly ReportRecord[]): number[] => [...new Set(records.flatMap(({ uses }) => uses.map(use => use.seed)))].sort((a, b) => a - b);
