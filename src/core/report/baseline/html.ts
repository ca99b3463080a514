/** What changed, as a section of the page. */
import type { ArmOutcome } from './arms.ts';
import type { Changes } from './baseline.ts';
import { changeSentence, costSentence, judgedNotes, warningSentences } from './sentences.ts';
import { armTable, claimChangeTable, conflictTable, summaryTable } from './tables.ts';
import { plural } from '../../text/format.ts';
import { htmlTable } from '../render/html/table.ts';
import { html, type Markup } from '../render/html/markup.ts';
import type { Table } from '../tables/results.ts';

const CHANGES_ID = 'changes';

export function changesSection(changes: Changes): Markup {
  const warnings = warningSentences(changes);
  const notes = judgedNotes(changes);
  return html`<section id="${CHANGES_ID}" aria-labelledby="${CHANGES_ID}-title">
<h2 id="${CHANGES_ID}-title">Changes since ${changes.baseline}</h2>
${warnings.length === 0 ? undefined : html`<div class="caution" role="note">${warnings.map(warning => html`<p><strong>${warning}</strong></p>`)}</div>`}
<p class="finding">${changeSentence(changes)}</p>
${optional(conflictTable(changes), 'compact')}
${arms(changes)}
${optional(claimChangeTable(changes), 'claims')}
${optional(summaryTable(changes), 'compact')}
${paragraph(costSentence(changes))}
${notes.length === 0 ? undefined : html`<ul class="notes">${notes.map(note => html`<li>${note}</li>`)}</ul>`}
</section>`;
}

/** What is folded away where there is much of it: nothing follows from these. */
const QUIET: readonly ArmOutcome[] = ['within noise', 'more seeds'];
const OPEN_ARMS = 12;

/** Where all of a report is new, its own tables have it. */
function arms(changes: Changes): Markup | undefined {
  if (changes.before === undefined) return undefined;
  if (changes.arms.length <= OPEN_ARMS) return optional(armTable(changes), 'compact');
  const part = (quiet: boolean): Changes => ({ ...changes, arms: changes.arms.filter(arm => QUIET.includes(arm.outcome) === quiet) });
  const rest = armTable(part(true));
  return html`${optional(armTable(part(false)), 'compact')}
${rest === undefined ? undefined : html`<details><summary>${plural(rest.rows.length, 'arm')} within noise, or with more seeds</summary>${htmlTable(rest, 'compact')}</details>`}`;
}

const paragraph = (text: string | undefined): Markup | undefined => (text === undefined ? undefined : html`<p class="finding muted">${text}</p>`);

const optional = (data: Table | undefined, className: string): Markup | undefined => (data === undefined ? undefined : htmlTable(data, className));
