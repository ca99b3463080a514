/** `ablate plan`, `diff` and the flags of `sweep` that do not run anything: the real program on the toy study. Each study has its tests in order, and those of others beside them. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { editableStudy } from '../toy/editable.ts';

interface PlanJson {
  readonly counts: { readonly stages: number; readonly shared: number; readonly done: number; readonly toRun: number };
  readonly disk: { readonly outputs: number; readonly checkpoints: number; readonly free: number };
  readonly time: { readonly seconds: number; readonly chainSeconds: number; readonly shapes: number; readonly measuredShapes: number } | null;
  readonly stages: readonly { readonly key: string; readonly kind: string; readonly toRun: boolean; readonly time?: { readonly seconds: number; readonly measured: boolean } }[];
}

describe.concurrent('plan', () => {
  const study = editableStudy('slow');
  const only = ['--only', 'cut,variety', '--devices', 'cpu:2x1'];
  const planJson = async (...args: string[]): Promise<PlanJson> => JSON.parse((await study.ablate('plan', '--json', ...only, ...args)).stdout) as PlanJson;
  /** In a process of its own, which keeps nobody waiting. */
  const measured = async (): Promise<PlanJson> => JSON.parse((await study.start('plan', '--json', ...only, '--measure')).stdout) as PlanJson;
  const measurements = (): number => readFileSync(join(study.folder, 'cache/throughput.jsonl'), 'utf8').trimEnd().split('\n').length;

  it('before anything was measured: counts stages, those of several tables and the disk, and says how to know the time', { concurrent: false }, async () => {
    const plan = await planJson();
    // Two stocks, four grafts (one of both tables), five weighings (one of both); the oak on its own root is the stock.
    expect(plan.counts).toEqual({ stages: 2 + 4 + 5, shared: 3, done: 0, toRun: 11 });
    expect(plan.disk).toMatchObject({ outputs: 6 * 100, checkpoints: 3 * 2 * 10 });
    expect(plan.disk.free).toBeGreaterThan(0);
    expect(plan.time).toBeNull();
    const { stdout } = await study.start('plan', ...only);
    expect(stdout).toMatch(/Time +not known: no stage was measured on cpu:2x1 yet; ablate plan --measure/);
    expect(existsSync(join(study.folder, 'store'))).toBe(false);
  });

  it('--measure runs steps of each shape once, in workers, and keeps what it found', { concurrent: false }, async () => {
    const plan = await measured();
    expect(plan.time).toMatchObject({ measuredShapes: plan.time!.shapes });
    expect(plan.time!.seconds).toBeGreaterThanOrEqual(plan.time!.chainSeconds);
    for (const stage of plan.stages) expect(stage.time!.measured).toBe(true);
    // A tree has 100 steps with a pause of 20 ms each.
    for (const tree of plan.stages.filter(s => s.kind !== 'weigh')) expect(tree.time!.seconds).toBeGreaterThan(1.9);
    expect(measurements()).toBe(plan.time!.shapes);
    const again = await study.ablate('plan', '--measure', ...only);
    expect(again.stderr).not.toContain('Measuring');
    expect(measurements()).toBe(plan.time!.shapes);
    expect(existsSync(join(study.folder, 'store'))).toBe(false);
  });

  it('a shape without a measurement is estimated from those of its kind, and marked', { concurrent: false }, async () => {
    study.edit('experiments/ablations/cut.ts', 'cut: 0 }', 'cut: 0.3 }');
    const { stdout } = await study.ablate('plan', ...only);
    study.edit('experiments/ablations/cut.ts', 'cut: 0.3 }', 'cut: 0 }');
    expect(stdout).toMatch(/graft .* ~\d+ s\n/);
    expect(stdout).toMatch(/seedling .* \d+ s\n/);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/Time ~\d+ s on cpu:2x1 .*, 8 of 10 stage shapes measured, the others \(~\)/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('sweep --dry-run prints the plan and does nothing', { concurrent: false }, async () => {
    const dry = await study.ablate('sweep', '--dry-run', ...only);
    expect(dry.exitCode).toBe(0);
    const withoutDisk = (text: string): string => text.replace(/[\d.]+ GB free/, ''); // others write there, too
    expect(withoutDisk(dry.stdout)).toBe(withoutDisk((await study.ablate('plan', ...only)).stdout));
    expect(existsSync(join(study.folder, 'store'))).toBe(false);
  });

  it('a profile that cannot run is planned with a note, and a sweep of it is bad use', { concurrent: false }, async () => {
    study.edit(
      'experiments/study.ts',
      '  realise,\n',
      "  realise,\n  notRunnable: () => 'the orchard is frozen',\n  statedThroughput: () => ({ device: 'gardener', flopsPerSecond: 1, source: 'a guess' }),\n",
    );
    const plan = await study.ablate('plan', ...only);
    expect(plan.stdout).toMatch(/Note +the orchard is frozen/);
    expect(plan.stdout.replaceAll(/\s+/g, ' ')).toMatch(/gardener-hours for what is to run, [\d,]+ of them one after the other, at 1 FLOP\/s sustained \(a guess\)/);
    for (const refused of [await study.ablate('sweep', ...only), await study.ablate('plan', '--measure', ...only)]) {
      expect(refused.exitCode).toBe(2);
      expect(refused.stderr).toContain('profile slow cannot run here: the orchard is frozen'.slice(8));
    }
    expect(existsSync(join(study.folder, 'store'))).toBe(false);
  });
});

describe.concurrent('packs in a plan', () => {
  const study = editableStudy('slow');
  interface WithPacks {
    readonly packs: readonly { readonly kind: string; readonly keys: string[]; readonly savedFlops: number; readonly seconds?: number }[];
    readonly time: { readonly seconds: number } | null;
  }
  const args = ['--only', 'side-by-side/tall,side-by-side/middle,side-by-side/small,side-by-side/storm'];
  const plan = async (...more: string[]): Promise<WithPacks> => JSON.parse((await study.ablate('plan', '--json', ...args, ...more)).stdout) as WithPacks;

  it('says how many stages share how many workers, and what that saves', { concurrent: false }, async () => {
    const one = await plan('--devices', 'cpu:1x1'),
      two = await plan('--devices', 'cpu:2x1');
    const grafts = (p: WithPacks): WithPacks['packs'] => p.packs.filter(pack => pack.kind === 'graft');
    // A graft takes 200 FLOPs, 100 of which are spent once in a pack.
    expect(grafts(one).map(p => [p.keys.length, p.savedFlops])).toEqual([[4, 300]]);
    expect(grafts(two).map(p => [p.keys.length, p.savedFlops])).toEqual([
      [2, 100],
      [2, 100],
    ]);
    expect(one.packs.flatMap(p => p.keys)).toHaveLength(1 + 4 + 4);
    const { stdout } = await study.ablate('plan', ...args, '--devices', 'cpu:2x1');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('Packs 4 graft stages side by side in 2 packs (of 2), which saves 200 FLOP of 800 FLOP (25 %)');
  });

  it('forecasts a pack by what its members do by themselves and share', { concurrent: false }, async () => {
    const measured = JSON.parse((await study.start('plan', '--json', ...args, '--measure', '--devices', 'cpu:1x1')).stdout) as WithPacks;
    const [graft] = measured.packs.filter(pack => pack.kind === 'graft');
    // Alone each takes at least 100 pauses of 20 ms; half of that is spent once.
    expect(graft!.seconds).toBeGreaterThan(1.9 * (0.5 + 4 * 0.5));
    const sum = measured.packs.reduce((total, pack) => total + pack.seconds!, 0);
    expect(measured.time!.seconds).toBeGreaterThan(sum); // one worker, which has to start first
  });
});

describe.concurrent('diff, and the report of a changed profile', () => {
  const study = editableStudy('quick');

  it('before anything ran: the recipes, role by role', { concurrent: false }, async () => {
    const { stdout, exitCode } = await study.start('diff', 'cut/half', 'cut/none');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/stock +same stage/);
    expect(stdout).toMatch(/tree +cut +0\.5 +0\n/);
    expect(stdout).toMatch(/weigh +another tree/);
    expect(stdout).toContain('Neither arm has a result yet');
    const other = JSON.parse((await study.ablate('diff', 'cut/half', 'variety/own-root', '--json')).stdout) as { recipe: { role: string; only?: string }[]; results?: unknown };
    expect(other.recipe.map(r => [r.role, r.only])).toEqual([
      ['stock', 'a'],
      ['tree', undefined],
      ['weigh', undefined],
    ]);
    expect(other).not.toHaveProperty('results');
  });

  it('after a sweep: deltas seed by seed, their mean with its error, and the curves', { concurrent: false }, async () => {
    const args = ['--seeds', '0,1,2'];
    expect((await study.ablate('sweep', '--only', 'cut', '--no-report', '--devices', 'inline', ...args)).exitCode).toBe(0);
    const { stdout } = await study.ablate('diff', 'cut/whole', 'cut/none', ...args);
    expect(stdout.match(/seed [012] +\d\d\.\d\d % +\d\d\.\d\d % +\+\d+\.\d\d/g)).toHaveLength(3);
    expect(stdout).toMatch(/a - b = \+\d+\.\d\d ± \d+\.\d\d points \(mean of 3 paired seeds, 95 % interval/);
    expect(stdout).toMatch(/height {2}\(tree, mean of 3 seeds\)/);
    expect(stdout).toMatch(/a +[▁-█]{5} /);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    interface Result {
      value: number;
    }
    const json = JSON.parse((await study.ablate('diff', 'cut/whole', 'cut/none', '--json', ...args)).stdout) as {
      results: { a: Record<string, Result>; b: Record<string, Result>; difference: { value: number; n: number }; curves: { epochs: number[]; a: number[] }[] };
    };
    const { a, b, difference, curves } = json.results;
    const mean = [0, 1, 2].reduce((sum, seed) => sum + a[seed]!.value - b[seed]!.value, 0) / 3;
    expect(difference).toMatchObject({ n: 3 });
    expect(difference.value).toBeCloseTo(mean);
    expect(curves[0]!.a).toHaveLength(curves[0]!.epochs.length);
  });

  it('an overridden profile is reported in a folder of its own, which can be checked; the plain report stays', { concurrent: false }, async () => {
    const args = ['--only', 'cut/whole', '--devices', 'inline'];
    expect((await study.ablate('sweep', ...args)).exitCode).toBe(0);
    const plain = readFileSync(join(study.folder, 'reports/quick/results.jsonl'), 'utf8');
    const changed = await study.ablate('sweep', '--set', 'steps=7', ...args);
    expect(changed.all).toContain('reports/quick+steps-7/index.html');
    expect(readFileSync(join(study.folder, 'reports/quick/results.jsonl'), 'utf8')).toBe(plain);
    expect(readFileSync(join(study.folder, 'reports/quick+steps-7/results.jsonl'), 'utf8')).not.toBe(plain);
    expect((await study.ablate('report', '--check', '--set', 'steps=7')).exitCode).toBe(0);
  });
});

describe.concurrent('what the declared seeds can show', () => {
  const study = editableStudy('quick');
  const only = ['--only', 'variety', '--devices', 'cpu:2x1'];
  const power = async (): Promise<string> => {
    const { stdout, stderr } = await study.ablate('plan', ...only);
    return `${stderr}${/ Power .*?(?=\n\n|\n {2}\S|$)/s.exec(stdout)?.[0] ?? ''}`.replaceAll(/\s+/g, ' ').trim();
  };

  it('is said where claims are declared, before anything ran', { concurrent: false }, async () => {
    expect(await power()).toBe('');
    const claims = ['oak', 'elm'].map(than => `{ name: '${than}', sentence: 'The root is less.', source: 'ours', parts: [{ type: 'greater', arm: '${than}', than: 'own-root' }] }`);
    study.edit('experiments/ablations/variety.ts', "  default: 'oak',", `  default: 'oak',\n  claims: [${claims.join(', ')}],`);
    expect(await power()).toBe('Power 1 seed: no verdict can be given; it needs 3');
    study.edit('experiments/profiles/quick.ts', '[0]', '[0, 1, 2]');
    // scipy 1.17.1, as in power.test.ts: 3.2640 at 5 %, 4.6248 at 2.5 %.
    expect(await power()).toBe(
      'Power 3 seeds show a true difference of 3.264 standard deviations with a probability of 80 %, where a claim of one comparison stands by itself; of 4.625 standard deviations, where it is the first of the 2 claims of variety (Holm\u2019s correction) ' +
        'beyond the margin, and of the difference of two arms over seeds: no earlier records of 3 seeds tell that deviation, and the profile assumes none',
    );
  });

  it('is counted with the spread of earlier records: of the store, then of the report', { concurrent: false }, async () => {
    expect((await study.ablate('sweep', ...only)).exitCode).toBe(0);
    const counted = await power();
    expect(counted).toMatch(/^Power 3 seeds show a true difference of [\d.]+ points .* for a margin of 0\.00 points and .* \(that of 3 pairs of arms with 3 common seeds in earlier records\)$/);
    rmSync(join(study.folder, 'store'), { recursive: true });
    expect(await power()).toBe(counted);
  });

  it('and which seeds are none of them, before they are run', { concurrent: false }, async () => {
    const { stdout } = await study.ablate('plan', ...only, '--seeds', '2-4');
    expect(stdout).toContain('Seeds    3, 4 are beyond those that the profile declares (0, 1, 2): exploratory, in no verdict\n');
    expect((await study.ablate('plan', ...only, '--seeds', '1')).stdout).not.toContain('exploratory');
    expect((await study.ablate('sweep', '--only', 'variety/oak', '--devices', 'inline', '--seeds', '3', '--no-report')).stdout).toContain(
      'Seeds 3 is beyond those that the profile declares (0, 1, 2): exploratory, in no verdict.\n',
    );
  });

  it('is left out with a warning where the report is damaged', { concurrent: false }, async () => {
    writeFileSync(join(study.folder, 'reports/quick/results.jsonl'), '{}\n');
    expect(await power()).toMatch(/reports\/quick does not tell how far seeds spread: /);
  });
});
