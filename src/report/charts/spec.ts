/** Chart and view -> Vega specification: the one way from numbers to a drawing. */
import type { Spec } from 'vega';
import type { Chart, ChartView } from './chart.ts';
import { dotSpec } from './dots.ts';
import { lineSpec } from './lines.ts';
import { matrixSpec } from './matrix.ts';

export function chartSpec(chart: Chart, view: ChartView): Spec {
  switch (chart.kind) {
    case 'lines':
      return lineSpec(chart, view);
    case 'dots':
      return dotSpec(chart, view);
    case 'matrix':
      return matrixSpec(chart, view);
  }
}
