/** A sweep whose workers are jobs of Slurm: what is handed in, and what a person sees of it. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../../core/ablation/errors.ts';
import { parseJson } from '../../core/ablation/json.ts';
import { slurmOptions, type SlurmOptions } from '../../core/ablation/slurm.ts';
import { MOST_JOBS, type SlurmSweepOptions } from '../../core/slurm/sweep.ts';
import type { PlannedExperiments } from '../../core/plan/plan.ts';
import type { Store } from '../../core/store/store.ts';
import { PROGRAM } from '../terminal/invocation.ts';

/** What of a sweep's options its workers are given as well. */
export interface WorkerOptions {
  readonly store: string;
  readonly experiments: string;
  readonly only?: readonly string[] | undefined;
  readonly seeds?: string | undefined;
  readonly set?: readonly string[] | undefined;
  readonly teacherSeeds?: true | undefined;
  readonly loaders?: string | undefined;
  readonly checkpointEvery: string;
  readonly acceptEngineChange?: true | undefined;
}

/** What a worker that hands in others, or goes on with a sweep nobody watches, has to know beside its own options. */
export interface Detached {
  readonly slurm: SlurmOptions;
  readonly folder: string;
}

/** Who watches a sweep, and asks it to end. */
export type Told = Pick<SlurmSweepOptions, 'onEvent' | 'say'> & Partial<Pick<SlurmSweepOptions, 'onQueue' | 'stop' | 'kill' | 'leave'>>;

/** @param detached whether workers are to hand in what is missing, since nobody else will */
export function slurmSweepOptions(chosen: PlannedExperiments, store: Store, options: WorkerOptions, { slurm, folder }: Detached, detached: boolean, told: Told): SlurmSweepOptions {
  const { plan, study } = chosen;
  const shared = sharedWords(chosen, options);
  return {
    plan,
    kinds: study.kinds,
    store,
    slurm,
    folder,
    selection: { store: resolve(options.store), words: shared },
    command: round => [
      process.execPath,
      PROGRAM,
      'worker',
      ...shared,
      ...['--checkpoint-every', options.checkpointEvery],
      ...(options.loaders === undefined ? [] : ['--loaders', options.loaders]),
      ...(options.acceptEngineChange === true ? ['--accept-engine-change'] : []),
      ...['--round', round, '--workers', String((slurm.jobs ?? MOST_JOBS) * Math.max(1, slurm.gpus ?? 0))],
      ...(slurm.memory === undefined && (slurm.gpus ?? 0) === 0 ? ['--by-estimate'] : []),
      ...(detached ? ['--hand-in', JSON.stringify({ slurm, folder } satisfies Detached)] : []),
    ],
    ...told,
  };
}

/** The same for all who work on the sweep, wherever they start from. */
function sharedWords({ dir, profile }: PlannedExperiments, { store, only = [], seeds, set = [], teacherSeeds }: WorkerOptions): string[] {
  return [
    ...['--experiments', resolve(dir), '--store', resolve(store), '--profile', profile.name],
    ...only.flatMap(arms => ['--only', arms]),
    ...(seeds === undefined ? [] : ['--seeds', seeds]),
    ...set.flatMap(change => ['--set', change]),
    ...(teacherSeeds === true ? ['--teacher-seeds'] : []),
  ];
}

/** @param json as `command` gives it @throws UsageError where it is something else */
export function detachedFrom(json: string): Detached {
  const parsed = detached.safeParse(jsonOrNothing(json));
  if (parsed.success) return parsed.data;
  throw new UsageError('BAD_OPTION', `--hand-in: expected what 'ablate sweep --detach' gives its workers, got '${json.slice(0, 80)}'`);
}
const detached: z.ZodType<Detached> = z.strictObject({ slurm: slurmOptions, folder: z.string() });

function jsonOrNothing(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
