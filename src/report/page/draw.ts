/** A chart as a live drawing, and the places in it that can be read. */
import type { View as VegaView } from 'vega';
import type { Chart, ChartView } from '../charts/chart.ts';
import { chartSpec } from '../charts/spec.ts';
import { useFixedWidths } from '../charts/text-width.ts';
import { READ, type Reading } from '../charts/theme.ts';
import { expressionInterpreter, parse, textMetrics, View } from './vega.mjs';

// As for the drawing on paper: both are laid out alike, and nothing moves when one takes the other's place.
useFixedWidths(textMetrics);

/** A place in px from the upper left corner of the drawing. */
export interface Place extends Reading {
  readonly x: number;
  readonly y: number;
}

export interface Drawing {
  readonly places: readonly Place[];
  remove(): void;
}

/** What Vega keeps of a mark (with its items) or of an item (a group has marks as items). */
interface Scene {
  readonly marktype?: string;
  readonly name?: string;
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  readonly height?: number;
  readonly datum?: Reading;
  readonly items?: readonly Scene[];
}

/** Draws into `box`, replacing what is there. */
export async function draw(chart: Chart, view: ChartView, box: HTMLElement): Promise<Drawing> {
  const vegaView: VegaView = new View(parse(chartSpec(chart, view), undefined, { ast: true }), {
    renderer: 'svg',
    expr: expressionInterpreter,
    container: box,
    tooltip: () => undefined,
  });
  await vegaView.runAsync();
  // Vega introduces itself to screen readers; the words of this chart stand around it.
  for (const name of ['role', 'aria-roledescription', 'aria-label']) box.removeAttribute(name);
  const origin = box.querySelector<SVGGElement>('svg > g')?.getCTM();
  const root = vegaView.scenegraph() as unknown as { root: Scene };
  return { places: placesOf(root.root, origin?.e ?? 0, origin?.f ?? 0), remove: () => void vegaView.finalize() };
}

function placesOf(mark: Scene, x: number, y: number): Place[] {
  const items = mark.items ?? [];
  if (mark.marktype === 'group') return items.flatMap(group => (group.items ?? []).flatMap(inner => placesOf(inner, x + (group.x ?? 0), y + (group.y ?? 0))));
  if (mark.name !== READ) return [];
  return items.flatMap(item => (item.datum === undefined ? [] : [{ tip: item.datum.tip, group: item.datum.group, x: x + (item.x ?? 0) + (item.width ?? 0) / 2, y: y + (item.y ?? 0) + (item.height ?? 0) / 2 }]));
}

/** The nearest place within reach of a pointer. */
export function nearest(places: readonly Place[], x: number, y: number, reach: number): number {
  let found = -1;
  let least = reach ** 2;
  places.forEach((place, i) => {
    const distance = (place.x - x) ** 2 + (place.y - y) ** 2;
    if (distance <= least) [found, least] = [i, distance];
  });
  return found;
}
