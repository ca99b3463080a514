/** What changed, as a section of the page. */
import { armRule } from './baseline-arms.ts';
import { armSentence, armTable, chanceNote, claimChangeTable, claimSentence, conflictSentence, conflictTable, costSentence, summaryTable } from './baseline-tables.ts';
import type { Changes } from './baseline.ts';
import { table } from './htmltable.ts';
import { html, type Markup } from './markup.ts';
import type { Table } from './tables.ts';

export const CHANGES_ID = 'changes';

export function changesSection(changes: Changes): Markup {
  const { conflicts, baseline, before } = changes;
  const notes = [armRule, chanceNote(changes)].filter(note => note !== undefined);
  return html`<section id="${CHANGES_ID}" aria-labelledby="${CHANGES_ID}-title">
<h2 id="${CHANGES_ID}-title">Changes since ${baseline}</h2>
${conflicts.length === 0 ? undefined : html`<div class="caution" role="note"><p><strong>${conflictSentence(changes)}</strong></p></div>`}
${optional(conflictTable(changes), 'compact')}
${before === undefined ? html`<p>There is no report of this profile at ${baseline}: all of it is new.</p>` : html`<p>${armSentence(changes)} ${claimSentence(changes)} ${costSentence(changes)}</p>`}
${table(summaryTable(changes), 'compact')}
${before === undefined ? undefined : html`${optional(armTable(changes), 'compact')}${optional(claimChangeTable(changes), 'claims')}
<ul class="notes">${notes.map(note => html`<li>${note}</li>`)}</ul>`}
</section>`;
}

const optional = (data: Table | undefined, className: string): Markup | undefined => (data === undefined ? undefined : table(data, className));
