/** Selectors of the command line: `--only relation,masking/mask-75`, `--only 'relation/qk-*'` and `--seeds 0,1` or `--seeds 0-4`. */
import { UsageError } from './errors.ts';
import type { Ablation } from './expand.ts';
import { suggest } from './suggest.ts';

/** An ablation, whole (`arm` absent) or one of its arms. Both are patterns: `*` is any text, `?` any character. */
export interface Selector {
  readonly ablation: string;
  readonly arm?: string;
}

const WHOLE: Selector = { ablation: '*' };

/**
 * @param only names of ablations or `ablation/arm`, or patterns of them, joined by commas, in one list or several; absent means every ablation, whole
 * @param available names of the declared ablations
 * @throws UsageError for what names no ablation; for arms see {@link selectArms}
 */
export function parseOnly(only: string | readonly string[] | undefined, available: readonly string[]): Selector[] {
  if (only === undefined) return [WHOLE];
  return [only]
    .flat()
    .flatMap(list => splitList(list, '--only'))
    .map(item => {
      const [ablation = '', arm, ...rest] = item.split('/');
      if (rest.length > 0 || arm === '') throw new UsageError('BAD_SELECTOR', `--only: expected 'ablation' or 'ablation/arm', got '${item}'`);
      if (!available.some(name => isLike(ablation, name))) throw new UsageError('UNKNOWN_ABLATION', `--only: no ablation '${ablation}'${nearest(ablation, available)}`);
      return { ablation, ...(arm !== undefined && { arm }) };
    });
}

/** Those of the ablations that the selectors ask for, in the same order. */
export const selectAblations = (available: readonly string[], selectors: readonly Selector[]): string[] => available.filter(name => selectors.some(({ ablation }) => isLike(ablation, name)));

/**
 * Keeps the arms that the selectors ask for, in the order of the declarations; an ablation without any is left out.
 * @throws UsageError for a selector that names no arm
 */
export function selectArms(ablations: readonly Ablation[], selectors: readonly Selector[]): Ablation[] {
  for (const selector of selectors) requireArm(ablations, selector);
  return ablations.flatMap(ablation => {
    const own = selectors.filter(s => isLike(s.ablation, ablation.declaration.name));
    if (own.some(s => s.arm === undefined)) return [ablation];
    const arms = ablation.arms.filter(({ name }) => own.some(({ arm = '*' }) => isLike(arm, name)));
    return arms.length === 0 ? [] : [{ ...ablation, arms }];
  });
}

function requireArm(ablations: readonly Ablation[], { ablation, arm }: Selector): void {
  if (arm === undefined) return;
  const names = ablations.filter(({ declaration }) => isLike(ablation, declaration.name)).flatMap(({ arms }) => arms.map(({ name }) => name));
  if (names.some(name => isLike(arm, name))) return;
  const what = /[*?]/.test(ablation) ? `no ablation of '${ablation}' has an arm` : `ablation '${ablation}' has no arm`;
  throw new UsageError('UNKNOWN_ARM', `--only: ${what} '${arm}'${nearest(arm, [...new Set(names)])}`);
}

const WILD = /[*?]/g;

/** Whether a name is of this pattern. */
function isLike(pattern: string, name: string): boolean {
  const source = pattern.replace(/[^\w*?]/g, String.raw`\$&`).replace(WILD, character => (character === '*' ? '.*' : '.'));
  return new RegExp(`^${source}$`).test(name);
}

const nearest = (pattern: string, valid: readonly string[]): string => suggest(pattern.replace(WILD, ''), valid);

/** Seeds of one list: more are a slip of the pen. */
const MOST_SEEDS = 10_000;

/**
 * `0,1,2` or `0-2` -> `[0, 1, 2]`: distinct integers below 2^32, in the order given.
 * @throws UsageError for anything else
 */
export function parseSeeds(seeds: string): number[] {
  return [...new Set(splitList(seeds, '--seeds').flatMap(range))];
}

function range(item: string): number[] {
  const [, first = '', last = first] = /^(\d+)(?: *- *(\d+))?$/.exec(item) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === '' || to >= 2 ** 32 || to < from) throw new UsageError('BAD_SEED', `--seeds: expected integers from 0 to 4294967295 and ranges of them (0-4) joined by commas, got '${item}'`);
  if (to - from >= MOST_SEEDS) throw new UsageError('BAD_SEED', `--seeds: expected at most ${MOST_SEEDS} seeds, got ${to - from + 1} in '${item}'`);
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function splitList(list: string, flag: string): string[] {
  const items = list
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '');
  if (items.length === 0) throw new UsageError('EMPTY_LIST', `${flag}: expected at least one name, got '${list}'`);
  return items;
}
