/** The section of one ablation. */
import { ablationAnchor } from '../../tables/anchors.ts';
import { claimTable } from '../../tables/claims.ts';
import { inconsistencyTable, referenceTable } from '../../tables/context.ts';
import { curveTable } from '../../tables/curves.ts';
import { foldedTable, plainTable } from '../../tables/plain.ts';
import { failureTable, resultTable, type Table } from '../../tables/results.ts';
import { besideText, twoWayTable } from '../../tables/two-way.ts';
import { breakdownTable } from '../../charts/breakdown-chart.ts';
import { FOREST, otherFigureId, resultFigureId } from '../../charts/figures.ts';
import type { AblationReport, Report } from '../../model/model.ts';
import { capitalised, plural } from '../../../text/format.ts';
import { slug } from '../../../text/clean.ts';
import type { Block, Inline } from './blocks.ts';
import { details, headed, only, paragraph, small, tableOf } from './parts.ts';

export function ablationSection(report: Report, ablation: AblationReport, figures: ReadonlySet<string>): Block {
  const { name, title, table, question, expected, finding, warnings, footnotes } = ablation;
  const figure = resultFigureId(ablation);
  return {
    type: 'section',
    id: ablationAnchor(name),
    kicker: table,
    title,
    blocks: [
      paragraph([question, ' Expected: ', expected], 'question'),
      ...only('page', [paragraph([finding.join(' ')], 'quiet')]),
      ...(warnings.length === 0 ? [] : [{ type: 'caution', blocks: warnings.map(warning => paragraph([warning])) } as const]),
      ...(ablation.others.length === 0 ? results(ablation) : severalResults(report, ablation)),
      // The README has one figure: that of all claims, or where there is none those of the tables.
      ...(figures.has(figure) ? [{ type: 'figure', id: figure, ...(figures.has(FOREST) ? { on: 'page' as const } : {}) } as const] : []),
      ...only(
        'page',
        ablation.others.flatMap(other => otherResults(other, figures)),
      ),
      ...tableOf(failureTable(ablation), 'values'),
      ...claims(claimTable(ablation)),
      ...only('page', [
        ...references(ablation),
        ...tableOf(inconsistencyTable(ablation), 'claims'),
        ...pictures(ablation),
        ...brokenDown(ablation, figures),
        ...small(footnotes),
        paragraph(files(ablation), 'small'),
        ...curves(ablation, figures),
      ]),
    ],
  };
}

/**
 * Both tables, or on the README that of two axes alone where every arm is in it and it is shorter. A README shows no captions, and has few
 * lines for the small print.
 */
function results(ablation: AblationReport): Block[] {
  const { rows, images, footnotes } = ablation;
  const plain = resultTable(ablation);
  const crossed = twoWayTable(ablation);
  const instead = crossed !== undefined && crossed.rows.length < rows.length && rows.every(row => row.crossed !== undefined);
  const [table, ...notes] = tableOf(plain, 'results');
  const byAxes = crossed === undefined ? [] : tableOf({ ...crossed, notes: [] }, 'crossed');
  const below = (caption: string): Block[] => small([`${caption}.${images === undefined ? '' : ` ${images}`}`]);
  return [
    ...only('page', [table!, ...notes, ...small(images === undefined ? [] : [images]), ...byAxes]),
    ...only('readme', [
      ...(instead ? [...byAxes, ...below(crossed.caption), ...small([besideText(ablation)].filter(text => text !== undefined))] : [table!, ...below(plain.caption)]),
      ...notes,
      paragraph([...footnotes.map(note => `${note} `), ...files(ablation)], 'small'),
    ]),
  ];
}

/** All numbers side by side, as a paper prints them; with what else is known of each on the page alone. */
function severalResults(report: Report, ablation: AblationReport): Block[] {
  const { images, footnotes } = ablation;
  const all = plainTable(report, ablation);
  return [
    ...only('page', tableOf(all, 'results')),
    ...only('readme', tableOf(foldedTable(all), 'results')),
    ...only('page', [...small(images === undefined ? [] : [images]), ...headed(capitalised(ablation.measure.label), tableOf(resultTable(ablation), 'results'))]),
    ...only('readme', [...small([`${all.caption}.${images === undefined ? '' : ` ${images}`}`]), paragraph([...footnotes.map(note => `${note} `), ...files(ablation)], 'small')]),
  ];
}

/** Folded away: the table of all numbers has these values. */
function otherResults(other: AblationReport, figures: ReadonlySet<string>): Block[] {
  const figure = otherFigureId(other);
  return details(`${capitalised(other.measure.label)}: differences to the default`, [
    paragraph([other.finding.join(' ')], 'quiet'),
    ...tableOf(resultTable(other), 'results'),
    ...(figures.has(figure) ? [{ type: 'figure', id: figure } as const] : []),
    ...references(other),
  ]);
}

/** The README has the claims, the page every comparison in them. */
function claims(data: Table | undefined): Block[] {
  if (data === undefined) return [];
  const whole = { ...data, rows: data.rows.filter(({ part }) => part !== true).map(row => ({ ...row, marked: false })) };
  return [...only('page', tableOf(data, 'claims')), ...only('readme', tableOf(whole, 'claims'))];
}

function files({ name, curves }: AblationReport): Inline[] {
  const path = `tables/${slug(name)}`;
  return [
    'This table as ',
    { text: 'CSV', href: `${path}.csv` },
    ', ',
    { text: 'LaTeX', href: `${path}.tex` },
    ' and ',
    { text: 'plain LaTeX', href: `${path}-plain.tex` },
    ...(curves.length === 0 ? ['.'] : ['; ', { text: 'curves', href: `${path}-curves.csv` }, '.']),
  ];
}

/** Published rows up to this number stand open. */
const OPEN_REFERENCES = 5;

function references(ablation: AblationReport): Block[] {
  const data = referenceTable(ablation);
  const table = tableOf(data, 'reference');
  if (data === undefined || data.rows.length <= OPEN_REFERENCES) return table;
  return details(`${plural(data.rows.length, 'published row')} for reference, never run here`, table);
}

const pictures = (ablation: AblationReport): Block[] =>
  ablation.pictures.flatMap(table => headed(table.title, [{ type: 'pictures', table }, ...small(table.legend === undefined ? [] : [table.legend])]));

/** Numbers of results over an axis. */
const brokenDown = (ablation: AblationReport, figures: ReadonlySet<string>): Block[] =>
  ablation.breakdowns.flatMap((breakdown): Block[] => [
    ...headed(breakdown.title, figures.has(breakdown.id) ? [{ type: 'figure', id: breakdown.id }] : []),
    ...details(`Values of \u201c${breakdown.title}\u201d`, tableOf(breakdownTable(breakdown), 'values')),
  ]);

/** Folded away: a dozen charts would hide the tables between them. */
function curves(ablation: AblationReport, figures: ReadonlySet<string>): Block[] {
  const items = ablation.curves.flatMap((chart): Block[][] =>
    figures.has(chart.id) ? [[{ type: 'figure', id: chart.id }, ...details(`Values of \u201c${chart.title}\u201d`, tableOf(curveTable(ablation, chart), 'values'))]] : [],
  );
  return items.length === 0 ? [] : details('Training curves', [{ type: 'gallery', items }]);
}
