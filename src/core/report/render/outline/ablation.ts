/** The section of one ablation. */
import { ablationAnchor } from '../../tables/anchors.ts';
import { claimTable } from '../../tables/claims.ts';
import { inconsistencyTable, referenceTable } from '../../tables/context.ts';
import { curveTable } from '../../tables/curves.ts';
import { failureTable, resultTable, type Table } from '../../tables/results.ts';
import { besideTable, twoWayTable } from '../../tables/two-way.ts';
import { resultFigureId } from '../../charts/figures.ts';
import type { AblationReport, Report } from '../../model/model.ts';
import { plural } from '../../../text/format.ts';
import { slug } from '../../../text/clean.ts';
import type { Block } from './blocks.ts';
import { details, only, paragraph, small, tableOf } from './parts.ts';

export function ablationSection(report: Report, ablation: AblationReport, figures: ReadonlySet<string>): Block {
  const { name, title, table, question, expected, finding, footnotes } = ablation;
  const figure = resultFigureId(ablation);
  return {
    type: 'section',
    id: ablationAnchor(name),
    kicker: table,
    title,
    blocks: [
      paragraph([question, ' Expected: ', expected], 'question'),
      ...only('page', [paragraph([finding.join(' ')], 'quiet')]),
      ...results(report, ablation),
      ...only('readme', [files(ablation)]),
      ...only('page', figures.has(figure) ? [{ type: 'figure', id: figure }] : []),
      ...tableOf(failureTable(ablation), 'values'),
      ...claims(claimTable(report, ablation)),
      ...only('page', [
        ...references(ablation),
        ...tableOf(inconsistencyTable(ablation), 'claims'),
        ...small(footnotes),
        files(ablation),
        ...curves(ablation, figures),
      ]),
    ],
  };
}

/** Where every arm is in the table of two axes, which is the shorter one, the README has that alone. */
function results(report: Report, ablation: AblationReport): Block[] {
  const plain = tableOf(resultTable(report, ablation), 'results');
  const crossed = twoWayTable(report, ablation);
  if (crossed === undefined) return plain;
  const { rows } = ablation;
  const beside = besideTable(report, ablation);
  if (crossed.rows.length >= rows.length || rows.some(row => row.crossed === undefined)) return [...plain, ...only('page', tableOf(crossed, 'crossed'))];
  return [...only('page', plain), ...tableOf(crossed, 'crossed'), ...only('readme', small(beside === undefined ? [] : [beside]))];
}

/** The README has the claims, the page every comparison in them. */
function claims(data: Table | undefined): Block[] {
  if (data === undefined) return [];
  const whole = { ...data, rows: data.rows.filter(({ part }) => part !== true).map(row => ({ ...row, marked: false })) };
  return [...only('page', tableOf(data, 'claims')), ...only('readme', tableOf(whole, 'claims'))];
}

function files({ name, curves }: AblationReport): Block {
  const path = `tables/${slug(name)}`;
  return paragraph(
    ['This table as ', { text: 'CSV', href: `${path}.csv` }, ' and ', { text: 'LaTeX', href: `${path}.tex` }, ...(curves.length === 0 ? [] : ['; ', { text: 'curves', href: `${path}-curves.csv` }])],
    'small',
  );
}

/** Published rows up to this number stand open. */
const OPEN_REFERENCES = 5;

function references(ablation: AblationReport): Block[] {
  const data = referenceTable(ablation);
  const table = tableOf(data, 'reference');
  if (data === undefined || data.rows.length <= OPEN_REFERENCES) return table;
  return details(`${plural(data.rows.length, 'published row')} for reference, never run here`, table);
}

/** Folded away: a dozen charts would hide the tables between them. */
function curves(ablation: AblationReport, figures: ReadonlySet<string>): Block[] {
  const items = ablation.curves.flatMap((chart): Block[][] =>
    figures.has(chart.id) ? [[{ type: 'figure', id: chart.id }, ...details(`Values of \u201c${chart.title}\u201d`, tableOf(curveTable(ablation, chart), 'values'))]] : [],
  );
  return items.length === 0 ? [] : details('Training curves', [{ type: 'gallery', items }]);
}
