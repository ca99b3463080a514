/** What the daemons of a private cluster are told: `slurm.conf` and `gres.conf`, with every path below one folder. */
import { join } from 'node:path';

export interface ClusterShape {
  /** All of it lies below. */
  readonly folder: string;
  /** Of this machine, without its domain. */
  readonly host: string;
  readonly nodes: readonly string[];
  readonly gpusPerNode: number;
  readonly cpusPerNode: number;
  /** MiB. */
  readonly memoryPerNode: number;
  /** Of the controller, then of each node. */
  readonly ports: readonly number[];
}

/** Whole seconds for which a job that is queued again waits, and one more. Slurm takes no less than 5. */
const CREDENTIAL_S = 5;

export const mungeFile = (folder: string, name: string): string => join(folder, 'munge', `munge.${name}`);
export const gpuFile = (folder: string, gpu: number | string): string => join(folder, 'gpu', `nvidia${gpu}`);
export const spoolFolder = (folder: string, node: string): string => join(folder, 'spool', node);

/**
 * Several nodes on one host are told apart by their ports; `%n` is the name of a node. A job that asks for no memory has that of its CPUs:
 * else the first would take all of its node. What uses more than it has is killed within a second or two, as cgroups would do at once.
 */
export function slurmConf({ folder, host, nodes, gpusPerNode, cpusPerNode, memoryPerNode, ports: [controller, ...ports] }: ClusterShape): string {
  const node = `CPUs=${cpusPerNode} Sockets=1 CoresPerSocket=${cpusPerNode} ThreadsPerCore=1 RealMemory=${memoryPerNode} Gres=gpu:${gpusPerNode} State=UNKNOWN`;
  return `ClusterName=private
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=${mungeFile(folder, 'socket')},cred_expire=${CREDENTIAL_S}
StateSaveLocation=${join(folder, 'state')}
SlurmdSpoolDir=${spoolFolder(folder, '%n')}
SlurmctldPidFile=${join(folder, 'run', 'slurmctld.pid')}
SlurmdPidFile=${join(folder, 'run', 'slurmd.%n.pid')}
SlurmctldLogFile=${join(folder, 'log', 'slurmctld.log')}
SlurmdLogFile=${join(folder, 'log', 'slurmd.%n.log')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=${join(folder, 'log', 'jobcomp.log')}
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
SlurmdTimeout=6
SlurmctldTimeout=6
KillWait=2
MinJobAge=300
MessageTimeout=10
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
SlurmdParameters=config_overrides
PropagateResourceLimits=NONE
DefMemPerCPU=${Math.floor(memoryPerNode / cpusPerNode)}
${nodes.map((name, i) => `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports[i]} ${node}`).join('\n')}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE
PartitionName=short Nodes=ALL MaxTime=60 State=UP PriorityTier=1 PreemptMode=REQUEUE
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
`;
}

/** Files that are devices, or Slurm tells no job which GPUs are its own. */
export function gresConf({ folder, nodes, gpusPerNode }: ClusterShape): string {
  return gpusPerNode === 0 ? '' : nodes.map(name => `NodeName=${name} Name=gpu File=${gpuFile(folder, `[0-${gpusPerNode - 1}]`)}\n`).join('');
}
