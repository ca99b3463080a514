/** The command line of the race. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { UsageError } from '../../../src/core/ablation/errors.ts';
import { suggest } from '../../../src/core/ablation/suggest.ts';
import { CASES } from './cases.ts';
import { CONTENDERS, REFERENCE } from './contenders.ts';

export interface RaceOptions {
  /** Names of the steps to race. */
  readonly cases: readonly string[];
  readonly sweep: boolean;
  /** Names of those who take part in the races of steps; PyTorch in float32 always does. */
  readonly contenders: readonly string[];
  readonly rounds: number;
  readonly sweepRounds: number;
  /** Of every process in the races of steps. */
  readonly threads: number;
  readonly device: 'cpu' | 'gpu';
  /** Folder of the report; undefined: none is written. */
  readonly reports: string | undefined;
}

export const HELP = `The race against PyTorch: the same work, interleaved.

  --only <list>         step (all steps), sweep, or names: ${CASES.map(({ name }) => name).join(', ')}
  --contenders <list>   of: ${CONTENDERS.map(({ name }) => name).join(', ')}
  --rounds <n>          rounds of every step (default 7)
  --sweep-rounds <n>    rounds of the sweep (default 2)
  --threads <n>         of every process in the races of steps (default: all cores)
  --device <cpu|gpu>    where both sides compute (default cpu)
  --reports <folder>    where the report is written (default reports/bench, or reports/bench-gpu)
  --no-report           only print`;

/** @throws UsageError for what is not in `HELP` */
export function parseOptions(argv: readonly string[], cores = availableParallelism()): RaceOptions {
  const values = parsed(argv);
  const names = CASES.map(({ name }) => name);
  const device = values['device'] ?? 'cpu';
  if (device !== 'cpu' && device !== 'gpu') throw new UsageError('BAD_OPTION', `--device: expected cpu or gpu, got '${device}'`);
  // The sweep is a race of one-thread processes.
  const chosen = listed(values['only'] ?? (device === 'cpu' ? 'step,sweep' : 'step'), '--only', ['step', 'sweep', ...names]);
  if (device === 'gpu' && chosen.includes('sweep')) throw new UsageError('BAD_OPTION', '--only: expected steps with --device gpu, got the sweep, which is raced on the CPU');
  return {
    cases: names.filter(name => chosen.includes('step') || chosen.includes(name)),
    sweep: chosen.includes('sweep'),
    contenders: listed(
      values['contenders'] ?? CONTENDERS.map(({ name }) => name).join(),
      '--contenders',
      CONTENDERS.map(({ name }) => name),
    ).concat(REFERENCE),
    rounds: count(values['rounds'] ?? '7', '--rounds'),
    sweepRounds: count(values['sweep-rounds'] ?? '2', '--sweep-rounds'),
    threads: count(values['threads'] ?? String(cores), '--threads'),
    device,
    reports: values['no-report'] === true ? undefined : (values['reports'] ?? (device === 'cpu' ? 'reports/bench' : 'reports/bench-gpu')),
  };
}

const text = { type: 'string' } as const;

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: { only: text, contenders: text, rounds: text, 'sweep-rounds': text, threads: text, device: text, reports: text, 'no-report': { type: 'boolean' } },
    }).values;
  } catch (error) {
    throw new UsageError('BAD_OPTION', `${(error as Error).message}\n${HELP}`, { cause: error });
  }
}

function listed(list: string, option: string, known: readonly string[]): string[] {
  const items = list.split(',').map(item => item.trim());
  const unknown = items.find(item => !known.includes(item));
  if (unknown !== undefined) throw new UsageError('BAD_OPTION', `${option}: expected of ${known.join(', ')}, got '${unknown}'${suggest(unknown, [...known])}`);
  return items;
}

function count(value: string, option: string): number {
  const n = Number(value);
  if (!Number.isInteger(n) || n < 1) throw new UsageError('BAD_OPTION', `${option}: expected a whole number of at least 1, got '${value}'`);
  return n;
}
