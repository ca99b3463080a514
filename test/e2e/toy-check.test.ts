/** What the kinds of any study have against recipes: told by plan, sweep and report of the real program on the toy study. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadExperiments } from '../../src/core/ablation/load.ts';
import { objectionsTo } from '../../src/core/plan/objections.ts';
import { buildPlan } from '../../src/core/plan/plan.ts';
import { openStore } from '../../src/core/store/store.ts';
import { editableStudy } from '../toy/editable.ts';
import { endSweeps, startSweep, temporaryFolder, toyExperiments } from '../toy/sweep.ts';

/** What of a store says that a stage was begun. */
const begun = (store: string): string[] => (existsSync(store) ? readdirSync(store, { recursive: true, encoding: 'utf8' }).filter(name => name.includes('attempts')) : []);

afterAll(endSweeps);

describe('an impossible recipe', () => {
  const study = editableStudy('quick');
  const only = ['--only', 'cut,variety', '--devices', 'cpu:1x1'];

  it('is refused by plan, sweep and a dry run, in one line for all stages and arms', async () => {
    for (const line of [['plan'], ['plan', '--measure'], ['sweep'], ['sweep', '--dry-run']] as const) {
      const { exitCode, stdout, stderr } = await study.ablate(line[0], ...line.slice(1), ...only, '--set', 'steps=20000');
      expect(stderr).toBe('error seedling of cut/whole, cut/half and 4 more arms: steps: expected at most 10000, the life of a tree, got 20000');
      expect(stdout).toBe('');
      expect(exitCode).toBe(2);
    }
    expect(existsSync(join(study.folder, 'store'))).toBe(false);
    expect(existsSync(join(study.folder, 'reports'))).toBe(false);
  });

  it('may be so for its inputs alone; other arms can still be chosen', async () => {
    study.edit('experiments/ablations/cut.ts', 'factors: { cut: 0 }', "factors: { cut: 0, variety: 'fir' }");
    const refused = await study.ablate('plan', ...only);
    expect(refused.stderr).toBe('error graft of cut/none: cut: expected above 0 on a fir, which does not sprout from its root, got 0');
    expect(refused.exitCode).toBe(2);
    expect((await study.ablate('plan', '--only', 'cut/half')).exitCode).toBe(0);
    // What was run before can still be looked at.
    expect((await study.ablate('status', '--only', 'cut')).exitCode).toBe(0);
  });

  it('that the study cannot realise is told with its arms, too', async () => {
    study.edit('experiments/study.ts', '  const pace = {', "  if (f.variety === 'elm') throw new UsageError('NO_ELM', 'Expected another variety than elm, which has died out');\n  const pace = {");
    study.edit('experiments/study.ts', "import { z } from 'zod';", "import { z } from 'zod';\nimport { UsageError } from '../../../src/core/ablation/errors.ts';");
    const { stderr, exitCode } = await study.ablate('plan', '--only', 'variety', '--seeds', '0-2');
    expect(stderr).toBe('error variety/elm: Expected another variety than elm, which has died out');
    expect(exitCode).toBe(2);
  });
});

describe('a doubtful recipe', () => {
  const study = editableStudy('quick');
  const only = ['--only', 'cut', '--devices', 'cpu:1x1', '--set', 'steps=1'];
  const doubt = 'graft of cut/whole, cut/half, cut/none: steps: expected more than one, in which a graft does not heal, got 1';

  it('is planned and run with a warning, which the report repeats', async () => {
    const plan = await study.ablate('plan', ...only);
    expect(plan.stdout.replaceAll(/\s+/g, ' ')).toContain(`1 doubt: what runs, and is surely not meant: ${doubt}`);
    expect(plan.exitCode).toBe(0);
    const sweep = await study.ablate('sweep', ...only);
    expect(sweep.stderr).toContain(`warning ${doubt}`);
    expect(sweep.exitCode).toBe(0);
    for (const file of ['README.md', 'index.html']) {
      expect(readFileSync(join(study.folder, 'reports/quick+steps-1', file), 'utf8')).toContain('Surely not meant: graft of');
    }
    expect((await study.ablate('plan', '--only', 'cut')).stdout).not.toContain('doubt');
  });
});

describe('a recipe that cannot be run yet', () => {
  const study = editableStudy('quick');

  it('is planned, with a note, and refused by a sweep and by --measure', async () => {
    study.edit('experiments/ablations/cut.ts', 'base: {}', "base: { bed: 'glasshouse' }");
    const reason = 'graft of cut/whole, cut/half, cut/none: bed: expected another: no glasshouse has been built yet, got "glasshouse"';
    const plan = await study.ablate('plan', '--only', 'cut');
    expect(plan.stdout.replaceAll(/\s+/g, ' ')).toContain(`Note ${reason}`);
    expect(plan.exitCode).toBe(0);
    const sweep = await study.ablate('sweep', '--only', 'cut', '--devices', 'cpu:1x1');
    expect(sweep.stderr).toContain(`error Profile quick cannot run here: ${reason}. See its plan`);
    expect(sweep.exitCode).toBe(2);
    const measured = await study.ablate('plan', '--measure', '--only', 'cut', '--devices', 'cpu:1x1');
    expect(measured.stderr).toContain(`error --measure: profile quick cannot run here: ${reason}`);
    expect(measured.exitCode).toBe(2);
    expect(begun(join(study.folder, 'store'))).toEqual([]);
  });
});

describe('a failure that a retry cannot change', () => {
  it('is tried once, and told without a stack: an error that says so itself', async () => {
    const study = editableStudy('quick');
    study.edit('experiments/ablations/trouble.ts', "trouble: { kind: 'fail', at }", "trouble: { kind: 'refuse', at }");
    const { exitCode, all } = await study.ablate('sweep', '--only', 'trouble/fail', '--devices', 'cpu:1x1', '--no-report');
    expect(all).toContain('Expected a straight scion, got a bent one (BENT)');
    expect(all).not.toContain('retry');
    expect(all).not.toMatch(/\bat .*:\d+:\d+/);
    expect(exitCode).toBe(1);
  });

  it('a worker asks before it runs a recipe, whoever planned it', async () => {
    const options = { store: temporaryFolder('unplanned'), profile: 'quick', only: 'cut/half', sets: ['steps=20000'], devices: 'cpu:1x1' };
    const summary = (await startSweep(options).summary)!;
    expect(summary.failed).toMatchObject([{ code: 'BAD_RECIPE', reason: 'steps: expected at most 10000, the life of a tree, got 20000' }]);
    expect(openStore(options.store).attempts(summary.failed[0]!.key)).toEqual([1]);
    expect(summary.blocked).toHaveLength(2);
  });
});

describe('the objections to a plan', () => {
  it('are asked for once for each recipe with its inputs, whatever the seeds', async () => {
    const { study, profile, ablations } = await loadExperiments(toyExperiments, { profile: 'quick', only: 'cut,variety' });
    const asked: string[] = [];
    const kinds = study.kinds.map(kind => ({ ...kind, check: (recipe: object, inputs: object) => (asked.push(JSON.stringify([kind.name, recipe, inputs])), []) }));
    const plan = buildPlan({ study, profile, ablations, seeds: Array.from({ length: 50 }, (_, seed) => seed) });
    expect(objectionsTo(kinds, plan)).toEqual([]);
    expect(plan.stages.size).toBeGreaterThan(400);
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked.length).toBeLessThan(12);
  });
});
