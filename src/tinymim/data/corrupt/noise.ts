/** Noise. Each value of a picture takes one number of its own, in the order of the picture. */
import { mapPicture, type Draws, type Picture } from './picture.ts';

/** @param deviation of the normal noise, where white is 1 */
export const gaussianNoise = (picture: Picture, deviation: number, draws: Draws): Picture => mapPicture(picture, level => level + deviation * draws.normal());

/** Salt and pepper. @param amount share of the values that become black or white, half of them each */
export const impulseNoise = (picture: Picture, amount: number, draws: Draws): Picture =>
  mapPicture(picture, level => {
    const u = draws.uniform();
    return u < amount / 2 ? 0 : u < amount ? 1 : level;
  });

/** Photons are counted, which gives a Poisson distribution; drawn by its inverse. @param photons mean count of white; levels are multiples of 1/255 */
export function shotNoise(picture: Picture, photons: number, draws: Draws): Picture {
  const distributions = distributionsOf(photons);
  return mapPicture(picture, level => {
    const u = draws.uniform(),
      below = distributions[Math.round(level * 255)]!;
    let low = 0,
      high = below.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (below[middle]! >= u) high = middle;
      else low = middle + 1;
    }
    return low / photons;
  });
}

/** By mean count of white. */
const known = new Map<number, readonly Float64Array[]>();

/** Of each of 256 levels the probabilities of at most 0, 1, 2, ... photons, until no uniform number is larger. */
function distributionsOf(photons: number): readonly Float64Array[] {
  const found = known.get(photons) ?? Array.from({ length: 256 }, (_, level) => distribution((photons * level) / 255));
  known.set(photons, found);
  return found;
}

/** Uniform numbers are multiples of this below 1 (`Stream.uniform`). */
const RESOLUTION = 2 ** -24;

function distribution(mean: number): Float64Array {
  const below: number[] = [];
  let probability = Math.exp(-mean),
    sum = probability;
  for (let k = 1; sum < 1 - RESOLUTION; k++) {
    below.push(sum);
    probability *= mean / k;
    sum += probability;
  }
  return Float64Array.from([...below, 1]);
}
