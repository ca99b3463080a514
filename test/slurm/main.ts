/** `make slurm-cluster`: a private cluster to try things on, until Ctrl-C. `ARGS="--nodes 3 --gpus 4 --cpus 8 --memory 16000"` shapes it. */
import { parseArgs } from 'node:util';
import { startCluster, whyNoSlurm, type ClusterOptions } from './cluster.ts';

function shape(): ClusterOptions {
  const type = 'string';
  const { values } = parseArgs({ options: { nodes: { type }, gpus: { type }, cpus: { type }, memory: { type } } });
  const whole = (name: keyof typeof values, least: number): number | undefined => {
    const text = values[name];
    if (text === undefined || (/^\d{1,6}$/.test(text) && Number(text) >= least)) return text === undefined ? undefined : Number(text);
    throw new Error(`Expected --${name} to be a whole number of at least ${least}, got '${text}'`);
  };
  return { nodes: whole('nodes', 1), gpusPerNode: whole('gpus', 0), cpusPerNode: whole('cpus', 1), memoryPerNode: whole('memory', 1) };
}

async function main(): Promise<void> {
  // A second one changes nothing: what is begun here is ended.
  const asked = new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve());
  });
  const cluster = await startCluster(shape());
  const stay = setInterval(() => undefined, 1 << 30);
  console.log(`A Slurm cluster of ${cluster.nodes.length} nodes with pretended GPUs is up. In another terminal:

  export SLURM_CONF=${cluster.env['SLURM_CONF']}
  sinfo --Node                                                    # its nodes
  sbatch --gres=gpu:1 --wrap 'echo $CUDA_VISIBLE_DEVICES'         # a job; its output in slurm-<id>.out
  squeue                                                          # what waits and runs

Partitions: main; short, of an hour at most; high, whose jobs take the place of those in both. Logs: ${cluster.folder}/log
Ctrl-C ends the cluster and its jobs, and removes its files.`);
  await asked;
  clearInterval(stay);
  await cluster.stop();
  console.log('The cluster is gone.');
}

try {
  const why = whyNoSlurm();
  if (why !== undefined) throw new Error(why);
  await main();
} catch (error) {
  console.error(`error ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
