/** Overview of all tables: where each arm was measured against the place that the paper gives it. */
import type { MatrixCell, MatrixChart, MatrixRow } from './charts/chart.ts';
import { decidable } from './compare.ts';
import { formatPublished, formatPValue, formatTau, formatValue, plural } from './format.ts';
import type { AblationReport, ArmRow, Headline, Report } from './model.ts';

/** Arms whose published values compare with each other, lowest published first. */
const comparedArms = ({ rows }: AblationReport): ArmRow[] => rows.filter(row => row.published !== undefined && !row.published.elsewhere).sort((a, b) => a.published!.value - b.published!.value || a.index - b.index);

/**
 * Places above (+) or below (-) the published one, each among the arms that are measured. Arms that the paper gives one value
 * share their places: any of them is right.
 */
export function placesOff(arms: readonly { readonly published: number; readonly measured: number | undefined }[]): (number | null)[] {
  const known = arms.filter(arm => arm.measured !== undefined);
  return arms.map(({ published, measured }) => {
    if (measured === undefined) return null;
    const lowest = known.filter(other => other.published < published).length;
    const highest = known.filter(other => other.published <= published).length - 1;
    const below = known.filter(other => other.measured! < measured).length;
    const most = known.filter(other => other.measured! <= measured).length - 1;
    if (below > highest) return below - highest;
    return most < lowest ? most - lowest : 0;
  });
}

function matrixRow(ablation: AblationReport, headline: Headline): MatrixRow | undefined {
  const arms = comparedArms(ablation);
  if (arms.length < 2 || arms.every(arm => arm.measured === undefined)) return undefined;
  const off = placesOff(arms.map(arm => ({ published: arm.published!.value, measured: arm.measured?.mean })));
  const cells = arms.map((arm, i): MatrixCell => ({
    name: arm.label,
    off: off[i]!,
    notes: [`Measured: ${arm.measured === undefined ? arm.state : formatValue(arm.measured.mean, headline.unit)}`, `Published: ${formatPublished(arm.published!.value)}`],
  }));
  return { label: `${ablation.table}: ${ablation.title}`, cells, text: orderText(ablation) };
}

/** Kendall's tau with its range over seeds, or the chance of as much without any relation. */
function orderText({ rank, order }: AblationReport): string {
  if (rank === undefined) return decidable(order) === 0 ? 'nothing to compare' : `${order.same} of ${plural(decidable(order), 'pair')}`;
  const { tau, seeds, pValue } = rank;
  const uncertainty = seeds === undefined ? (pValue === undefined ? '' : `, p ${formatPValue(pValue)}`) : ` [${formatTau(seeds.low)}, ${formatTau(seeds.high)}]`;
  return `\u03c4 ${formatTau(tau)}${uncertainty}`;
}

/** Undefined below two tables with arms to order: a single one says it better itself. */
export function agreementChart({ ablations, headline }: Report): MatrixChart | undefined {
  const rows = ablations.flatMap(ablation => matrixRow(ablation, headline) ?? []);
  if (rows.length < 2) return undefined;
  return { kind: 'matrix', title: 'Order of arms against the paper', rows };
}

export const agreementAlt = ({ rows }: MatrixChart): string =>
  `Order of arms against the paper, a row for each table, arms from the lowest published to the highest. ${rows.map(({ label, cells, text }) => `${label}: ${text}, ${cells.filter(({ off }) => off === 0).length} of ${cells.length} arms in their place`).join('; ')}.`;
