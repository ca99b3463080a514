/** What jobs of a Slurm cluster are asked for with: in a study or on the command line. None of it changes a number, so none enters a key. */
import { z } from 'zod';

const word = z
  .string()
  .min(1)
  .regex(/^[^\n]*$/, 'expected one line');

export const slurmOptions = z.strictObject({
  partition: word.optional(),
  account: word.optional(),
  qos: word.optional(),
  /** Of a job, as `sbatch --time` takes it: minutes, `hours:minutes:seconds`, `days-hours`. Absent: by what stages took, else the partition's. */
  time: word.optional(),
  /** Of each job; each has a worker of its own (default: as many as `0`, workers on the CPU). */
  gpus: z.int().min(0).optional(),
  /** Of each job. */
  cpus: z.int().min(1).optional(),
  /** Of each job, as `sbatch --mem` takes it: `16G`. Absent: by the estimates of stages on the CPU, else the partition's. */
  memory: z
    .string()
    .regex(/^\d+[KMGT]?$/, "expected a size such as '16G'")
    .optional(),
  constraint: word.optional(),
  /** Lines of shell before a worker starts, as `module load cuda`. */
  prologue: z.array(word).optional(),
  /** Further words for `sbatch`, as `--exclude=n7`. */
  words: z.array(word).optional(),
  /** How many jobs there are at most at once. */
  jobs: z.int().min(1).optional(),
});

export type SlurmOptions = z.output<typeof slurmOptions>;
