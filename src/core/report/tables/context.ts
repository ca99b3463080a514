/** Tables beside the results: what is where, published rows that are never run, contradictions of the paper, assumed values. */
import { ablationAnchor } from './anchors.ts';
import { countClaims } from '../model/claims.ts';
import { decidable } from '../statistics/compare.ts';
import { formatPublished, formatPValue, formatTau } from '../../text/format.ts';
import type { AblationReport, Report } from '../model/model.ts';
import { rankRule, type RankAgreement } from '../statistics/rank.ts';
import { left, NONE, right, type Cell, type Table } from './results.ts';

const counted = (count: number, tone?: Cell['tone']): Cell => (count === 0 ? { text: '0', tone: 'muted' } : { text: String(count), ...(tone === undefined ? {} : { tone }) });

/** One row per ablation: the list of contents, with how each came out. */
export function contentsTable(report: Report): Table {
  return {
    subject: 'Contents',
    caption: 'Ablations, and how their claims and orders came out',
    corner: 'Ablation',
    columns: [
      left('Table'),
      right('Arms measured'),
      right('Claims'),
      right('Reproduced'),
      right('Contradicted'),
      right('Undecided'),
      right('Not run'),
      right('Order as published'),
      right('Kendall\u2019s \u03c4'),
    ],
    rows: report.ablations.map(ablation => {
      const { total, reproduced, contradicted, agrees, disagrees, withinNoise, notRun } = countClaims(ablation.claims);
      const measured = ablation.rows.filter(row => row.measured !== undefined).length;
      const pairs = decidable(ablation.order);
      return {
        header: ablation.title,
        href: ablationAnchor(ablation.name),
        cells: [
          { text: ablation.table },
          { text: `${measured} of ${ablation.rows.length}`, ...(measured < ablation.rows.length ? { tone: 'disagree' as const } : {}) },
          ...(total === 0
            ? [NONE, NONE, NONE, NONE, NONE]
            : [counted(total), counted(reproduced, 'agree'), counted(contradicted, 'disagree'), counted(agrees + disagrees + withinNoise), counted(notRun)]),
          pairs === 0 ? NONE : { text: `${ablation.order.same} of ${pairs}`, detail: pairs === 1 ? 'pair' : 'pairs' },
          tauCell(ablation.rank),
        ],
      };
    }),
    notes: ['Order: pairs of arms that the paper separates and that are measured.', ...(report.ablations.some(({ rank }) => rank !== undefined) ? [rankRule] : [])],
  };
}

function tauCell(rank: RankAgreement | undefined): Cell {
  if (rank === undefined) return NONE;
  const details = [
    rank.seeds === undefined ? '' : `[${formatTau(rank.seeds.low)}, ${formatTau(rank.seeds.high)}]`,
    rank.pValue === undefined ? 'too many arms for an exact p' : `p ${formatPValue(rank.pValue)}`,
  ].filter(Boolean);
  return { text: formatTau(rank.tau), detail: details.join(', ') };
}

/** Rows of the paper that no arm stands for; undefined when there are none. */
export function referenceTable({ title, references }: AblationReport): Table | undefined {
  if (references.length === 0) return undefined;
  const notes = references.some(row => row.note !== undefined);
  return {
    subject: title,
    caption: 'Published rows for reference, never run here',
    corner: 'Row of the paper',
    columns: [right('Published'), left('Unit'), left('Table'), ...(notes ? [left('Note')] : [])],
    rows: references.map(row => ({
      header: row.label,
      cells: [
        { text: formatPublished(row.value), ...(row.inferred ? { sign: '\u2020' } : {}) },
        { text: row.unit, tone: 'muted' },
        { text: row.table, tone: 'muted' },
        ...(notes ? [row.note === undefined ? NONE : { text: row.note }] : []),
      ],
    })),
    notes: references.some(row => row.inferred) ? ['\u2020 The source leaves open which of two rows this value belongs to; the row is inferred.'] : [],
  };
}

/** What the paper says in its text beside what it says in its tables; undefined when nothing is recorded. */
export function inconsistencyTable({ title, inconsistencies }: AblationReport): Table | undefined {
  if (inconsistencies.length === 0) return undefined;
  return {
    subject: title,
    caption: 'Where the paper disagrees with itself',
    corner: 'Its text',
    columns: [left('Its tables'), left('Source')],
    rows: inconsistencies.map(({ text, table, source }) => ({ header: text, cells: [{ text: table }, { text: source, tone: 'muted' }] })),
    notes: [],
  };
}

/** Values of the profile that no source gives; undefined when all have one. */
export function assumptionTable({ assumptions, profile }: Report): Table | undefined {
  if (assumptions.length === 0) return undefined;
  return {
    subject: 'Assumed values',
    caption: `Values of profile ${profile} without a source`,
    corner: 'Field',
    columns: [right('Value'), left('Reason')],
    rows: assumptions.map(({ field, value, reason }) => ({ header: field, cells: [{ text: value }, { text: reason }] })),
    notes: [],
  };
}
