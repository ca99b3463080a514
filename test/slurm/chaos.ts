/**
 * `make chaos-slurm`: sweeps of the toy study as jobs of a real cluster, disturbed again and again: nodes crash, the controller dies, jobs are
 * cancelled, requeued, preempted, warned, held, run twice, and the runner is killed. Every store must end with the bytes of an undisturbed
 * local sweep, and no stage done twice.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, program } from 'commander';
import { execa } from 'execa';
import type { Plan } from '../../src/core/plan/plan.ts';
import { attemptFiles } from '../../src/core/store/layout.ts';
import type { StoreReader } from '../../src/core/store/reader.ts';
import { openStoreIfThere, openStoreReadOnly } from '../../src/core/store/store.ts';
import { draw } from '../toy/kinds/grow.ts';
import { ablateLine, toyEnvironment } from '../toy/program.ts';
import { temporaryFolder, toyPlan } from '../toy/sweep.ts';
import { startCluster, type SlurmCluster } from './cluster.ts';

const number = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`Expected a whole number, got '${text}'.`);
  return Number(text);
};

const options = program
  .name('make chaos-slurm')
  .option('--seed <number>', 'decides what happens, to whom and when', number, Date.now() % 100_000)
  .option('--disturbances <number>', 'how many', number, 200)
  .parse()
  .opts<{ seed: number; disturbances: number }>();

let drawn = 0;
const random = (): number => draw(options.seed, 'chaos-slurm', drawn++);
const choose = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
const pause = (least: number, most: number): Promise<void> => sleep(least + random() * (most - least));

const CHOICE = { profile: 'slow', only: 'cut,variety,side-by-side/tall,side-by-side/middle,side-by-side/small', seeds: '0-5', sets: ['milliseconds=30'] };
const words = (store: string): string[] => [
  '--profile',
  CHOICE.profile,
  '--only',
  CHOICE.only,
  '--seeds',
  CHOICE.seeds,
  ...CHOICE.sets.flatMap(set => ['--set', set]),
  '--store',
  store,
  '--checkpoint-every',
  '0.3',
];

function startRunner(store: string, cluster: SlurmCluster) {
  const [node, ...line] = ablateLine('experiments', 'sweep', ...words(store), '--executor', 'slurm', '--jobs', '4', '--no-report');
  return execa(node!, line, { reject: false, all: true, env: { ...toyEnvironment, ...cluster.env } });
}
type Runner = ReturnType<typeof startRunner>;

/** One store, and the runner that works on it. */
class Scene {
  readonly cluster: SlurmCluster;
  readonly store: string;
  readonly plan: Plan;
  #runner: Runner | undefined;
  printed = '';

  constructor(cluster: SlurmCluster, store: string, plan: Plan) {
    this.cluster = cluster;
    this.store = store;
    this.plan = plan;
  }

  /** Starts a runner where none runs. */
  run(): void {
    if (this.#runner) return;
    const runner = startRunner(this.store, this.cluster);
    this.#runner = runner;
    void runner.then(({ all }) => {
      this.printed = all;
      if (this.#runner === runner) this.#runner = undefined;
    });
  }

  /** Sends the runner a signal and waits until it has ended. */
  async signalRunner(signal: NodeJS.Signals): Promise<void> {
    const runner = this.#runner;
    runner?.kill(signal);
    await runner;
  }

  async jobs(state: string): Promise<string[]> {
    const printed = await this.cluster.call('squeue', '--noheader', `--states=${state}`, '--format=%i').catch(() => '');
    return printed.split('\n').filter(id => id !== '');
  }

  get reader(): StoreReader | undefined {
    return openStoreIfThere(this.store);
  }

  get left(): number {
    const { reader } = this;
    return [...this.plan.stages.keys()].filter(key => reader?.doneAttempt(key) === undefined).length;
  }

  get isRun(): boolean {
    return this.#runner !== undefined;
  }
}

/** Slurm may refuse, as for a job that has just ended. */
const quietly = async (work: Promise<unknown>): Promise<void> => {
  await work.catch(() => undefined);
};

async function toOneOf(scene: Scene, state: string, ...command: readonly string[]): Promise<void> {
  const id = choose(await scene.jobs(state));
  if (id !== undefined) await quietly(scene.cluster.call(command[0]!, ...command.slice(1), id));
}

async function crashNode(scene: Scene, tell: boolean): Promise<void> {
  const node = choose(scene.cluster.nodes)!;
  await scene.cluster.crashNode(node, { tell });
  await pause(500, 3000);
  scene.cluster.startNode(node);
}

async function killController(scene: Scene): Promise<void> {
  await scene.cluster.killController();
  await pause(500, 6000);
  scene.cluster.startController();
}

async function preempt(scene: Scene): Promise<void> {
  const id = await scene.cluster.submit('--partition=high', '--cpus-per-task=4', '--time=1', '--output=/dev/null', '--wrap', 'sleep 3');
  await pause(1000, 4000);
  await quietly(scene.cluster.call('scancel', id));
}

async function holdAndRelease(scene: Scene): Promise<void> {
  const ids = await scene.jobs('PENDING');
  for (const id of ids) await quietly(scene.cluster.call('scontrol', 'hold', id));
  await pause(500, 2500);
  for (const id of ids) await quietly(scene.cluster.call('scontrol', 'release', id));
}

async function drain(scene: Scene): Promise<void> {
  const node = choose(scene.cluster.nodes)!;
  await quietly(scene.cluster.call('scontrol', 'update', `NodeName=${node}`, 'State=DRAIN', 'Reason=chaos'));
  await pause(1000, 4000);
  await quietly(scene.cluster.call('scontrol', 'update', `NodeName=${node}`, 'State=RESUME'));
}

/** A copy of a job, as a controller starts it that has forgotten that it did. */
async function copyOfJob(scene: Scene): Promise<void> {
  const id = choose(await scene.jobs('RUNNING'));
  if (id === undefined) return;
  const script = await scene.cluster.call('scontrol', 'write', 'batch_script', id, '-').catch(() => '');
  if (script === '') return;
  const copy = execa('bash', ['-c', script], { reject: false, env: { ...toyEnvironment, ...scene.cluster.env, SLURM_JOB_ID: id } });
  await pause(2000, 5000);
  copy.kill(choose(['SIGKILL', 'SIGTERM'] as const));
  await copy;
}

const DISTURBANCES: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  'a node crashes': scene => crashNode(scene, true),
  'a node crashes and nobody says so': scene => crashNode(scene, false),
  'the controller is killed': killController,
  'a job is cancelled': scene => toOneOf(scene, 'RUNNING', 'scancel'),
  'a job is killed': scene => toOneOf(scene, 'RUNNING', 'scancel', '--full', '--signal=KILL'),
  'a job is requeued': scene => toOneOf(scene, 'RUNNING', 'scontrol', 'requeue'),
  'a job is warned': scene => toOneOf(scene, 'RUNNING', 'scancel', '--batch', '--signal=USR2'),
  'a waiting job is cancelled': scene => toOneOf(scene, 'PENDING', 'scancel'),
  'jobs are preempted': preempt,
  'waiting jobs are held': holdAndRelease,
  'a node is drained': drain,
  'a job runs twice': copyOfJob,
  'the runner is killed': scene => scene.signalRunner('SIGKILL'),
  'the runner hangs up': scene => scene.signalRunner('SIGHUP'),
  'Ctrl-C': scene => scene.signalRunner('SIGINT'),
};

/** Every one comes once before any comes again. */
function shuffledForever<T>(all: readonly T[]): () => T {
  let left: T[] = [];
  return () => {
    if (left.length === 0) left = [...all];
    return left.splice(Math.floor(random() * left.length), 1)[0]!;
  };
}

/** Result and output of a stage that is done, by name. */
function filesOf(store: StoreReader, key: string): Map<string, Buffer> {
  const attempt = store.doneAttempt(key);
  if (attempt === undefined) return new Map();
  const dir = store.attemptDir(key, attempt);
  const output = readdirSync(join(dir, attemptFiles.output), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(dir, join(entry.parentPath, entry.name)));
  return new Map([attemptFiles.result, ...output].map(name => [name, readFileSync(join(dir, name))]));
}

/** Attempts that came to a result. */
const completed = (store: StoreReader, key: string): number => store.attempts(key).filter(attempt => ['done', 'uncommitted'].includes(store.states(key, attempt).at(-1)?.state ?? '')).length;

const tally = { stores: 0, disturbances: 0, attempts: 0, 'stages done twice': 0, 'results lost': 0, 'bytes that differ': 0, 'sweeps that do not end': 0 };
const faults = (): number => tally['stages done twice'] + tally['results lost'] + tally['bytes that differ'] + tally['sweeps that do not end'];

function verify(store: StoreReader, calm: StoreReader, plan: Plan): void {
  for (const key of plan.stages.keys()) {
    const [found, expected] = [filesOf(store, key), filesOf(calm, key)];
    tally.attempts += store.attempts(key).length;
    if (completed(store, key) > 1) tally['stages done twice']++;
    if (found.size === 0) tally['results lost']++;
    else if ([...new Set([...found.keys(), ...expected.keys()])].some(name => found.get(name)?.equals(expected.get(name) ?? Buffer.alloc(0)) !== true)) tally['bytes that differ']++;
  }
}

/** Left alone, a sweep ends within this time. */
const END_MS = 300_000;

/** What is left may be held by a node that crashed, whose heartbeat is watched for half a minute: meanwhile there is nothing to disturb. */
async function untilJobs(scene: Scene): Promise<void> {
  const began = performance.now();
  while (scene.left > 0 && performance.now() - began < END_MS && (await scene.jobs('PENDING,RUNNING')).length === 0) {
    scene.run();
    await sleep(300);
  }
}

async function bringToEnd(scene: Scene): Promise<void> {
  for (const node of scene.cluster.nodes) await quietly(scene.cluster.call('scontrol', 'update', `NodeName=${node}`, 'State=RESUME'));
  const began = performance.now();
  while (scene.left > 0 && performance.now() - began < END_MS) {
    scene.run();
    await sleep(500);
  }
  if (scene.left > 0) {
    tally['sweeps that do not end']++;
    console.log(`${scene.left} stages left. The runner printed:\n${scene.printed}\n${await scene.cluster.call('squeue').catch(String)}`);
  }
  while (scene.isRun && performance.now() - began < END_MS) await sleep(200);
  await scene.signalRunner('SIGKILL');
  await quietly(scene.cluster.call('scancel', '--user=root'));
}

async function main(): Promise<void> {
  const plan = await toyPlan(CHOICE);
  const room = temporaryFolder('chaos-slurm');
  const calm = join(room, 'calm');
  const [node, ...line] = ablateLine('experiments', 'sweep', ...words(calm), '--devices', 'cpu:2x1', '--no-report');
  console.log(`Seed ${options.seed}: ${options.disturbances} disturbances of sweeps of ${plan.stages.size} stages. First an undisturbed sweep on this machine.`);
  await execa(node!, line, { env: toyEnvironment });
  const cluster = await startCluster({ nodes: 2 });
  const began = performance.now();
  try {
    const next = shuffledForever(Object.entries(DISTURBANCES));
    while (tally.disturbances < options.disturbances && faults() === 0) {
      const scene = new Scene(cluster, join(room, `store-${++tally.stores}`), plan);
      while (scene.left > 0 && tally.disturbances < options.disturbances) {
        scene.run();
        await pause(1000, 3000);
        await untilJobs(scene);
        const [name, disturb] = next();
        tally.disturbances++;
        console.log(
          `${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${String(tally.disturbances).padStart(3)}  store ${tally.stores}, ${scene.left} of ${plan.stages.size} stages left: ${name}`,
        );
        await disturb(scene);
      }
      await bringToEnd(scene);
      verify(openStoreReadOnly(scene.store), openStoreReadOnly(calm), plan);
      if (faults() === 0) rmSync(scene.store, { recursive: true, force: true });
    }
  } finally {
    await cluster.stop();
  }
  console.log(`\nSeed ${options.seed}, ${Math.round((performance.now() - began) / 1000)} s:`);
  for (const [name, count] of Object.entries(tally)) console.log(`  ${name.padEnd(26)}${String(count).padStart(5)}`);
  if (faults() > 0) console.log(`The stores are kept in ${room}.`);
  else rmSync(room, { recursive: true, force: true });
  process.exitCode = faults() > 0 ? 1 : 0;
}

process.on('SIGINT', () => process.exit(130));
await main();
