/** Tables beside the results: what is where, order against the paper, published rows that are never run, contradictions of the paper, assumed values. */
import { ablationAnchor } from './anchors.ts';
import { countClaims } from '../model/claims.ts';
import { decidable } from '../statistics/compare.ts';
import { formatPublished, formatPValue, formatTau } from '../../text/format.ts';
import type { AblationReport, Report } from '../model/model.ts';
import { tablesOf } from '../model/tables-of.ts';
import { rankRule, type RankAgreement } from '../statistics/rank.ts';
import { claimCountText } from '../model/wording.ts';
import { byOrigin, claimsCaption } from '../model/words.ts';
import { left, NONE, right, type Cell, type Table } from './results.ts';

/** One row per ablation: the list of contents, with how its claims came out. */
export function contentsTable({ ablations }: Report): Table {
  const caption = claimsCaption(ablations.flatMap(({ claims }) => claims));
  return {
    subject: 'Contents',
    caption: 'Ablations of this report',
    corner: 'Ablation',
    columns: [left('Table'), right('Arms measured'), left(caption)],
    rows: ablations.map(({ name, title, table, rows, claims }) => {
      const measured = rows.filter(row => row.measured !== undefined).length;
      const texts = byOrigin(claims).map(({ origin, claims: ofOrigin }) => claimCountText(countClaims(ofOrigin), origin));
      return {
        header: title,
        href: ablationAnchor(name),
        cells: [{ text: table }, { text: `${measured} of ${rows.length}` }, texts.length === 0 ? NONE : { text: texts.join('; ') }],
      };
    }),
    notes: [],
  };
}

/** How the measured order of a table's arms relates to the published one; undefined where no table has arms to order. */
export function orderTable({ ablations, rule }: Report): Table | undefined {
  const ordered = ablations.flatMap(tablesOf).filter(({ order, rank }) => decidable(order) > 0 || rank !== undefined);
  if (ordered.length === 0) return undefined;
  return {
    subject: 'Order of arms',
    caption: 'Pairs of arms that are published apart and measured with enough seeds, and the rank correlation',
    corner: 'Ablation',
    columns: [right('As published'), right('Opposite'), right('Within noise'), right('Kendall\u2019s \u03c4')],
    rows: ordered.map(({ name, title, table, order, rank }) => ({
      header: `${table}: ${title}`,
      href: ablationAnchor(name),
      cells: [...[order.same, order.opposite, order.withinNoise].map((count): Cell => (decidable(order) === 0 ? NONE : { text: String(count) })), tauCell(rank)],
    })),
    notes: [...(ordered.some(({ order }) => decidable(order) > 0) ? [rule] : []), ...(ordered.some(({ rank }) => rank !== undefined) ? [rankRule] : [])],
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
