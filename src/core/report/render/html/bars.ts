/** A bar with a share for each outcome, and the counts as text below. */
import type { ClaimCount } from '../../model/claims.ts';
import type { OrderCount } from '../../statistics/compare.ts';
import { formatCount } from '../../../text/format.ts';
import { html, type Markup } from './markup.ts';

interface BarPart {
  /** Class that gives the colour. */
  readonly name: 'same' | 'opposite' | 'lean' | 'against' | 'noise' | 'rest';
  readonly label: string;
  readonly count: number;
}

export const orderParts = (order: OrderCount): BarPart[] => [
  { name: 'same', label: 'as published', count: order.same },
  { name: 'opposite', label: 'opposite', count: order.opposite },
  { name: 'noise', label: 'within noise', count: order.withinNoise },
  { name: 'rest', label: 'not separated by the paper', count: order.publishedNoise },
];

export const claimParts = (claims: ClaimCount): BarPart[] => [
  { name: 'same', label: 'reproduced', count: claims.reproduced },
  { name: 'opposite', label: 'contradicted', count: claims.contradicted },
  { name: 'lean', label: 'undecided, agrees', count: claims.agrees },
  { name: 'against', label: 'undecided, disagrees', count: claims.disagrees },
  { name: 'noise', label: 'within noise', count: claims.withinNoise },
  { name: 'rest', label: 'not run', count: claims.notRun },
];

/** Undefined when there is nothing to count. */
export function bar(parts: readonly BarPart[]): Markup | undefined {
  const total = parts.reduce((sum, part) => sum + part.count, 0);
  if (total === 0) return undefined;
  let x = 0;
  const bars = parts.flatMap(({ name, count }) => {
    const width = (100 * count) / total;
    const drawn = html`<rect class="${name}" x="${x.toFixed(2)}%" width="${Math.max(0, width - 0.6).toFixed(2)}%" height="10" rx="1.5"/>`;
    x += width;
    return count === 0 ? [] : [drawn];
  });
  return html`<svg class="bar" aria-hidden="true" focusable="false">${bars}</svg><ul class="legend">${parts.map(
    part => html`<li class="${part.name}"><b>${formatCount(part.count)}</b> ${part.label}</li>`,
  )}</ul>`;
}
