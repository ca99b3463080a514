/** Forest of an ablation: how far each arm is from the default arm, measured and published, on one axis. */
import type { ForestChart, ForestRow } from './vega/chart.ts';
import { shownNumber } from './vega/numbers.ts';
import { bothEnds, endsText, outsideText } from './extremes.ts';
import { formatDelta, formatPublished, formatPublishedDelta, formatValue, type Unit } from '../../text/format.ts';
import { barsRule, halfInterval } from '../model/mean-interval.ts';
import { metricLabel } from '../tables/results.ts';
import type { AblationReport, ArmRow } from '../model/model.ts';
import type { ShownMeasure } from '../model/measure.ts';

/** A single difference is a number, not a picture. */
const FEWEST_POINTS = 2;

/** Differences where there are some; without a default arm that is measured, the values of the arms themselves. Undefined when there are fewer than two. */
export function armForest({ rows, measure: headline }: AblationReport): ForestChart | undefined {
  if (hasDifferences(rows)) return rows.filter(row => row.delta !== undefined).length < FEWEST_POINTS ? undefined : differenceForest(rows, headline);
  return rows.filter(row => row.measured !== undefined).length < FEWEST_POINTS ? undefined : valueForest(rows, headline);
}

export const hasDifferences = (rows: readonly ArmRow[]): boolean => rows.some(row => row.delta !== undefined);

const drawnRows = (rows: readonly ArmRow[]): readonly ArmRow[] => bothEnds(rows, row => (hasDifferences(rows) ? row.delta?.value : row.measured?.mean), { kept: row => row.isDefault });

/** Letters of a name that fit below an axis on a phone, with what stands before it. */
const MOST_LETTERS = 24;

/** What a number is measured in, in words; a long name stands above the chart alone. */
export const differenceTitle = ({ label, unit }: ShownMeasure): string => `Difference to the default${label.length > MOST_LETTERS ? '' : `, ${label}`}${unit === 'fraction' ? ' (points)' : ''}`;

function differenceForest(rows: readonly ArmRow[], headline: ShownMeasure): ForestChart {
  const base = new Map(rows.find(row => row.isDefault)?.measured?.perSeed.map(({ seed, value }) => [seed, value]));
  const published = rows.some(row => row.published?.delta !== undefined);
  return {
    kind: 'forest',
    axis: differenceTitle(headline),
    sides: { left: 'lower', right: 'higher' },
    columns: [{ label: '\u25cf Measured', align: 'right' }, ...(published ? [{ label: '\u25c7 Published', align: 'right' } as const] : [])],
    rows: drawnRows(rows).map(row => differenceRow(row, base, headline.unit, published)),
    choose: true,
  };
}

function differenceRow(row: ArmRow, base: ReadonlyMap<number, number>, unit: Unit, withPublished: boolean): ForestRow {
  const { isDefault, delta, published, state } = row;
  const measured = delta === undefined ? (isDefault ? 'default' : state) : formatDelta(delta.value, unit);
  const paper = published?.delta === undefined ? (isDefault && published !== undefined ? 'default' : '\u2013') : formatPublishedDelta(published.delta);
  const seeds = row.measured?.perSeed.flatMap(({ seed, value }) => (base.has(seed) ? [shownNumber(value - base.get(seed)!, unit)] : [])) ?? [];
  return {
    ...named(row),
    ...(delta === undefined
      ? {}
      : {
          measured: {
            value: shownNumber(delta.value, unit),
            ...(delta.interval === undefined ? {} : { low: shownNumber(delta.interval.low, unit), high: shownNumber(delta.interval.high, unit) }),
            ...(seeds.length < 2 ? {} : { seeds }),
            notes: [
              `Measured: ${measured}${delta.interval === undefined ? '' : ` [${formatDelta(delta.interval.low, unit)}, ${formatDelta(delta.interval.high, unit)}]`}`,
              `${formatValue(row.measured!.mean, unit)}, n ${row.measured!.n}`,
            ],
          },
        }),
    ...(published?.delta === undefined ? {} : { published: { value: published.delta, notes: [`Published: ${paper}`, `${formatPublished(published.value)}, ${published.table}`] } }),
    texts: [measured, ...(withPublished ? [paper] : [])],
  };
}

function valueForest(rows: readonly ArmRow[], { label, unit }: ShownMeasure): ForestChart {
  return {
    kind: 'forest',
    axis: metricLabel({ label, unit }),
    columns: [{ label: '\u25cf Measured', align: 'right' }],
    rows: drawnRows(rows).map((row): ForestRow => {
      const { measured, state } = row;
      if (measured === undefined) return { ...named(row), texts: [state] };
      const text = formatValue(measured.mean, unit);
      const half = halfInterval(measured);
      return {
        ...named(row),
        measured: {
          value: shownNumber(measured.mean, unit),
          ...(half === undefined ? {} : { low: shownNumber(measured.mean - half, unit), high: shownNumber(measured.mean + half, unit) }),
          ...(measured.n < 2 ? {} : { seeds: measured.perSeed.map(({ value }) => shownNumber(value, unit)) }),
          notes: [`Measured: ${text}`, `n ${measured.n}`],
        },
        texts: [text],
      };
    }),
    choose: true,
  };
}

const named = ({ label, group, isDefault }: ArmRow): Pick<ForestRow, 'label' | 'group' | 'isDefault'> => ({ label, ...(isDefault ? { isDefault } : {}), ...(group === undefined ? {} : { group }) });

/** What the marks mean: only those that are there. */
export function armForestCaption({ rows }: AblationReport, chart: ForestChart): string {
  const has = (key: 'low' | 'seeds'): boolean => chart.rows.some(row => row.measured?.[key] !== undefined);
  const published = chart.rows.some(row => row.published !== undefined);
  const marks = published ? 'Filled marks are measured, hollow ones published' : 'Measured';
  return [
    chart.sides === undefined ? 'Measured values: there is no measured default arm to take differences to.' : `${marks}, each as the difference to the default arm.`,
    barsRule(rows),
    ...(has('seeds') ? ['Small dots: the seeds.'] : []),
    ...outsideText(chart),
    endsText(chart.rows.length, rows.length, 'arms', 'the table'),
  ]
    .filter(Boolean)
    .join(' ');
}

/** The numbers of the plot in words, for readers who do not see it. */
export function armForestAlt(ablation: AblationReport, chart: ForestChart): string {
  const { label } = ablation.measure;
  const texts = (column: number): string => chart.rows.map(row => `${row.label} ${row.texts[column]!}`).join('; ');
  const of = chart.sides === undefined ? label : `difference to the default arm in ${label}`;
  return `Forest plot of ${ablation.title}, ${of}. Measured: ${texts(0)}.${chart.columns.length > 1 ? ` Published: ${texts(1)}.` : ''}`;
}
