/** What is told about the place that a reader points at: beside it, and to a screen reader. */
import type { MarkPosition } from './draw.ts';

export function element<K extends keyof HTMLElementTagNameMap>(name: K, className = '', text = ''): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (className !== '') made.className = className;
  made.textContent = text;
  return made;
}

const announcer = element('div', 'voice');
announcer.setAttribute('aria-live', 'polite');

/** Room between a place and its tip. */
const APART = 10;

export class Tooltip {
  readonly #box: HTMLElement;
  readonly #tip = element('div', 'tip');
  readonly #ring = element('div', 'ring');

  /** @param box holds the drawing from its upper left corner, and is what positions are measured from */
  constructor(box: HTMLElement) {
    this.#box = box;
    this.#tip.setAttribute('aria-hidden', 'true');
    this.hide();
    box.append(this.#ring, this.#tip);
  }

  show(place: MarkPosition, scrolled: number, aloud: boolean): void {
    const [heading, ...lines] = place.tip;
    this.#tip.replaceChildren(element('strong', '', heading), ...lines.map(line => element('div', '', line)));
    this.#tip.hidden = this.#ring.hidden = false;
    const x = place.x - scrolled;
    const right = Math.max(0, this.#box.clientWidth - this.#tip.offsetWidth);
    const above = place.y - this.#tip.offsetHeight - APART;
    move(this.#ring, x, place.y);
    move(this.#tip, Math.min(right, Math.max(0, x - this.#tip.offsetWidth / 2)), above < 0 ? place.y + APART : above);
    if (!aloud) return;
    if (!announcer.isConnected) document.body.append(announcer);
    announcer.textContent = place.tip.join('. ');
  }

  hide(): void {
    this.#tip.hidden = this.#ring.hidden = true;
  }
}

/** Styles of a script's own making are no inline styles to the policy. */
function move(moved: HTMLElement, x: number, y: number): void {
  moved.style.left = `${x}px`;
  moved.style.top = `${y}px`;
}
