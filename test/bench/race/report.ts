/** The race as files: `README.md`, `steps.csv`, `sweep.csv`, and a chart with its specification. */
import { chartFiles, csv, markdownTable, writeFiles } from '../files.ts';
import { chartAlt, chartPoints, speedChart } from './chart.ts';
import { TOLERANCE, SWEEP_TOLERANCE, COMPARED_STEPS } from './curves.ts';
import { GOAL_THREADS, type Goal, type SweepBound } from './goals.ts';
import type { Machine } from './machine.ts';
import type { CaseResult } from './steps.ts';
import type { SweepResult } from './sweep.ts';
import { goalTable, stepTable, sweepTable } from './tables.ts';

export interface RaceResults {
  readonly machine: Machine;
  /** By name, e.g. PyTorch's. */
  readonly versions: Readonly<Record<string, string>>;
  readonly device: string;
  readonly threads: number;
  readonly cases: readonly CaseResult[];
  readonly sweep: { readonly results: readonly SweepResult[]; readonly bounds: readonly SweepBound[] } | undefined;
  readonly goals: readonly Goal[];
}

const BUSY = 0.1;

/** Lines that say where the figures were taken. */
export function settingLines({ machine, versions, device, threads }: Pick<RaceResults, 'machine' | 'versions' | 'device' | 'threads'>): string[] {
  const [processor, programs, busy] = machineLines(machine, versions);
  return [processor, programs, `steps on the ${device} with ${threads} threads a process`, busy];
}

/** Processor, versions, and how busy it was. */
export function machineLines(machine: Machine, versions: RaceResults['versions']): [processor: string, programs: string, busy: string] {
  const bf16 = machine.bfloat16.length > 0 ? `bfloat16 instructions (${machine.bfloat16.join(', ')})` : 'no bfloat16 instructions';
  return [
    `${machine.cpu}, ${machine.cores} cores, ${Math.round(machine.memoryBytes / 2 ** 30)} GiB, ${bf16}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    `other programs took ${Math.round(100 * machine.busy)} % of the processor before the race${machine.busy > BUSY ? ': too much to trust the figures, as threads that wait for each other suffer most' : ''}`,
  ];
}

export async function writeReport(folder: string, results: RaceResults): Promise<void> {
  const points = chartPoints(results.cases, results.sweep?.results ?? []);
  writeFiles(folder, {
    'README.md': readme(results),
    'steps.csv': stepsCsv(results.cases),
    ...(results.sweep && { 'sweep.csv': sweepCsv(results.sweep.results) }),
    ...(await chartFiles('speed', speedChart(points), chartAlt(points))),
  });
}

export function readme(results: RaceResults): string {
  const { cases, sweep, goals } = results;
  return (
    [
      '# The race against PyTorch',
      'Written by `make bench`. Figures are of one machine at one time: compare ratios, not seconds.',
      settingLines(results)
        .map(line => `- ${line}`)
        .join('\n'),
      '![Speed against PyTorch](speed.svg)',
      'Beside it: [what each second of a sweep goes to](ledger.md), [how fast images are loaded](loader.md), [what crosses between JavaScript and TensorFlow](traffic.md).',
      '## Goals',
      goals.length > 0 ? markdownTable(goalTable(goals)) : `None applies: they were set for ${GOAL_THREADS} CPU cores, those of bfloat16 for processors that multiply it themselves.`,
      ...cases.flatMap(result => [`## ${result.step.title}`, markdownTable(stepTable(result))]),
      ...(sweep ? ['## A whole sweep', SWEEP_TEXT, markdownTable(sweepTable(sweep.results, sweep.bounds)), boundText(sweep.bounds)] : []),
      '## How it is measured',
      HOW,
    ].join('\n\n') + '\n'
  );
}

const SWEEP_TEXT =
  'Four kinds of relations and four of features, distilled from one teacher, fine-tuned and tested at the sizes of `desk` with few steps (`test/bench/experiments`), ' +
  'by `ablate sweep` and by PyTorch in as many processes of one thread as there are cores. Start-up is counted apart.';

const boundText = (bounds: readonly SweepBound[]): string =>
  bounds
    .map(
      ({ contender, step, sharing, bound }) =>
        `Bound of ${contender.name}: a distillation step alone on one thread is ${step.median.toFixed(2)} times as fast, and running the teacher once for all arms would save all but 1/${sharing.toFixed(2)} of the work: ${bound.toFixed(2)}.`,
    )
    .join('\n\n');

const HOW = [
  'Every contender is a process of its own; they take turns, round by round, in a rotating order. Ratios are taken within a round; printed is the median with the quartiles.',
  'A step is what training does: bytes of images are normalised, the frozen teacher runs forward, the student forward and backward, AdamW updates, the loss is read. `pytorch` is eager float32 with scaled_dot_product_attention and fused AdamW, `bf16` is autocast, `compile` is torch.compile of every block.',
  `Both sides start from the same weights and see the same inputs. The losses of the first ${COMPARED_STEPS} steps must agree with PyTorch's in float32 within ${TOLERANCE.float32} (float32) or ${TOLERANCE.bfloat16} (bfloat16) of their size. In the sweep, whose crops and order are drawn by each side, an arm's distillation loss must agree within ${SWEEP_TOLERANCE.loss} and the mean accuracy within ${SWEEP_TOLERANCE.accuracy}. Otherwise the race fails.`,
]
  .map(line => `- ${line}`)
  .join('\n');

function stepsCsv(cases: readonly CaseResult[]): string {
  return csv([
    ['race', 'contender', 'precision', 'round', 'seconds_per_step', 'start_seconds', 'peak_bytes', 'loss_deviation', 'left_out'],
    ...cases.flatMap(({ step, results }) =>
      results.flatMap(({ contender: { name, precision }, skipped, secondsPerStep, startSeconds, peakBytes, deviation }) =>
        skipped === undefined
          ? secondsPerStep.map((seconds, round) => [step.name, name, precision, round + 1, seconds, startSeconds, peakBytes, deviation, ''])
          : [[step.name, name, precision, '', '', '', '', '', skipped]],
      ),
    ),
  ]);
}

function sweepCsv(results: readonly SweepResult[]): string {
  return csv([
    ['contender', 'precision', 'round', 'seconds', 'start_seconds', 'peak_bytes', 'arm', 'distillation_loss', 'accuracy'],
    ...results.flatMap(({ contender: { name, precision }, runs }) =>
      runs.flatMap((run, round) => Object.entries(run.arms).map(([arm, { loss, accuracy }]) => [name, precision, round + 1, run.seconds, run.startSeconds, run.peakBytes, arm, loss, accuracy])),
    ),
  ]);
}
