/** What a job of Slurm has been given, as its variables tell; outside of one nothing is. */
import { availableParallelism } from 'node:os';

export interface Allocation {
  /** Id of the job; absent outside of one. */
  readonly job?: string;
  readonly node?: string;
  /** Bytes on this node; absent where nothing limits them. */
  readonly memory?: number;
  /** When its time is over, in milliseconds since 1970, where Slurm tells (23.02 and newer). */
  readonly end?: number;
  /** As `--devices` says: each GPU a worker, else each CPU a worker of one thread. */
  readonly devices?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const MEBI = 2 ** 20;

export function allocationOf(env: Environment): Allocation {
  const job = env['SLURM_JOB_ID'];
  if (job === undefined) return {};
  const cpus = countIn(env['SLURM_CPUS_PER_TASK']) ?? countIn(env['SLURM_CPUS_ON_NODE']) ?? availableParallelism();
  const gpus = env['CUDA_VISIBLE_DEVICES']?.split(',').filter(gpu => gpu !== '' && gpu !== '-1' && gpu !== 'NoDevFiles') ?? [];
  const node = env['SLURMD_NODENAME'],
    memory = memoryOf(env),
    end = countIn(env['SLURM_JOB_END_TIME']);
  return {
    job,
    ...(node !== undefined && { node }),
    ...(memory !== undefined && { memory }),
    ...(end !== undefined && { end: 1000 * end }),
    devices: gpus.length > 0 ? `gpu:${gpus.join(',')}` : `cpu:${cpus}x1`,
  };
}

/** Megabytes of a node, or of each of its CPUs that the job has. */
function memoryOf(env: Environment): number | undefined {
  const node = countIn(env['SLURM_MEM_PER_NODE']);
  if (node !== undefined) return node * MEBI;
  const [perCpu, cpus] = [countIn(env['SLURM_MEM_PER_CPU']), countIn(env['SLURM_CPUS_ON_NODE'])];
  return perCpu !== undefined && cpus !== undefined ? perCpu * cpus * MEBI : undefined;
}

/** A whole number above 0: Slurm says 0 for all of a node's memory. */
function countIn(text: string | undefined): number | undefined {
  const count = Number(/^\d+/.exec(text ?? '')?.[0]);
  return count > 0 ? count : undefined;
}
