/** `ablate logs` and `ablate clean` on the store of a real sweep. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { editableStudy } from '../toy/editable.ts';
import { untilStore } from '../toy/sweep.ts';

const study = editableStudy('quick');
const stages = (): string[] => readdirSync(join(study.folder, 'store', 'stages')).sort();
/** In a process of its own: what a sweep may need is kept as long as its process lives. */
const sweep = (...args: string[]) => study.start('sweep', '--no-report', '--devices', 'cpu:2x1', ...args);

beforeAll(async () => {
  expect((await sweep('--only', 'cut,variety')).exitCode).toBe(0);
  expect((await sweep('--only', 'cut/whole', '--set', 'steps=7', '--seeds', '3')).exitCode).toBe(0);
});

describe('logs', () => {
  it('prints the log of a stage by the start of its key, and of an arm by its role', async () => {
    const key = stages()[0]!;
    const byKey = await study.start('logs', key.slice(0, 8));
    expect(byKey.exitCode).toBe(0);
    const { stdout: path } = await study.ablate('logs', key.slice(0, 8), '--path');
    expect(path).toContain(join('stages', key, 'attempts', '1', 'log.txt'));
    expect(existsSync(path.trim())).toBe(true);
    expect((await study.ablate('logs', 'cut/half', '--role', 'tree')).all).toContain('attempt 1');
  });

  it.each([
    [['ab'], "Expected at least 4 characters of a stage's key, or <ablation>/<arm>, got 'ab'"],
    [['zzzz'], "got 'zzzz', which none has"],
    [['cut/haf'], "did you mean 'cut/half'?"],
    [['cut/half', '--role', 'root'], "Expected a role of cut/half (stock, tree and weigh), got 'root'"],
    [['cut/half', '--attempt', '7'], 'Expected an attempt of stage'],
    [['cut/half', '--set', 'steps=6'], 'Expected a stage of cut/half that was attempted, got none'],
  ])('%j is refused with what was expected', async (args, message) => {
    const { exitCode, all } = await study.ablate('logs', ...args);
    expect(exitCode).toBe(2);
    expect(all).toContain(message);
  });
});

describe('clean', () => {
  it('keeps what a declared arm needs, at every scale that was swept', async () => {
    const before = stages();
    const { exitCode, all } = await study.start('clean', '--yes');
    expect(exitCode).toBe(0);
    expect(all).toContain('is needed by a declared arm');
    expect(stages()).toEqual(before);
  });

  it('shows what an edit left behind, removes it only when told to, and nothing else', async () => {
    const before = stages();
    study.edit('experiments/ablations/cut.ts', 'factors: { cut: 0.5 }', 'factors: { cut: 0.25 }');
    expect((await study.ablate('clean')).all).toContain('is needed by a declared arm');

    study.edit('experiments/profiles/quick.ts', 'steps: 5', 'steps: 6');
    const shown = (await study.ablate('clean')).all;
    const left = Number(/Not needed by any declared arm: (\d+) stages/.exec(shown)?.[1]);
    expect(left).toBeGreaterThan(2);
    expect(shown).toContain('Nothing was removed. To remove it: the same command with --yes');
    expect(stages()).toEqual(before);

    expect((await study.ablate('clean', '--yes')).all).toContain(`Removed ${left} stages.`);
    expect(stages()).toHaveLength(before.length - left);
    expect((await study.ablate('explain', 'cut/whole', '--set', 'steps=7', '--seeds', '3')).all).toContain('it is done');
  });
});

describe.concurrent('clean in a store of two studies', () => {
  it('removes what the asking study declared once, and says in one line what it leaves and whose it is', async () => {
    const [own, other] = [editableStudy('quick'), editableStudy('quick')];
    other.edit('experiments/study.ts', "name: 'toy'", "name: 'orchard'");
    other.edit('experiments/profiles/quick.ts', 'steps: 5', 'steps: 4');
    const store = join(own.folder, 'store');
    mkdirSync(store);
    symlinkSync(store, join(other.folder, 'store')); // the root may be a link
    const sweeping = ['--no-report', '--devices', 'cpu:1x1'];
    for (const { exitCode, all } of await Promise.all([own, other].map(study => study.start('sweep', '--only', 'cut/whole', ...sweeping)))) expect([exitCode, all]).toEqual([0, expect.any(String)]);
    const kept = (study: typeof own): Promise<string> => study.ablate('explain', 'cut/whole').then(({ all }) => all);
    own.edit('experiments/profiles/quick.ts', 'steps: 5', 'steps: 6');
    expect((await own.ablate('clean', '--yes')).all).toMatch(/Not needed by any declared arm: 3 stages.*Left alone: 3 stages of orchard\..*Removed 3 stages\./s);
    expect(await kept(other)).toContain('it is done');

    // As older versions recorded it: nobody can tell whose they are.
    const sweeps = join(store, 'sweeps');
    for (const name of readdirSync(sweeps)) writeFileSync(join(sweeps, name), readFileSync(join(sweeps, name), 'utf8').replace(/"study":"\w+",?/, ''));
    expect((await own.ablate('clean', '--yes')).all).toMatch(/Every stage of toy .*Left alone: 3 stages of a study that no record of a sweep names/s);
    expect(await kept(other)).toContain('it is done');
  });
});

describe.concurrent('clean beside a running sweep', () => {
  const orchard = editableStudy('slow');
  const stageCount = (): number => readdirSync(join(orchard.folder, 'store', 'stages')).length;

  it('keeps what the sweep may still need although the declarations have changed, and removes the rest', { concurrent: false }, async () => {
    expect((await orchard.start('sweep', '--only', 'variety/elm', '--set', 'steps=3', '--no-report', '--devices', 'cpu:1x1')).exitCode).toBe(0);
    await orchard.ablate('status'); // the program that answers is there from now on: to start it may take as long as the sweep
    const sweep = orchard.start('sweep', '--only', 'cut', '--no-report', '--devices', 'cpu:1x1');
    const ofElm = 3;
    await untilStore(join(orchard.folder, 'store'), store => store.keys().filter(key => store.doneAttempt(key) !== undefined).length > ofElm);
    orchard.edit('experiments/profiles/slow.ts', 'steps: 100', 'steps: 101');
    orchard.edit('experiments/ablations/variety.ts', "factors: { variety: 'elm' }", "factors: { variety: 'fir' }");
    const { all } = await orchard.ablate('clean', '--yes');
    expect(all).toMatch(/Not needed by any declared arm: 3 stages.*Removed 3 stages\./s);
    const { exitCode, stdout } = await sweep;
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/7 stages done/)]);
    expect((await orchard.ablate('clean')).all).toContain('Not needed by any declared arm: 7 stages');
  });

  it('shows and removes a stage that cannot be read, prints its log, and leaves what is no stage alone', { concurrent: false }, async () => {
    const folder = join(orchard.folder, 'store', 'stages');
    const key = readdirSync(folder)[0]!;
    writeFileSync(join(folder, key, 'stage.json'), '{"label": "torn');
    writeFileSync(join(folder, 'README'), 'not a stage');
    expect((await orchard.ablate('logs', key.slice(0, 10))).all).toContain('Attempt 1 on cpu:0');
    expect((await orchard.ablate('clean')).all).toMatch(new RegExp(`${key.slice(0, 12)} +a stage whose identity cannot be read +done`));
    expect((await orchard.ablate('clean', '--yes')).all).toContain('Removed 7 stages.');
    expect(stageCount()).toBe(1);
  });
});
