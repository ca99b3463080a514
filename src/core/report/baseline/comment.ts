/** What changed, as a comment on a pull request: short Markdown that begins with what a reviewer must know, one chart and links. */
import { ablationOf } from './arms.ts';
import { adoptedSentence, changeSentence, changesVerdict, costSentence, judgedNotes, shiftOf, warningSentences } from './sentences.ts';
import { armTable, claimChangeTable, conflictTable, summaryTable } from './tables.ts';
import { hasChanges, type Changes } from './baseline.ts';
import { FOREST, resultFigureId } from '../charts/figures.ts';
import { escapeMarkdown, markdownTable } from '../render/markdown.ts';
import type { Report } from '../model/model.ts';
import { claimsCaption } from '../model/words.ts';

/** Rows of each table; the page has the rest. */
const ROWS = { conflicts: 3, arms: 9, claims: 7 } as const;

export interface CommentInput {
  readonly report: Report;
  readonly changes: Changes;
  /** Address of the report's folder, for links: a path, or a URL of the commit's files. */
  readonly folder: string;
  /** Whether the report has a figure of this id. */
  readonly hasFigure: (id: string) => boolean;
}

export function renderComment({ report, changes, folder, hasFigure }: CommentInput): string {
  const name = [report.profile, ...report.overrides].join(', ');
  const lead = `**${escapeMarkdown(`${name}: ${changeSentence(changes)}`)}**`;
  const source = `<sub>${escapeMarkdown(`Report of profile ${name} against ${changes.baseline}.`)} [Report](${folder}/README.md) \u00b7 [records](${folder}/results.jsonl)</sub>`;
  const small = (notes: readonly (string | undefined)[]): string[] => notes.flatMap(note => (note === undefined ? [] : [`<sub>${escapeMarkdown(note)}</sub>`]));
  const elsewhere = adoptedSentence(changes);
  if (!hasChanges(changes)) return `${[lead, ...small([elsewhere]), source].join('\n\n')}\n`;
  const notes = small([costSentence(changes), elsewhere, ...judgedNotes(changes)]);
  const parts = [
    ...caution(warningSentences(changes).map(warning => `${name}: ${warning}`)),
    lead,
    ...figure(report, changes, folder, hasFigure),
    ...tables(changes),
    escapeMarkdown(`Now: ${report.verdict.join(' ')}`),
    ...notes,
    source,
  ];
  return `${parts.join('\n\n')}\n`;
}

/** A block that no reviewer overlooks. */
const caution = (warnings: readonly string[]): string[] =>
  warnings.length === 0 ? [] : [['[!CAUTION]', ...warnings.map(warning => `**${escapeMarkdown(warning)}**`)].map(line => `> ${line}`).join('\n')];

/** Comments on several reports as one. @param warnings of all of them @param notes what a reader should know besides */
export const joinComments = (warnings: readonly string[], comments: readonly string[], notes: readonly string[]): string =>
  [...caution(warnings).map(text => `${text}\n`), ...comments, ...notes.map(note => `<sub>${escapeMarkdown(note)}</sub>\n`)].join('\n');

/** Where all of a report is new, its own tables have it. */
const tables = (changes: Changes): string[] =>
  changes.before === undefined
    ? []
    : [conflictTable(changes, ROWS.conflicts), armTable(changes, ROWS.arms), claimChangeTable(changes, ROWS.claims), summaryTable(changes)].flatMap(table =>
        table === undefined ? [] : [markdownTable(table)],
      );

/** That of the claims where a verdict changed, else of the ablation in which an arm moved most. GitHub shows a committed SVG in a comment only by an address that serves the file itself. */
function figure(report: Report, changes: Changes, folder: string, hasFigure: (id: string) => boolean): string[] {
  const ofClaims =
    changes.claims.some(changesVerdict) || changes.before === undefined
      ? [{ id: FOREST, alt: `All ${claimsCaption(report.ablations.flatMap(({ claims }) => claims)).toLowerCase()}: differences and margins` }]
      : [];
  const ofArms = byShift(report, changes).map(ablation => ({ id: resultFigureId(ablation), alt: `Results of \u201c${ablation.title}\u201d` }));
  const chosen = [...ofClaims, ...ofArms].find(({ id }) => hasFigure(id));
  return chosen === undefined ? [] : [`![${escapeMarkdown(chosen.alt)}](${folder}/figures/${chosen.id}.svg${folder.includes('://') ? '?raw=true' : ''})`];
}

/** Ablations in which an arm changed and is still there: by the largest shift of a mean, then by how many changed. */
function byShift({ ablations }: Report, { arms }: Changes): Report['ablations'][number][] {
  const there = arms.filter(({ now }) => now !== undefined).flatMap(arm => [arm.name, ...arm.also].map(name => ({ ablation: ablationOf(name), shift: shiftOf(arm) })));
  return ablations
    .map(ablation => ({ ablation, shifts: there.filter(arm => arm.ablation === ablation.name).map(({ shift }) => shift) }))
    .filter(({ shifts }) => shifts.length > 0)
    .sort((a, b) => Math.max(...b.shifts) - Math.max(...a.shifts) || b.shifts.length - a.shifts.length)
    .map(({ ablation }) => ablation);
}
