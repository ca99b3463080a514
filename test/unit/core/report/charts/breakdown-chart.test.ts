/** Numbers of one result over an axis: what is counted, what is drawn, and what is said of it. */
import { describe, expect, it } from 'vitest';
import type { BreakdownDeclaration, ProfileBase, Study } from '../../../../../src/core/ablation/declaration.ts';
import { breakdownAlt, breakdownCaption, breakdownLines, breakdownMatrix, breakdownTable } from '../../../../../src/core/report/charts/breakdown-chart.ts';
import { compileChart } from '../../../../../src/core/report/charts/vega/compile.ts';
import { firstView } from '../../../../../src/core/report/charts/vega/chart.ts';
import { renderSvg } from '../../../../../src/core/report/charts/svg/svg.ts';
import { breakdowns, type Breakdown } from '../../../../../src/core/report/model/breakdowns.ts';
import type { Placed } from '../../../../../src/core/report/model/usage.ts';

const declaration: BreakdownDeclaration = {
  role: 'bend',
  name: 'load',
  title: 'Breaks over load',
  notes: ['Of five trees.'],
  axis: 'load',
  places: () => [
    { label: 'light', metrics: ['oak_1', 'ash_1'] },
    { label: 'heavy', metrics: ['oak_2', 'ash_2'] },
  ],
  as: 'lines',
};
const study = (as: BreakdownDeclaration['as']): Study =>
  ({ kinds: [{ name: 'bend', metrics: { oak_1: { label: 'oak', unit: 'fraction', better: 'lower', help: '' } } }], report: { breakdowns: [{ ...declaration, as }] } }) as unknown as Study;

const bend = (seed: number, result: Record<string, number>, role = 'bend', state = 'done'): Placed =>
  ({ role, seed, record: { key: `${seed}`, kind: 'bend', state, result, uses: [{ ablation: 't', arm: 'a', seed, role }] } }) as unknown as Placed;
const all = (oak: number, ash: number): Record<string, number> => ({ oak_1: oak, ash_1: ash, oak_2: 2 * oak, ash_2: 2 * ash });

/** Two kinds of wood in two places, one of them with two seeds. */
function broken(as: BreakdownDeclaration['as'], crossed = true): Breakdown {
  const arm = (label: string, cross: readonly [string, string], placed: readonly Placed[]) => ({ label, declaration: crossed ? { crossed: cross } : {}, placed });
  const [one] = breakdowns(
    study(as),
    {} as ProfileBase,
    't',
    [
      arm('Wet, north', ['Wet', 'North'], [bend(0, all(0.1, 0.3)), bend(1, all(0.2, 0.4)), bend(7, all(0.9, 0.9))]),
      arm('Dry, north', ['Dry', 'North'], [bend(0, all(0.02, 0.04))]),
      arm('Wet, south', ['Wet', 'South'], [bend(0, all(0.4, 0.4))]),
      arm('Dry, south', ['Dry', 'South'], [bend(0, {}), bend(0, all(0.5, 0.5), 'other'), bend(1, {}, 'bend', 'failed')]),
    ],
    [0, 1],
  );
  return one!;
}

describe('numbers of one result', () => {
  it('are means over the numbers of a place and over the declared seeds, of arms that have them', () => {
    const { rows, id, unit, places } = broken('lines');
    expect([id, unit, places]).toEqual(['t-bend-by-load', 'fraction', ['light', 'heavy']]);
    expect(rows.map(({ label, n }) => [label, n])).toEqual([['Wet, north', 2], ['Dry, north', 1], ['Wet, south', 1]]); // prettier-ignore
    expect(rows.map(({ values }) => values.map(value => Number(value.toFixed(6))))).toEqual([[0.25, 0.5], [0.03, 0.06], [0.4, 0.8]]); // prettier-ignore
  });

  it('are nothing where no arm has them', () => {
    expect(breakdowns(study('lines'), {} as ProfileBase, 't', [{ label: 'x', declaration: {}, placed: [bend(0, {}, 'other')] }], [0])).toEqual([]);
  });
});

describe('lines over places', () => {
  it('have a panel for each column of crossed arms, in which a row has the same line', () => {
    const chart = breakdownLines(broken('lines'))!;
    expect(chart.series.map(({ label }) => label)).toEqual(['Wet', 'Dry']);
    expect(chart.panels.map(({ title, lines }) => [title, lines.map(({ series, y }) => [series, y])])).toEqual([
      ['North (%)', [[0, [25, 50]], [1, [3, 6]]]], // prettier-ignore
      ['South (%)', [[0, [40, 80]]]],
    ]);
    expect(chart.x).toEqual({ title: 'load', labels: ['light', 'heavy'] });
  });

  it('are one for each arm in one panel where arms are not crossed', () => {
    const chart = breakdownLines(broken('lines', false))!;
    expect(chart.panels.map(({ title, lines }) => [title, lines.length])).toEqual([['Breaks over load (%)', 3]]);
    expect(breakdownCaption(broken('lines', false))).toBe('Of five trees. Means over seeds.');
  });
});

describe('a matrix of arms and places', () => {
  it('has a row for each arm, shades between the lowest number and the highest, and the names of its columns', async () => {
    const chart = breakdownMatrix(broken('matrix'));
    expect(chart.rows.map(({ label, cells }) => [label, cells.map(cell => 'text' in cell && cell.text)])).toEqual([
      ['Wet, north', ['25', '50']],
      ['Dry, north', ['3', '6']],
      ['Wet, south', ['40', '80']],
    ]);
    const shares = chart.rows.flatMap(({ cells }) => cells.map(cell => ('share' in cell ? cell.share : -1)));
    expect([Math.min(...shares), Math.max(...shares)]).toEqual([0, 1]);
    for (const layout of ['wide', 'narrow'] as const) {
      const { svg } = await renderSvg(compileChart(chart, firstView(chart, layout)));
      for (const text of ['Wet, north', '>25<', '>80<', 'light', 'heavy']) expect(svg).toContain(text);
    }
  });
});

describe('words', () => {
  it('say what each row comes to, and what is drawn', () => {
    expect(breakdownAlt(broken('lines'))).toBe('Line chart of Breaks over load (%) over load light to heavy. Wet, north: 25.00 to 50.00; Dry, north: 3.00 to 6.00; Wet, south: 40.00 to 80.00.');
    expect(breakdownAlt(broken('matrix'))).toMatch(/^Matrix of Breaks over load \(%\), 3 arms by 2 of load\. Wet, north: lowest 25\.00 \(light\), highest 50\.00 \(heavy\); /);
    expect(breakdownCaption(broken('lines'))).toBe('Each panel on its own scale. Of five trees. Means over seeds.');
    expect(breakdownCaption(broken('matrix'))).toBe('A row for each arm, a column for each load; the higher the number, the warmer the shade. Of five trees. Means over seeds.');
  });

  it('stand in a table with all numbers', () => {
    expect(breakdownTable(broken('lines')).rows.map(({ header, cells }) => [header, ...cells.map(({ text }) => text)])).toEqual([
      ['Wet, north', '25.00', '50.00'],
      ['Dry, north', '3.00', '6.00'],
      ['Wet, south', '40.00', '80.00'],
    ]);
  });
});
