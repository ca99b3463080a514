/** What jobs of Slurm are asked for with: on the command line, over what the study says. */
import { InvalidArgumentError, Option, type Command, type OptionValues } from '@commander-js/extra-typings';
import { UsageError } from '../../core/ablation/errors.ts';
import { slurmOptions, type SlurmOptions } from '../../core/ablation/slurm.ts';
import { MOST_JOBS } from '../../core/slurm/sweep.ts';

const several = (value: string, earlier: readonly string[] = []): string[] => [...earlier, value];

const wholeFrom =
  (least: number) =>
  (text: string): number => {
    if (!/^\d+$/.test(text) || Number(text) < least) throw new InvalidArgumentError(`Expected a whole number from ${least}.`);
    return Number(text);
  };

const GROUP = 'On a Slurm cluster (--executor slurm):';

export function withSlurm<Args extends unknown[], Options extends OptionValues, Global extends OptionValues>(command: Command<Args, Options, Global>) {
  return command
    .addOption(new Option('--executor <executor>', 'local: workers of this machine; slurm: jobs of a cluster, handed in from here').choices(['local', 'slurm']).default('local'))
    .optionsGroup(GROUP)
    .option('--jobs <n>', `jobs at most at once (default: ${MOST_JOBS})`, wholeFrom(1))
    .option('--detach', 'hand the jobs in and return; they go on by themselves')
    .option('--partition <name>', 'partition of the jobs')
    .option('--account <name>', 'account of the jobs')
    .option('--qos <name>', 'quality of service of the jobs')
    .option('--time <limit>', 'time of a job, as sbatch takes it; stages go on in the next (default: by what stages took)')
    .option('--gpus <n>', 'GPUs of a job, each of which has a worker (default: 0, workers on the CPU)', wholeFrom(0))
    .option('--cpus <n>', 'CPUs of a job', wholeFrom(1))
    .option('--mem <size>', 'memory of a job, as sbatch takes it, e.g. 16G; more where it did not suffice (default: by estimate)')
    .option('--constraint <features>', 'features that nodes must have')
    .option('--prologue <line>', 'a line of shell before a worker starts, e.g. "module load cuda"; may be given several times', several)
    .option('--sbatch <word>', 'another word for sbatch, e.g. --sbatch=--exclude=n7; may be given several times', several);
}

type Given = Readonly<ReturnType<ReturnType<typeof withSlurm<[], None, None>>['opts']>>;
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- of a command that has no options of its own
type None = Record<never, never>;

/** Option of the command line by field. */
const OPTION = {
  partition: 'partition',
  account: 'account',
  qos: 'qos',
  time: 'time',
  gpus: 'gpus',
  cpus: 'cpus',
  memory: 'mem',
  constraint: 'constraint',
  prologue: 'prologue',
  words: 'sbatch',
  jobs: 'jobs',
} as const satisfies Record<keyof SlurmOptions, keyof Given>;

/** @param study what it declares @throws UsageError `BAD_OPTION`; also where options of Slurm are given and it is not the executor */
export function slurmFrom(given: Given, study: SlurmOptions = {}): SlurmOptions | undefined {
  const fields = Object.entries(OPTION).flatMap(([field, option]) => (given[option] === undefined ? [] : [[field, given[option]] as const]));
  if (given.executor !== 'slurm') {
    const [first] = [...fields.map(([field]) => OPTION[field as keyof SlurmOptions]), ...(given.detach === true ? ['detach'] : [])];
    if (first !== undefined) throw new UsageError('BAD_OPTION', `--${first}: expected --executor slurm beside it, got --executor local`);
    return undefined;
  }
  const parsed = slurmOptions.safeParse({ ...study, ...Object.fromEntries(fields) });
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new UsageError('BAD_OPTION', `--${OPTION[path[0] as keyof SlurmOptions]}: ${message}`);
}
