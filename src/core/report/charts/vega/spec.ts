/** Chart and view -> Vega-Lite specification: the one way from numbers to a drawing. */
import type { TopLevelSpec } from 'vega-lite';
import type { Chart, ChartView } from './chart.ts';
import { forestSpec } from './forest.ts';
import { lineSpec } from './lines.ts';
import { matrixSpec } from './matrix.ts';

export function chartSpec(chart: Chart, view: ChartView): TopLevelSpec {
  switch (chart.kind) {
    case 'lines':
      return lineSpec(chart, view);
    case 'forest':
      return forestSpec(chart, view);
    case 'matrix':
      return matrixSpec(chart, view);
  }
}
