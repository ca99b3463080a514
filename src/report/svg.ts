/**
 * Vega -> SVG text, the same bytes on every machine: no canvas, no installed fonts, ids from one, coordinates rounded.
 */
import * as vega from 'vega';
import { FONT, FONT_SIZE, useFixedWidths, type TextMetrics } from './charts/text-width.ts';
import { darkRules, palette } from './palette.ts';

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

const COORDINATES = /\b(transform|x|y|x1|y1|x2|y2)="([^"]*)"/g;

const round = (text: string): string => text.replace(/-?\d+\.\d{2,}(?:e-?\d+)?/g, number => String(Number(Number(number).toFixed(1)) + 0));

/** What only Vega's own runtime uses, or what is so without being said. */
const SUPERFLUOUS = / (?:(?:role|aria-[a-z]+|class|pointer-events|xmlns:xlink|version|stroke-miterlimit)="[^"]*"|stroke-dasharray=""|transform="translate\(0,0\)"|opacity="1"|text-anchor="start"|font-weight="400"|stroke-width="1")/g;

/** Nothing is filled or stroked that does not say so. */
const INVISIBLE = /<path(?: (?:d|display)="[^"]*")* *\/>|<line[^>]* stroke-width="0"[^>]*>(?:<\/line>)?/g;

/**
 * Drops what says nothing, and rounds coordinates to a tenth of a pixel: the last bits of a double differ between machines.
 * Vega escapes `<` and `>` in text and attributes, so a tag ends at its first `>`.
 */
function tidy(svg: string): Figure {
  const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  const tags = svg.replace(/<[^>]*>/g, tag =>
    tag
      .replace(COORDINATES, (_, name: string, value: string) => `${name}="${round(value)}"`)
      .replace(/ d="([^"]*)"/, (_, path: string) => ` d="${shortPath(path)}"`)
      .replace(SUPERFLUOUS, ''),
  );
  const body = tags
    // What every text repeats stands once, on the root.
    .replaceAll(` font-family="${FONT}"`, '')
    .replaceAll(` font-size="${FONT_SIZE}px"`, '')
    .replace(/^<svg /, `<svg font-family="${FONT}" font-size="${FONT_SIZE}px" `)
    .replace(/<path([^>]*)><\/path>/g, '<path$1/>')
    .replace(INVISIBLE, '');
  return { svg: withoutBareGroups(body), width: Number(width), height: Number(height) };
}

/**
 * Lines between points as steps from one to the next, in tenths of a pixel that do not add up to an error. Curves stay, with
 * rounded numbers.
 */
function shortPath(path: string): string {
  if (!/^(?:[ML]-?[\d.e-]+,-?[\d.e-]+)+$/.test(path)) return round(path).replaceAll(',', ' ').replaceAll(' -', '-');
  let [x, y, text, last] = [0, 0, '', ''];
  for (const [, command, a, b] of path.matchAll(/([ML])([^,ML]+),([^,ML]+)/g)) {
    const [nextX, nextY] = [Math.round(Number(a) * 10), Math.round(Number(b) * 10)];
    if (command === 'M') text += `M${pair(nextX, nextY)}`;
    else text += `${last === 'L' ? ' ' : 'l'}${pair(nextX - x, nextY - y)}`;
    [x, y, last] = [nextX, nextY, command!];
  }
  return text.replaceAll(' -', '-');
}

const tenths = (value: number): string => String(value / 10).replace(/^(-?)0\./, '$1.');
const pair = (x: number, y: number): string => `${tenths(x)} ${tenths(y)}`;

/** Groups without attributes group nothing, and empty ones hold nothing. */
function withoutBareGroups(svg: string): string {
  const open: boolean[] = [];
  const kept = svg.replace(/<g[^>]*\/>/g, '').replace(/<g([^>]*)>|<\/g>/g, (tag, attributes: string | undefined) => {
    if (tag === '</g>') return open.pop() === true ? tag : '';
    const keep = attributes!.trim() !== '';
    open.push(keep);
    return keep ? tag : '';
  });
  return emptied(kept);
}

function emptied(svg: string): string {
  const next = svg.replace(/<g[^>]*><\/g>/g, '');
  return next === svg ? svg : emptied(next);
}

/** A chart as an image of its own: `label` is its text alternative (already escaped for an attribute). */
export const inlineSvg = (figure: Figure, label: string): string => figure.svg.replace(/^<svg /, `<svg role="img" aria-label="${label}" `);

/**
 * A chart as a file of its own, that follows the reader's colour scheme. It brings its own background, so it stays readable
 * on a page with the other scheme.
 */
export function standalone(figure: Figure, label: string): string {
  const style = `<style>@media (prefers-color-scheme:dark){${darkRules('svg', figure.svg)}}</style>`;
  const background = `<rect width="100%" height="100%" fill="${palette.page.light}"/>`;
  return `${inlineSvg(figure, label).replace(/^(<svg [^>]*>)/, `$1${style}${background}`)}\n`;
}
