/**
 * Vega-Lite -> SVG text, the same bytes on every machine: no canvas, no installed fonts, ids from one, coordinates rounded.
 */
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { darkRules, palette } from './palette.ts';

export const FONT = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif';
export const FONT_SIZE = 12;

/** Advance widths of Helvetica (Adobe font metrics) for U+0020 to U+007E, in 1/1000 of the font size. */
const WIDTHS = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278,
  584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944,
  667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
  278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
/** The widest of the usual fallbacks (DejaVu Sans, Verdana) run this much wider than Helvetica; bold ones a little more. */
const SLACK = 1.17;
const BOLD = 1.08;
/** Wide enough for ideographs. */
const OTHER = 1000;
const LATIN = 600;

/** Width of a line of text in px, from a fixed table. */
export function textWidth(text: string, size = FONT_SIZE, bold = false): number {
  let units = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    units += WIDTHS[code - 32] ?? (code < 0x2e80 ? LATIN : OTHER);
  }
  return (units / 1000) * size * SLACK * (bold ? BOLD : 1);
}

interface TextItem {
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
  /** Longest width; Vega cuts the text to it with an ellipsis. */
  readonly limit?: number;
}

/** Vega's own hook for measuring; without it the widths come from a canvas where one is installed, else from a guess. */
const metrics = (vega as unknown as { textMetrics: { width: (item: TextItem, text: unknown) => number; canvas: (use: boolean) => void } }).textMetrics;
const resetIds = (vega as unknown as { resetSVGDefIds: () => void }).resetSVGDefIds;

function useFixedWidths(): void {
  metrics.canvas(false);
  metrics.width = (item, text) => {
    const line = typeof text === 'string' || typeof text === 'number' ? String(text) : '';
    const bold = item.fontWeight === 'bold' || Number(item.fontWeight) >= 600;
    const width = textWidth(line, item.fontSize ?? FONT_SIZE, bold);
    // Not above the limit, as the text will be cut; not below, as Vega asks with the whole text whether to cut.
    return item.limit === undefined || item.limit <= 0 ? width : Math.min(width, item.limit);
  };
}

export interface Figure {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** Renders a chart. The result has no ids, styles, links or scripts: see {@link standalone} for a file of its own. */
export async function renderSvg(spec: TopLevelSpec): Promise<Figure> {
  useFixedWidths();
  resetIds();
  const view = new vega.View(vega.parse(compile(spec, { logger: silent() }).spec), { renderer: 'none' });
  try {
    return tidy(await view.toSVG());
  } finally {
    view.finalize();
  }
}

/** Vega-Lite's hints are for authors of charts; a report's reader cannot act on them. Errors still throw. */
const silent = () => vega.logger(vega.None);

const COORDINATES = /\b(d|transform|x|y|x1|y1|x2|y2)="([^"]*)"/g;

const round = (text: string): string => text.replace(/-?\d+\.\d{3,}(?:e-?\d+)?/g, number => String(Number(Number(number).toFixed(2)) + 0));

/**
 * Drops what only Vega's own runtime uses, and rounds coordinates: the last bits of a double differ between machines.
 * Vega escapes `<` and `>` in text and attributes, so a tag ends at its first `>`.
 */
function tidy(svg: string): Figure {
  const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  const body = svg
    .replace(/<[^>]*>/g, tag =>
      tag
        .replace(/ (?:role|aria-[a-z]+|class|pointer-events|xmlns:xlink|version|stroke-miterlimit)="[^"]*"/g, '')
        .replace(COORDINATES, (_, name: string, value: string) => `${name}="${round(value)}"`),
    )
    // What every text repeats stands once, on the root.
    .replaceAll(` font-family="${FONT}"`, '')
    .replaceAll(' opacity="1"', '')
    .replace(/^<svg /, `<svg font-family="${FONT}" `)
    .replace(/<path(?: d="(?:|M0,0h0v0h0Z)"| display="none")+ *\/>/g, '');
  return { svg: body, width: Number(width), height: Number(height) };
}

/** Places a chart in a page: `label` is its text alternative (already escaped for an attribute). */
export const inlineSvg = (figure: Figure, label: string): string =>
  figure.svg.replace(/^<svg /, `<svg role="img" aria-label="${label}" `);

/**
 * A chart as a file of its own, that follows the reader's colour scheme. It brings its own background, so it stays readable
 * on a page with the other scheme.
 */
export function standalone(figure: Figure, label: string): string {
  const style = `<style>@media (prefers-color-scheme:dark){${darkRules('svg')}}</style>`;
  const background = `<rect width="100%" height="100%" fill="${palette.page.light}"/>`;
  return `${inlineSvg(figure, label).replace(/^(<svg [^>]*>)/, `$1${style}${background}`)}\n`;
}
