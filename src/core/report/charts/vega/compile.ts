/** Vega-Lite -> Vega, when a report is written: a page gets what is compiled, and no compiler. */
import { logger, None, type Spec } from 'vega';
import { compile } from 'vega-lite';
import { canBeLogarithmic, firstView, hasNarrowLayout, type Chart, type ChartView } from './chart.ts';
import { chartSpec } from './spec.ts';
import { viewName, type ViewName } from './views.ts';

/** Hints are for authors of charts; a report's reader cannot act on them. Errors still throw. */
export function compileChart(chart: Chart, view: ChartView): Spec {
  const { spec } = compile(chartSpec(chart, view), { logger: logger(None) });
  // An address, which nothing on a page may hold.
  delete spec.$schema;
  return spec;
}

/** Every view that a reader of the page can ask for, nothing left out. */
export function compileViews(chart: Chart): ReadonlyMap<ViewName, Spec> {
  const layouts = hasNarrowLayout(chart) ? (['wide', 'narrow'] as const) : (['wide'] as const);
  const scales = canBeLogarithmic(chart) ? [false, true] : [firstView(chart, 'wide').log];
  return new Map(layouts.flatMap(layout => scales.map(log => [viewName(layout, log), compileChart(chart, { layout, log, hidden: new Set() })])));
}
