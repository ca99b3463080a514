/** `make simulate ARGS="--repetitions 10000 --seed 1"`: how often verdicts are false, as a table; exit code 1 where that is more than 5 %. */
import { writeFileSync } from 'node:fs';
import { InvalidArgumentError, program } from 'commander';
import { ALPHA } from '../../src/core/report/statistics/verdict.ts';
import { formatCount } from '../../src/core/text/format.ts';
import { ELSEWHERE, FAMILIES, PLAIN, RULES } from './scenes.ts';
import { measureErrors, measureStopping, simulationError, type Errors, type World } from './worlds.ts';

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError(`Expected a positive whole number, got '${text}'.`);
  return value;
};

const { seed, repetitions, out } = program
  .name('make simulate')
  .option('--seed <number>', 'decides all that is drawn', whole, 1)
  .option('--repetitions <number>', 'of each world', whole, 10_000)
  .option('--out <file>', 'where the table is written', 'reports/bench/verdicts.md')
  .parse()
  .opts<{ seed: number; repetitions: number; out: string }>();

const SEEDS = [3, 5, 10];
/** Standard errors of the simulation that 5 % may be exceeded by. */
const ERRORS = 3;
const MOST = ALPHA + ERRORS * simulationError(ALPHA, repetitions);

const percent = (share: number): string => (100 * share).toFixed(1);
const tooMany: string[] = [];

/** As a percentage, in bold where it is more than it may be. */
function held(share: number, what: string, [least, most]: readonly [number, number] = [0, MOST]): string {
  if (share >= least && share <= most) return percent(share);
  tooMany.push(`${what}: ${percent(share)} %`);
  return `**${percent(share)}**`;
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n');

function measured<T>(worlds: readonly World[], cells: (errors: Errors, what: string) => T): readonly (readonly [World, readonly T[]])[] {
  return worlds.map(world => {
    console.error(world.name);
    return [world, SEEDS.map(seeds => cells(measureErrors(world, { seeds, repetitions, seed }), `${world.name}, ${seeds} seeds`))] as const;
  });
}

const seedsHead = SEEDS.map(seeds => `${seeds} seeds`);
const rules = measured(RULES, ({ corrected }, what) => held(corrected, what, what.startsWith(PLAIN.name) ? [0.04, 0.06] : undefined)).map(([{ name }, cells]) => [name, ...cells]);
const families = measured(FAMILIES, ({ corrected, uncorrected, oneClaim }, what) => [held(oneClaim, `${what}, one claim`), percent(uncorrected), held(corrected, what)]).map(
  ([{ name }, [three, five, ten]]) => [name, ...three!, ...five!, ...ten!],
);
const elsewhere = measured(ELSEWHERE, ({ corrected }) => percent(corrected)).map(([{ name }, cells]) => [name, ...cells]);

const stopping = [
  { from: 3, to: 5 },
  { from: 3, to: 10 },
].map(({ from, to }) => {
  console.error(`looks from ${from} to ${to} seeds`);
  const looks = { from, to, repetitions, seed };
  const what = `${to} declared, a look after each from ${from} on`;
  return [
    `after each from ${from} to ${to} seeds`,
    percent(measureStopping(PLAIN, looks, n => n)),
    held(
      measureStopping(PLAIN, looks, () => to),
      what,
    ),
  ];
});

const text = `# How often verdicts are false

Written by \`make simulate\`: worlds in which the truth is known, judged by the functions that reports use, ${formatCount(repetitions)} times each (seed ${seed}). All numbers are
percentages of repetitions; a 5 of them has a simulation error of ${percent(simulationError(ALPHA, repetitions))}. Accuracies of an arm scatter normally over seeds, by the same spread for every arm; what a seed does to
all arms alike comes on top. The true differences are the worst for the rule: none without a margin, else exactly the margin, where either verdict is false. “Far” is
a thousand times the spread.

## One claim

False verdicts, reproduced or contradicted, of an ablation that declares this claim alone.

${table(['claim and truth', ...seedsHead], rules)}

The first row is the plain two-sided paired t test. Where only one of the two verdicts is within reach, false ones are half of 5 %.

## The claims of one ablation

*one*: false verdicts of a claim, on average, where each is judged as if it were the only one. *any*: repetitions in which one or more of them have a false verdict so.
*Holm*: the same after Holm’s correction, which is what reports print.

${table(['claims and truth', ...SEEDS.flatMap(seeds => [`${seeds} seeds: one`, 'any', 'Holm'])], families)}

## Stopping at will

False verdicts of the plain test where somebody looks again after each further seed and stops at the first verdict; and by the rule of reports, where the last of these numbers
is declared and all before are interim.

${table(['looks', 'stopping at will', 'seeds declared'], stopping)}

## What it rests on

The t test supposes that differences are normally distributed. Where they are not, the plain test of one comparison without a true difference has these false verdicts. Nothing is promised
about them: a rare failure that no seed has shown yet is seen by no test.

${table(['scatter', ...seedsHead], elsewhere)}
`;

writeFileSync(out, text);
console.error(`Written: ${out}`);
if (tooMany.length > 0) {
  console.error(`Expected at most ${percent(MOST)} % (of the plain test 4 to 6), got\n  ${tooMany.join('\n  ')}`);
  process.exitCode = 1;
}
