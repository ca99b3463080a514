/** `ablate status` beside a sweep of another process: the real programs on the toy study. Each study has its tests in order, and those of others beside them. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { editableStudy, type EditableStudy } from '../toy/editable.ts';
import { isRunning } from '../toy/sweep.ts';

interface StageLine {
  readonly key: string;
  readonly label: string;
  readonly state: string;
  readonly attempt?: number;
  readonly phase?: string;
  readonly step?: number;
  readonly steps?: number;
  readonly stepsPerSecond?: number;
  readonly secondsLeft?: number;
  readonly silentSeconds?: number;
  readonly owner?: { readonly pid: number };
  readonly reason?: string;
  readonly log?: string;
  readonly blocked?: boolean;
}

interface Look {
  readonly runners: readonly { readonly pid: number }[];
  readonly counts: Readonly<Record<string, number>>;
  readonly secondsLeft?: number;
  readonly ablations: readonly ({ readonly name: string } & Readonly<Record<string, number | string>>)[];
  readonly stages: readonly StageLine[];
}

const looks = (stdout: string): Look[] =>
  stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Look);
const status = async (study: EditableStudy, ...args: string[]): Promise<Look> => JSON.parse((await study.ablate('status', '--json', ...args)).stdout) as Look;

async function until(study: EditableStudy, args: readonly string[], test: (look: Look) => boolean): Promise<Look> {
  const deadline = Date.now() + 300_000;
  for (;;) {
    const look = await status(study, ...args);
    if (test(look)) return look;
    if (Date.now() > deadline) throw new Error(`not seen within five minutes; last: ${JSON.stringify(look.counts)}`);
    await sleep(50);
  }
}

function expectConsistent(look: Look): void {
  const by = (state: string): number => look.stages.filter(s => s.state === state).length;
  for (const state of ['done', 'running', 'failed', 'interrupted', 'left']) expect(look.counts[state]).toBe(by(state));
  for (const stage of look.stages.filter(s => s.state === 'running')) {
    expect(stage.owner!.pid).toBeGreaterThan(0);
    expect(stage.log).toContain(stage.key);
  }
}

describe.concurrent('status --watch beside a sweep', () => {
  const study = editableStudy('slow');
  const args = ['--only', 'cut,variety'];

  it('begins before it, follows every stage to its end, never goes back, and ends with it', { concurrent: false }, async () => {
    const watching = study.start('status', '--watch', '--json', ...args);
    const lines = study.start('status', '--watch', ...args);
    // A sweep that began to look before the watch does would be another case: a watch that comes later.
    await Promise.all([watching, lines].map(watch => once(watch.stdout, 'data')));
    const sweep = study.start('sweep', '--no-report', '--devices', 'cpu:2x1', ...args);
    expect((await sweep).exitCode).toBe(0);
    const watched = await watching;
    expect(watched.exitCode).toBe(0);
    const seen = looks(watched.stdout);
    expect(seen.length).toBeGreaterThan(3);
    seen.forEach(expectConsistent);
    const ofRank: Record<string, number> = { left: 0, running: 1, done: 2 };
    for (const { key } of seen[0]!.stages) {
      const ranks = seen.map(look => ofRank[look.stages.find(s => s.key === key)!.state]!);
      expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
    }
    expect(seen[0]!.runners).toEqual([]);
    expect(seen.flatMap(look => look.runners.map(r => r.pid)).every(pid => pid === sweep.pid)).toBe(true);
    expect(seen.some(look => look.runners.length === 1)).toBe(true);
    const training = seen.flatMap(look => look.stages.filter(s => s.state === 'running' && s.phase === 'step' && s.stepsPerSecond !== undefined));
    expect(training.length).toBeGreaterThan(0);
    for (const stage of training) {
      expect(stage.steps).toBe(100);
      // A step pauses for 20 ms.
      expect(stage.stepsPerSecond).toBeLessThan(51);
      expect(stage.secondsLeft).toBeCloseTo((100 - stage.step!) / stage.stepsPerSecond!);
      expect(stage.silentSeconds).toBeLessThan(60);
    }
    const last = seen.at(-1)!;
    expect(last.counts).toMatchObject({ stages: 11, done: 11, running: 0, left: 0, toRun: 0 });
    expect(last.ablations).toMatchObject([
      { name: 'cut', done: 7, left: 0 },
      { name: 'variety', done: 7, left: 0 },
    ]);

    const { stdout, exitCode } = await lines;
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^running +stock.* on cpu:[01]$/m);
    expect(stdout).toMatch(/^done +tree of cut\/none seed 0$/m);
    expect(stdout).toMatch(/11 of 11 stages done(, a sweep runs \(process \d+\))?$/m);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('knows how long stages take that have not begun, from those that are done', { concurrent: false }, async () => {
    const look = await status(study, '--only', 'cut', '--seeds', '5', '--devices', 'cpu:1x1');
    const [whole, weigh] = ['tree of cut/whole seed 5', 'weigh of cut/whole seed 5'].map(label => look.stages.find(s => s.label === label)!);
    expect(whole!.secondsLeft).toBeGreaterThan(1.9);
    expect(weigh!.secondsLeft).toBeLessThan(whole!.secondsLeft!);
    expect(look.secondsLeft).toBeGreaterThan(3 * 1.9);
    expect(look.runners).toEqual([]);
    expect((await study.ablate('status', '--only', 'cut', '--seeds', '5')).stdout).toMatch(/1 of 7 stages done, about .* left on .*, no sweep runs/s);
  });
});

describe.concurrent('status of a sweep that is killed', () => {
  const study = editableStudy('slow');
  const args = ['--only', 'cut', '--set', 'milliseconds=60'];
  const sweep = () => study.start('sweep', '--no-report', '--devices', 'cpu:2x1', '--checkpoint-every', '0.2', ...args);
  const atWork = (look: Look): boolean => look.stages.some(s => s.state === 'running' && (s.step ?? 0) > 5);

  it('runner and workers at once: nothing is shown as running at the next look, and the watch ends', { concurrent: false }, async () => {
    const running = sweep();
    const look = await until(study, args, atWork);
    const watching = study.start('status', '--watch', '--json', ...args);
    await once(watching.stdout, 'data'); // it has seen the sweep
    const workers = new Set((await status(study, ...args)).stages.flatMap(s => (s.state === 'running' ? [s.owner!.pid] : [])));
    process.kill(look.runners[0]!.pid, 'SIGKILL');
    for (const pid of workers) process.kill(pid, 'SIGKILL');
    await running;
    const after = await status(study, ...args);
    expect(after.runners).toEqual([]);
    expect(after.stages.map(s => s.state)).not.toContain('running');
    expect(after.counts['interrupted']).toBeGreaterThan(0);
    const watched = await watching;
    expect(watched.exitCode).toBe(1);
    const seen = looks(watched.stdout);
    seen.forEach(expectConsistent);
    expect(seen.some(s => s.runners.length === 1)).toBe(true);
    expect(seen.at(-1)!.counts).toMatchObject({ running: 0, interrupted: after.counts['interrupted']! });
    const { stdout } = await study.ablate('status', ...args);
    expect(stdout).toMatch(/interrupted {2}\w+ of cut\/\w+ seed 0.*\n {4}log: store\/stages\/[0-9a-f]+\/attempts\/1\/log\.txt/);
  });

  it('the runner alone: its workers count as running exactly as long as they live', { concurrent: false }, async () => {
    const running = sweep();
    const look = await until(study, args, atWork);
    process.kill(look.runners[0]!.pid, 'SIGKILL');
    await running;
    const after = await until(study, args, l => !l.stages.some(s => s.state === 'running'));
    expect(after.runners).toEqual([]);
    const begun = look.stages.filter(s => s.state === 'running');
    expect(begun).not.toEqual([]);
    // One that has told how its stage ended, and wrote its checkpoint, may still take its leave.
    for (const { owner } of begun) await vi.waitFor(() => expect(isRunning(owner!.pid)).toBe(false), { timeout: 60_000 });
  });

  it('and goes on: an attempt more, from where it was, to the end', { concurrent: false }, async () => {
    const running = sweep();
    const [watched] = await Promise.all([study.start('status', '--watch', ...args), running]);
    expect(watched.exitCode).toBe(0);
    expect(watched.stdout).toMatch(/7 of 7 stages done(, a sweep runs \(process \d+\))?$/m);
    expect((await status(study, ...args)).stages.some(s => s.state === 'done' && s.attempt! > 1)).toBe(true);
  });
});

describe.concurrent('status of what failed', () => {
  const study = editableStudy('quick');
  const args = ['--only', 'trouble/sound,trouble/fail-permanently'];

  it('says why, where the log is, and what is blocked by it', { concurrent: false }, async () => {
    expect((await study.start('sweep', '--no-report', '--devices', 'cpu:1x1', ...args)).exitCode).toBe(1);
    const { stdout } = await study.ablate('status', ...args);
    expect(stdout).toMatch(/3 of 5 stages done, 1 failed, 1 blocked by that/);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/failed tree of trouble\/fail-permanently seed 0 [0-9a-f]{12} The tree has blight and no second try will cure it \(BLIGHT\) log: store\/stages\//);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    const watched = await study.ablate('status', '--watch', '--json', ...args);
    expect(watched.exitCode).toBe(1);
    expect(looks(watched.stdout)).toHaveLength(1);
    const { stages } = looks(watched.stdout)[0]!;
    expect(stages.find(s => s.state === 'failed')).toMatchObject({ label: 'tree of trouble/fail-permanently seed 0', reason: expect.stringContaining('blight') as string });
    expect(stages.filter(s => s.blocked === true).map(s => s.label)).toEqual(['weigh of trouble/fail-permanently seed 0']);
  });
});
