/** A chart that answers pointer and keyboard. Until it is looked at, the drawing on paper stands in its place. */
import type { Spec } from 'vega';
import { viewName, type PageChart } from '../../../charts/vega/views.ts';
import { Drawing, nearestMark } from './draw.ts';
import { step } from './reading.ts';
import { element, Tooltip } from './tooltip.ts';

/** A pointer reads the place nearest to it within so many px. */
const REACH = 36;
const KEYS = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'];
/** As in the style sheet. */
const narrowPage = matchMedia('(max-width:56rem)');

export class LiveChart {
  readonly box = element('div', 'live');
  readonly #chart: PageChart;
  readonly #specOf: (place: number) => Spec;
  readonly #canvas = element('div', 'canvas scroll');
  readonly #tip = new Tooltip(this.box);
  readonly #hidden = new Set<number>();
  #log: boolean;
  #drawing: Drawing | undefined;
  #at = -1;
  /** Drawings are made one after the other; only the last one asked for counts. */
  #wanted = 0;
  #shown = 0;

  /**
   * Takes the figure's drawing into a box of its own, and turns its legend into switches.
   * @param specOf the specification at a place of the page's list
   */
  constructor(figure: HTMLElement, chart: PageChart, specOf: (place: number) => Spec) {
    this.#chart = chart;
    this.#specOf = specOf;
    this.#log = chart.log === true;
    const still = figure.querySelector<HTMLElement>('.drawing')!;
    still.before(this.box);
    this.#canvas.setAttribute('aria-hidden', 'true');
    this.box.prepend(still, this.#canvas);
    this.box.tabIndex = 0;
    this.box.setAttribute('role', 'group');
    this.box.setAttribute('aria-label', `${still.getAttribute('aria-label') ?? ''} Arrow keys read its values one by one.`);
    this.#listen();
    this.#addSwitches(figure);
    if (this.#hasNarrowView()) narrowPage.addEventListener('change', () => void (this.#drawing === undefined ? undefined : this.#draw()));
  }

  /** Makes it live, once. */
  show(): void {
    if (this.#wanted === 0) void this.#draw();
  }

  #hasNarrowView(): boolean {
    return this.#viewAt('narrow') !== undefined;
  }

  #viewAt(layout: 'wide' | 'narrow'): number | undefined {
    return this.#chart.views[viewName(layout, this.#log)];
  }

  async #draw(): Promise<void> {
    const mine = ++this.#wanted;
    const view = (narrowPage.matches ? this.#viewAt('narrow') : undefined) ?? this.#viewAt('wide')!;
    const canvas = element('div');
    this.#read(-1);
    this.#canvas.append(canvas);
    const drawing = new Drawing(this.#specOf(view), canvas);
    await drawing.leaveOut([...this.#hidden]);
    if (mine !== this.#wanted) {
      drawing.remove();
      canvas.remove();
      return;
    }
    this.#drawing?.remove();
    this.#canvas.replaceChildren(canvas);
    this.#drawing = drawing;
    this.#shown = mine;
    this.box.classList.add('drawn');
  }

  /** Changes what is left out. */
  async #leaveOut(): Promise<void> {
    if (this.#drawing === undefined || this.#shown !== this.#wanted) return this.#draw();
    this.#read(-1);
    await this.#drawing.leaveOut([...this.#hidden]);
  }

  #listen(): void {
    const point = (event: PointerEvent): void => {
      const { left, top } = this.#canvas.getBoundingClientRect();
      this.#read(nearestMark(this.#drawing?.places ?? [], event.clientX - left + this.#canvas.scrollLeft, event.clientY - top, REACH));
    };
    this.box.addEventListener('pointermove', point);
    this.box.addEventListener('pointerdown', point);
    this.box.addEventListener('pointerleave', () => this.#read(-1));
    this.box.addEventListener('focus', () => this.show());
    this.box.addEventListener('blur', () => this.#read(-1));
    this.box.addEventListener('keydown', event => {
      if (event.key === 'Escape') this.#read(-1);
      if (!KEYS.includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.#read(step(this.#drawing?.places ?? [], this.#at, event.key), true);
    });
  }

  #read(index: number, aloud = false): void {
    this.#at = index;
    const place = this.#drawing?.places[index];
    if (place === undefined) this.#tip.hide();
    else this.#tip.show(place, this.#canvas.scrollLeft, aloud);
  }

  #addSwitches(figure: HTMLElement): void {
    const { choices, legend, log } = this.#chart;
    const key = figure.querySelector<HTMLElement>('.key');
    if (legend) {
      choices.forEach((label, i) => this.#turnIntoSwitch(key?.children[i], label, i));
      if (log !== undefined) this.#addLogSwitch(figure, key);
    } else if (choices.length > 0) {
      const rows = element('details', 'choose');
      const list = element('ul', 'key');
      rows.append(element('summary', '', 'Choose arms'), list);
      list.append(
        ...choices.map((label, i) => {
          const item = element('li');
          this.#turnIntoSwitch(item, label, i);
          return item;
        }),
      );
      this.box.after(rows);
    }
  }

  #turnIntoSwitch(item: Element | undefined, label: string, index: number): void {
    const button = toggle(label, true, pressed => {
      if (!pressed && this.#hidden.size + 1 === this.#chart.choices.length) return true;
      if (pressed) this.#hidden.delete(index);
      else this.#hidden.add(index);
      void this.#leaveOut();
      return pressed;
    });
    item?.replaceChildren(button);
  }

  #addLogSwitch(figure: HTMLElement, key: HTMLElement | null): void {
    const button = toggle('Logarithmic', this.#log, pressed => {
      this.#log = pressed;
      void this.#draw();
      return pressed;
    });
    const item = element('li', 'plain');
    item.append(button);
    if (key !== null) return key.append(item);
    const list = element('ul', 'key');
    list.append(item);
    this.box.after(list);
    figure.classList.add('switched');
  }
}

/** @param change what the reader asks for -> what it becomes */
function toggle(label: string, pressed: boolean, change: (pressed: boolean) => boolean): HTMLButtonElement {
  const button = element('button', '', label);
  button.type = 'button';
  button.ariaPressed = String(pressed);
  button.addEventListener('click', () => (button.ariaPressed = String(change(button.ariaPressed !== 'true'))));
  return button;
}
