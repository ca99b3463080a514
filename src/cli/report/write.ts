/** Writes a report: what it holds, and what a store or other reports add to it. */
import { join } from 'node:path';
import { armText, buildPlan } from '../../core/plan/plan.ts';
import { seedsOf } from '../../core/report/records/attribution.ts';
import type { WrittenRecords } from '../../core/report/records/written.ts';
import { openStoreReadOnly } from '../../core/store/store.ts';
import { plural } from '../../core/text/format.ts';
import { warn } from '../terminal/text.ts';
import { mergeSentence, warningsOf } from './merge-text.ts';
import { declared, recordsSoFar, type ReportScope } from './scope.ts';
import { pc } from '../terminal/colours.ts';
import { print } from '../terminal/output.ts';

export interface WriteOptions {
  readonly store: string;
  /** Whose result counts where the report and the store have different ones. */
  readonly prefer: 'report' | 'store';
  /** Seeds that a sweep has just been asked for. */
  readonly seeds?: readonly number[];
}

/** Adds what a store holds to the report's folder, and says what it came to. */
export async function writeFromStore(scope: ReportScope, options: WriteOptions): Promise<void> {
  const report = recordsSoFar(scope);
  const others = await readStore(scope, options.store, [...seedsOf(report.records), ...(options.seeds ?? [])]);
  await writeMerged(scope, report, others, options.prefer, options.store);
}

/**
 * What a store holds of the declared arms.
 * @param seeds beyond those that its sweeps were asked for
 */
export async function readStore(scope: ReportScope, dir: string, seeds: readonly number[]): Promise<WrittenRecords> {
  const { collectProvenance, collectRecords, planOfStore } = await import('../../core/report/records/collect.ts');
  const store = openStoreReadOnly(dir, { warn });
  const plan = planOfStore(scope, store, seeds);
  for (const {
    key,
    kind,
    users: [first],
  } of plan.stages.values()) {
    const damage = store.damage(key);
    if (damage !== undefined) warn(`${dir}: ${kind} of ${armText(first!)} (${key.slice(0, 12)}) is damaged and adds nothing: ${damage}. A sweep runs it anew.`);
  }
  return { records: collectRecords(scope.study, plan, store), provenance: collectProvenance(plan, store), adopted: [] };
}

const ascending = (seeds: readonly number[]): number[] => [...new Set(seeds)].sort((a, b) => a - b);

/** @param from name of what is added, for people */
export async function writeMerged(scope: ReportScope, report: WrittenRecords, others: WrittenRecords, prefer: WriteOptions['prefer'], from: string): Promise<void> {
  const [{ mergeRecords }, { writeReport }] = await Promise.all([
    import('../../core/report/records/merge.ts'),
    import('../../core/report/write.ts'), // charts: not for the other commands
  ]);
  const { study, profile, ablations } = scope;
  const plan = buildPlan({ study, profile, ablations, seeds: ascending([...seedsOf(report.records), ...seedsOf(others.records)]) });
  const merged = mergeRecords(report, others, plan, prefer);
  const { report: model, written, removed } = await writeReport({ ...declared(scope), records: merged.records, adopted: merged.adopted, provenance: merged.provenance });
  const changed = written.length + removed.length;
  for (const line of warningsOf(merged, study, prefer, from)) warn(line);
  print(
    `\n${model.verdict.join('\n')}\n\n${mergeSentence(merged, from)}\n${changed > 0 ? `Report written (${plural(changed, 'file')} changed)` : 'Report up to date'}: ${pc.cyan(join(scope.outDir, 'index.html'))}\n`,
  );
}
