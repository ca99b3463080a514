/** What there is of Slurm, for `ablate doctor`. A machine without it lacks nothing. */
import { execa } from 'execa';
import type { Check } from './diagnosis.ts';

/** Commands that a sweep calls. */
const COMMANDS = ['sbatch', 'squeue', 'scancel', 'scontrol'] as const;

interface Partition {
  readonly name: string;
  readonly nodes: number;
  /** As `sinfo` has it: `gpu:2`. */
  readonly gres?: string;
}

/** `slurm`. */
export async function checkSlurm(): Promise<Check> {
  const name = 'slurm';
  const found = await Promise.all(COMMANDS.map(isThere));
  if (!found.includes(true)) return { name, state: 'ok', text: 'none here; sweeps run on this machine' };
  const absent = COMMANDS.filter((_, i) => !found[i]);
  if (absent.length > 0)
    return {
      name,
      state: 'optional',
      text: `its ${absent.join(', ')} ${absent.length === 1 ? 'is' : 'are'} not on the PATH: sweeps run on this machine alone`,
      mend: "install Slurm's client commands (Debian: slurm-client)",
    };
  const asked = await execa('sinfo', ['--noheader', '--format=%P|%D|%G'], { reject: false, timeout: 20_000 });
  const version = (await execa('sinfo', ['--version'], { reject: false, timeout: 20_000 })).stdout?.trim() || 'Slurm';
  if (asked.failed)
    return {
      name,
      state: 'optional',
      text: `${version}, which does not answer: ${asked.stderr?.trim().split('\n')[0] ?? asked.shortMessage ?? ''}`,
      mend: 'ask again later, or whoever runs the cluster; what runs there goes on',
    };
  const partitions = partitionsIn(asked.stdout);
  const accounting = !(await execa('sacct', ['--noheader', '--starttime=now'], { reject: false, timeout: 20_000 })).failed;
  const text = `${version}: ${partitions.map(partitionText).join('; ')}${accounting ? '' : '; no accounting'} (ablate sweep --executor slurm)`;
  return { name, state: 'ok', text, details: { version, partitions, accounting } };
}

async function isThere(command: string): Promise<boolean> {
  const { code } = await execa(command, ['--version'], { reject: false, timeout: 20_000, stdout: 'ignore', stderr: 'ignore' });
  return code !== 'ENOENT'; // without a configuration it is there, too, and fails
}

/** One for each partition, of all lines that it has: one for each kind of node. */
function partitionsIn(printed: string): Partition[] {
  const found = new Map<string, Partition>();
  for (const line of printed.split('\n')) {
    const [name = '', nodes = '', gres = ''] = line.trim().split('|');
    const before = found.get(name);
    if (name === '' || !/^\d+$/.test(nodes)) continue;
    const kinds = new Set([...(before?.gres?.split(', ') ?? []), ...(gres === '(null)' || gres === '' ? [] : [gres])]);
    found.set(name, { name, nodes: Number(nodes) + (before?.nodes ?? 0), ...(kinds.size > 0 && { gres: [...kinds].join(', ') }) });
  }
  return [...found.values()];
}

const partitionText = ({ name, nodes, gres }: Partition): string => `${name.replace('*', ' (default)')} of ${nodes} ${nodes === 1 ? 'node' : 'nodes'}${gres === undefined ? '' : ` with ${gres}`}`;
