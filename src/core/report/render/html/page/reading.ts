/** Which place an arrow key leads to. */
import type { MarkPosition } from './draw.ts';

/**
 * Left and right along the places of a group, up and down to the nearest place of the next group.
 * @param from -1: none yet
 * @returns the index of a place; `from` where there is none further
 */
export function step(places: readonly MarkPosition[], from: number, key: string): number {
  if (places.length === 0) return -1;
  const current = places[from];
  if (current === undefined) return 0;
  const sameGroup = places.flatMap((place, i) => (place.group === current.group ? [i] : []));
  const at = sameGroup.indexOf(from);
  switch (key) {
    case 'ArrowRight':
      return sameGroup[at + 1] ?? from;
    case 'ArrowLeft':
      return sameGroup[at - 1] ?? from;
    case 'Home':
      return sameGroup[0]!;
    case 'End':
      return sameGroup.at(-1)!;
    case 'ArrowDown':
      return otherGroup(places, from, 1);
    case 'ArrowUp':
      return otherGroup(places, from, -1);
    default:
      return from;
  }
}

function otherGroup(places: readonly MarkPosition[], from: number, by: 1 | -1): number {
  const current = places[from]!;
  const groups = [...new Set(places.map(place => place.group))].sort((a, b) => a - b);
  const group = groups[groups.indexOf(current.group) + by];
  const candidates = places.flatMap((place, i) => (place.group === group ? [i] : []));
  return candidates.reduce((best, i) => (Math.abs(places[i]!.x - current.x) < Math.abs(places[best]!.x - current.x) ? i : best), candidates[0] ?? from);
}
