/** What all charts share: type, colours and axes. The page supplies the background. */
import type { TopLevelSpec } from 'vega-lite';
import { palette } from './palette.ts';
import type { ChartView, MarkTone } from './chart.ts';
import { HIDDEN } from './reading.ts';
import { FONT, FONT_SIZE } from './text-width.ts';

export const toneColour = (tone: MarkTone | undefined): string => (tone === 'measured' ? palette.accent.light : tone === 'published' ? palette.published.light : palette.ink.light);

/** Type and colours of axes. @internal */
export const axisStyle = {
  labelFontSize: FONT_SIZE,
  titleFontSize: FONT_SIZE,
  titleFontWeight: 400,
  labelColor: palette.muted.light,
  titleColor: palette.muted.light,
  gridColor: palette.rule.light,
  domainColor: palette.rule.light,
  tickColor: palette.rule.light,
} as const;

const config = {
  // The words of a chart stand around it.
  aria: false,
  font: FONT,
  view: { stroke: null },
  text: { fontSize: FONT_SIZE, color: palette.ink.light },
  title: { fontSize: FONT_SIZE + 1, fontWeight: 600, color: palette.ink.light, anchor: 'start', offset: 10 },
  axis: { ...axisStyle, tickSize: 4, titlePadding: 6 },
  legend: {
    title: null,
    labelFontSize: FONT_SIZE,
    labelColor: palette.ink.light,
    labelLimit: 215,
    symbolStrokeWidth: 2.5,
    symbolSize: 240,
    rowPadding: 5,
    columnPadding: 16,
  },
};

/** Vega-Lite's own choices that no chart here wants: labels pushed inwards at the ends of an axis, and all of them at any price. */
export const AXIS = { labelFlush: false, labelOverlap: true } as const;

/** A specification that stands for itself: what is left out of it is a variable, which a page may change. */
export function topLevel(body: object, { hidden }: ChartView): TopLevelSpec {
  const spec: object = { background: null, padding: 4, params: [{ name: HIDDEN, value: [...hidden] }], config, ...body };
  return spec as TopLevelSpec;
}

/** Keeps the rows whose `group` is not left out. */
export const NOT_HIDDEN = `indexof(${HIDDEN}, datum.group) < 0`;

/** Panels beside each other, or one below the other. */
export const arrange = (panels: readonly object[], stacked: boolean, spacing: number): object => (panels.length === 1 ? panels[0]! : { spacing, [stacked ? 'vconcat' : 'hconcat']: panels });
