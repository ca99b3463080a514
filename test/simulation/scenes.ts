/** The worlds that are worst for each rule, and for many claims together. */
import type { Comparison } from '../../src/core/ablation/declaration.ts';
import type { World } from './worlds.ts';

const above = (arm: string, than: string): Comparison => ({ type: 'greater', arm, than });
const notBelow = (arm: string, than: string): Comparison => ({ type: 'not-worse', arm, than });
const noDifferent = (arm: string, than: string): Comparison => ({ type: 'same', arm, than });

/** So far apart that every test sees it. */
const FAR = 1000;
const FOUR = ['b', 'c', 'd', 'e'];
const named = (names: readonly string[], mean: number): Record<string, number> => Object.fromEntries(names.map(name => [name, mean]));
const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `arm${i}`);

/** The plain two-sided paired t test: one comparison, no margin, no correction. */
export const PLAIN: World = { name: '“above”, no true difference, no margin', means: { a: 0, b: 0 }, claims: [above('a', 'b')], margin: 0 };

/** One claim each. */
export const RULES: readonly World[] = [
  PLAIN,
  { name: '“above”, truly above by the margin', means: { a: 0.5, b: 0 }, claims: [above('a', 'b')], margin: 0.5 },
  { name: '“not below”, no true difference, no margin', means: { a: 0, b: 0 }, claims: [notBelow('a', 'b')], margin: 0 },
  { name: '“not below”, truly below by the margin', means: { a: -0.5, b: 0 }, claims: [notBelow('a', 'b')], margin: 0.5 },
  { name: '“no different”, no true difference, no margin', means: { a: 0, b: 0 }, claims: [noDifferent('a', 'b')], margin: 0 },
  { name: '“no different”, truly different by a margin of half the spread', means: { a: 0.5, b: 0 }, claims: [noDifferent('a', 'b')], margin: 0.5 },
  { name: '“no different”, truly different by a margin of 20 times the spread', means: { a: -20, b: 0 }, claims: [noDifferent('a', 'b')], margin: 20 },
  { name: '“best of 5”, all equal, no margin', means: { a: 0, ...named(FOUR, 0) }, claims: [{ type: 'best', arm: 'a', of: FOUR }], margin: 0 },
  { name: '“best of 5”, one other equal, three far below, no margin', means: { a: 0, ...named(FOUR, -FAR), b: 0 }, claims: [{ type: 'best', arm: 'a', of: FOUR }], margin: 0 },
  { name: '“best of 5”, truly below each by the margin', means: { a: -0.5, ...named(FOUR, 0) }, claims: [{ type: 'best', arm: 'a', of: FOUR }], margin: 0.5 },
  { name: '“rises over 5”, all equal, no margin', means: { a: 0, ...named(FOUR, 0) }, claims: [{ type: 'monotone', arms: ['a', ...FOUR] }], margin: 0 },
  { name: '“rises over 5”, one step level, no margin', means: { a: -FAR, b: 0, c: 0, d: FAR, e: 2 * FAR }, claims: [{ type: 'monotone', arms: ['a', ...FOUR] }], margin: 0 },
];

/** Many claims of one ablation. */
export const FAMILIES: readonly World[] = [
  { name: '9 arms against one baseline, all equal, no margin', means: { base: 0, ...named(numbered(9), 0) }, claims: numbered(9).map(arm => above(arm, 'base')), margin: 0 },
  { name: '30 arms against one baseline, all equal, no margin', means: { base: 0, ...named(numbered(30), 0) }, claims: numbered(30).map(arm => above(arm, 'base')), margin: 0 },
  {
    name: '9 arms against one baseline, 4 far above, 5 equal',
    means: { base: 0, ...named(numbered(9), 0), ...named(numbered(4), FAR) },
    claims: numbered(9).map(arm => above(arm, 'base')),
    margin: 0,
  },
  {
    name: '9 arms against one baseline, each above by a tenth of the spread',
    means: { base: 0, ...named(numbered(9), 0.1) },
    claims: numbered(9).map(arm => above(arm, 'base')),
    margin: 0,
  },
  {
    name: 'each of 5 equal arms above each other one: 10 claims, no margin',
    means: named(numbered(5), 0),
    claims: numbered(5).flatMap((arm, i) => numbered(i).map(than => above(arm, than))),
    margin: 0,
  },
  {
    name: 'claims of all five rules, each at its margin',
    means: { base: 0, up: 0.5, down: -0.5, far: FAR },
    claims: [
      above('up', 'base'),
      notBelow('down', 'base'),
      noDifferent('up', 'base'),
      noDifferent('base', 'down'),
      { type: 'best', arm: 'up', of: ['base', 'down'] },
      { type: 'monotone', arms: ['down', 'base', 'up', 'far'] },
    ],
    margin: 0.5,
  },
];

/** Where differences are not normally distributed, which the t test rests on. For few seeds no test can do without such a supposition. */
export const ELSEWHERE: readonly World[] = [
  { ...PLAIN, name: 'both arms are skewed (exponential)', noise: (_, random) => -Math.log(1 - random.uniform()) - 1 },
  { ...PLAIN, name: 'one arm is skewed (exponential), the other is steady', noise: (arm, random) => (arm === 'a' ? -Math.log(1 - random.uniform()) - 1 : 0) },
  {
    ...PLAIN,
    name: 'one arm fails in 1 of 10 runs, by ten times the spread',
    noise: (arm, random) => random.normal() + (arm === 'a' ? 1 - (random.uniform() < 0.1 ? 10 : 0) : 0),
  },
];
