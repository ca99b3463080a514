/** Records of a report and of a run put together: a result that the declarations give is never lost, whichever store it came from. */
import type { Plan } from '../../plan/plan.ts';
import { adoptedPlace, joinAdopted } from './adopted.ts';
import { attribute } from './attribution.ts';
import { enginesOf } from './engines.ts';
import { factsBehind } from './provenance.ts';
import { byText, tellsMore, type ReportRecord } from './records.ts';
import type { WrittenRecords } from './written.ts';

/** Two results of one stage: last digits of another processor, a fault, a forgery. */
export interface ResultConflict {
  readonly record: ReportRecord;
  readonly other: ReportRecord;
  /** What computed each, as far as it is known. */
  readonly engine: string | undefined;
  readonly otherEngine: string | undefined;
}

export interface MergedRecords extends WrittenRecords {
  /** Keys that the report did not have. */
  readonly added: readonly string[];
  /** Keys whose record changed: a failure that was mended, or another result where that was preferred. */
  readonly updated: readonly string[];
  /** Records of the report that what was merged does not have. */
  readonly kept: readonly string[];
  /** Records that a rerun has replaced after a change of code. */
  readonly replaced: readonly ReportRecord[];
  /** Records that the declarations no longer give. */
  readonly dropped: readonly ReportRecord[];
  readonly conflicts: readonly ResultConflict[];
  /** How many numbers from elsewhere the report did not have. */
  readonly newAdopted: number;
}

/**
 * Adds records to those of a report, and numbers from elsewhere to its own.
 * @param prefer whose result counts where both have one and they differ
 * @param plan for the seeds of both
 * @throws RecordError where both have a number from elsewhere and they differ: nothing says which is right
 */
export function mergeRecords(report: WrittenRecords, others: WrittenRecords, plan: Plan, prefer: 'report' | 'store'): MergedRecords {
  const byKey = new Map(report.records.map(record => [record.key, record]));
  const conflicts: ResultConflict[] = [];
  const [engines, otherEngines] = [enginesOf(report.provenance), enginesOf(others.provenance)];
  const fromOthers = new Set<string>();
  for (const other of others.records) {
    const record = byKey.get(other.key);
    const relation = record === undefined ? 'newer' : compare(record, other);
    if (relation === 'disagree') conflicts.push({ record: record!, other, engine: engines[other.key]?.text, otherEngine: otherEngines[other.key]?.text });
    if (relation === 'newer' || (relation === 'disagree' && prefer === 'store')) {
      byKey.set(other.key, other);
      fromOthers.add(other.key);
    } else if (relation === 'same') {
      const codeHash = prefer === 'store' ? (other.codeHash ?? record!.codeHash) : (record!.codeHash ?? other.codeHash);
      byKey.set(other.key, { ...record!, cost: other.cost, curves: { ...record!.curves, ...other.curves }, codeHash, ...itemsOfEither(record!, other) });
    }
  }
  const { records, replaced, unneeded } = attribute([...byKey.values()], plan);
  const [before, given] = [new Set(report.records.map(({ key }) => key)), new Set(others.records.map(({ key }) => key))];
  const keys = records.map(({ key }) => key);
  const adopted = joinAdopted(report.adopted, others.adopted);
  return {
    records,
    provenance: {
      ...factsBehind(
        records.filter(({ key }) => !fromOthers.has(key)),
        report.provenance,
      ),
      ...factsBehind(
        records.filter(({ key }) => fromOthers.has(key)),
        others.provenance,
      ),
    },
    added: keys.filter(key => !before.has(key)),
    updated: [...fromOthers].filter(key => before.has(key)),
    kept: keys.filter(key => before.has(key) && !given.has(key)),
    replaced: replaced.filter(({ key }) => before.has(key)),
    dropped: unneeded.filter(({ key }) => before.has(key)),
    conflicts,
    adopted,
    newAdopted: adopted.length - new Set(report.adopted.map(adoptedPlace)).size,
  };
}

/** What a report of an older version lacks, a store may have. */
const itemsOfEither = (record: ReportRecord, other: ReportRecord): Pick<ReportRecord, 'items' | 'itemsSha256'> => {
  const { items, itemsSha256 } = record.items === undefined ? other : record;
  return { items, itemsSha256 };
};

type Relation = 'same' | 'newer' | 'older' | 'disagree';

/** What another record of the same stage is to one. */
function compare(record: ReportRecord, other: ReportRecord): Relation {
  if (record.state === 'failed') return other.state === 'failed' && other.reason === record.reason ? 'same' : 'newer';
  if (other.state === 'failed') return 'older';
  const items = [record.itemsSha256, other.itemsSha256].filter(sha256 => sha256 !== undefined);
  const more = tellsMore(record, other);
  const equal = (more !== undefined || (record.resultSha256 === other.resultSha256 && sorted(record.result) === sorted(other.result))) && new Set(items).size < 2;
  // What a study draws may change; where both have a curve it is the same one.
  const curves = Object.keys(record.curves).filter(name => other.curves[name] !== undefined);
  if (!equal || curves.some(name => JSON.stringify(record.curves[name]) !== JSON.stringify(other.curves[name]))) return 'disagree';
  return more === undefined ? 'same' : more === other ? 'newer' : 'older';
}

const sorted = (object: Readonly<Record<string, unknown>>): string => JSON.stringify(Object.entries(object).sort(([a], [b]) => byText(a, b)));
