/** What all charts share: type, colours and axes. The page supplies the background. */
import type { Spec } from 'vega';
import { palette } from '../palette.ts';
import type { Tone } from './chart.ts';
import { FONT, FONT_SIZE } from './text-width.ts';

export const toneColour = (tone: Tone | undefined): string => (tone === 'measured' ? palette.accent.light : tone === 'published' ? palette.published.light : palette.ink.light);

const config: NonNullable<Spec['config']> = {
  events: { bind: 'none', defaults: { allow: true } },
  text: { font: FONT, fontSize: FONT_SIZE, fill: palette.ink.light },
  title: { font: FONT, fontSize: FONT_SIZE + 1, fontWeight: 600, color: palette.ink.light, anchor: 'start', offset: 10 },
  axis: {
    labelFont: FONT,
    titleFont: FONT,
    labelFontSize: FONT_SIZE,
    titleFontSize: FONT_SIZE,
    titleFontWeight: 400,
    labelColor: palette.muted.light,
    titleColor: palette.muted.light,
    gridColor: palette.rule.light,
    domainColor: palette.rule.light,
    tickColor: palette.rule.light,
    tickSize: 4,
    titlePadding: 6,
    labelOverlap: true,
  },
  legend: {
    labelFont: FONT,
    labelFontSize: FONT_SIZE,
    labelColor: palette.ink.light,
    labelLimit: 215,
    symbolStrokeWidth: 2.5,
    symbolSize: 240,
    rowPadding: 5,
    columnPadding: 16,
  },
};

/** Every specification starts from this. */
export const baseSpec = { padding: 4, autosize: 'pad', config } as const satisfies Spec;

/** What a pointer can land on: marks with this name carry a {@link Reading} in each datum. */
export const READ = 'read';

/** What is told about a place of the chart: a heading and lines under it. */
export interface Reading {
  readonly tip: readonly [string, ...string[]];
  /** Readings of one group follow each other. */
  readonly group: number;
}
