/** `make fuzz ARGS="--seed 1 --inputs 100000"`: prints what the readers made of damaged files; exit code 1 when one crashed, hung or took damage for data. */
import { InvalidArgumentError, program } from 'commander';
import { FORMATS } from './formats.ts';
import { commandOf, type Tally } from './fuzz.ts';

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError(`Expected a whole number, got '${text}'.`);
  return value;
};

const {
  seed,
  inputs,
  format: only,
  path,
} = program
  .name('make fuzz')
  .option('--seed <number>', 'decides the damage', whole, Date.now() % 100_000)
  .option('--inputs <number>', 'damaged inputs in total, shared evenly by the formats', whole, 100_000)
  .option('--format <name>', 'this format alone')
  .option('--path <path>', 'of a failure to go through again, as it was printed')
  .parse()
  .opts<{ seed: number; inputs: number; format?: string; path?: string }>();

const formats = FORMATS.filter(({ name }) => only === undefined || name === only);
if (formats.length === 0) program.error(`error: Expected one of ${FORMATS.map(({ name }) => `'${name}'`).join(', ')}, got '${only}'.`);

const HEAD = ['inputs', 'refused', 'harmless', 'undetectable', 'faults', 'inputs/s', 'slowest ms'];
const line = (name: string, cells: readonly (string | number)[]): string => name.padEnd(40) + cells.map((cell, i) => String(cell).padStart(HEAD[i]!.length + 2)).join('');
const cellsOf = (t: Tally, faults: number): (string | number)[] => [
  t.inputs,
  t.refused,
  t.harmless,
  t.undetectable,
  faults,
  t.seconds > 0 ? Math.round(t.inputs / t.seconds) : 0,
  t.slowestMs.toFixed(1),
];

const share = Math.ceil(inputs / formats.length);
const total: Tally = { inputs: 0, refused: 0, harmless: 0, undetectable: 0, slowestMs: 0, seconds: 0 };
const faults: string[] = [];
console.log(`Fuzz of ${formats.length} formats with ${share} inputs each, seed ${seed}.\n${line('format', HEAD)}`);
for (const { name, run } of formats) {
  const options = { seed, inputs: share, ...(path !== undefined && { path }) };
  const tally = await run(options);
  console.log(line(name, cellsOf(tally, tally.fault ? 1 : 0)));
  for (const count of ['inputs', 'refused', 'harmless', 'undetectable', 'seconds'] as const) total[count] += tally[count];
  total.slowestMs = Math.max(total.slowestMs, tally.slowestMs);
  if (tally.fault) faults.push(`${name}: ${tally.fault.report}\nAgain: ${commandOf(name, { ...options, path: tally.fault.path })}`);
}
console.log(line('total', cellsOf(total, faults.length)));
if (faults.length > 0) {
  console.log(`\n${faults.join('\n\n')}`);
  process.exitCode = 1;
}
