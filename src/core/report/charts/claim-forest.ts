/** Forest of all claims: the comparison that stands for each, measured and published, on one axis of differences. */
import type { ForestChart, ForestRow } from './vega/chart.ts';
import { shownNumber } from './vega/numbers.ts';
import { bothEnds, endsText, outsideText } from './extremes.ts';
import { formatDelta, formatPublishedDelta, plural } from '../../text/format.ts';
import type { ClaimResult, PairResult } from '../model/claims.ts';
import type { Report } from '../model/model.ts';
import { left, NONE, right, type Cell, type Table, type TableRow } from '../tables/results.ts';
import { ablationAnchor, claimAnchor } from '../tables/anchors.ts';
import { comparisonText, stateText } from '../tables/claims.ts';
import type { Direction } from '../statistics/verdict.ts';
import { byOrigin, claimsCaption, claimsCorner, verdictWord } from '../model/words.ts';

/** A claim with the name of the table that it stands in. */
interface PlacedClaim {
  readonly claim: ClaimResult;
  readonly group: string;
}

const placedClaims = ({ ablations }: Report): PlacedClaim[] => ablations.flatMap(({ table, title, claims }) => claims.map(claim => ({ claim, group: `${table}: ${title}` })));

const drawnClaims = (report: Report): readonly PlacedClaim[] => bothEnds(placedClaims(report), ({ claim }) => claim.deciding.delta);

/** Undefined where no claim is measured. */
export function claimForest(report: Report): ForestChart | undefined {
  const drawn = drawnClaims(report);
  if (drawn.every(({ claim }) => claim.deciding.delta === undefined)) return undefined;
  const claims = drawn.map(({ claim }) => claim);
  const published = claims.some(({ deciding }) => deciding.published !== undefined);
  return {
    kind: 'forest',
    axis: differenceAxis(claims),
    sides: { left: 'against', right: byOrigin(claims).some(({ origin }) => origin === 'published') ? 'as claimed' : 'as supposed' },
    columns: [
      { label: '\u25cf Measured', align: 'right' },
      ...(published ? [{ label: '\u25c7 Published', align: 'right', wideOnly: true } as const] : []),
      { label: 'Verdict', align: 'left', coloured: true },
    ],
    rows: drawn.map(placed => claimRow(placed, published)),
    choose: false,
  };
}

/** Named where all are of one number; shares of all kinds are points. */
function differenceAxis(claims: readonly ClaimResult[]): string {
  const measures = new Map(claims.map(({ deciding: { measure } }) => [measure.name, measure]));
  const [first, another] = measures.values();
  const points = [...measures.values()].every(({ unit }) => unit === 'fraction') ? ' (points)' : '';
  return another === undefined ? `Difference in ${first!.label}${points}` : `Difference, above zero better${points}`;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function claimRow({ claim, group }: PlacedClaim, withPublished: boolean): ForestRow {
  const { deciding, verdict } = claim;
  const {
    delta,
    interval,
    published,
    measure: { unit },
  } = deciding;
  const word = shortState(claim);
  const texts = [measuredText(deciding), ...(withPublished ? [publishedText(deciding)] : []), word];
  const what = drawnComparison(claim);
  return {
    label: claim.sentence,
    group,
    ...(delta === undefined
      ? {}
      : {
          measured: {
            value: shownNumber(delta, unit),
            ...(interval === undefined ? {} : { low: shownNumber(interval.low, unit), high: shownNumber(interval.high, unit) }),
            notes: [`Measured: ${measuredText(deciding)}${interval === undefined ? '' : ` ${intervalText(deciding)}`}, ${stateText(claim)}`, what],
          },
        }),
    ...(published === undefined ? {} : { published: { value: published.gap, notes: [`Published: ${publishedText(deciding)}`, what] } }),
    margin: shownNumber(deciding.margin, unit),
    texts,
    verdict: verdict === 'reproduced' || verdict === 'contradicted' ? verdict : 'none',
  };
}

/** Beside the marks there is room for few words. */
function shortState(claim: ClaimResult): string {
  const { verdict, seeds } = claim;
  if (verdict === 'interim') return `${seeds.n} of ${plural(seeds.declared, 'seed')}`;
  return (verdict === 'no verdict' || verdict === 'exploratory') && seeds.n > 1 ? verdict : stateText(claim);
}

const measuredText = ({ delta, measure: { unit } }: PairResult): string => (delta === undefined ? '\u2013' : formatDelta(delta, unit));

const publishedText = ({ published }: PairResult): string => (published === undefined ? '\u2013' : formatPublishedDelta(published.gap));

const intervalText = ({ interval, measure: { unit } }: PairResult): string => (interval === undefined ? '' : `[${formatDelta(interval.low, unit)}, ${formatDelta(interval.high, unit)}]`);

/** What is drawn for a claim: of several comparisons, the one that goes most against it. */
const drawnComparison = ({ deciding, pairs }: ClaimResult): string => `${comparisonText(deciding)}${pairs.length === 1 ? '' : `, the weakest of ${pairs.length} comparisons`}`;

/** What the marks mean: only those that are there. */
export function claimForestCaption(report: Report, chart: ForestChart): string {
  const { rows } = chart;
  const has = (test: (row: ForestRow) => boolean): boolean => rows.some(test);
  const bars = has(row => row.measured?.low !== undefined);
  const claims = drawnClaims(report).map(({ claim }) => claim);
  const types = new Set(claims.map(({ deciding }) => deciding.type));
  const shapes = [
    ...(has(row => row.verdict === 'reproduced') ? [`\u25a0 ${wordsOf('reproduced', claims)}`] : []),
    ...(has(row => row.verdict === 'contradicted') ? [`\u2715 ${wordsOf('contradicted', claims)}`] : []),
    ...(has(row => row.verdict === 'none' && row.measured !== undefined) ? ['\u25cf without a verdict'] : []),
  ];
  return [
    `A row for each ${one(claims)}: the comparison that decides about it, of several the weakest. Filled marks are measured (${shapes.join(', ')})${has(row => row.published !== undefined) ? ', hollow ones published' : ''}.`,
    bars ? 'Bars: the interval that decides.' : `No bars: no ${one(claims)} has the seeds for an interval.`,
    ...(has(row => (row.margin ?? 0) > 0) ? [bandText(types, bars, wordsOf('reproduced', claims))] : []),
    ...(types.has('same') && !bars ? ['What is said to make no difference belongs at zero, not to the right.'] : []),
    ...outsideText(chart),
    endsText(rows.length, placedClaims(report).length, many(claims), 'the tables'),
  ]
    .filter(Boolean)
    .join(' ');
}

const one = (claims: readonly ClaimResult[]): string => claimsCorner(claims).toLowerCase();
const many = (claims: readonly ClaimResult[]): string => claimsCaption(claims).toLowerCase();

/** A verdict as it is told of these claims. */
const wordsOf = (verdict: 'reproduced' | 'contradicted', claims: readonly ClaimResult[]): string =>
  byOrigin(claims)
    .map(({ origin }) => verdictWord(verdict, origin))
    .join(' or ');

/** With where a bar has to be, for the types of claims that there are. */
function bandText(types: ReadonlySet<PairResult['type']>, bars: boolean, reproduced: string): string {
  const band = 'Band: the margin, differences too small to matter';
  if (!bars) return `${band}.`;
  const needs = [
    ...(types.has('greater') ? ['right of it'] : []),
    ...(types.has('not-worse') ? ['right of its left edge for \u201cnot below\u201d'] : []),
    ...(types.has('same') ? ['inside it for \u201cno different\u201d'] : []),
  ];
  return `${band}; what is ${reproduced} has its bar ${needs.join(', ')}.`;
}

/** The chart in words. */
export function claimForestAlt(report: Report, chart: ForestChart): string {
  const { rows } = chart;
  const claims = drawnClaims(report).map(({ claim }) => claim);
  const side = (value: number, margin: number): 'as claimed' | 'against' | 'within' => (value > margin ? 'as claimed' : value < -margin ? 'against' : 'within');
  const count = (values: readonly (readonly [value: number, margin: number])[]): string => {
    const of = (name: ReturnType<typeof side>): number => values.filter(value => side(...value) === name).length;
    return `${of('as claimed')} in the ${byOrigin(claims).some(({ origin }) => origin === 'published') ? 'claimed' : 'supposed'} direction, ${of('against')} against it, ${of('within')} between`;
  };
  const directions = claims.flatMap(({ verdict, direction }) => (verdict === 'reproduced' ? 'agrees' : verdict === 'contradicted' ? 'disagrees' : (direction ?? [])));
  const pointing = (direction: Direction): number => directions.filter(each => each === direction).length;
  const published = rows.flatMap(({ published: mark, margin = 0 }) => (mark === undefined ? [] : [[mark.value, margin] as const]));
  const verdicts = (verdict: ForestRow['verdict']): number => rows.filter(row => row.verdict === verdict).length;
  return [
    `Forest plot of ${plural(rows.length, one(claims), many(claims))} in ${plural(new Set(rows.map(({ group }) => group)).size, 'table')}, each as a ${lowerFirst(differenceAxis(claims).replace(/ \(points\)$/, ''))}.`,
    `${directions.length} measured: ${pointing('agrees')} agree, ${pointing('disagrees')} disagree, ${pointing('within noise')} within noise.`,
    ...(published.length === 0 ? [] : [`${published.length} published: ${count(published)}.`]),
    `${verdicts('reproduced')} ${wordsOf('reproduced', claims)}, ${verdicts('contradicted')} ${wordsOf('contradicted', claims)}, ${verdicts('none')} without a verdict.`,
    endsText(rows.length, placedClaims(report).length, many(claims), 'the tables'),
  ]
    .filter(Boolean)
    .join(' ');
}

/** The numbers of the chart, of all claims; undefined where there is no chart. */
export function claimForestTable(report: Report): Table | undefined {
  if (claimForest(report) === undefined) return undefined;
  const claims = placedClaims(report).map(({ claim }) => claim);
  const columns = COLUMNS.filter(({ known }) => claims.some(({ deciding }) => known(deciding)));
  return {
    subject: claimsCaption(claims),
    caption: `The comparison that decides about each ${one(claims)}`,
    corner: claimsCorner(claims),
    columns: [left('Compared'), ...columns.map(({ label }) => right(label)), left('Verdict')],
    rows: report.ablations.flatMap(({ name, table, title, claims: ofTable }): TableRow[] =>
      ofTable.length === 0
        ? []
        : [
            { header: `${table}: ${title}`, href: ablationAnchor(name), group: true, cells: [] },
            ...ofTable.map(claim => ({
              header: claim.sentence,
              href: claimAnchor(claim),
              cells: [{ text: drawnComparison(claim) }, ...columns.map(({ known, text }) => (known(claim.deciding) ? { text: text(claim.deciding) } : NONE)), verdictCell(claim)],
            })),
          ],
    ),
    notes: [],
  };
}

interface NumberColumn {
  readonly label: string;
  readonly known: (pair: PairResult) => boolean;
  readonly text: (pair: PairResult) => string;
}

const COLUMNS: readonly NumberColumn[] = [
  { label: 'Measured \u0394', known: ({ delta }) => delta !== undefined, text: measuredText },
  { label: 'Interval', known: ({ interval }) => interval !== undefined, text: intervalText },
  { label: 'Margin', known: ({ margin }) => margin > 0, text: ({ margin, measure: { unit } }) => formatDelta(margin, unit).replace('+', '\u00b1') },
  { label: 'Published \u0394', known: ({ published }) => published !== undefined, text: publishedText },
];

const verdictCell = (claim: ClaimResult): Cell => ({
  text: stateText(claim),
  tone: claim.verdict === 'reproduced' ? 'agree' : claim.verdict === 'contradicted' ? 'disagree' : 'muted',
});
