/** All charts of a report, rendered once and shared by the renderers. */
import type { Spec } from 'vega';
import { armForest, armForestAlt, armForestCaption } from './arm-forest.ts';
import { agreementAlt, agreementCaption, agreementChart } from './agreement.ts';
import { axisCaption, axisChart, axisChartAlt, overviewChart } from './axis-chart.ts';
import { breakdownAlt, breakdownCaption, breakdownLines, breakdownMatrix } from './breakdown-chart.ts';
import { claimForest, claimForestAlt, claimForestCaption } from './claim-forest.ts';
import { canBeLogarithmic, choices, firstView, type Chart } from './vega/chart.ts';
import { compileChart, compileViews } from './vega/compile.ts';
import { viewName, type PageChart, type PageLayout, type ViewName } from './vega/views.ts';
import { curveCaption, curveLineChart, lineChartAlt } from './line-chart.ts';
import { barsRule } from '../model/mean-interval.ts';
import type { Breakdown } from '../model/breakdowns.ts';
import type { AblationReport, CurveChart, Report } from '../model/model.ts';
import { renderSvg, type Figure } from './svg/svg.ts';
import { slug } from '../../text/clean.ts';

export interface ReportFigure {
  /** File name without its ending. */
  readonly id: string;
  readonly alt: string;
  readonly caption: string | undefined;
  readonly chart: Chart;
  /** For the page's script. */
  readonly live: LiveFigure;
  /** With its legend. */
  readonly file: Figure;
  /** For a page, which brings the legend. */
  readonly wide: Figure;
  /** For a phone, where the wide one does not fit. */
  readonly narrow: Figure | undefined;
}

/** What a reader can ask for, each view compiled. */
interface LiveFigure extends Omit<PageChart, 'views'> {
  readonly views: ReadonlyMap<ViewName, Spec>;
}

/** All claims. */
export const FOREST = 'forest';
export const OVERVIEW = 'overview';
export const AGREEMENT = 'agreement';

/** The chart of an ablation's results. */
export const resultFigureId = ({ name }: AblationReport): string => `${slug(name)}-result`;

/** Of another number of the ablation. */
export const otherFigureId = ({ name, measure }: AblationReport): string => `${slug(name)}-${slug(measure.name)}-result`;

type Description = Pick<ReportFigure, 'id' | 'alt' | 'caption' | 'chart'>;

async function draw(described: Description): Promise<ReportFigure> {
  const { chart } = described;
  const { log } = firstView(chart, 'wide');
  const views = compileViews(chart);
  const drawing = async (layout: PageLayout): Promise<Figure | undefined> => {
    const spec = views.get(viewName(layout, log));
    return spec === undefined ? undefined : renderSvg(spec);
  };
  const wide = (await drawing('wide'))!;
  // Only lines have a legend, which makes a file of its own.
  const file = chart.kind === 'lines' ? await renderSvg(compileChart(chart, firstView(chart, 'file'))) : wide;
  const live = { choices: choices(chart), legend: chart.kind === 'lines', ...(canBeLogarithmic(chart) ? { log } : {}), views };
  return { ...described, live, file, wide, narrow: await drawing('narrow') };
}

function forestFigure(report: Report): Description[] {
  const chart = claimForest(report);
  return chart === undefined ? [] : [{ id: FOREST, alt: claimForestAlt(report, chart), caption: claimForestCaption(report, chart), chart }];
}

function overviewFigure({ overview, headline }: Report): Description[] {
  const chart = overview === undefined ? undefined : overviewChart(overview, headline);
  if (overview === undefined || chart === undefined) return [];
  return [
    {
      id: OVERVIEW,
      alt: axisChartAlt(overview.title, chart),
      caption: `${overview.title}. Each panel on its own scale; what is missing is not drawn. ${barsRule(overview.series.flatMap(({ arms }) => arms.filter(arm => arm !== undefined)))}`.trim(),
      chart,
    },
  ];
}

function agreementFigure(report: Report): Description[] {
  const chart = agreementChart(report);
  if (chart === undefined) return [];
  return [{ id: AGREEMENT, alt: agreementAlt(chart), caption: agreementCaption(chart), chart }];
}

function resultFigure(ablation: AblationReport, id: string): Description[] {
  const line = axisChart(ablation);
  if (line !== undefined) return [{ id, alt: axisChartAlt(ablation.title, line), caption: axisCaption(ablation, line), chart: line }];
  const forest = armForest(ablation);
  return forest === undefined ? [] : [{ id, alt: armForestAlt(ablation, forest), caption: armForestCaption(ablation, forest), chart: forest }];
}

function curveFigure(curves: CurveChart): Description[] {
  const chart = curveLineChart(curves);
  return chart === undefined ? [] : [{ id: curves.id, alt: lineChartAlt(curves), caption: curveCaption(curves), chart }];
}

function breakdownFigure(breakdown: Breakdown): Description[] {
  const chart = breakdown.as === 'lines' ? breakdownLines(breakdown) : breakdownMatrix(breakdown);
  return chart === undefined ? [] : [{ id: breakdown.id, alt: breakdownAlt(breakdown), caption: breakdownCaption(breakdown), chart }];
}

/** Figures by id, in the order of the report. */
export async function renderFigures(report: Report): Promise<ReadonlyMap<string, ReportFigure>> {
  const described = [
    ...forestFigure(report),
    ...overviewFigure(report),
    ...agreementFigure(report),
    ...report.ablations.flatMap(ablation => [
      ...resultFigure(ablation, resultFigureId(ablation)),
      ...ablation.others.flatMap(other => resultFigure(other, otherFigureId(other))),
      ...ablation.breakdowns.flatMap(breakdownFigure),
      ...ablation.curves.flatMap(curveFigure),
    ]),
  ];
  const figures: ReportFigure[] = [];
  for (const description of described) figures.push(await draw(description));
  return new Map(figures.map(figure => [figure.id, figure]));
}
