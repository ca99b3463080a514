/** Arms of two crossed axes as a table of one by the other, with the means of its complete rows and columns. */
import { formatPublished, formatValue } from '../../text/format.ts';
import type { AblationReport, ArmRow } from '../model/model.ts';
import { mean } from '../statistics/statistics.ts';
import { elsewhereText } from './elsewhere.ts';
import { bestMean, measuredSigns, measuredWith, metricLabel, NONE, publishedSigns, resultNotes, right, type Cell, type Table, type TableRow } from './results.ts';

/** A grid with fewer of its cells filled is a list with holes. */
const FILLED = 3 / 4;
/** More columns than rows of more than these go down the page instead. */
const MOST_COLUMNS = 5;

interface Grid {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** By row, then column. */
  readonly arms: readonly (readonly (ArmRow | undefined)[])[];
}

/** Undefined unless the axes cross in at least two rows and two columns, nearly all cells of which have their one arm. */
function gridOf(rows: readonly ArmRow[]): Grid | undefined {
  const placed = rows.flatMap(arm => (arm.crossed === undefined ? [] : [{ arm, place: arm.crossed }]));
  const names = (axis: 0 | 1): string[] => [...new Set(placed.map(({ place }) => place[axis]))];
  const at = ([row, column]: readonly [string, string]): string => JSON.stringify([row, column]);
  const [down, across] = [names(0), names(1)];
  const cells = new Map(placed.map(({ arm, place }) => [at(place), arm]));
  const size = down.length * across.length;
  if (down.length < 2 || across.length < 2 || cells.size < placed.length || cells.size < FILLED * size) return undefined;
  if (across.length > MOST_COLUMNS && across.length > down.length) return { rows: across, columns: down, arms: across.map(column => down.map(row => cells.get(at([row, column])))) };
  return { rows: down, columns: across, arms: down.map(row => across.map(column => cells.get(at([row, column])))) };
}

/** Means of the arms by both axes; undefined where no two axes cross, or nothing is measured. */
export function twoWayTable(ablation: AblationReport): Table | undefined {
  const { measure, sources } = ablation;
  const grid = gridOf(ablation.rows);
  if (grid === undefined || grid.arms.flat().every(arm => arm?.measured === undefined)) return undefined;
  const best = bestMean(grid.arms.flat(), measure);
  const arms = grid.arms.flat();
  const small = [...(arms.some(arm => arm?.published !== undefined) ? ['published'] : []), ...(arms.some(arm => arm !== undefined && arm.elsewhere.length > 0) ? ['elsewhere'] : [])];
  const armCell = (arm: ArmRow | undefined): Cell => {
    if (arm === undefined) return NONE;
    const { measured, published: paper, state } = arm;
    const text = measured === undefined ? state : formatValue(measured.mean, measure.unit);
    const signs = measured === undefined ? '' : measuredSigns(arm);
    const details = [paper && `${formatPublished(paper.value)}${publishedSigns(paper)}`, elsewhereText(arm, measure.unit, sources)].filter(part => part !== undefined);
    return {
      // Not at the end of the cell, where the published value stands.
      text: `${text}${signs}`,
      ...(details.length === 0 ? {} : { detail: details.join('; ') }),
      ...(measured === undefined ? { tone: state === 'failed' ? 'disagree' : 'muted' } : text === best ? { tone: 'strong' } : {}),
    };
  };
  const meanCell = (arms: readonly (ArmRow | undefined)[]): Cell => {
    const [measured, paper] = [meanOf(arms.map(arm => arm?.measured?.mean)), meanOf(arms.map(arm => arm?.published?.value))];
    return { text: measured === undefined ? NONE.text : formatValue(measured, measure.unit), ...(paper === undefined ? {} : { detail: paper.toFixed(1) }), tone: 'muted' };
  };
  const body = grid.arms.map((arms, i): TableRow => ({ header: grid.rows[i]!, cells: [...arms.map(armCell), meanCell(arms)] }));
  const columns = grid.columns.map((_, i) => grid.arms.map(arms => arms[i]));
  return {
    subject: ablation.title,
    caption: `${measuredWith(ablation)}${small.length === 0 ? '' : `; small: ${small.join(', ')}`}. Mean: where every arm of the row or column has a value`,
    corner: metricLabel(measure),
    columns: [...grid.columns, 'Mean'].map(right),
    rows: [...body, ...marginRow([...columns, grid.arms.flat()].map(meanCell))],
    notes: resultNotes(ablation),
  };
}

/** Arms of the headroom have no place in the grid: what they came to, in a sentence; undefined where there are none. */
export function besideText({ headroom, measure, sources }: AblationReport): string | undefined {
  if (headroom.length === 0) return undefined;
  const texts = headroom.map(row => {
    const { label, measured } = row;
    return [`${label} ${measured === undefined ? 'not run' : formatValue(measured.mean, measure.unit)}`, elsewhereText(row, measure.unit, sources)].filter(part => part !== undefined).join(', ');
  });
  return `Beside them: ${texts.join('; ')}.`;
}

/** No row where no column is complete. */
const marginRow = (cells: readonly Cell[]): TableRow[] => (cells.every(({ text, detail }) => text === NONE.text && detail === undefined) ? [] : [{ header: 'Mean', aside: true, cells }]);

/** Undefined unless there are values, and all of them. */
function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter(value => value !== undefined);
  return known.length === 0 || known.length < values.length ? undefined : mean(known);
}
