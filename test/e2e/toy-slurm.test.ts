/** Sweeps on a real Slurm cluster whose jobs are warned, cancelled, preempted, lost and doubled: nothing is lost, nothing is done twice, and the bytes are those of a local sweep. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { execa } from 'execa';
import { startCluster, whyNoSlurm, type SlurmCluster } from '../slurm/cluster.ts';
import { endRunners, ToySweep, type Given } from '../slurm/toy.ts';
import { ablateLine, startAblate } from '../toy/program.ts';
import { temporaryFolder, toyPlan } from '../toy/sweep.ts';

const why = whyNoSlurm();
const suite = `toy sweeps on a Slurm cluster${why === undefined ? '' : ` (skipped: ${why})`}`;

let cluster: SlurmCluster;
/** Four seconds a tree: long enough to be disturbed. */
let slow: Given;
let slowChain: Given;
let expected: Record<string, string>;

const given = async (profile: string, only: string, { sets = [], seeds, declarations }: { sets?: readonly string[]; seeds?: string; declarations?: string } = {}): Promise<Given> => ({
  selection: ['--profile', profile, '--only', only, ...sets.flatMap(set => ['--set', set]), ...(seeds === undefined ? [] : ['--seeds', seeds])],
  plan: await toyPlan({ profile, only, sets, ...(seeds !== undefined && { seeds }), ...(declarations !== undefined && { declarations }) }),
  ...(declarations !== undefined && { declarations }),
});

const local = (folder: string, { selection }: Given, ...args: readonly string[]) => startAblate({}, 'experiments', 'sweep', '--store', folder, '--devices', 'cpu:4x1', ...selection, ...args);

beforeAll(async () => {
  if (why !== undefined) return;
  [slow, slowChain] = await Promise.all([given('slow', 'cut', { sets: ['steps=200'] }), given('slow', 'cut/whole', { sets: ['steps=200'] })]);
  const folder = temporaryFolder('local');
  const [, undisturbed] = await Promise.all([startCluster().then(started => (cluster = started)), local(folder, slow, '--no-report')]);
  if (undisturbed.exitCode !== 0) throw new Error(undisturbed.all);
  expected = new ToySweep(cluster, slow, folder).bytes();
});

afterAll(async () => {
  endRunners();
  await cluster?.stop();
});

const expectedOf = ({ plan }: Given): Record<string, string> => Object.fromEntries(Object.entries(expected).filter(([file]) => plan.stages.has(file.split('/')[0]!)));

/** Paths and contents of all files of a folder, but for what names times and machines. */
function filesIn(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile() && entry.name !== 'provenance.json');
  return Object.fromEntries(files.map(({ parentPath, name }) => [relative(folder, join(parentPath, name)), readFileSync(join(parentPath, name), 'base64')]));
}

describe.skipIf(why !== undefined).concurrent(suite, () => {
  it('ends in the results and the report of a local sweep, byte for byte, failures included', async ({ expect }) => {
    // Without those that kill their worker: whether one of their neighbours had a checkpoint by then, and so a second start, is chance.
    const neighbours = ['tall', 'middle', 'small', 'blight', 'storm', 'warm'].map(arm => `side-by-side/${arm}`);
    const whole = await given('quick', ['cut', 'variety', ...neighbours].join());
    const [here, there] = [new ToySweep(cluster, whole), new ToySweep(cluster, whole)];
    const reports = temporaryFolder('reports');
    const [ours, theirs] = await Promise.all([local(here.folder, whole, '--reports', join(reports, 'local')), there.sweep('--jobs', '3', '--cpus', '2', '--reports', join(reports, 'slurm'))]);
    expect(theirs.exitCode, theirs.all).toBe(1); // of an arm that fails for good
    expect(ours.exitCode, ours.all).toBe(1);
    expect(there.bytes()).toEqual(here.bytes());
    expect(Object.keys(there.bytes()).length).toBeGreaterThan(30);
    expect(filesIn(join(reports, 'slurm'))).toEqual(filesIn(join(reports, 'local')));
    expect(theirs.all).toContain('blight');
  });

  it('gives each stage one GPU of its own', async ({ expect }) => {
    const many = await given('slow', 'cut,variety', { sets: ['steps=60'], seeds: '0,1' });
    const sweep = new ToySweep(cluster, many);
    const { exitCode, all } = await sweep.sweep('--gpus', '1', '--jobs', '4');
    expect(exitCode, all).toBe(0);
    const { store } = sweep;
    const spells = [...sweep.plan.stages.values()].flatMap(({ key, kind }) => {
      if (kind === 'weigh') return [];
      const { share, created } = store.attempt(key, store.doneAttempt(key)!)!;
      const gpu = (store.provenance(key)!['stage'] as { gpu: string }).gpu;
      return [{ place: `${share!.node} ${gpu}`, job: share!.job, from: Date.parse(created), to: Date.parse(store.states(key, store.doneAttempt(key)!).at(-1)!.time) }];
    });
    expect(spells.length).toBeGreaterThan(6);
    expect(spells.map(({ place }) => place).filter(place => !/^n[12] [01]$/.test(place))).toEqual([]);
    expect(new Set(spells.map(({ job }) => job)).size).toBeGreaterThan(1);
    expect(spells.flatMap((a, i) => spells.slice(i + 1).filter(b => a.place === b.place && a.from < b.to && b.from < a.to))).toEqual([]);
    expect(sweep.computed()).toEqual(sweep.once());
  });

  it('goes on in another job where one was warned that its time is over, to the same bytes', async ({ expect }) => {
    const sweep = new ToySweep(cluster, slowChain);
    const running = sweep.sweep('--jobs', '1');
    const key = sweep.key('stock');
    const job = await sweep.untilStep(key, 40);
    await cluster.call('scancel', '--batch', '--signal=USR2', job);
    const { exitCode, all } = await running;
    expect(exitCode, all).toBe(0);
    const { store } = sweep;
    expect(store.states(key, 1).at(-1)).toMatchObject({ state: 'interrupted' });
    expect(store.attempt(key, 2)!.share!.job).not.toBe(job);
    expect(store.curve(key).map(({ step }) => step)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    expect(await cluster.job(job)).toMatch(/^COMPLETED/);
    expect(sweep.computed()).toEqual(sweep.once());
    expect(sweep.bytes()).toEqual(expectedOf(slowChain));
    expect(await sweep.queued()).toEqual([]);
  });

  it('goes on in the same job where that was put back into the queue', { tags: 'long' }, async ({ expect }) => {
    const sweep = new ToySweep(cluster, slowChain);
    const running = sweep.sweep('--jobs', '1');
    const key = sweep.key('stock');
    const job = await sweep.untilStep(key, 40);
    await cluster.call('scontrol', 'requeue', job);
    const { exitCode, all } = await running;
    expect(exitCode, all).toBe(0);
    expect(sweep.store.attempt(key, 2)!.share!.job).toBe(job);
    expect(sweep.computed()).toEqual(sweep.once());
    expect(sweep.bytes()).toEqual(expectedOf(slowChain));
  });

  it('does nothing twice where two copies of one job run', { tags: 'long' }, async ({ expect }) => {
    const sweep = new ToySweep(cluster, slow);
    const running = sweep.sweep('--jobs', '1');
    const key = sweep.key('stock');
    const job = await sweep.untilStep(key, 20);
    // As a controller that lost its last seconds starts it: the same script, the same id.
    const script = join(temporaryFolder('script'), 'copy.sh');
    await cluster.call('scontrol', 'write', 'batch_script', job, script);
    const copy = await cluster.submit('--output', `${script}.txt`, '--wrap', `export SLURM_JOB_ID=${job}; bash ${script}`);
    const { exitCode, all } = await running;
    expect(exitCode, all).toBe(0);
    await cluster.until('the copy leaves', async () => /^(?:COMPLETED|CANCELLED|FAILED)/.test(await cluster.job(copy)));
    expect(readFileSync(`${script}.txt`, 'utf8')).toContain('this worker leaves');
    expect(sweep.computed()).toEqual(sweep.once());
    expect(sweep.store.attempts(key)).toEqual([1]);
    expect(sweep.bytes()).toEqual(expectedOf(slow));
  });

  it('hands in no other for a job that was cancelled by hand, and goes on at the next call', async ({ expect }) => {
    const sweep = new ToySweep(cluster, slowChain);
    const running = sweep.sweep('--jobs', '1');
    const job = await sweep.untilStep(sweep.key('stock'), 40);
    await cluster.call('scancel', job);
    const { exitCode, all } = await running;
    expect(exitCode, all).toBe(1);
    expect(all).toContain(`job ${job} was cancelled`);
    expect(all).toContain('Every job was cancelled by hand');
    expect(sweep.jobs()).toHaveLength(1);
    expect(await sweep.queued()).toEqual([]);
    const again = await sweep.sweep('--jobs', '1');
    expect(again.exitCode, again.all).toBe(0);
    expect(sweep.computed()).toEqual(sweep.once());
    expect(sweep.bytes()).toEqual(expectedOf(slowChain));
  });

  it('says of a job that is held how it is released, and of one that no node can run that it waits for ever', async ({ expect }) => {
    const quick = await given('quick', 'cut/whole');
    const [held, never] = [new ToySweep(cluster, quick), new ToySweep(cluster, quick)];
    const [waits, waitsForEver] = [held.sweep('--jobs', '1', '--mem', '1G', '--sbatch=--hold'), never.sweep('--jobs', '1', '--partition', 'short', '--time', '2:00:00')];
    for (const one of [held, never]) await one.until('a job is in the queue', async () => (await one.queued()).length > 0);
    const [[job = ''], [other = '']] = await Promise.all([held.queued(), never.queued()]);
    const status = await held.ablate('status');
    expect(status.stdout).toContain('1 queued');
    expect(status.stdout).toContain('is held');
    expect(status.stdout).toContain(`scontrol release ${job}`);
    await cluster.call('scontrol', 'release', job);
    const { exitCode, all } = await waits;
    expect(exitCode, all).toBe(0);

    expect((await never.ablate('status')).stdout).toContain("waits for ever: it asks for more time than its partition's limit");
    await cluster.call('scancel', other);
    expect((await waitsForEver).all).toContain('Every job was cancelled by hand');
  });

  it('is refused with the words of Slurm and what to change, and nothing is lost', async ({ expect }) => {
    const sweep = new ToySweep(cluster, await given('quick', 'cut/whole'));
    const refused = await sweep.sweep('--partition', 'nowhere');
    expect(refused.exitCode).toBe(2);
    expect(refused.all).toContain('invalid partition specified: nowhere');
    expect(refused.all).toContain('sinfo --summarize');
    expect(refused.all).not.toContain('    at ');
    const again = await sweep.sweep();
    expect(again.exitCode, again.all).toBe(0);
    expect(sweep.computed()).toEqual(sweep.once());
  });

  it('goes on in a job of twice the memory where it was too little, and ends where no node has more', async ({ expect }) => {
    const large = await given('quick', 'appetite/large', { declarations: 'hardship' }),
      endless = await given('quick', 'hardship/exhaust', { declarations: 'hardship' });
    const [found, never] = [new ToySweep(cluster, large), new ToySweep(cluster, endless)];
    const [first, second] = await Promise.all([found.sweep('--jobs', '1', '--mem', '600M'), never.sweep('--jobs', '1', '--mem', '1500M')]);
    expect(first.exitCode, first.all).toBe(0);
    const key = found.key('tree', 'appetite/large');
    expect(found.store.attempts(key)).toEqual([1, 2]);
    expect([1, 2].map(attempt => found.store.attempt(key, attempt)!.share!.memory)).toEqual([600, 1200].map(size => size * 2 ** 20));
    expect(found.computed()).toEqual(found.once());
    expect(first.all).toContain('ran out of the memory that it had asked for');

    expect(second.exitCode, second.all).toBe(1);
    expect(second.all).toContain('Slurm refuses a job of 6000 MB');
    expect(second.all).toContain('2 left');
    expect(await never.queued()).toEqual([]);
  });

  it('works on without a runner once it was detached, and a later sweep takes it up', async ({ expect }) => {
    const [alone, watched] = [new ToySweep(cluster, slow), new ToySweep(cluster, slow)];
    const [first, second] = await Promise.all([alone.sweep('--jobs', '3', '--detach'), watched.sweep('--jobs', '2', '--detach')]);
    for (const { exitCode, all } of [first, second]) {
      expect(exitCode, all).toBe(0);
      expect(all).toContain('1 job is in the queue or running');
    }
    await watched.untilStep(watched.key('stock'), 20);
    expect((await watched.ablate('status')).stdout).toContain('1 job at work');
    const later = await watched.sweep('--jobs', '2');
    expect(later.exitCode, later.all).toBe(0);
    expect(later.all).toMatch(/of this sweep (?:is|are) in the queue or running: going on with/);
    await alone.until('all is done', () => [...slow.plan.stages.keys()].every(key => alone.store.doneAttempt(key) !== undefined));
    expect(alone.jobs().length).toBeGreaterThan(1);
    expect(alone.jobs().length).toBeLessThanOrEqual(5);
    await alone.until('the jobs leave', async () => (await alone.queued()).length === 0);
    for (const sweep of [alone, watched]) {
      expect(sweep.computed()).toEqual(sweep.once());
      expect(sweep.bytes()).toEqual(expected);
    }
  });

  it('goes on where the runner was killed: the same command takes up its jobs', async ({ expect }) => {
    const sweep = new ToySweep(cluster, slow);
    const killed = sweep.sweep('--jobs', '3');
    await sweep.untilStep(sweep.key('tree'), 20);
    killed.kill('SIGKILL');
    await killed;
    const { exitCode, all } = await sweep.sweep('--jobs', '3');
    expect(exitCode, all).toBe(0);
    expect(all).toMatch(/of this sweep (?:is|are) in the queue or running/);
    expect(sweep.computed()).toEqual(sweep.once());
    for (const key of sweep.plan.stages.keys()) expect(sweep.store.attempts(key)).toEqual([1]);
    expect(sweep.bytes()).toEqual(expected);
  });

  it('leaves nothing in the queue after Ctrl-C, and every step that was made in a checkpoint', async ({ expect }) => {
    const sweep = new ToySweep(cluster, slow);
    const running = sweep.sweep('--jobs', '3');
    const key = sweep.key('tree');
    await sweep.untilStep(key, 40);
    running.kill('SIGINT');
    const { exitCode, all } = await running;
    expect(exitCode, all).toBe(130);
    expect(await sweep.queued()).toEqual([]);
    expect(sweep.store.states(key, 1).at(-1)).toMatchObject({ state: 'interrupted' });
    const steps = sweep.store.curve(key).at(-1)!.step;
    expect(sweep.store.furthestCheckpoint(key)!.step).toBe(steps);
    const again = await sweep.sweep('--jobs', '3');
    expect(again.exitCode, again.all).toBe(0);
    expect(sweep.store.curve(key).map(({ step }) => step)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    expect(sweep.computed()).toEqual(sweep.once());
    expect(sweep.bytes()).toEqual(expected);
  });

  it('leaves its jobs at work when the terminal hangs up', { tags: 'long' }, async ({ expect }) => {
    const sweep = new ToySweep(cluster, slowChain);
    const running = sweep.sweep('--jobs', '1', '--mem', '1G');
    const job = await sweep.untilStep(sweep.key('stock'), 20);
    running.kill('SIGHUP');
    expect((await running).exitCode).toBe(129);
    expect(await sweep.queued()).toEqual([job]);
    const { exitCode, all } = await sweep.sweep('--jobs', '1', '--mem', '1G');
    expect(exitCode, all).toBe(0);
    for (const key of sweep.plan.stages.keys()) expect(sweep.store.attempt(key, sweep.store.doneAttempt(key)!)!.share!.job).toBe(job);
    expect(sweep.bytes()).toEqual(expectedOf(slowChain));
  });

  it('is shared by workers that were started by hand, in a batch script and by srun', { tags: 'long' }, async ({ expect }) => {
    const sweep = new ToySweep(cluster, slow);
    const output = join(temporaryFolder('hand'), 'log.txt');
    const words = ablateLine('experiments', 'worker', '--store', sweep.folder, ...slow.selection, '--workers', '2');
    const job = await execa('sbatch', ['--parsable', `--output=${output}`, '--wrap', `exec ${words.map(word => `'${word}'`).join(' ')}`], { env: sweep.env });
    const step = await execa('srun', ['--ntasks=1', ...words], { env: sweep.env, all: true });
    expect(step.all).toContain('this worker leaves');
    await sweep.until('the batch job leaves', async () => /^COMPLETED/.test(await cluster.job(job.stdout)));
    expect(readFileSync(output, 'utf8')).toContain('All 7 stages of profile slow are done; this worker leaves.');
    expect(sweep.computed()).toEqual(sweep.once());
    expect(sweep.bytes()).toEqual(expected);
    expect(new Set([...slow.plan.stages.keys()].map(key => sweep.store.attempt(key, 1)!.share!.job)).size).toBe(2);
  });
});

/** What happens to the whole cluster: one after the other. */
describe.skipIf(why !== undefined)(`${suite}, disturbed`, () => {
  it('goes on elsewhere where its job was preempted, and where its node is drained', { tags: 'long' }, async ({ expect }) => {
    const sweep = new ToySweep(cluster, slowChain);
    const running = sweep.sweep('--jobs', '1', '--gpus', '2');
    const key = sweep.key('stock');
    const job = await sweep.untilStep(key, 40);
    const { node } = sweep.store.attempt(key, 1)!.share!;
    const urgent = await cluster.submit('--partition=high', `--nodelist=${node}`, '--gres=gpu:2', '--output=/dev/null', '--wrap', 'sleep 600');
    await sweep.until('the urgent job runs', async () => (await cluster.job(urgent)).startsWith('RUNNING'));
    await cluster.call('scontrol', 'update', `NodeName=${node}`, 'State=DRAIN', 'Reason=test');
    await sweep.untilStep(key, 60, 2);
    expect(sweep.store.attempt(key, 2)!.share!).toMatchObject({ job, node: cluster.nodes.find(other => other !== node) });
    await cluster.call('scancel', urgent);
    await cluster.call('scontrol', 'update', `NodeName=${node}`, 'State=RESUME');
    const { exitCode, all } = await running;
    expect(exitCode, all).toBe(0);
    expect(sweep.computed()).toEqual(sweep.once());
    expect(sweep.bytes()).toEqual(expectedOf(slowChain));
  });

  it('goes on while the controller is away, and when it has come back', { tags: 'long' }, async ({ expect }) => {
    const [running, submitted] = [new ToySweep(cluster, slow), new ToySweep(cluster, slow)];
    const first = running.sweep('--jobs', '2', '--mem', '1G');
    let told = '';
    first.all.on('data', (text: Buffer) => (told += text.toString()));
    await running.untilStep(running.key('stock'), 20);
    await cluster.untilSaved();
    await cluster.killController();
    const second = submitted.sweep('--jobs', '2', '--mem', '1G');
    await running.untilStep(running.key('tree'), 20); // by a job that knows of no controller
    await running.until('the runner says so', () => told.includes('Slurm does not answer'));
    cluster.startController();
    const [one, other] = await Promise.all([first, second]);
    expect(one.exitCode, one.all).toBe(0);
    expect(other.exitCode, other.all).toBe(0);
    expect(other.all).toContain('Asking again until it does.');
    for (const sweep of [running, submitted]) {
      expect(sweep.computed()).toEqual(sweep.once());
      expect(sweep.bytes()).toEqual(expected);
      await sweep.until('no job of it is left', async () => (await sweep.queued()).length === 0); // one may be about to leave
    }
  });

  it('goes on elsewhere where a node was lost with its job, once its lease has passed', { tags: 'long' }, async ({ expect }) => {
    const sweep = new ToySweep(cluster, slowChain);
    const running = sweep.sweep('--jobs', '1', '--checkpoint-every', '1');
    const key = sweep.key('stock');
    const job = await sweep.untilStep(key, 100);
    const { node = '' } = sweep.store.attempt(key, 1)!.share!;
    await cluster.crashNode(node);
    const { exitCode, all } = await running;
    expect(exitCode, all).toBe(0);
    expect(sweep.store.attempt(key, 2)!.share!).toMatchObject({ job, node: cluster.nodes.find(other => other !== node) });
    expect(sweep.store.curve(key).map(({ step }) => step)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    expect(sweep.computed()).toEqual(sweep.once());
    expect(sweep.bytes()).toEqual(expectedOf(slowChain));
    cluster.startNode(node);
    await cluster.untilUp(...cluster.nodes);
  });
});
