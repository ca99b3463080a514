/** Widths of text from a fixed table: a chart is laid out alike on every machine and in every browser. */

export const FONT = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif';
export const FONT_SIZE = 12;

/** Advance widths of Helvetica (Adobe font metrics) for U+0020 to U+007E, in 1/1000 of the font size. */
const WIDTHS = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611,
  778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833,
  556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
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

/** Vega's own hook for measuring; without it the widths come from a canvas where there is one, else from a guess. */
export interface TextMetrics {
  width: (item: TextItem, text: unknown) => number;
  canvas: (use: boolean) => void;
}

export function useFixedWidths(metrics: TextMetrics): void {
  metrics.canvas(false);
  metrics.width = (item, text) => {
    const line = typeof text === 'string' || typeof text === 'number' ? String(text) : '';
    const bold = item.fontWeight === 'bold' || Number(item.fontWeight) >= 600;
    const width = textWidth(line, item.fontSize ?? FONT_SIZE, bold);
    // Not above the limit, as the text will be cut; not below, as Vega asks with the whole text whether to cut.
    return item.limit === undefined || item.limit <= 0 ? width : Math.min(width, item.limit);
  };
}
