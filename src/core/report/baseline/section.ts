/** What changed, as a section of the page. */
import type { ArmOutcome } from './arms.ts';
import type { Changes } from './baseline.ts';
import { adoptedSentence, changeSentence, costSentence, judgedNotes, warningSentences } from './sentences.ts';
import { armTable, claimChangeTable, conflictTable, summaryTable } from './tables.ts';
import { plural } from '../../text/format.ts';
import type { Block, Section } from '../render/outline/blocks.ts';
import { details, paragraph, small, tableOf } from '../render/outline/parts.ts';

/** Begins as the comment does. */
export function changesSection(changes: Changes): Section {
  const warnings = warningSentences(changes).map(warning => paragraph([{ text: warning, strong: true }]));
  return {
    type: 'section',
    id: 'changes',
    title: `Changes since ${changes.baseline}`,
    blocks: [
      ...(warnings.length === 0 ? [] : [{ type: 'caution', blocks: warnings } as const]),
      paragraph([changeSentence(changes)]),
      ...tableOf(conflictTable(changes), 'values'),
      ...arms(changes),
      ...tableOf(claimChangeTable(changes), 'claims'),
      ...tableOf(summaryTable(changes), 'values'),
      ...small([costSentence(changes) ?? '', adoptedSentence(changes) ?? '', ...judgedNotes(changes)].filter(Boolean)),
    ],
  };
}

/** What is folded away where there is much of it: nothing follows from these. */
const QUIET: readonly ArmOutcome[] = ['within noise', 'more seeds'];
const OPEN_ARMS = 12;

/** Where all of a report is new, its own tables have it. */
function arms(changes: Changes): Block[] {
  if (changes.before === undefined) return [];
  if (changes.arms.length <= OPEN_ARMS) return tableOf(armTable(changes), 'values');
  const part = (quiet: boolean): Changes => ({ ...changes, arms: changes.arms.filter(arm => QUIET.includes(arm.outcome) === quiet) });
  const rest = part(true);
  return [...tableOf(armTable(part(false)), 'values'), ...details(`${plural(rest.arms.length, 'arm')} within noise, or with more seeds`, tableOf(armTable(rest), 'values'))];
}
