/** Which part of an axis is drawn. */

/** Share of the axis that stays free at each end. */
const ROOM = 0.06;

/**
 * Ends of an axis for values, zero and the margins around it among them. A few values far outside do not squeeze the rest: beyond Tukey's outer fence (three
 * interquartile ranges above the upper quartile, of distances from zero; Exploratory Data Analysis, 1977) they are left to be
 * drawn at the end of the axis.
 */
export function differenceRange(values: readonly number[], margin = 0): readonly [low: number, high: number] {
  const distances = values
    .filter(value => value !== 0)
    .map(Math.abs)
    .sort((a, b) => a - b);
  if (distances.length === 0) return withRoom([-Math.max(1, margin), Math.max(1, margin)]);
  const quartile = (share: number): number => distances[Math.ceil(share * distances.length) - 1]!;
  const [lower, upper] = [quartile(0.25), quartile(0.75)];
  const fence = Math.max(upper + 3 * (upper - lower), 3 * upper);
  return withRoom([-margin, margin, ...values.filter(value => Math.abs(value) <= fence)]);
}

/** Ends of an axis for values without a zero. */
export function withRoom(values: readonly number[]): readonly [low: number, high: number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = high > low ? ROOM * (high - low) : 1;
  return [low - room, high + room];
}
