/** What changed, as a section of the page. */
import { armRule, type ArmOutcome } from './arms.ts';
import { armSentence, armTable, chanceNote, claimChangeTable, claimSentence, conflictSentence, conflictTable, costSentence, summaryTable } from './tables.ts';
import type { Changes } from './baseline.ts';
import { plural } from '../../text/format.ts';
import { htmlTable } from '../render/html/table.ts';
import { html, type Markup } from '../render/html/markup.ts';
import type { Table } from '../tables/results.ts';

const CHANGES_ID = 'changes';

export function changesSection(changes: Changes): Markup {
  const { conflicts, baseline, before } = changes;
  return html`<section id="${CHANGES_ID}" aria-labelledby="${CHANGES_ID}-title">
<h2 id="${CHANGES_ID}-title">Changes since ${baseline}</h2>
${conflicts.length === 0 ? undefined : html`<div class="caution" role="note"><p><strong>${conflictSentence(changes)}</strong></p></div>`}
${optional(conflictTable(changes), 'compact')}
${before === undefined ? html`<p class="finding">There is no report of this profile at ${baseline}: all of it is new.</p>` : html`<p class="finding">${armSentence(changes)} ${claimSentence(changes)} ${costSentence(changes)}</p>`}
${htmlTable(summaryTable(changes), 'compact')}
${before === undefined ? undefined : details(changes)}
</section>`;
}

function details(changes: Changes): Markup {
  const notes = [armRule, chanceNote(changes)].filter(note => note !== undefined);
  return html`${optional(claimChangeTable(changes), 'claims')}${arms(changes)}
<ul class="notes">${notes.map(note => html`<li>${note}</li>`)}</ul>`;
}

/** What is folded away where there is much of it: nothing follows from these. */
const QUIET: readonly ArmOutcome[] = ['within noise', 'more seeds'];
const OPEN_ARMS = 12;

function arms(changes: Changes): Markup | undefined {
  if (changes.arms.length <= OPEN_ARMS) return optional(armTable(changes), 'compact');
  const part = (quiet: boolean): Changes => ({ ...changes, arms: changes.arms.filter(arm => QUIET.includes(arm.outcome) === quiet) });
  const rest = armTable(part(true));
  return html`${optional(armTable(part(false)), 'compact')}
${rest === undefined ? undefined : html`<details><summary>${plural(rest.rows.length, 'arm')} within noise, or with more seeds</summary>${htmlTable(rest, 'compact')}</details>`}`;
}

const optional = (data: Table | undefined, className: string): Markup | undefined => (data === undefined ? undefined : htmlTable(data, className));
