/** The private Slurm cluster of the tests is a real one: what it promises to tests of the program holds. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { startCluster, whyNoSlurm, type ClusterOptions, type SlurmCluster } from '../slurm/cluster.ts';

async function withCluster(options: ClusterOptions, use: (cluster: SlurmCluster) => Promise<void>): Promise<void> {
  const cluster = await startCluster(options);
  try {
    await use(cluster);
  } finally {
    await cluster.stop();
  }
}

const submit = (cluster: SlurmCluster, name: string, script: string, ...args: readonly string[]): Promise<string> =>
  cluster.submit('--requeue', '--open-mode=append', `--output=${join(cluster.folder, `${name}.txt`)}`, '-c1', ...args, '--wrap', script);

/** Lines of its output. */
function printed(cluster: SlurmCluster, name: string): string[] {
  const path = join(cluster.folder, `${name}.txt`);
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
}

const becomes = (cluster: SlurmCluster, id: string, state: RegExp): Promise<void> => cluster.until(`job ${id} is ${state.source}`, async () => state.test(await cluster.job(id)));

/** How many processes have all of them in their environment, in namespaces within ours, too. */
const processesWith = (...variables: readonly string[]): number =>
  readdirSync('/proc').filter(pid => /^\d+$/.test(pid) && variables.every(variable => environmentOf(pid).includes(`\0${variable}`))).length;

function environmentOf(pid: string): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`;
  } catch {
    return '';
  }
}

const why = whyNoSlurm();

describe.skipIf(why !== undefined).concurrent(`a private Slurm cluster${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  it('gives every job a GPU of its own, kills a job that uses more memory than it has, and leaves neither process nor file', async ({ expect }) => {
    let folder = '';
    await withCluster({}, async cluster => {
      ({ folder } = cluster);
      expect(processesWith(`SLURM_CONF=${folder}`)).toBeGreaterThanOrEqual(8); // four daemons, each in its box
      const hog = await submit(cluster, 'hog', `exec ${process.execPath} -e 'globalThis.all = Buffer.alloc(200 << 20, 1); setTimeout(() => {}, 60_000)'`, '--mem=100');
      const names = ['a', 'b', 'c', 'd', 'e', 'f'];
      const ids = await Promise.all(names.map(name => submit(cluster, name, 'echo $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES; date +%s%N; sleep 0.5; date +%s%N', '--gres=gpu:1')));
      for (const id of ids) await becomes(cluster, id, /^COMPLETED/);
      const jobs = names.map(name => {
        const [gpu, from, to] = printed(cluster, name);
        return { gpu, from: BigInt(from!), to: BigInt(to!) };
      });
      expect(new Set(jobs.map(job => job.gpu))).toEqual(new Set(['n1 0', 'n1 1', 'n2 0', 'n2 1']));
      expect(jobs.flatMap((a, i) => jobs.slice(i + 1).filter(b => a.gpu === b.gpu && a.from < b.to && b.from < a.to))).toEqual([]);
      await becomes(cluster, hog, /^(?:FAILED|OUT_OF_MEMORY)/);
      expect(printed(cluster, 'hog').join('\n')).toContain('exceeded memory limit');
    });
    expect(processesWith(`SLURM_CONF=${folder}`)).toBe(0);
    expect(existsSync(folder)).toBe(false);
  });

  it('keeps jobs while its controller is away; a job of the other partition takes their place', ({ expect }) =>
    withCluster({ nodes: 1 }, async cluster => {
      const job = await submit(cluster, 'kept', 'echo run; exec sleep 60', '--exclusive');
      await becomes(cluster, job, /^RUNNING/);
      await cluster.untilSaved();
      await cluster.killController();
      cluster.startController();
      await cluster.untilUp('n1');
      expect(await cluster.job(job)).toBe('RUNNING n1');
      const urgent = await submit(cluster, 'urgent', 'true', '--partition=high');
      await becomes(cluster, urgent, /^COMPLETED/);
      expect(await cluster.job(job)).toMatch(/^PENDING/);
      expect(printed(cluster, 'kept').filter(line => line === 'run')).toHaveLength(1);
    }));

  it('loses a node with its jobs, runs them elsewhere, and takes the node back', ({ expect }) =>
    withCluster({}, async cluster => {
      const job = await submit(cluster, 'moved', 'echo $SLURMD_NODENAME; exec sleep 60', '--gres=gpu:1');
      await cluster.until('the job runs', () => printed(cluster, 'moved').length === 1);
      const [node = ''] = printed(cluster, 'moved');
      const processes = (): number => processesWith(`SLURM_CONF=${cluster.folder}`, `SLURM_JOB_ID=${job}\0`);
      expect(processes()).toBeGreaterThan(0);
      await cluster.crashNode(node);
      expect(processes()).toBe(0);
      expect(await cluster.job(job)).toMatch(/^PENDING/);
      await cluster.until('the job runs elsewhere', () => printed(cluster, 'moved').length === 2);
      expect(printed(cluster, 'moved')[1]).toBe(cluster.nodes.find(other => other !== node));
      cluster.startNode(node);
      await cluster.untilUp(...cluster.nodes);
    }));
});
