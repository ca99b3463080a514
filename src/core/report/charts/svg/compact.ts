/**
 * A drawing of Vega in fewer words: the same marks at the same places. A page holds dozens of drawings, and most of what Vega
 * writes repeats itself from mark to mark.
 */
import { isElement, type SvgElement } from './tree.ts';

/** What only Vega's own runtime uses. */
const OF_VEGA = /^(?:role|aria-.*|class|pointer-events|xmlns:xlink|version|stroke-miterlimit|display)$/;

/** What is so without being said. */
const DEFAULTS: Readonly<Record<string, string>> = { 'stroke-dasharray': '', transform: 'translate(0,0)', opacity: '1', 'text-anchor': 'start', 'font-weight': '400', 'stroke-width': '1' };

/** Attributes that elements take over from the group around them. */
const INHERITED = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linejoin', 'text-anchor', 'font-weight', 'font-size', 'font-family'] as const;

const COORDINATES = ['transform', 'x', 'y', 'x1', 'y1', 'x2', 'y2', 'width', 'height'] as const;

/** Changes the element in place. Coordinates are rounded to a tenth of a pixel: the last bits of a double differ between machines. */
export function compact(element: SvgElement): void {
  tidyAttributes(element);
  const children = element.children.flatMap(child => {
    if (!isElement(child)) return [child];
    compact(child);
    return kept(child);
  });
  element.children.splice(0, Infinity, ...joinedLines(children));
  if (element.name === 'g') hoist(element);
}

function tidyAttributes({ name, attributes }: SvgElement): void {
  const outermost = name === 'svg';
  for (const [key, value] of attributes) if (OF_VEGA.test(key) || DEFAULTS[key] === value) attributes.delete(key);
  // Nothing is stroked that does not say so.
  if (name !== 'g' && !attributes.has('stroke')) for (const key of ['stroke-width', 'stroke-dasharray', 'stroke-linejoin']) attributes.delete(key);
  if (outermost) return;
  for (const key of COORDINATES) if (attributes.has(key)) attributes.set(key, rounded(attributes.get(key)!));
  const path = attributes.get('d');
  if (path !== undefined) attributes.set('d', shortPath(path));
}

/** Groups without attributes group nothing, empty ones hold nothing, and nothing is seen of a path that is neither filled nor stroked. */
function kept(element: SvgElement): SvgElement['children'] {
  const { name, attributes, children } = element;
  if (name === 'g') return children.length === 0 ? [] : attributes.size === 0 ? children : [element];
  if (name === 'path' && !attributes.has('fill') && !attributes.has('stroke')) return [];
  if (name === 'line') return lineAsPath(attributes);
  if (name === 'text') placeText(attributes);
  return [name === 'path' ? asCircle(element) : element];
}

/** Where a plain shift moves the origin; undefined for other transforms. */
function shiftOf(attributes: ReadonlyMap<string, string>): readonly [x: number, y: number] | undefined {
  const transform = attributes.get('transform');
  if (transform === undefined) return [0, 0];
  const [, x, y] = /^translate\((-?[\d.]+),(-?[\d.]+)\)$/.exec(transform) ?? [];
  return x === undefined ? undefined : [Number(x), Number(y)];
}

function placeText(attributes: Map<string, string>): void {
  const shift = shiftOf(attributes);
  if (shift === undefined || !attributes.has('transform')) return;
  attributes.delete('transform');
  attributes.set('x', String(shift[0]));
  attributes.set('y', String(shift[1]));
}

/** From the origin to (x2, y2), as Vega draws them. */
function lineAsPath(line: ReadonlyMap<string, string>): SvgElement[] {
  const shift = shiftOf(line);
  if (!line.has('stroke') || line.get('stroke-width') === '0' || shift === undefined) return [];
  const [dx, dy] = [Number(line.get('x2') ?? 0), Number(line.get('y2') ?? 0)];
  const step = dy === 0 ? `h${tenth(dx)}` : dx === 0 ? `v${tenth(dy)}` : `l${pair(tenths(dx), tenths(dy))}`;
  const attributes = new Map([...line].filter(([key]) => !['transform', 'x2', 'y2'].includes(key)));
  return [{ name: 'path', attributes: new Map([['d', `M${pair(tenths(shift[0]), tenths(shift[1]))}${step}`], ...attributes]), children: [] }];
}

const LINE = /^M[-\d. ]+[hvl][-\d. ]+$/;

/** Lines of one look that follow each other become one path. */
function joinedLines(children: SvgElement['children']): SvgElement['children'] {
  const joined: SvgElement['children'] = [];
  for (const child of children) {
    const last = joined.at(-1);
    if (last !== undefined && isElement(last) && isElement(child) && isLine(last, true) && isLine(child, false) && look(last) === look(child)) {
      last.attributes.set('d', last.attributes.get('d')! + child.attributes.get('d')!);
    } else joined.push(child);
  }
  return joined;
}

function isLine({ name, attributes, children }: SvgElement, several: boolean): boolean {
  const parts = (attributes.get('d') ?? '').split(/(?=M)/);
  return (
    name === 'path' &&
    children.length === 0 &&
    !attributes.has('fill') &&
    !attributes.has('transform') &&
    !attributes.has('opacity') &&
    (several || parts.length === 1) &&
    parts.every(part => LINE.test(part))
  );
}

const look = ({ attributes }: SvgElement): string => JSON.stringify([...attributes].filter(([key]) => key !== 'd').sort());

/** Vega draws a disc as two arcs. */
function asCircle(path: SvgElement): SvgElement {
  const { attributes } = path;
  const [, r] = /^M([\d.]+) 0A\1 \1 0 1 1-\1 0A\1 \1 0 1 1 \1 0$/.exec(attributes.get('d') ?? '') ?? [];
  const shift = shiftOf(attributes);
  if (r === undefined || shift === undefined) return path;
  const place: [string, string][] = [
    ['cx', String(shift[0])],
    ['cy', String(shift[1])],
    ['r', r],
  ];
  return { name: 'circle', attributes: new Map([...place, ...[...attributes].filter(([key]) => key !== 'd' && key !== 'transform')]), children: [] };
}

/** What most of a group's elements say stands once, on the group; those that say otherwise still do. Only what each of them says: else some would take over what was not theirs. */
function hoist({ attributes, children }: SvgElement): void {
  const elements = children.filter(isElement);
  if (elements.length < 2) return;
  for (const key of INHERITED) {
    const values = elements.map(element => element.attributes.get(key));
    if (values.includes(undefined) || attributes.has(key)) continue;
    const [common, count] = mostCommon(values as string[]);
    if (count < 2) continue;
    attributes.set(key, common);
    for (const element of elements) if (element.attributes.get(key) === common) element.attributes.delete(key);
  }
}

function mostCommon(values: readonly string[]): readonly [value: string, count: number] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((most, entry) => (entry[1] > most[1] ? entry : most));
}

const rounded = (text: string): string => text.replace(/-?\d+\.\d{2,}(?:e-?\d+)?/g, number => String(Number(Number(number).toFixed(1)) + 0));

/**
 * Lines between points as steps from one to the next, in tenths of a pixel that do not add up to an error. Curves stay, with
 * rounded numbers.
 */
function shortPath(path: string): string {
  if (!/^(?:[ML]-?[\d.e-]+,-?[\d.e-]+)+$/.test(path)) return rounded(path).replaceAll(',', ' ').replaceAll(' -', '-');
  let [x, y, text, last] = [0, 0, '', ''];
  for (const [, command, a, b] of path.matchAll(/([ML])([^,ML]+),([^,ML]+)/g)) {
    const [nextX, nextY] = [tenths(Number(a)), tenths(Number(b))];
    if (command === 'M') text += `M${pair(nextX, nextY)}`;
    else text += `${last === 'L' ? ' ' : 'l'}${pair(nextX - x, nextY - y)}`;
    [x, y, last] = [nextX, nextY, command!];
  }
  return text.replaceAll(' -', '-');
}

const tenths = (value: number): number => Math.round(value * 10);
const tenthsText = (value: number): string => String(value / 10).replace(/^(-?)0\./, '$1.');
const tenth = (value: number): string => tenthsText(tenths(value));
const pair = (x: number, y: number): string => `${tenthsText(x)} ${tenthsText(y)}`.replace(' -', '-');
