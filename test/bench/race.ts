/**
 * The race against PyTorch: `node --import ./src/start/allow-typescript.mjs test/bench/race.ts --help`. Exit code 1 where the two sides do not learn the
 * same, 2 for bad use, without PyTorch, or without the GPU that was asked for.
 */
import { availableParallelism } from 'node:os';
import pc from 'picocolors';
import { AblateError } from '../../src/core/ablation/errors.ts';
import { heading, textTable } from '../../src/cli/terminal/text.ts';
import { cacheDir, dataDir } from '../../src/setup/cache.ts';
import { parseOptions, HELP, type RaceOptions } from './race/args.ts';
import { CASES, SWEEP_STEP } from './race/cases.ts';
import { CONTENDERS } from './race/contenders.ts';
import { requireGpu, requireGpuOf } from './race/gpu.ts';
import { stepGoals, sweepBounds, sweepGoals } from './race/goals.ts';
import { describeMachine } from './race/machine.ts';
import { findPyTorch } from './race/pytorch.ts';
import { settingLines, writeReport, type RaceResults } from './race/report.ts';
import { raceSteps, wrongCurves, type CaseResult, type StepRaceOptions } from './race/steps.ts';
import { raceSweep, SWEEP_CONTENDERS, wrongOutcomes } from './race/sweep.ts';
import { goalTable, stepTable, sweepTable, type Rows } from './race/tables.ts';
import { ourVersions } from './race/versions.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (line = ''): void => void process.stdout.write(`${line}\n`);
const printTable = (rows: Rows): void => print(textTable(rows));

async function race(options: RaceOptions): Promise<number> {
  const onGpu = options.device === 'gpu';
  if (onGpu) await requireGpu();
  const pytorch = await findPyTorch({ env: process.env, cache: cacheDir(), device: options.device, say });
  if (onGpu) requireGpuOf(pytorch);
  const machine = await describeMachine();
  const setting = {
    machine,
    versions: { PyTorch: pytorch.version, ...ourVersions() },
    device: options.device.toUpperCase(),
    threads: options.threads,
  };
  for (const line of settingLines(setting)) print(line);

  const common: StepRaceOptions = { ...options, pytorch, say };
  const cases: CaseResult[] = [];
  for (const step of CASES.filter(({ name }) => options.cases.includes(name))) {
    cases.push(await raceSteps(step, common));
    showCase(cases.at(-1)!);
  }
  const sweep = options.sweep ? await sweepRace(common, options) : undefined;
  if (sweep) cases.push(sweep.step);

  const bfloat16 = machine.bfloat16.length > 0;
  const goals = onGpu
    ? []
    : [
        ...cases.flatMap(result => (result === sweep?.step ? [] : stepGoals(result, { threads: options.threads, bfloat16 }))),
        ...(sweep ? sweepGoals(sweep.results, sweep.bounds, { cores: machine.cores, bfloat16 }) : []),
      ];
  if (goals.length > 0) {
    print(`\n${heading('Goals')}`);
    printTable(goalTable(goals));
  }
  await report({ ...setting, cases, sweep, goals }, options);
  const wrong = [...cases.flatMap(wrongCurves), ...(sweep ? wrongOutcomes(sweep.results) : [])];
  for (const line of wrong) say(`${pc.red('error')} ${line}`);
  return wrong.length > 0 ? 1 : 0;
}

function showCase(result: CaseResult): void {
  print(`\n${heading(result.step.title)}`);
  printTable(stepTable(result));
}

async function sweepRace(common: StepRaceOptions, { sweepRounds }: RaceOptions) {
  const names = SWEEP_CONTENDERS.map(({ name }) => name);
  const step = await raceSteps(SWEEP_STEP, { ...common, threads: 1, contenders: names });
  showCase(step);
  const cores = availableParallelism();
  say(`A sweep of 8 arms, ${cores} processes of one thread each`);
  const { results, files } = await raceSweep({ pytorch: common.pytorch, cores, rounds: sweepRounds, dataDir: dataDir(), say });
  const bounds = sweepBounds(results, step, files.perfectSharing);
  print(`\n${heading('A whole sweep of 8 arms')}`);
  printTable(sweepTable(results, bounds));
  return { results, bounds, step };
}

/** A race of a few among all is for the one who watches it: the report of all stays. */
async function report(results: RaceResults, { reports, cases, sweep, contenders, device }: RaceOptions): Promise<void> {
  if (reports === undefined) return;
  const whole = cases.length === CASES.length && sweep === (device === 'cpu') && CONTENDERS.every(({ name }) => contenders.includes(name));
  if (!whole) {
    say('No report is written: only a part was raced.');
    return;
  }
  await writeReport(reports, results);
  say(`Report: ${reports}/README.md`);
}

try {
  if (process.argv.includes('--help')) print(HELP);
  else process.exitCode = await race(parseOptions(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof AblateError)) throw error;
  say(`${pc.red('error')} ${error.message}`);
  process.exitCode = 2;
}
