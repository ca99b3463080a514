/**
 * A real Slurm cluster on this machine, for tests: controller, nodes and their authentication are child processes, with every file below
 * one folder and ports of their own, so that several stand side by side. A node is a namespace of processes, so that it can crash as a
 * machine does. GPUs are pretended: each node hands out some, and jobs find them in CUDA_VISIBLE_DEVICES.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { gpuFile, gresConf, mungeFile, slurmConf, spoolFolder, type ClusterShape } from './config.ts';

const DEBIAN_PACKAGES = 'slurmctld slurmd slurm-client munge';
const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'unshare', 'setpriv'];

/** Ends with whoever started it, and all that it started ends with it: nothing of a cluster outlives it, however it ends. */
const BOX = ['setpriv', '--pdeathsig=KILL', 'unshare', '--fork', '--pid', '--mount-proc', '--kill-child=SIGKILL'];

/** Why no cluster can be had here, with the way to mend it; undefined where one can. */
export function whyNoSlurm(): string | undefined {
  if (process.platform !== 'linux') return `Expected Linux, got ${process.platform}`;
  if (process.getuid?.() !== 0) return 'Expected to be root, as the daemons of Slurm want; run it in a container, or with sudo';
  const missing = PROGRAMS.filter(name => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  if (missing.length > 0) return `Expected ${missing.join(', ')} on the PATH; install Slurm: apt-get install --no-install-recommends ${DEBIAN_PACKAGES}`;
  const [program, ...args] = [...BOX, 'true'];
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? undefined : `Expected the right to make namespaces of processes, got '${stderr.trim()}'; in a container: --cap-add SYS_ADMIN`;
}

export interface ClusterOptions {
  /** Is made, and removed with the cluster (default: a temporary folder). */
  readonly folder?: string;
  /** How many; they are called n1, n2, ... (default 2). */
  readonly nodes?: number | undefined;
  /** Default 2. */
  readonly gpusPerNode?: number | undefined;
  /** May be more than this machine has (default 4). */
  readonly cpusPerNode?: number | undefined;
  /** MiB, as Slurm reckons with it (default 4000). */
  readonly memoryPerNode?: number | undefined;
}

interface Daemon {
  readonly pid: number;
  readonly exited: Promise<void>;
}

/** A cluster whose nodes are idle. @throws Error, with the end of the logs, where they do not come up; nothing is left then */
export async function startCluster(options: ClusterOptions = {}): Promise<SlurmCluster> {
  const why = whyNoSlurm();
  if (why !== undefined) throw new Error(why);
  const { folder = mkdtempSync(join(tmpdir(), 'ablate-slurm-')), nodes = 2, gpusPerNode = 2, cpusPerNode = 4, memoryPerNode = 4000 } = options;
  const shape: ClusterShape = {
    folder,
    host: hostname().split('.')[0]!,
    nodes: Array.from({ length: nodes }, (_, i) => `n${i + 1}`),
    gpusPerNode,
    cpusPerNode,
    memoryPerNode,
    ports: await freePorts(1 + nodes),
  };
  const cluster = new SlurmCluster(shape);
  try {
    await cluster.start();
  } catch (error) {
    const logs = cluster.logs();
    await cluster.stop();
    throw new Error(`The cluster does not come up.\n${logs}`, { cause: error });
  }
  return cluster;
}

export class SlurmCluster {
  readonly nodes: readonly string[];
  readonly folder: string;
  /** What programs need to find it. */
  readonly env: Readonly<Record<string, string>>;
  readonly #shape: ClusterShape;
  readonly #daemons = new Map<string, Daemon>();

  /** Made by `startCluster`. */
  constructor(shape: ClusterShape) {
    this.#shape = shape;
    this.nodes = shape.nodes;
    this.folder = shape.folder;
    this.env = { SLURM_CONF: join(shape.folder, 'etc', 'slurm.conf') };
  }

  /** @internal */
  async start(): Promise<void> {
    this.#writeFiles();
    const munge = (name: string): string => mungeFile(this.folder, name);
    const files = { 'key-file': 'key', socket: 'socket', 'pid-file': 'pid', 'log-file': 'log', 'seed-file': 'seed' };
    this.#start('munged', 'munged', '--foreground', '--force', ...Object.entries(files).map(([option, name]) => `--${option}=${munge(name)}`));
    await this.until('munged answers', () => existsSync(munge('socket')));
    this.startController();
    for (const node of this.nodes) this.startNode(node);
    await this.untilUp(...this.nodes);
  }

  #writeFiles(): void {
    const { folder } = this;
    for (const name of ['etc', 'state', 'log', 'run', 'gpu']) mkdirSync(join(folder, name), { recursive: true });
    for (const node of this.nodes) mkdirSync(spoolFolder(folder, node), { recursive: true });
    mkdirSync(join(folder, 'munge'), { mode: 0o700 });
    writeFileSync(mungeFile(folder, 'key'), randomBytes(128), { mode: 0o600 });
    for (let gpu = 0; gpu < this.#shape.gpusPerNode; gpu++) symlinkSync('/dev/null', gpuFile(folder, gpu));
    writeFileSync(this.env['SLURM_CONF']!, slurmConf(this.#shape));
    writeFileSync(join(folder, 'etc', 'gres.conf'), gresConf(this.#shape));
  }

  startController(): void {
    this.#start('slurmctld', 'slurmctld', '-D');
  }

  /** It comes back by itself, `untilUp` says when. */
  startNode(node: string): void {
    this.#start(node, 'slurmd', '-D', '-N', node);
  }

  /** As a power cut: jobs go on, but what the controller did since it last saved (`untilSaved`) it does not know any more, and does again. */
  killController(): Promise<void> {
    return this.#kill('slurmctld');
  }

  /** Waits, up to five seconds, until the controller has saved what it knows now. */
  async untilSaved(): Promise<void> {
    const now = Date.now();
    await this.call('scancel', await this.submit('--hold', '--wrap', 'true')); // it saves within five seconds of a change
    await this.until('the controller saves what it knows', () => (statSync(join(this.folder, 'state', 'job_state'), { throwIfNoEntry: false })?.mtimeMs ?? 0) > now);
  }

  /**
   * As a power cut: its daemon and its jobs are gone at one instant. The controller notices after half a minute, or is told.
   * @param tell whether to tell it
   */
  async crashNode(node: string, { tell = true } = {}): Promise<void> {
    await this.#kill(node);
    if (tell) await this.call('scontrol', 'update', `NodeName=${node}`, 'State=DOWN', 'Reason=crash');
  }

  /** Ends everything and removes the folder. No process is left. */
  async stop(): Promise<void> {
    for (const name of [...this.#daemons.keys()].reverse()) await this.#kill(name);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A program of Slurm. While the controller is away it tries for about 18 seconds. @returns what it prints @throws ExecaError where it fails */
  async call(program: string, ...args: readonly string[]): Promise<string> {
    return (await execa(program, args, { env: this.env })).stdout.trim();
  }

  /** `sbatch`. @returns the id of the job */
  submit(...args: readonly string[]): Promise<string> {
    return this.call('sbatch', '--parsable', ...args);
  }

  /** State and node of a job, e.g. `RUNNING n1`, with the reason where it waits: `PENDING Resources`. */
  async job(id: string): Promise<string> {
    return (await this.call('squeue', '--noheader', '--states=all', `--jobs=${id}`, '--format=%T %N %r')).replace(/ None$/, '').replace('  ', ' ');
  }

  /** Waits for nodes that can take jobs, busy or not. */
  untilUp(...nodes: readonly string[]): Promise<void> {
    return this.until(`${nodes.join(', ')} up`, async () => {
      const states = (await this.call('sinfo', '--noheader', '--Node', '--partition=main', '--format=%N %t').catch(() => '')).split('\n');
      return nodes.every(node => ['idle', 'mix', 'alloc'].some(state => states.includes(`${node} ${state}`)));
    });
  }

  /** @param what for people, where it does not come true @param ms at most */
  async until(what: string, isSo: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
    const began = performance.now();
    while (!(await isSo())) {
      if (performance.now() - began > ms) throw new Error(`Expected within ${ms / 1000} s: ${what}`);
      await sleep(50);
    }
  }

  /** The end of every log. */
  logs(): string {
    const shown = 1500;
    return ['munged', 'slurmctld', ...this.nodes].map(name => `== ${name}\n${textOf(this.#printed(name)).slice(-shown)}`).join('\n');
  }

  #printed(name: string): string {
    return join(this.folder, 'log', `${name}.out`);
  }

  /** In a session of its own: Ctrl-C is for whoever started the cluster, who then ends it. */
  #start(name: string, ...command: readonly string[]): void {
    if (this.#daemons.has(name)) throw new Error(`Expected to start ${name} after it has ended, got one that runs`);
    const [program, ...args] = [...BOX, ...command];
    const output = openSync(this.#printed(name), 'a');
    const child = spawn(program!, args, { env: { ...process.env, ...this.env }, stdio: ['ignore', output, output], detached: true });
    closeSync(output);
    const exited = new Promise<void>(resolve => child.once('exit', () => resolve()).once('error', () => resolve()));
    if (child.pid !== undefined) this.#daemons.set(name, { pid: child.pid, exited });
  }

  /** By the first process of its namespace: with that the system ends all others, before its parent learns of it. */
  async #kill(name: string): Promise<void> {
    const daemon = this.#daemons.get(name);
    if (!daemon) return;
    this.#daemons.delete(name);
    try {
      process.kill(firstInside(daemon.pid) ?? daemon.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    await daemon.exited;
  }
}

const firstInside = (box: number): number | undefined => Number(textOf(`/proc/${box}/task/${box}/children`).split(' ')[0]) || undefined;

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Held all at once, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map(server => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
}
