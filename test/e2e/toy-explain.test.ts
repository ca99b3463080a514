/** `ablate explain` must tell the truth before, during and after a sweep, and after a declaration was edited: the real program on real files. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ReplicateExplanation, StageExplanation } from '../../src/core/inspect/explain-arm.ts';
import { editableStudy, type EditableStudy } from '../toy/editable.ts';

interface Explained {
  readonly arm: string;
  readonly overrides: string[];
  readonly replicates: ReplicateExplanation[];
}

async function explain(study: EditableStudy, arm: string, ...more: string[]): Promise<Record<string, StageExplanation>> {
  const { stdout, exitCode, all } = await study.ablate('explain', arm, '--json', ...more);
  if (exitCode !== 0) throw new Error(all);
  return Object.fromEntries((JSON.parse(stdout) as Explained).replicates[0]!.stages.map(s => [s.role, s]));
}
const states = (stages: Record<string, StageExplanation>): Record<string, string> => Object.fromEntries(Object.entries(stages).map(([role, s]) => [role, s.state]));
const plans = (stages: Record<string, StageExplanation>): Record<string, string | undefined> => Object.fromEntries(Object.entries(stages).map(([role, s]) => [role, s.next]));

describe('explain before, after, and after an edit', () => {
  const study = editableStudy('quick');
  const sweep = (...args: string[]) => study.ablate('sweep', '--no-report', '--devices', 'cpu:2x1', ...args);

  it('before anything ran: all is missing, and a sweep would run all; the store is not made by asking', async () => {
    const stages = await explain(study, 'cut/half');
    expect(states(stages)).toEqual({ stock: 'missing', tree: 'missing', weigh: 'missing' });
    expect(plans(stages)).toEqual({ stock: 'run', tree: 'run', weigh: 'run' });
    expect(existsSync(join(study.folder, 'store'))).toBe(false);
    const text = (await study.ablate('explain', 'cut/half')).stdout;
    expect(text).toMatch(/stock +seedling +[0-9a-f]{12} +missing +never run/);
    expect(text).toContain('would run stock, tree and weigh (3 stages)');
  });

  it('after the sweep: done, and reused where other tables share the stage, which are named', async () => {
    expect((await sweep('--only', 'cut,variety')).exitCode).toBe(0);
    const half = await explain(study, 'cut/half');
    expect(states(half)).toEqual({ stock: 'reused', tree: 'reused', weigh: 'reused' });
    expect(half['tree']).toMatchObject({ sharedWith: ['variety/oak'], attempt: 1, place: expect.stringMatching(/^cpu:[01]$/) as string });
    const whole = await explain(study, 'cut/whole', '--only', 'cut,variety');
    expect(states(whole)).toEqual({ stock: 'reused', tree: 'done', weigh: 'done' });
    expect(whole['stock']).toMatchObject({ sharedWith: ['variety/oak', 'variety/own-root'] });
    expect(plans(whole)).toEqual({ stock: undefined, tree: undefined, weigh: undefined });
    expect((await study.ablate('explain', 'cut/whole')).stdout).toContain('would run nothing for this replicate: it is done.');
  });

  it('after a kind got a field that it did not have: all is still done, until an arm has another value in it', async () => {
    const kind = (text: string) => `recipe: z.strictObject({ unit: z.enum(['kg', 'lb']).default('kg')${text} }),`;
    const imports = "import { z } from 'zod';\n",
      added = ', level: asBefore(z.number().nullable(), null)';
    study.edit('kinds/weigh.ts', imports, `${imports}import { asBefore } from 'tinymim-ablations';\n`);
    study.edit('kinds/weigh.ts', kind(''), kind(added));
    expect(states(await explain(study, 'cut/half'))).toEqual({ stock: 'reused', tree: 'reused', weigh: 'reused' });
    study.edit('experiments/study.ts', "role: 'weigh', recipe: {}", "role: 'weigh', recipe: { level: null }");
    expect(states(await explain(study, 'cut/half'))).toEqual({ stock: 'reused', tree: 'reused', weigh: 'reused' });
    study.edit('experiments/study.ts', 'level: null', 'level: f.cut === 0.5 ? 2 : null');
    const [half, whole] = [await explain(study, 'cut/half'), await explain(study, 'cut/whole', '--only', 'cut,variety')];
    expect(states(half)).toEqual({ stock: 'reused', tree: 'reused', weigh: 'stale' });
    expect(half['weigh']).toMatchObject({ was: { state: 'done', changes: [{ field: 'recipe.level', to: '2' }] } });
    expect(states(whole)).toEqual({ stock: 'reused', tree: 'done', weigh: 'done' });
    study.edit('experiments/study.ts', 'level: f.cut === 0.5 ? 2 : null', '');
    study.edit('kinds/weigh.ts', kind(added), kind(''));
  });

  it('an arm that was never swept: the nearest done stage of the kind, and the field that differs', async () => {
    const stages = await explain(study, 'variety/oak', '--set', 'steps=7');
    expect(states(stages)).toEqual({ stock: 'missing', tree: 'missing', weigh: 'missing' });
    expect(stages['stock']).toMatchObject({ nearest: { changes: [{ field: 'recipe.steps', from: '5', to: '7' }] } });
    expect(stages['tree']).toMatchObject({
      nearest: {
        changes: [
          { field: 'recipe.steps', from: '5', to: '7' },
          { field: 'upstream.stock', role: 'stock' },
        ],
      },
    });
    expect((await study.ablate('explain', 'variety/oak', '--set', 'steps=7')).stdout).toContain('steps: 5, here 7');
  });

  it('after an edit: stale with the field that differs, what is downstream because of it, all else as before', async () => {
    study.edit('experiments/ablations/cut.ts', 'factors: { cut: 0.5 }', 'factors: { cut: 0.25 }');
    const half = await explain(study, 'cut/half');
    expect(states(half)).toEqual({ stock: 'reused', tree: 'stale', weigh: 'stale' });
    expect(half['tree']).toMatchObject({ next: 'run', was: { state: 'done', changes: [{ field: 'recipe.cut', from: '0.5', to: '0.25' }] } });
    expect(half['weigh']).toMatchObject({ next: 'run', was: { state: 'done', changes: [{ field: 'upstream.tree', role: 'tree' }] } });
    const text = (await study.ablate('explain', 'cut/half')).stdout;
    expect(text).toContain('cut: 0.5 -> 0.25');
    expect(text).toContain('because its tree changed');
    expect(text).toContain('would run tree and weigh (2 stages)');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect(states(await explain(study, 'variety/oak'))['tree']).toBe('done'); // shared with no other table any more
    expect(states(await explain(study, 'cut/none'))['weigh']).toBe('done');
  });

  it('after the edit was swept: done again, and undone it is found again', async () => {
    expect((await sweep('--only', 'cut/half')).all).toContain('2 stages done');
    expect(states(await explain(study, 'cut/half'))).toEqual({ stock: 'reused', tree: 'done', weigh: 'done' });
    study.edit('experiments/ablations/cut.ts', 'factors: { cut: 0.25 }', 'factors: { cut: 0.5 }');
    expect(states(await explain(study, 'cut/half'))).toEqual({ stock: 'reused', tree: 'reused', weigh: 'reused' });
  });

  it('after the revision of a kind was raised: says that the code changed its semantics', async () => {
    study.edit('kinds/graft.ts', 'revision: 1', 'revision: 2');
    const stages = await explain(study, 'cut/none');
    expect(states(stages)).toEqual({ stock: 'reused', tree: 'stale', weigh: 'stale' });
    expect((await study.ablate('explain', 'cut/none')).stdout).toContain("the stage's code changed its semantics: revision 1 -> 2");
    study.edit('kinds/graft.ts', 'revision: 2', 'revision: 1');
  });

  it('after the arm lost a stage: names the role that is gone', async () => {
    study.edit('experiments/ablations/cut.ts', 'factors: { cut: 0 }', 'factors: { grafted: false }');
    const { stdout } = await study.ablate('explain', 'cut/none', '--json');
    expect((JSON.parse(stdout) as Explained).replicates[0]!.gone).toEqual(['stock']);
    study.edit('experiments/ablations/cut.ts', 'factors: { grafted: false }', 'factors: { cut: 0 }');
  });

  it('a damaged record of a sweep is told and passed over', async () => {
    writeFileSync(join(study.folder, 'store/sweeps/9999-torn.json'), '{"time":');
    const { stderr, exitCode } = await study.ablate('explain', 'cut/half');
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/warning .*9999-torn\.json: expected a JSON object/);
  });

  it('an unknown arm is bad use, with the nearest name', async () => {
    const near = await study.ablate('explain', 'cut/halve');
    expect(near.exitCode).toBe(2);
    expect(near.stderr).toContain("No arm 'cut/halve'; did you mean 'cut/half'?");
    expect((await study.ablate('explain', 'half')).stderr).toContain("No arm 'half'; there are cut/half");
  });

  it('a sweep that has nothing new to say leaves no record', async () => {
    const records = (): number => readdirSync(join(study.folder, 'store/sweeps')).length;
    const before = records();
    expect((await sweep('--only', 'cut/whole,variety/elm')).all).toContain('Nothing to run');
    expect(records()).toBe(before);
    expect((await sweep('--only', 'cut/half')).all).toContain('Nothing to run'); // but not what the newest record of this arm says
    expect(records()).toBe(before + 1);
    await sweep('--only', 'trouble/fail-permanently');
    await sweep('--only', 'trouble/fail-permanently');
    expect(records()).toBe(before + 2);
  });

  it('a stage that failed: its code, reason and log, and that a sweep tries again', async () => {
    const stages = await explain(study, 'trouble/fail-permanently');
    expect(states(stages)).toEqual({ stock: 'reused', tree: 'failed', weigh: 'missing' });
    expect(stages['tree']).toMatchObject({ code: 'BLIGHT', reason: expect.stringContaining('blight') as string, log: expect.stringContaining('log.txt') as string, next: 'run' });
    expect(stages['weigh']).toMatchObject({ planned: expect.any(String) as string, next: 'run' });
  });
});

describe('explain during a sweep', () => {
  const study = editableStudy('slow');
  let swept: Awaited<ReturnType<EditableStudy['start']>>;
  const seen: Record<string, StageExplanation>[] = [];

  beforeAll(async () => {
    const running = study.start('sweep', '--only', 'cut/whole', '--no-report', '--devices', 'cpu:1x1', '--checkpoint-every', '0.1');
    const deadline = Date.now() + 300_000;
    // While it is being made, it is a folder that is no store yet.
    while (Date.now() < deadline && !existsSync(join(study.folder, 'store/store.json'))) await sleep(20);
    while (Date.now() < deadline && seen.at(-1)?.['tree']?.state !== 'running') {
      seen.push(await explain(study, 'cut/whole', '--only', 'cut'));
      await sleep(50);
    }
    running.kill('SIGINT');
    swept = await running;
  });

  it('a stage at work is running since then, its inputs are done, what waits for it is planned', () => {
    const { stock, tree, weigh } = seen.at(-1)!;
    expect(stock).toMatchObject({ state: 'done' });
    expect(tree).toMatchObject({ state: 'running', attempt: 1, next: 'wait', since: expect.stringMatching(/^\d{4}-/) as string });
    expect(weigh).toMatchObject({ state: 'missing', next: 'run', planned: expect.stringMatching(/^\d{4}-/) as string });
  });

  it('interrupted, it goes on from its checkpoint', async () => {
    expect(swept.exitCode).toBe(130);
    const stages = await explain(study, 'cut/whole', '--only', 'cut');
    expect(stages['tree']).toMatchObject({ state: 'interrupted', attempt: 1, next: 'continue', checkpoint: expect.any(Number) as number });
    expect((await study.ablate('explain', 'cut/whole')).stdout).toContain('would continue tree from its checkpoint, then run weigh (1 stage).');
  });
});
