/** `ablate report --prune`: the only way to take results out of a report that the declarations still give, or numbers from elsewhere. It shows first. */
import { buildPlan, type Plan } from '../../core/plan/plan.ts';
import { adoptedText } from '../../core/report/records/adopted.ts';
import { attribute, seedsOf } from '../../core/report/records/attribution.ts';
import { factsBehind } from '../../core/report/records/provenance.ts';
import type { ReportRecord } from '../../core/report/records/records.ts';
import { writeReport } from '../../core/report/write.ts';
import { plural } from '../../core/text/format.ts';
import { heading, textTable } from '../terminal/text.ts';
import { declared, planOf, recordsSoFar, type ReportScope } from './scope.ts';
import { readStore } from './write.ts';
import { pc } from '../terminal/colours.ts';
import { print } from '../terminal/output.ts';

export interface PruneOptions {
  readonly store: string;
  readonly only?: readonly string[];
  readonly seeds?: string;
  readonly yes?: true;
}

/** @param chosen plan of the chosen arms and seeds. @returns the exit code */
export async function prune(scope: ReportScope, chosen: Plan, options: PruneOptions): Promise<number> {
  const { records, provenance, adopted } = recordsSoFar(scope);
  const stored = (await readStore(scope, options.store, [])).records;
  const limited = options.only !== undefined || options.seeds !== undefined;
  const held = new Set(stored.map(({ key }) => key).filter(key => !limited || chosen.stages.has(key)));
  const kept = records.filter(({ key }) => held.has(key));
  const gone = records.filter(({ key }) => !held.has(key));
  if (gone.length === 0) {
    print(`Every record of ${scope.outDir} is held by ${options.store} for the chosen arms and seeds.\n`);
    return 0;
  }
  print(`${heading(`Not held by ${options.store} for the chosen arms and seeds`)}: ${plural(gone.length, 'record')} of ${records.length}\n\n${textTable(gone.map(row), [0, 1, 2, 3])}\n\n`);
  if (options.yes !== true) {
    print('Nothing was removed. To remove them: the same command with --yes\n');
    return 0;
  }
  // A stage that replicates share stays for those that are left.
  const seeds = options.seeds === undefined ? seedsOf(kept) : [...new Set(chosen.arms.map(({ seed }) => seed))];
  const { records: left } = attribute(kept, buildPlan({ ...scope, seeds }));
  await writeReport({ ...declared(scope), records: left, adopted, provenance: factsBehind(left, provenance) });
  print(`Removed ${plural(gone.length, 'record')}: ${pc.cyan(scope.outDir)}\n`);
  return 0;
}

/**
 * Takes out the numbers from elsewhere that have a text in their note, and no record.
 * @param text empty: all of them
 * @returns the exit code
 */
export async function pruneAdopted(scope: ReportScope, text: string, yes: boolean): Promise<number> {
  const { records, provenance, adopted } = recordsSoFar(scope);
  const gone = adopted.filter(({ note }) => note.includes(text));
  if (gone.length === 0) {
    print(`No number from elsewhere in ${scope.outDir}${text === '' ? '' : ` has ‘${text}’ in its note`}.\n`);
    return 0;
  }
  const rows = gone.map(number => [adoptedText(number), String(number.value), number.note]);
  print(`${heading('Numbers from elsewhere')}: ${gone.length} of ${adopted.length}\n\n${textTable(rows, [0, 1, 2])}\n\n`);
  if (!yes) {
    print('Nothing was removed. To remove them: the same command with --yes\n');
    return 0;
  }
  const { records: left } = attribute(records, planOf(scope, records));
  await writeReport({ ...declared(scope), records: left, adopted: adopted.filter(number => !gone.includes(number)), provenance: factsBehind(left, provenance) });
  print(`Removed ${plural(gone.length, 'number')} from elsewhere: ${pc.cyan(scope.outDir)}\n`);
  return 0;
}

function row({ key, kind, state, uses: [first, ...others] }: ReportRecord): string[] {
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return [key.slice(0, 12), kind, `${first!.ablation}/${first!.arm} seed ${first!.seed}${more}`, state];
}
