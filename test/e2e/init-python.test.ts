/** A study whose training code is Python, as `ablate init --template python` writes it: from an empty folder to a report, by the real program and the real interpreter. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa, execaNode } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { pytorchHere } from '../helpers/pytorch.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const ABLATE = join(ROOT, 'src/cli/ablate.mjs');

let folder: string;
beforeEach(() => (folder = realpathSync(mkdtempSync(join(tmpdir(), 'ablate-python-')))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ablate = (args: readonly string[], env = {}) => execaNode(ABLATE, args, { cwd: folder, reject: false, all: true, env: { NO_COLOR: '1', ...env } });
const report = (): string => readFileSync(join(folder, 'reports', readdirSync(join(folder, 'reports'))[0]!, 'README.md'), 'utf8');
const SUPPORTED = '**The one hypothesis is supported: “Momentum is better than none at equal length of training”.**';

const stored = () => openStoreReadOnly(join(folder, 'disturbed'));
const furthestStep = (): number => {
  try {
    return stored().furthestCheckpoint(stored().keys()[0]!)?.step ?? 0;
  } catch {
    return 0; // not there yet
  }
};

/** The first sentence below the title. */
const firstSentence = (page: string): string => page.split('\n').filter(line => line !== '' && !line.startsWith('#') && !line.startsWith('Ablation report'))[0]!;

describe('ablate init --template python', () => {
  it('writes a study that needs no package, is swept to a report about its hypothesis, and only what is edited is run again', async () => {
    expect((await ablate(['init', '--template', 'python', '.'])).stdout).toContain('train_pytorch.py');
    const swept = await ablate(['sweep', '--devices', 'cpu:2x1']);
    expect(swept.exitCode, swept.all).toBe(0);
    expect(swept.all).toContain('6 stages done');
    expect(swept.all).not.toMatch(/WebAssembly|TensorFlow/);
    expect(firstSentence(report())).toBe(SUPPORTED);
    const [store] = [openStoreReadOnly(join(folder, 'runs'))];
    const { versions } = store.provenance(store.keys()[0]!)!['stage'] as { versions: { lines: string[] }[] };
    expect(versions[0]!.lines[0]).toMatch(/^Python 3\./);

    expect((await ablate(['sweep', '--devices', 'cpu:2x1'])).all).toContain('Nothing to run');
    const ablation = join(folder, 'ablations/momentum.ts');
    writeFileSync(ablation, readFileSync(ablation, 'utf8').replace('// { name', '{ name'));
    expect((await ablate(['sweep', '--devices', 'cpu:2x1', '--no-report'])).all).toContain('3 stages done');
    writeFileSync(join(folder, 'train_plain.py'), '# edited\n', { flag: 'a' });
    expect((await ablate(['sweep', '--dry-run'])).all).toMatch(/^ +plain +9 +0 +0 +9 /m);
  });

  it('goes on from its checkpoint with the numbers of an undisturbed run', async () => {
    await ablate(['init', '--template', 'python', '.']);
    const arm = ['sweep', '--only', 'momentum/momentum', '--seeds', '0', '--devices', 'cpu:1x1', '--no-report', '--set', 'epochs=3'];
    const calm = await ablate([...arm, '--store', 'calm']);
    expect(calm.exitCode, calm.all).toBe(0);
    const sweep = ablate([...arm, '--store', 'disturbed']);
    await expect.poll(furthestStep, { interval: 20 }).toBeGreaterThan(0);
    sweep.kill('SIGTERM');
    await sweep;
    expect((await ablate([...arm, '--store', 'disturbed'])).exitCode).toBe(0);
    const [key] = stored().keys();
    expect(stored().state(key!)).toEqual({ state: 'done', attempt: 2 });
    expect(stored().result(key!)).toEqual(openStoreReadOnly(join(folder, 'calm')).result(key!));
    expect(stored().curve(key!)).toEqual(openStoreReadOnly(join(folder, 'calm')).curve(key!));
  });

  it('says what is missing where the data are not there', async () => {
    await ablate(['init', '--template', 'python', '.']);
    const cache = join(folder, 'cache');
    mkdirSync(cache);
    const { exitCode, all } = await ablate(['sweep', '--devices', 'cpu:1x1', '--only', 'momentum/none', '--seeds', '0'], { TINYMIM_CACHE: cache });
    expect(exitCode).toBe(1);
    expect(all).toContain(`its last words: Expected Fashion-MNIST, got no ${cache}/data/fashion-mnist/train-images-idx3-ubyte: ablate setup --data`);
  });

  it('writes a study that is typed as an editor reads it, by its own settings', { tags: 'long' }, async () => {
    await ablate(['init', '--template', 'python', '.']);
    expect((await execa(join(ROOT, 'node_modules/.bin/tsc'), ['-p', '.'], { cwd: folder, reject: false })).stdout).toBe('');
  });
});

const torch = await pytorchHere();
const why = 'failure' in torch ? ` (left out: ${torch.failure})` : '';

describe.skipIf('failure' in torch)(`in PyTorch${why}`, () => {
  const env = 'env' in torch ? torch.env : {};

  it('the same arms are swept to a report, with PyTorch among the recorded packages', async () => {
    await ablate(['init', '--template', 'python', '.']);
    const swept = await ablate(['sweep', '--devices', 'cpu:2x1', '--set', 'framework=pytorch', '--set', 'images=3000', '--set', 'epochs=3'], env);
    expect(swept.exitCode, swept.all).toBe(0);
    expect(firstSentence(report())).toContain('“Momentum is better than none at equal length of training”');
    const store = openStoreReadOnly(join(folder, 'runs'));
    const { versions } = store.provenance(store.keys()[0]!)!['stage'] as { versions: { lines: string[] }[] };
    expect(versions[1]!.lines).toContainEqual(expect.stringMatching(/^torch/));
  });

  it('a training that is stopped goes on from its checkpoint with the numbers of an undisturbed run', { tags: 'long' }, async () => {
    await ablate(['init', '--template', 'python', '.']);
    const arm = ['sweep', '--only', 'momentum/momentum', '--seeds', '0', '--devices', 'cpu:1x1', '--no-report', '--set', 'framework=pytorch', '--set', 'images=10000', '--set', 'epochs=3'];
    expect((await ablate([...arm, '--store', 'calm'], env)).exitCode).toBe(0);
    const sweep = ablate([...arm, '--store', 'disturbed'], env);
    await expect.poll(furthestStep, { interval: 20 }).toBeGreaterThan(0);
    sweep.kill('SIGTERM');
    await sweep;
    expect((await ablate([...arm, '--store', 'disturbed'], env)).exitCode).toBe(0);
    const [key] = stored().keys();
    expect(stored().state(key!)).toEqual({ state: 'done', attempt: 2 });
    expect(stored().result(key!)).toEqual(openStoreReadOnly(join(folder, 'calm')).result(key!));
  });
});
