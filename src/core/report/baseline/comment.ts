/** What changed, as a comment on a pull request: short Markdown with the headline numbers, one chart and links. */
import { armRule } from './arms.ts';
import { armSentence, armTable, chanceNote, claimChangeTable, claimSentence, conflictSentence, conflictTable, costSentence, summaryTable } from './tables.ts';
import { hasChanges, type Changes } from './baseline.ts';
import { escapeMarkdown, markdownTable } from '../render/markdown.ts';
import type { Report } from '../model/model.ts';
import { reportKicker } from '../model/wording.ts';

/** Rows of each table; the page has the rest. */
const ROWS = { conflicts: 3, arms: 9, claims: 7 } as const;

export interface CommentInput {
  readonly report: Report;
  readonly changes: Changes;
  /** Address of the report's folder, for links: a path, or a URL of the commit's files. */
  readonly folder: string;
  /** `README.md` of the report: its first chart is the comment's. */
  readonly readme: string | undefined;
}

export function renderComment({ report, changes, folder, readme }: CommentInput): string {
  const { baseline, before, conflicts } = changes;
  const title = `### ${escapeMarkdown(`${reportKicker(report)}, against ${baseline}`)}`;
  const links = `[Report](${folder}/README.md) · [records](${folder}/results.jsonl)`;
  const [verdict] = report.verdict;
  if (before !== undefined && !hasChanges(changes)) return `${title}\n\nNo arm, claim or result changed. **${escapeMarkdown(verdict ?? '')}** ${links}\n`;
  const parts = [
    title,
    ...(conflicts.length === 0 ? [] : [`> [!CAUTION]\n> ${escapeMarkdown(conflictSentence(changes))}`, ...optional(conflictTable(changes, ROWS.conflicts))]),
    `**${escapeMarkdown(verdict ?? '')}**`,
    markdownTable(summaryTable(changes)),
    ...(before === undefined ? ['The baseline has no report of this profile: all of it is new.'] : changed(changes)),
    ...chart(folder, readme),
    links,
    ...(changes.arms.some(arm => arm.difference !== undefined) ? [`<sub>${[armRule, chanceNote(changes) ?? ''].map(escapeMarkdown).join(' ').trim()}</sub>`] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

const changed = (changes: Changes): string[] => [
  [armSentence(changes), claimSentence(changes), costSentence(changes)].map(escapeMarkdown).join(' '),
  ...optional(armTable(changes, ROWS.arms)),
  ...optional(claimChangeTable(changes, ROWS.claims)),
];

const optional = (data: Parameters<typeof markdownTable>[0] | undefined): string[] => (data === undefined ? [] : [markdownTable(data)]);

/** GitHub shows a committed SVG in a comment only by an address that serves the file itself. */
function chart(folder: string, readme: string | undefined): string[] {
  const [, alt, path] = /^!\[(.*)\]\((figures\/[\w.-]+\.svg)\)$/m.exec(readme ?? '') ?? [];
  return path === undefined ? [] : [`![${alt ?? ''}](${folder}/${path}${folder.includes('://') ? '?raw=true' : ''})`];
}
