/**
 * Kendall's rank correlation and its exact test. Kept here because no package of numbers on npm has tau-b with an exact p
 * under ties, which published tables are full of.
 */

/** Of all pairs: concordant minus discordant ones, and how many either side leaves untied. */
interface PairSums {
  readonly score: number;
  readonly untiedX: number;
  readonly untiedY: number;
}

function pairSums(x: readonly number[], y: readonly number[]): PairSums {
  if (x.length !== y.length) throw new RangeError(`Expected two lists of one length, got ${x.length} and ${y.length} values.`);
  let [score, untiedX, untiedY] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const [dx, dy] = [Math.sign(x[i]! - x[j]!), Math.sign(y[i]! - y[j]!)];
      score += dx * dy;
      untiedX += Math.abs(dx);
      untiedY += Math.abs(dy);
    }
  }
  return { score, untiedX, untiedY };
}

/**
 * Kendall's tau-b, from -1 (the reverse order) to 1 (the same order), corrected for ties; undefined when one side has no
 * order at all. (Kendall 1945, The treatment of ties in ranking problems, Biometrika 33.)
 */
export function kendallTauB(x: readonly number[], y: readonly number[]): number | undefined {
  const { score, untiedX, untiedY } = pairSums(x, y);
  return untiedX === 0 || untiedY === 0 ? undefined : score / Math.sqrt(untiedX * untiedY);
}

/**
 * Two-sided exact p of no association: the share of all ways to pair the two lists whose score (concordant minus discordant
 * pairs) is at least as far from zero as the one seen. Undefined where one side has no order, and where both have ties in
 * lists too long to count. (Kendall 1938, A new measure of rank correlation, Biometrika 30; with ties as in Burr 1960.)
 */
export function kendallPValue(x: readonly number[], y: readonly number[]): number | undefined {
  const { score, untiedX, untiedY } = pairSums(x, y);
  if (untiedX === 0 || untiedY === 0) return undefined;
  const [a, b] = [groupSizes(x), groupSizes(y)];
  const counts = a.length === x.length ? oneSideTied(b) : b.length === y.length ? oneSideTied(a) : bothSidesTied(a, b);
  if (counts === undefined) return undefined;
  const reach = (counts.length - 1) / 2;
  const sum = (from: number): number => counts.reduce((total, count, i) => (Math.abs(i - reach) >= from ? total + count : total), 0);
  return sum(Math.abs(score)) / sum(0);
}

/** How often each value occurs, from the smallest value to the largest. */
function groupSizes(values: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b).map(([, count]) => count);
}

/** Numbers of arrangements by their score, which goes from -reach at index 0 to reach. */
type ScoreCounts = readonly number[];

/**
 * Against an order without ties the score is the number of untied pairs less twice the inversions, and those are counted by the
 * coefficients of the Gaussian multinomial of the group sizes (MacMahon 1916, Combinatory Analysis).
 */
function oneSideTied(sizes: readonly number[]): ScoreCounts {
  let inversions = [1];
  let placed = 0;
  for (const size of sizes) {
    for (let i = 1; i <= size; i++) inversions = divided(multiplied(inversions, placed + i), i);
    placed += size;
  }
  // Scores of one parity only: in between there are none.
  return inversions.flatMap((count, i) => (i === 0 ? [count] : [0, count]));
}

/** Coefficients times 1 + q + ... + q^(terms - 1). */
function multiplied(counts: readonly number[], terms: number): number[] {
  const product = new Array<number>(counts.length + terms - 1).fill(0);
  counts.forEach((count, i) => {
    for (let j = 0; j < terms; j++) product[i + j]! += count;
  });
  return product;
}

/** The inverse of {@link multiplied}, for coefficients that it divides without rest. */
function divided(counts: readonly number[], terms: number): number[] {
  const quotient: number[] = [];
  for (let i = 0; i <= counts.length - terms; i++) {
    let earlier = 0;
    for (let j = Math.max(0, i - terms + 1); j < i; j++) earlier += quotient[j]!;
    quotient.push(counts[i]! - earlier);
  }
  return quotient;
}

/** Beyond so many states counting takes seconds: 15 arms with a tie on either side have some 25,000. */
const MOST_STATES = 2 ** 15;

interface State {
  /** Members of each group that are not placed yet. */
  readonly left: readonly number[];
  readonly counts: Float64Array;
}

/** Places the groups of one side in order over members of the other's, and keeps count of the scores by what is left. */
function bothSidesTied(first: readonly number[], second: readonly number[]): ScoreCounts | undefined {
  const states = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * (size + 1), 1);
  const [placed, sizes] = states(first) < states(second) ? [second, first] : [first, second];
  if (states(sizes) > MOST_STATES) return undefined;
  const n = sizes.reduce((sum, size) => sum + size, 0);
  const reach = (n * (n - 1)) / 2;
  let open = new Map<string, State>([[sizes.join(), { left: sizes, counts: new Float64Array(2 * reach + 1) }]]);
  open.get(sizes.join())!.counts[reach] = 1;
  for (const size of placed) {
    const next = new Map<string, State>();
    for (const { left, counts } of open.values()) {
      for (const taken of choices(left, size)) {
        const after = left.map((count, i) => count - taken[i]!);
        const key = after.join();
        const state = next.get(key) ?? { left: after, counts: new Float64Array(2 * reach + 1) };
        next.set(key, state);
        addShifted(state.counts, counts, scoreOf(taken, after), ways(left, taken));
      }
    }
    open = next;
  }
  return [...[...open.values()][0]!.counts];
}

/** Every way to take `size` members from groups that have `left`, as numbers per group. */
function choices(left: readonly number[], size: number): number[][] {
  const [first, ...rest] = left;
  if (first === undefined) return size === 0 ? [[]] : [];
  return Array.from({ length: Math.min(first, size) + 1 }, (_, taken) => choices(rest, size - taken).map(others => [taken, ...others])).flat();
}

/** What the members taken now score against those that come later: those of a higher group are in order. */
function scoreOf(taken: readonly number[], after: readonly number[]): number {
  let score = 0;
  taken.forEach((count, i) => {
    after.forEach((later, j) => {
      score += count * later * Math.sign(j - i);
    });
  });
  return score;
}

const ways = (left: readonly number[], taken: readonly number[]): number => left.reduce((product, count, i) => product * binomial(count, taken[i]!), 1);

function binomial(n: number, k: number): number {
  let product = 1;
  for (let i = 1; i <= k; i++) product = (product * (n - k + i)) / i;
  return product;
}

function addShifted(target: Float64Array, source: Float64Array, shift: number, factor: number): void {
  for (let i = 0; i < source.length; i++) if (source[i]! !== 0) target[i + shift]! += factor * source[i]!;
}
