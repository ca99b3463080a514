/** What became of a report's records, in words. */
import type { Study } from '../../core/ablation/declaration.ts';
import { earlierText } from '../../core/report/model/usage.ts';
import type { ResultConflict, MergedRecords } from '../../core/report/records/merge.ts';
import { finishedOf, mixedCodeText } from '../../core/report/records/code.ts';
import type { ReportRecord } from '../../core/report/records/records.ts';
import { formatCode, plural } from '../../core/text/format.ts';
import { oneLine } from '../../core/text/clean.ts';

/** One line: how many records were added, changed, kept, replaced, dropped, and why. */
export function mergeSentence({ records, added, updated, kept, replaced, dropped, adopted, newAdopted }: MergedRecords, from: string): string {
  const parts = [
    `${added.length} added`,
    ...(updated.length > 0 ? [`${updated.length} changed`] : []),
    ...(kept.length > 0 ? [`${kept.length} kept that ${from} does not have`] : []),
    ...(replaced.length > 0 ? [`${replaced.length} replaced by a rerun`] : []),
    ...(dropped.length > 0 ? [`${dropped.length} dropped that the declarations no longer give`] : []),
  ];
  const elsewhere = adopted.length === 0 ? '' : `; ${plural(adopted.length, 'number')} from elsewhere: ${newAdopted} added`;
  return `${plural(records.length, 'record')}: ${parts.join(', ')}${elsewhere}.`;
}

/** Of many that differ, the first ones tell enough. */
const SHOWN = 3;

export function warningsOf({ records, conflicts }: MergedRecords, study: Study, prefer: 'report' | 'store', from: string): string[] {
  return [...earlierWarning(records, study), ...mixedWarning(records), ...conflictText(conflicts, prefer, from)];
}

function earlierWarning(records: readonly ReportRecord[], study: Study): string[] {
  const earlier = records.filter(({ earlierRevisions }) => earlierRevisions !== undefined);
  if (earlier.length === 0) return [];
  return [
    `${plural(earlier.length, 'record')} of the report ${earlier.length === 1 ? 'is' : 'are'} of an earlier revision: ${earlierText(study, earlier)!}. They stay, marked, until a rerun replaces them.`,
  ];
}

/** By ablation: numbers that stand in no table together mix nothing. */
function mixedWarning(records: readonly ReportRecord[]): string[] {
  const names = [...new Set(records.flatMap(({ uses }) => uses.map(({ ablation }) => ablation)))].sort();
  const finished = finishedOf(records);
  const mixed = names.map(name => ({ name, text: mixedCodeText(finished.filter(({ uses }) => uses.some(({ ablation }) => ablation === name))) })).filter(({ text }) => text !== undefined);
  if (mixed.length === 0) return [];
  return [
    `${plural(mixed.length, 'table')} of the report ${mixed.length === 1 ? 'mixes' : 'mix'} numbers of different code, as files of a kind were edited between the runs:`,
    ...mixed.slice(0, SHOWN).map(({ name, text }) => `  ${name}: ${text}`),
    ...(mixed.length > SHOWN ? [`  and ${mixed.length - SHOWN} more`] : []),
    '  ablate explain <ablation/arm> --seeds ... says which seed has which. If the edit changes numbers, raise the revision of the kind and run again.',
  ];
}

function conflictText(conflicts: readonly ResultConflict[], prefer: 'report' | 'store', from: string): string[] {
  if (conflicts.length === 0) return [];
  const more = conflicts.length - SHOWN;
  const outcome = prefer === 'store' ? `those of ${from} are taken` : `those of the report stay; --prefer store takes those of ${from}`;
  return [
    `${plural(conflicts.length, 'stage')} ${conflicts.length === 1 ? 'has' : 'have'} another result in ${from} than in the report: ${outcome}.`,
    ...conflicts.slice(0, SHOWN).map(conflict => `  ${pairText(conflict, from)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function pairText({ record, other, engine, otherEngine }: ResultConflict, from: string): string {
  const { ablation, arm, seed } = record.uses[0]!;
  const [ours, theirs] = record.codeHash === other.codeHash ? ['', ''] : [record, other].map(({ codeHash }) => `, code ${formatCode(codeHash)}`);
  return oneLine(
    `${record.kind} of ${ablation}/${arm}, seed ${seed} (${record.key.slice(0, 12)}): the report has ${resultText(record, other)} (${engine ?? 'engine not recorded'}${ours}), ${from} ${resultText(other, record)} (${otherEngine ?? 'engine not recorded'}${theirs})`,
  );
}

/** The first number that differs. */
function resultText({ result }: ReportRecord, { result: other }: ReportRecord): string {
  const name = Object.keys({ ...result, ...other }).find(metric => result[metric] !== other[metric]);
  return name === undefined ? 'the same numbers in other bytes' : `${name} ${result[name] ?? 'missing'}`;
}
