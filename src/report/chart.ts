/** What all charts share: type, axes, and one layout for wide pages and one for phones. */
import { palette } from './palette.ts';
import { FONT, FONT_SIZE } from './svg.ts';

export type Layout = 'wide' | 'narrow';

/** Base of every Vega-Lite specification. The page supplies the background. */
export const chartConfig = (layout: Layout): object => ({
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  background: null,
  padding: { left: 4, right: 4, top: 4, bottom: 4 },
  config: {
    font: FONT,
    view: { stroke: null },
    concat: { spacing: 24 },
    text: { fontSize: FONT_SIZE },
    title: { fontSize: FONT_SIZE + 1, fontWeight: 600, color: palette.ink.light, anchor: 'start', offset: 10, limit: layout === 'wide' ? 480 : 310 },
    axis: {
      labelFontSize: FONT_SIZE,
      titleFontSize: FONT_SIZE,
      titleFontWeight: 400,
      labelColor: palette.muted.light,
      titleColor: palette.muted.light,
      gridColor: palette.rule.light,
      domainColor: palette.rule.light,
      tickColor: palette.rule.light,
      tickSize: 4,
      labelOverlap: true,
    },
    legend: {
      title: null,
      labelFontSize: FONT_SIZE,
      labelColor: palette.ink.light,
      labelLimit: layout === 'wide' ? 215 : 280,
      symbolStrokeWidth: 2.5,
      symbolSize: 240,
      rowPadding: 5,
    },
  },
});
