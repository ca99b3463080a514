/**
 * Vega -> SVG text, the same bytes on every machine: no canvas, no installed fonts, ids from one, coordinates rounded.
 */
import * as vega from 'vega';
import { FONT, FONT_SIZE, useFixedWidths, type TextMetrics } from '../vega/text-width.ts';
import { darkRules, palette } from '../vega/palette.ts';
import { compact } from './compact.ts';
import { parseSvg, writeSvg } from './tree.ts';

/** Hooks that Vega has and its types leave out. */
const { textMetrics, resetSVGDefIds } = vega as unknown as { textMetrics: TextMetrics; resetSVGDefIds: () => void };

export interface Figure {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** Renders a compiled chart. The result has no ids, styles, links or scripts: see {@link standalone} for a file of its own. */
export async function renderSvg(spec: vega.Spec): Promise<Figure> {
  useFixedWidths(textMetrics);
  resetSVGDefIds();
  // A copy, as Vega writes into the data that it is given.
  const view = new vega.View(vega.parse(structuredClone(spec)), { renderer: 'none', logger: silent() });
  try {
    return tidy(await view.toSVG());
  } finally {
    view.finalize();
  }
}

/** Vega's hints are for authors of charts; a report's reader cannot act on them. Errors still throw. */
const silent = () => vega.logger(vega.None);

/** Drops what says nothing, and writes the rest in fewer words. */
function tidy(text: string): Figure {
  // What every text repeats stands once, on the root.
  const font = [` font-family="${FONT}"`, ` font-size="${FONT_SIZE}px"`] as const;
  const root = parseSvg(font.reduce((rest, words) => rest.replaceAll(words, ''), text));
  compact(root);
  const [width, height] = [root.attributes.get('width'), root.attributes.get('height')];
  return { svg: writeSvg(root).replace(/^<svg /, () => `<svg${font.join('')} `), width: Number(width), height: Number(height) };
}

/** The same within a page, whose style sheet has the font. */
export const withinPage = ({ svg }: Figure): string => svg.replace(/^<svg [^>]*?(?= width=)/, '<svg');

/**
 * A chart as a file of its own, that follows the reader's colour scheme. It brings its own background, so it stays readable
 * on a page with the other scheme.
 * @param label its text alternative, escaped for an attribute
 */
export function standalone(figure: Figure, label: string): string {
  const style = `<style>@media (prefers-color-scheme:dark){${darkRules('svg', figure.svg)}}</style>`;
  const background = `<rect width="100%" height="100%" fill="${palette.page.light}"/>`;
  // By functions: `$&` in a text is no reference to what is replaced.
  return `${figure.svg.replace(/^<svg ([^>]*>)/, (_, attributes: string) => `<svg role="img" aria-label="${label}" ${attributes}${style}${background}`)}\n`;
}
