/** `ablate diff`: what sets two arms apart, and what came of it. */
import type { Command } from '@commander-js/extra-typings';
import type { MetricSpec } from '../../core/ablation/kind.ts';
import { roleDifferences, type RoleDifference } from '../../core/plan/difference.ts';
import type { Plan, PlannedExperiments } from '../../core/plan/plan.ts';
import { openStoreIfThere } from '../../core/store/store.ts';
import { findArm, type ChosenArm } from '../../core/inspect/arm.ts';
import { measured, sharedMeasures, type CurveDifference, type ItemDifference, type Measured, type MeasuredBy } from '../../core/inspect/diff-arms.ts';
import { choose, withSelection } from '../options/selection.ts';
import { harmlessJson, shorten } from '../../core/text/clean.ts';
import { formatCount, plural } from '../../core/text/format.ts';
import { heading, textTable, warn } from '../terminal/text.ts';
import { pc } from '../terminal/colours.ts';
import { print } from '../terminal/output.ts';

const defineDiff = (program: Command) =>
  withSelection(
    program.command('diff').description('compare two arms: recipe fields, the numbers that they are compared by seed by seed, curves').argument('<ablation/arm>').argument('<ablation/arm>'),
  ).option('--json', 'as JSON');

export function registerDiff(program: Command): void {
  defineDiff(program).action(async (nameA, nameB, options) => {
    const chosen = await choose(options);
    const [a, b] = [findArm(chosen, nameA), findArm(chosen, nameB)];
    const roles = roleDifferences(chosen.plan, a.replicates[0]!, b.replicates[0]!);
    const store = openStoreIfThere(options.store, { warn });
    const numbers = store && measured(chosen.study, chosen.plan, store, a, b);
    print(`${options.json === true ? diffJson(chosen, a, b, roles, numbers) : diffText(chosen, a, b, roles, numbers)}\n`);
  });
}

function diffText(chosen: PlannedExperiments, a: ChosenArm, b: ChosenArm, roles: readonly RoleDifference[], numbers: Measured | undefined): string {
  const { study, profile, overrides } = chosen;
  const by = numbers?.by ?? sharedMeasures(study, a, b).map(measure => ({ measure, a: new Map(), b: new Map(), difference: undefined, items: [] }));
  return [
    heading(`${a.name} and ${b.name}`) + pc.dim(`  (${[`profile ${profile.name}`, ...overrides].join(', ')})`),
    `  a  ${pc.cyan(a.name)}  ${a.label}`,
    `  b  ${pc.cyan(b.name)}  ${b.label}`,
    '',
    heading('Recipe'),
    recipeLines(roles),
    '',
    ...by.flatMap((numbersBy, i) => [...(i === 0 ? [] : ['']), ...measureLines(chosen, a, numbersBy)]),
    ...(numbers?.curves ?? []).flatMap(curve => ['', heading(curve.title) + pc.dim(`  (${curve.role}${curve.seeds.length > 1 ? `, mean of ${curve.seeds.length} seeds` : ''})`), curveLines(curve)]),
  ].join('\n');
}

/** Longest value of a field that is printed whole. */
const VALUE = 36;

function recipeLines(roles: readonly RoleDifference[]): string {
  const value = (text: string | undefined): string => (text === undefined ? pc.dim('none') : shorten(text, VALUE));
  return textTable(
    roles.flatMap(({ role, same, only, fields, inputs }): string[][] => {
      if (same) return [[role, pc.dim('same stage'), '', '']];
      if (only !== undefined) return [[role, pc.dim(`only in ${only}`), '', '']];
      const rows = [
        ...fields.map(f => [f.field.replace(/^recipe\./, ''), value(f.a), value(f.b)]),
        ...inputs.map(({ slot, a, b }) => (a === b ? [pc.dim(`another ${a ?? slot}`), '', ''] : [slot, a ?? pc.dim('none'), b ?? pc.dim('none')])),
      ];
      return rows.map((row, i) => [i === 0 ? role : '', ...row]);
    }),
    [0, 1, 2, 3],
  );
}

function measureLines(chosen: PlannedExperiments, arm: ChosenArm, numbers: MeasuredBy): string[] {
  const { study, profile, seeds, plan } = chosen;
  const { name, role, metric } = numbers.measure;
  const spec = metricOf(chosen, plan, arm, role, metric);
  return [heading(study.report.measures?.[name]?.label?.(profile) ?? spec?.label ?? metric), ...numberLines(seeds, numbers, spec), ...itemLines(numbers.items)];
}

function numberLines(seeds: readonly number[], numbers: MeasuredBy, spec: MetricSpec | undefined): string[] {
  if (numbers.a.size + numbers.b.size === 0) return [pc.dim('  Neither arm has a result yet: run ablate sweep.')];
  const { a, b, difference } = numbers;
  const value = (n: number | undefined): string => (n === undefined ? pc.dim('missing') : number(n, spec));
  const delta = (n: number): string => `${n > 0 ? '+' : ''}${gap(n, spec)}`;
  const rows = seeds.map(seed => {
    const [x, y] = [a.get(seed)?.value, b.get(seed)?.value];
    return [`seed ${seed}`, value(x), value(y), x === undefined || y === undefined ? '' : delta(x - y)];
  });
  const lines = [textTable([['', 'a', 'b', 'a - b'].map(h => pc.dim(h)), ...rows])];
  if (difference === undefined) return [...lines, pc.dim('  No seed has both.')];
  const { interval, n, error } = difference;
  const within = interval === undefined ? '' : `, ${Math.round(interval.level * 100)} % interval ${delta(interval.low)} to ${delta(interval.high)}`;
  const how = error === 'paired' ? `mean of ${plural(n, 'paired seed')}` : `these two trained models, ${ONE_SEED[error]}`;
  return [...lines, `  a - b = ${delta(difference.value)} ± ${gap(difference.standardError, spec)}${spec?.unit === 'fraction' ? ' points' : ''} ${pc.dim(`(${how}${within})`)}`];
}

const ONE_SEED = { images: 'by the items on which they differ', binomial: 'as if tested on different items' };

function itemLines(items: readonly ItemDifference[]): string[] {
  if (items.length === 0) return [];
  const rows = items.map(({ seed, both, onlyA, onlyB, neither }) => [`seed ${seed}`, ...[both, onlyA, onlyB, neither].map(formatCount)]);
  return ['', heading('Test items that are right'), textTable([['', 'in both', 'only in a', 'only in b', 'in neither'].map(h => pc.dim(h)), ...rows])];
}

/** Fractions in percent, as in the report. */
const number = (n: number, spec: MetricSpec | undefined): string => (spec?.unit === 'fraction' ? `${(100 * n).toFixed(2)} %` : String(Number(n.toPrecision(4))));

/** Differences of fractions in percentage points. */
const gap = (n: number, spec: MetricSpec | undefined): string => (spec?.unit === 'fraction' ? (100 * n).toFixed(2) : String(Number(n.toPrecision(3))));

/** Columns of the table below the sparkline. */
const COLUMNS = 5;

function curveLines({ epochs, a, b }: CurveDifference): string {
  const low = Math.min(...a, ...b),
    high = Math.max(...a, ...b);
  const shown = [...new Set(Array.from({ length: COLUMNS }, (_, i) => Math.round(((epochs.length - 1) * i) / (COLUMNS - 1))))];
  const row = (name: string, values: readonly number[]): string[] => [name, sparkline(values, low, high), ...shown.map(i => values[i]!.toPrecision(4))];
  return textTable(
    [
      ['', 'epoch', ...shown.map(i => String(Number(epochs[i]!.toFixed(2))))].map(h => pc.dim(h)),
      row('a', a),
      row('b', b),
      ['a - b', '', ...shown.map(i => `${a[i]! > b[i]! ? '+' : ''}${(a[i]! - b[i]!).toPrecision(2)}`)],
    ],
    [0, 1],
  );
}

const BARS = '▁▂▃▄▅▆▇█';

/** Both arms are drawn on one scale. */
export function sparkline(values: readonly number[], low: number, high: number): string {
  return values.map(v => BARS[high === low ? 0 : Math.round(((v - low) / (high - low)) * (BARS.length - 1))]).join('');
}

function metricOf({ study }: PlannedExperiments, plan: Plan, arm: ChosenArm, role: string, metric: string): MetricSpec | undefined {
  const key = arm.replicates[0]!.stages[role];
  return study.kinds.find(kind => kind.name === plan.stages.get(key ?? '')?.kind)?.metrics[metric];
}

const resultsJson = ({ a, b, difference, items }: MeasuredBy) => ({ a: Object.fromEntries(a), b: Object.fromEntries(b), difference: difference ?? null, items });

function diffJson({ profile, overrides }: PlannedExperiments, a: ChosenArm, b: ChosenArm, roles: readonly RoleDifference[], numbers: Measured | undefined): string {
  const results = numbers && {
    ...resultsJson(numbers.by[0]!),
    ...(numbers.by.length > 1 && { others: numbers.by.slice(1).map(by => ({ measure: by.measure.name, ...resultsJson(by) })) }),
    curves: numbers.curves,
  };
  return harmlessJson(JSON.stringify({ a: a.name, b: b.name, profile: profile.name, overrides, recipe: roles, ...(results && { results }) }, undefined, 2));
}
