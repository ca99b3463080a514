/** All charts of a report, rendered once and shared by the renderers. */
import { dotPlot, dotPlotAlt } from './dotplot.ts';
import { lineChart, lineChartAlt } from './linechart.ts';
import type { AblationReport, CurveChart, Headline, Report } from './model.ts';
import { renderSvg, type Figure } from './svg.ts';
import { slug } from './text.ts';

export interface ReportFigure {
  /** File name without its ending. */
  readonly id: string;
  readonly alt: string;
  readonly wide: Figure;
  readonly narrow: Figure;
}

export const dotPlotId = (ablation: AblationReport): string => `${slug(ablation.name)}-dots`;

async function dotFigure(ablation: AblationReport, headline: Headline): Promise<ReportFigure[]> {
  const wide = dotPlot(ablation, headline, 'wide');
  const narrow = dotPlot(ablation, headline, 'narrow');
  if (wide === undefined || narrow === undefined) return [];
  return [{ id: dotPlotId(ablation), alt: dotPlotAlt(ablation, headline), wide: await renderSvg(wide), narrow: await renderSvg(narrow) }];
}

async function curveFigure(chart: CurveChart): Promise<ReportFigure> {
  const [wide, narrow] = [await renderSvg(lineChart(chart, 'wide')), await renderSvg(lineChart(chart, 'narrow'))];
  return { id: chart.id, alt: lineChartAlt(chart), wide, narrow };
}

/** Figures by id. */
export async function renderFigures(report: Report): Promise<ReadonlyMap<string, ReportFigure>> {
  const figures: ReportFigure[] = [];
  for (const ablation of report.ablations) {
    figures.push(...(await dotFigure(ablation, report.headline)));
    for (const chart of ablation.curves) figures.push(await curveFigure(chart));
  }
  return new Map(figures.map(figure => [figure.id, figure]));
}
