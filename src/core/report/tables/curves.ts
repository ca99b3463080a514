/** Values of training curves as a table: what a chart of lines shows, at five places of the run. */
import { curveLines, placeAt, type CurveLine } from '../model/curves.ts';
import { formatValue, type Unit } from '../../text/format.ts';
import type { AblationReport, CurveChart } from '../model/model.ts';
import { right, type Cell, type Table } from './results.ts';

const SHARES = [0, 0.25, 0.5, 0.75, 1] as const;
const shareText = (share: number): string => (share === 0 ? 'first' : share === 1 ? 'last' : `${100 * share} %`);
const epochText = (epoch: number): string => `epoch ${Number(epoch.toFixed(2))}`;

/** Five values of every line of a chart; all points are in `results.jsonl`. */
export function curveTable({ title }: AblationReport, chart: CurveChart): Table {
  const lines = curveLines(chart.series);
  const labels = new Map(chart.series.map(s => [s.arm, s.label]));
  const epochs = commonEpochs(lines);
  const mean = lines.some(({ spread }) => spread !== undefined);
  return {
    subject: `${title}, training curves`,
    caption: `${chart.title}${chart.unit === 'fraction' ? ' (%)' : ''}, values along the run`,
    corner: 'Arm',
    columns: SHARES.map((share, i) => right(epochs === undefined ? shareText(share) : `${shareText(share)}, ${epochText(epochs[i]!)}`)),
    rows: lines.map(line => ({
      header: labels.get(line.arm)!,
      ...(line.n > 1 ? { detail: `${line.n} seeds` } : mean ? { detail: '1 seed' } : {}),
      cells: SHARES.map(share => curveCell(line, share, chart.unit, epochs === undefined)),
    })),
    notes: mean ? ['Of several seeds: their mean \u00b1 sample standard deviation.'] : [],
  };
}

function curveCell({ points, spread }: CurveLine, share: number, unit: Unit, withEpoch: boolean): Cell {
  const place = placeAt(points, share);
  const [epoch, value] = points[place]!;
  const details = [...(spread === undefined ? [] : [`\u00b1 ${formatValue(spread[place]!, unit)}`]), ...(withEpoch ? [epochText(epoch)] : [])];
  return { text: formatValue(value, unit), ...(details.length === 0 ? {} : { detail: details.join(', ') }) };
}

/** Undefined where lines were recorded at different epochs. */
function commonEpochs(lines: readonly CurveLine[]): readonly number[] | undefined {
  const [first, ...others] = lines.map(({ points }) => SHARES.map(share => points[placeAt(points, share)]![0]));
  return others.every(epochs => epochs.every((epoch, i) => epoch === first![i])) ? first : undefined;
}
