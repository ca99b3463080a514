/** Overview of all tables: where each arm was measured against the place that the paper gives it. */
import type { MatrixChart, MatrixRow, PlaceCell } from './vega/chart.ts';
import { MOST_CELLS, offText } from './vega/matrix.ts';
import { ablationAnchor } from '../tables/anchors.ts';
import { decidable } from '../statistics/compare.ts';
import { formatPublished, formatPValue, formatTau, formatValue, plural } from '../../text/format.ts';
import type { AblationReport, ArmRow, Report } from '../model/model.ts';
import { tablesOf } from '../model/tables-of.ts';
import { FEWEST_ARMS } from '../statistics/rank.ts';
import { NONE, right, type Table } from '../tables/results.ts';

/** Arms whose published values compare with each other, lowest published first. */
const comparedArms = ({ rows }: AblationReport): ArmRow[] =>
  rows.filter(row => row.published !== undefined && !row.published.elsewhere).sort((a, b) => a.published!.value - b.published!.value || a.index - b.index);

/**
 * Places above (+) or below (-) the published one, each among the arms that are measured. Arms that the paper gives one value
 * share their places: any of them is right.
 * @internal
 */
export function placesOff(arms: readonly { readonly published: number; readonly measured: number | undefined }[]): PlaceCell['off'][] {
  const known = arms.filter(arm => arm.measured !== undefined);
  return arms.map(({ published, measured }) => {
    if (measured === undefined) return 'not measured';
    const lowest = known.filter(other => other.published < published).length;
    const highest = known.filter(other => other.published <= published).length - 1;
    const below = known.filter(other => other.measured! < measured).length;
    const most = known.filter(other => other.measured! <= measured).length - 1;
    if (below > highest) return below - highest;
    return most < lowest ? most - lowest : 0;
  });
}

/** A single measured arm is in no order, and neither are arms that the paper does not set apart. */
const hasOrder = ({ rank, order }: AblationReport): boolean => rank !== undefined || decidable(order) > 0;

function matrixRow(ablation: AblationReport): MatrixRow<PlaceCell> | undefined {
  const arms = comparedArms(ablation);
  if (arms.length < FEWEST_ARMS || arms.length > MOST_CELLS || arms.every(arm => arm.measured === undefined)) return undefined;
  const off = placesOff(arms.map(arm => ({ published: arm.published!.value, measured: arm.measured?.mean })));
  const ordered = hasOrder(ablation);
  const cells = arms.map((arm, i): PlaceCell => ({
    name: arm.label,
    off: ordered || arm.measured === undefined ? off[i]! : 'nothing to compare',
    notes: [
      `Measured: ${arm.measured === undefined ? arm.state : formatValue(arm.measured.mean, ablation.measure.unit)}`,
      `Published: ${formatPublished(arm.published!.value)}`,
      ...(ordered || arm.measured === undefined ? [] : ['Nothing to compare it with']),
    ],
  }));
  return { label: `${ablation.table}: ${ablation.title}`, cells, text: orderText(ablation), coloured: arms.every(({ measured }) => measured === undefined || measured.n > 1) };
}

/** Kendall's tau with its range over seeds, or the chance of as much without any relation. */
function orderText(ablation: AblationReport): string {
  const { rank, order } = ablation;
  if (rank === undefined) return hasOrder(ablation) ? `${order.same} of ${plural(decidable(order), 'pair')}` : 'nothing to compare';
  const { tau, seeds, pValue } = rank;
  const uncertainty = seeds === undefined ? (pValue === undefined ? '' : `, p ${formatPValue(pValue)}`) : ` [${formatTau(seeds.low)}, ${formatTau(seeds.high)}]`;
  return `\u03c4 ${formatTau(tau)}${uncertainty}`;
}

/** Undefined below two tables with arms to order: a single one says it better itself. */
export function agreementChart({ ablations }: Report): MatrixChart<PlaceCell> | undefined {
  const rows = ablations.flatMap(tablesOf).flatMap(table => matrixRow(table) ?? []);
  if (rows.length < 2) return undefined;
  return { kind: 'matrix', title: 'Order of arms against the paper', rows };
}

const CAPTION =
  `A row for each table of up to ${MOST_CELLS} arms, its arms from the lowest published value to the highest. The number: how many places higher (+) or lower (\u2212) an arm was measured than published; 0 is in place. ` +
  'Beside it Kendall\u2019s \u03c4 of the two orders: 1 is the same, \u22121 the reverse.';

/** With the signs that are used. */
export function agreementCaption({ rows }: MatrixChart<PlaceCell>): string {
  const used = new Set(rows.flatMap(({ cells }) => cells.map(({ off }) => off)));
  return [
    CAPTION,
    ...(rows.some(({ coloured }) => !coloured) ? ['Of arms with one seed, without colours: one seed decides nothing.'] : []),
    ...(rows.some(({ text }) => text.includes('[')) ? ['In brackets its range over single seeds.'] : []),
    ...(used.has('nothing to compare') ? [`${offText('nothing to compare')} is measured, with nothing to compare it with.`] : []),
    ...(used.has('not measured') ? [`${offText('not measured')} is not measured.`] : []),
  ].join(' ');
}

export const agreementAlt = ({ rows }: MatrixChart<PlaceCell>): string =>
  `Order of arms against the paper, a row for each table, arms from the lowest published to the highest. ${rows.map(row => `${row.label}: ${row.text}, ${placesText(row)}`).join('; ')}.`;

function placesText({ cells }: MatrixRow<PlaceCell>): string {
  const measured = cells.filter(({ off }) => off !== 'not measured').length;
  const placed = cells.filter(({ off }) => typeof off === 'number');
  if (placed.length === 0) return `${measured} of ${plural(cells.length, 'arm')} measured`;
  const missing = cells.length - measured;
  return `${placed.filter(({ off }) => off === 0).length} of ${missing === 0 ? plural(measured, 'arm') : `${measured} measured arms`} in their place${missing === 0 ? '' : `, ${missing} not measured`}`;
}

/** The numbers of the chart; undefined where there is none. */
export function agreementTable(report: Report): Table | undefined {
  const chart = agreementChart(report);
  if (chart === undefined) return undefined;
  return {
    subject: chart.title,
    caption: 'Arms of each table, from the lowest published value to the highest',
    corner: 'Arm',
    columns: [right('Published'), right('Measured'), right('Places off')],
    rows: report.ablations.flatMap(tablesOf).flatMap(ablation => {
      const row = matrixRow(ablation);
      if (row === undefined) return [];
      const arms = comparedArms(ablation);
      return [
        { header: row.label, detail: row.text, href: ablationAnchor(ablation.name), group: true, cells: [] },
        ...row.cells.map(({ name, off }, i) => ({
          header: name,
          cells: [
            { text: formatPublished(arms[i]!.published!.value) },
            arms[i]!.measured === undefined ? { text: arms[i]!.state, tone: 'muted' as const } : { text: formatValue(arms[i]!.measured.mean, ablation.measure.unit) },
            off === 'not measured' ? NONE : { text: typeof off === 'number' ? offText(off) : off, ...(typeof off === 'number' ? {} : { tone: 'muted' as const }) },
          ],
        })),
      ];
    }),
    notes: [],
  };
}
