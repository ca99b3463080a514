/** A compiled chart as a live drawing, and the places in it that can be read. */
import type { Spec, View as VegaView } from 'vega';
import { HIDDEN, READ, tooltipOf, type ReadDatum, type TooltipText } from '../../../charts/vega/reading.ts';
import { useFixedWidths } from '../../../charts/vega/text-width.ts';
import { expressionInterpreter, parse, textMetrics, View } from './vega.mjs';

// As for the drawing on paper: both are laid out alike, and nothing moves when one takes the other's place.
useFixedWidths(textMetrics);

/** Pointer and keys are listened to outside of Vega. */
const config: Spec['config'] = { events: { bind: 'none', defaults: { allow: true } } };

/** A place in px from the upper left corner of the drawing. */
export interface MarkPosition {
  readonly tip: TooltipText;
  readonly group: number;
  readonly x: number;
  readonly y: number;
}

/** What Vega keeps of a mark (with its items) or of an item (a group has marks as items). */
interface Scene {
  readonly marktype?: string;
  readonly name?: string;
  readonly x?: number;
  readonly y?: number;
  readonly width?: number;
  readonly height?: number;
  /** False: where a line is broken. */
  readonly defined?: boolean;
  readonly datum?: ReadDatum;
  readonly items?: readonly Scene[];
}

export class Drawing {
  readonly #view: VegaView;
  readonly #box: HTMLElement;
  #places: readonly MarkPosition[] = [];

  /** Draws into `box`. */
  constructor(spec: Spec, box: HTMLElement) {
    this.#box = box;
    this.#view = new View(parse(spec, config, { ast: true }), { renderer: 'svg', expr: expressionInterpreter, container: box, tooltip: () => undefined });
  }

  get places(): readonly MarkPosition[] {
    return this.#places;
  }

  /** Draws all but some series or rows. */
  async leaveOut(hidden: readonly number[]): Promise<void> {
    // Resized, as Vega by itself only grows.
    await this.#view.signal(HIDDEN, hidden).resize().runAsync();
    // Vega introduces itself to screen readers; the words of this chart stand around it.
    for (const name of ['role', 'aria-roledescription', 'aria-label']) this.#box.removeAttribute(name);
    const origin = this.#box.querySelector<SVGGElement>('svg > g')?.getCTM();
    const { root } = this.#view.scenegraph() as unknown as { root: Scene };
    // What was left out before comes back behind the others.
    this.#places = placesOf(root, origin?.e ?? 0, origin?.f ?? 0).sort((a, b) => a.group - b.group);
  }

  remove(): void {
    this.#view.finalize();
  }
}

function placesOf(mark: Scene, x: number, y: number): MarkPosition[] {
  const items = mark.items ?? [];
  if (mark.marktype === 'group') return items.flatMap(group => (group.items ?? []).flatMap(inner => placesOf(inner, x + (group.x ?? 0), y + (group.y ?? 0))));
  if (mark.name?.startsWith(READ) !== true) return [];
  return items.flatMap(({ datum, defined, x: left = 0, y: top = 0, width = 0, height = 0 }) =>
    datum === undefined || defined === false ? [] : [{ tip: tooltipOf(datum), group: datum.group, x: x + left + width / 2, y: y + top + height / 2 }],
  );
}

/** The nearest place within reach of a pointer. */
export function nearestMark(places: readonly MarkPosition[], x: number, y: number, reach: number): number {
  let found = -1;
  let least = reach ** 2;
  places.forEach((place, i) => {
    const distance = (place.x - x) ** 2 + (place.y - y) ** 2;
    if (distance <= least) [found, least] = [i, distance];
  });
  return found;
}
