/** `ablate adopt`: numbers that were not run here, into the report beside those that were. */
import type { Command } from '@commander-js/extra-typings';
import { pathOf } from '../options/paths.ts';
import { choose, withExperiments, withScale } from '../options/selection.ts';

const HELP = `
The file is CSV with the columns ablation, arm, seed, metric, value, note:
  ablation,arm,seed,metric,value,note
  relation,mae,0,accuracy,83.4,"a colleague's run of mini, another cluster"
metric is what the ablation's arms are compared by (accuracy, unless it names others). value is as tables show it: percent where they show
percent (0.83 percent: 0.83%). seed may be empty, as of a number in the appendix of a paper. note says who and where from, and is printed
below the tables: lines with the same note are one source.
These numbers stand in a column of their own, marked, and are in no difference, interval, verdict or count. The same file again changes
nothing. ablate report --prune --adopted takes them out.`;

const defineAdopt = (program: Command) =>
  withExperiments(
    withScale(
      program
        .command('adopt')
        .description('take numbers that were not run here (a CSV file) into the report, marked, beside those that were')
        .argument('<file>', 'CSV: ablation,arm,seed,metric,value,note', pathOf('<file>')),
    ),
  )
    .option('--reports <folder>', 'where reports are written: one folder a profile', pathOf('--reports'), 'reports')
    .addHelpText('after', HELP);

export function registerAdopt(program: Command): void {
  defineAdopt(program).action(async (file, { reports, ...selection }) => {
    const chosen = await choose(selection);
    await (await import('../report/adopt.ts')).adopt(chosen, reports, file);
  });
}
