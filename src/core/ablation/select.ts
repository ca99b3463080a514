/** Selectors of the command line: `--only relation,masking/mask-75` and `--seeds 0,1`. */
import { UsageError } from './errors.ts';
import type { Ablation } from './expand.ts';
import { suggest } from './suggest.ts';

/** An ablation, whole (`arms` absent) or some of its arms. */
export interface Selector {
  readonly ablation: string;
  readonly arms?: readonly string[];
}

/**
 * @param only names of ablations or `ablation/arm`, joined by commas, in one list or several; absent means every ablation, whole
 * @param available names of the declared ablations, in order; the selectors come back in the same order, each ablation once
 */
export function parseOnly(only: string | readonly string[] | undefined, available: readonly string[]): Selector[] {
  if (only === undefined) return available.map(ablation => ({ ablation }));
  const chosen = new Map<string, string[] | undefined>();
  for (const item of [only].flat().flatMap(list => splitList(list, '--only'))) {
    const [ablation = '', arm, ...rest] = item.split('/');
    if (rest.length > 0 || arm === '') throw new UsageError('BAD_SELECTOR', `--only: expected 'ablation' or 'ablation/arm', got '${item}'`);
    if (!available.includes(ablation)) throw new UsageError('UNKNOWN_ABLATION', `--only: no ablation '${ablation}'${suggest(ablation, available)}`);
    if (arm === undefined) chosen.set(ablation, undefined);
    else if (!chosen.has(ablation)) chosen.set(ablation, [arm]);
    else chosen.get(ablation)?.push(arm);
  }
  return available
    .filter(ablation => chosen.has(ablation))
    .map(ablation => {
      const arms = chosen.get(ablation);
      return arms ? { ablation, arms } : { ablation };
    });
}

/** Keeps the arms that the selector names, in the order of the declaration. */
export function selectArms(ablation: Ablation, selector: Selector): Ablation {
  const { arms } = selector;
  if (!arms) return ablation;
  const [names, wanted] = [ablation.arms.map(a => a.name), new Set(arms)];
  const known = new Set(names);
  for (const arm of wanted) {
    if (!known.has(arm)) throw new UsageError('UNKNOWN_ARM', `--only: ablation '${selector.ablation}' has no arm '${arm}'${suggest(arm, names)}`);
  }
  return { ...ablation, arms: ablation.arms.filter(a => wanted.has(a.name)) };
}

/** `0,1,2` -> `[0, 1, 2]`: distinct integers below 2^32. */
export function parseSeeds(seeds: string): number[] {
  const parsed = splitList(seeds, '--seeds').map(item => {
    const seed = Number(item);
    if (!/^\d+$/.test(item) || seed >= 2 ** 32) throw new UsageError('BAD_SEED', `--seeds: expected integers from 0 to 4294967295 joined by commas, got '${item}'`);
    return seed;
  });
  return [...new Set(parsed)];
}

function splitList(list: string, flag: string): string[] {
  const items = list
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '');
  if (items.length === 0) throw new UsageError('EMPTY_LIST', `${flag}: expected at least one name, got '${list}'`);
  return items;
}
