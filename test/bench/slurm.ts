/**
 * `make bench-slurm`: the processor time of a runner whose sweep has 10,000 stages, on a cluster whose queue shows 5,000 jobs of others. The
 * runner is the real program; Slurm is stood in for by scripts that answer at once. Once nothing happens, once stages end all the time.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { stageLabel, type Plan } from '../../src/core/plan/plan.ts';
import { openStore } from '../../src/core/store/store.ts';
import { ablateLine, toyEnvironment } from '../toy/program.ts';
import { temporaryFolder, toyPlan } from '../toy/sweep.ts';

const [FOREIGN, JOBS, MOST] = [5_000, 64, 0.05];
/** Of each measurement, after the runner has begun. */
const SECONDS = 60;
/** Stages that end in a second, where they do. */
const ENDS_PER_SECOND = 4;
const CHOICE = { profile: 'quick', only: 'variety,cut,side-by-side', seeds: '0-390' };

const room = temporaryFolder('bench-slurm');
const bin = join(room, 'bin');

/** `sbatch` counts; `squeue` shows the jobs of others and all that were handed in, running. */
function standIns(): void {
  mkdirSync(bin);
  const write = (name: string, text: string): void => {
    writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const foreign = Array.from({ length: FOREIGN }, (_, i) => `${i + 1}|train-${i % 97}|${i % 3 === 0 ? 'RUNNING' : 'PENDING'}|${i % 3 === 0 ? `n${i % 40}` : ''}|Priority`);
  writeFileSync(join(room, 'foreign'), `${foreign.join('\n')}\n`);
  writeFileSync(join(room, 'ours'), '');
  write(
    'sbatch',
    `cat > /dev/null\nfor word in "$@"; do case $word in --job-name=*) name=\${word#*=};; esac; done\nid=$((100000 + $(wc -l < ${room}/ours)))\necho "$id|$name|RUNNING|n1|None" >> ${room}/ours\necho $id`,
  );
  write('squeue', `cat ${room}/foreign ${room}/ours`);
  write('scancel', 'exit 0');
  write('sacct', 'exit 1');
  write('scontrol', 'exit 1');
}

/** Seconds that a process has computed, and its children that have ended. */
function cpuSeconds(pid: number): { readonly own: number; readonly children: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const ticks = 100;
  return { own: (fields[11]! + fields[12]!) / ticks, children: (fields[13]! + fields[14]!) / ticks };
}

/** Ends stages one after the other, as workers do, in the order of the plan. */
async function endStages(folder: string, plan: Plan, signal: AbortSignal): Promise<number> {
  const store = openStore(folder);
  let ended = 0;
  for (const [key, stage] of plan.stages) {
    if (signal.aborted) break;
    store.ensureStage(key, stage, stageLabel(stage));
    const acquired = await store.acquire(key, 'cpu:0');
    if (acquired.type !== 'acquired') continue;
    acquired.attempt.claim();
    await sleep(1000 / ENDS_PER_SECOND);
    await acquired.attempt.commit({ weight: 1, weight_se: 1, height: 1 });
    acquired.attempt.close();
    ended++;
  }
  return ended;
}

async function measure(name: string, plan: Plan, busy: boolean): Promise<boolean> {
  const store = join(room, name);
  const [node, ...line] = ablateLine(
    'experiments',
    'sweep',
    '--profile',
    CHOICE.profile,
    '--only',
    CHOICE.only,
    '--seeds',
    CHOICE.seeds,
    '--store',
    store,
    '--executor',
    'slurm',
    '--jobs',
    String(JOBS),
    '--no-report',
  );
  const runner = execa(node!, line, { reject: false, buffer: false, stdout: 'ignore', stderr: 'inherit', env: { ...toyEnvironment, PATH: `${bin}:${process.env['PATH']!}` } });
  await sleep(20_000); // it has planned
  const stop = new AbortController();
  const ending = busy ? endStages(store, plan, stop.signal) : Promise.resolve(0);
  const [before, began] = [cpuSeconds(runner.pid!), performance.now()];
  await sleep(SECONDS * 1000);
  const [after, seconds] = [cpuSeconds(runner.pid!), (performance.now() - began) / 1000];
  stop.abort();
  const ended = await ending;
  runner.kill('SIGKILL');
  await runner;
  const share = (after.own - before.own) / seconds;
  const calls = (after.children - before.children) / seconds;
  console.log(`${name.padEnd(34)} ${(100 * share).toFixed(2).padStart(6)} % of a core, and ${(100 * calls).toFixed(2)} % in what it calls${busy ? `; ${ended} stages ended` : ''}`);
  return share <= MOST;
}

const plan = await toyPlan(CHOICE);
console.log(`A runner of ${plan.stages.size} stages, ${FOREIGN} jobs of others in the queue, ${JOBS} of its own, ${SECONDS} s each (at most ${100 * MOST} %):`);
standIns();
const fine = [await measure('nothing-happens', plan, false), await measure('stages-end', plan, true)];
rmSync(room, { recursive: true, force: true });
process.exitCode = fine.every(Boolean) ? 0 : 1;
