/** `make chaos ARGS="--seed 7 --minutes 3"`: prints what was done and counted; exit code 1 when anything was lost, doubled or left over. */
import { InvalidArgumentError, program } from 'commander';
import { draw } from '../toy/kinds/grow.ts';
import { runChaos } from './chaos.ts';
import { disturbances } from './disturbances.ts';
import { killDistillations } from './native.ts';
import { faultsOf, tallyText } from './tally.ts';

const number = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError(`Expected a number from 0 on, got '${text}'.`);
  return value;
};

// So that what is to be done at the exit is done.
process.on('SIGINT', () => process.exit(130));

const { seed, minutes, nativeKills } = program
  .name('make chaos')
  .option('--seed <number>', 'decides what happens, to whom and when', number, Date.now() % 100_000)
  .option('--minutes <number>', 'time for disturbances', number, 3)
  .option('--native-kills <number>', 'kills inside a real distillation', number, 10)
  .parse()
  .opts<{ seed: number; minutes: number; nativeKills: number }>();

console.log(`Chaos of ${minutes} min, seed ${seed}. First an undisturbed sweep.`);
const tally = await runChaos({ seed, disturbances, enough: (_, seconds) => seconds >= minutes * 60, seeds: '0,1', say: line => console.log(line) });
if (nativeKills > 0 && faultsOf(tally) === 0) {
  console.log(`${nativeKills} kills inside a real distillation:`);
  let drawn = 0;
  await killDistillations({ kills: nativeKills, tally, random: () => draw(seed, 'native', drawn++), say: line => console.log(line) });
}
console.log(`\nChaos of ${minutes} min, seed ${seed}:\n${tallyText(tally)}`);
if (faultsOf(tally) > 0) {
  console.log(`To go through the same schedule again: make chaos ARGS="--seed ${seed} --minutes ${minutes}"`);
  process.exitCode = 1;
}
