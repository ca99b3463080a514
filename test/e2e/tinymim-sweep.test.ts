/** The whole way with the real program, real workers and the real engine, at toy size on procedural images. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import imagenet1k from '../../experiments/profiles/imagenet1k.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { readSafetensors } from '../../src/engine/formats/safetensors.ts';
import { attemptCounts, stageBytes, testedItems } from '../helpers/stage-bytes.ts';
import { command } from '../toy/commands.ts';

const ABLATE = fileURLToPath(new URL('../../src/cli/ablate.mjs', import.meta.url));
const EXPERIMENTS = fileURLToPath(new URL('experiments', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ablate-sweep-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const ablate = (args: readonly string[], { env = {}, detached = false }: { env?: Record<string, string>; detached?: boolean } = {}) =>
  execa(process.execPath, [ABLATE, ...args], { reject: false, all: true, cwd: folder, env, detached });
const sweep = (store: string, more: readonly string[] = [], only = 'tiny,factors/taught') => [
  'sweep',
  '--experiments',
  EXPERIMENTS,
  '--profile',
  'toy',
  '--only',
  only,
  '--store',
  store,
  '--reports',
  `${store}-reports`,
  '--devices',
  'cpu:2x1',
  ...more,
];

const bytes = (store: string): Record<string, string> => stageBytes(join(folder, store));
/** Paths of all checkpoints that stages have written and not removed yet. */
function checkpoints(store: string): string[] {
  try {
    return readdirSync(join(folder, store, 'stages'), { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('progress.json'));
  } catch {
    return []; // no stage has begun, or a folder went while it was read: the next look is soon
  }
}
const attempts = (store: string): number[] => attemptCounts(join(folder, store));

let first: ReturnType<typeof ablate> | undefined;
/** The store `whole`, to which nothing happened. */
const firstSweep = (): ReturnType<typeof ablate> => (first ??= ablate(sweep('whole')));

describe('ablate sweep with the stages of TinyMIM', () => {
  it('trains every arm, writes a report, and does nothing the second time', async () => {
    const { all, exitCode } = await firstSweep();
    expect(all).toContain('13 stages done');
    expect(exitCode).toBe(0);
    const page = readFileSync(join(folder, 'whole-reports/toy/index.html'), 'utf8');
    expect(page).toContain('Every stage once');
    const results = Object.entries(bytes('whole')).flatMap(([file, text]) => (file.endsWith('result.json') ? [JSON.parse(text) as Record<string, number>] : []));
    const accuracies = results.flatMap(r => (r['accuracy'] === undefined ? [] : [r['accuracy']]));
    expect(accuracies).toHaveLength(5); // of the four arms, and of the teacher
    for (const accuracy of accuracies) expect(accuracy).toBeGreaterThan(0.3); // chance is 0.25
    expect(page).toMatch(/<tr class="aside"><th scope="row">MAE ViT-L, fine-tuned<\/th><td>\d/);
    // 128 images in batches of 50: the last one is filled up, and what fills it up is no item.
    const tested = testedItems(join(folder, 'whole'));
    expect(tested).toHaveLength(5);
    for (const { correct, ofItems } of tested) expect(ofItems).toEqual({ correct, count: 128 });
    const distilled = results.find(r => r['val_loss_untrained'] !== undefined)!;
    expect(distilled['val_loss_ratio']!).toBeLessThan(1);

    const again = await command(sweep('whole'), { cwd: folder });
    expect(again.exitCode).toBe(0);
    expect(again.all).toContain('Nothing to run: all 13 stages of profile toy are done');
    expect(again.all).toContain('Report up to date');
    expect(attempts('whole')).toEqual(Array(13).fill(1));

    const check = await command(['report', '--check', '--experiments', EXPERIMENTS, '--profile', 'toy', '--reports', 'whole-reports'], { cwd: folder });
    expect(check.exitCode).toBe(0);
  });

  it('trains with all the augmentation that imagenet1k declares, and tests on the centres of resized images', async () => {
    const sets = [`supervise.augment=${JSON.stringify(imagenet1k.supervise.augment)}`, 'supervise.label_smoothing=0.1', 'evaluate.crop={"resize":18}'];
    const args = sweep('strong', ['--no-report', ...sets.flatMap(set => ['--set', set])], 'tiny/scratch');
    const { all, exitCode } = await ablate(args);
    expect(all).toContain('2 stages done');
    expect(exitCode).toBe(0);
    const results = Object.entries(bytes('strong')).flatMap(([file, text]) => (file.endsWith('result.json') ? [JSON.parse(text) as Record<string, number>] : []));
    expect(results.find(({ count }) => count === 128)!['accuracy']).toBeGreaterThan(0);
    expect(testedItems(join(folder, 'strong'))).toEqual([expect.objectContaining({ ofItems: expect.objectContaining({ count: 128 }) as object })]);
  });

  it.each([
    [
      'the classifier',
      ['tiny/relation', '--to', 'timm'],
      'VisionTransformer(img_size=(16, 16), patch_size=4, in_chans=3, embed_dim=16, depth=2, num_heads=2, mlp_ratio=2, num_classes=4, global_pool="avg"',
      0,
    ],
    ['a classifier with a distillation token', ['factors/taught', '--to', 'timm'], 'VisionTransformerDistilled(img_size=(16, 16), ', 0],
    ['the student', ['tiny/relation', '--to', 'timm', '--role', 'distill'], 'num_classes=0, global_pool="token"', 0],
    ['its teacher without the decoder', ['tiny/relation', '--to', 'timm', '--role', 'teacher'], 'num_classes=0, global_pool="token"', 20],
    ['its teacher with it', ['tiny/relation', '--to', 'mae', '--role', 'teacher'], 'MaskedAutoencoderViT(', 0],
    ['what was trained from scratch', ['tiny/scratch', '--to', 'mae'], 'global_pool=True', 0],
  ])('exports %s, whose tensors are those of the stage', async (what, args, code, left) => {
    expect((await firstSweep()).exitCode).toBe(0);
    const out = `${what}.safetensors`;
    const { exitCode, stdout, stderr } = await command(['export', ...args, '--experiments', EXPERIMENTS, '--profile', 'toy', '--store', 'whole', '--out', out], {
      cwd: folder,
      env: { TINYMIM_CACHE: join(folder, 'empty') },
    }); // needs no engine
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain(code);
    expect(stdout).toContain(`load_file("${out}"), strict=True)`);
    const { tensors, metadata } = readSafetensors(join(folder, out));
    const stage = openStoreReadOnly(join(folder, 'whole')).output(metadata['stage']!)!;
    const kept = [...readSafetensors(join(stage, 'model.safetensors')).tensors].filter(([name]) => tensors.has(name));
    expect(Object.fromEntries(tensors)).toEqual(Object.fromEntries(kept));
    expect(readSafetensors(join(stage, 'model.safetensors')).tensors.size - tensors.size).toBe(left);
    if (left > 0) expect(stderr).toContain(`${left} tensors were left out, for which timm has no place: the decoder.`);
    expect(JSON.parse(metadata['args']!)).toMatchObject({ img_size: [16, 16], patch_size: 4, in_chans: 3 });
    expect(readdirSync(folder).filter(name => name.includes('.tmp'))).toEqual([]);
  });

  it('exports nothing where the disk cannot take the file, and leaves no part of it', async () => {
    expect((await firstSweep()).exitCode).toBe(0);
    // Of a length that a file may have, and its temporary name beside it may not.
    const { exitCode, stderr } = await command(['export', 'tiny/relation', '--to', 'timm', '--experiments', EXPERIMENTS, '--profile', 'toy', '--store', 'whole', '--out', 'x'.repeat(250)], {
      cwd: folder,
    });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/--out: expected a folder with room in which x+ can be written, got: ENAMETOOLONG/);
    expect(readdirSync(folder).filter(name => name.includes('xxx'))).toEqual([]);
  });

  it('trains every factor away from its default, every target and a sequence of teachers, and judges claims', { tags: 'long' }, async () => {
    const { exitCode, all } = await ablate(['sweep', '--experiments', EXPERIMENTS, '--profile', 'grid', '--store', 'grid', '--reports', 'grid-reports', '--devices', 'cpu:2x1']);
    expect(all).toContain('72 stages done');
    expect(exitCode).toBe(0);
    const results = Object.entries(bytes('grid'))
      .filter(([file]) => file.endsWith('result.json'))
      .map(([, text]) => JSON.parse(text) as Record<string, number>);
    for (const result of results) for (const value of Object.values(result)) expect(Number.isFinite(value)).toBe(true);
    const report = readFileSync(join(folder, 'grid-reports/grid/README.md'), 'utf8');
    expect(report).toContain('Every comparison can be made.');
    expect(report).toContain('one seed');

    const dry = await ablate(['sweep', '--dry-run', '--experiments', EXPERIMENTS, '--profile', 'grid', '--store', 'grid', '--set', 'distill.base_lr=1e-3']);
    expect(dry.exitCode).toBe(0);
    expect(attempts('grid')).toEqual(Array(72).fill(1)); // a dry run runs nothing
  });

  it('ends with the same bytes after SIGKILL in the middle', { tags: 'long' }, async () => {
    const undisturbed = await firstSweep();
    expect(undisturbed.exitCode, undisturbed.all).toBe(0);
    let kills = 0;
    while (kills < 3) {
      const before = checkpoints('killed');
      const running = ablate(sweep('killed', ['--checkpoint-every', '0.1', '--no-report']), { detached: true });
      let ended = false;
      void running.then(() => {
        ended = true;
      });
      while (!ended && checkpoints('killed').every(file => before.includes(file))) await sleep(20);
      if (ended) break;
      process.kill(-running.pid!, 'SIGKILL'); // the runner and its workers, as when the machine goes down
      await running;
      kills += 1;
    }
    expect(kills).toBeGreaterThan(0);
    const last = await ablate(sweep('killed', ['--no-report']));
    expect(last.exitCode).toBe(0);
    expect(Math.max(...attempts('killed'))).toBeGreaterThan(1);
    expect(bytes('killed')).toEqual(bytes('whole'));
  });

  it('does not begin without the data, and says how to get them', async () => {
    const { exitCode, all } = await command(['sweep', '--only', 'mae-vs-scratch/scratch-b', '--store', 'no-data', '--no-report', '--devices', 'cpu:1x1'], {
      cwd: folder,
      env: { TINYMIM_CACHE: join(folder, 'empty') },
    });
    expect(exitCode).toBe(2);
    expect(all).toMatch(/error Expected the files of Fashion-MNIST in .*, got none\.\nTo mend it: .* setup$/m);
    expect(all).not.toContain('started');
  });

  it('ends a stage whose loss is not finite at once, and says at which step and what to look at', async () => {
    const { exitCode, all } = await ablate(['sweep', '--experiments', EXPERIMENTS, '--profile', 'explode', '--only', 'tiny/scratch', '--store', 'explode', '--no-report', '--devices', 'cpu:1x1']);
    expect(exitCode).toBe(1);
    expect(all).toMatch(/Expected a finite 'loss', got (NaN|Infinity) at step \d+ \(epoch [\d.]+, learning rate/);
    expect(all).toContain('schedule.base_lr');
    expect(all).not.toContain('retry'); // no other try could end better
    expect(all).toContain('blocked'); // what hangs on it
    const status = await command(['status', '--experiments', EXPERIMENTS, '--profile', 'explode', '--only', 'tiny/scratch', '--store', 'explode'], { cwd: folder });
    expect(status.all).toContain('failed');
    expect(status.all).toContain('log.txt');
  });

  it.each([
    [['sweep', '--devices', 'tpu:0'], /--devices: expected/],
    [['plan', '--only', 'relaton'], /did you mean 'relation'/],
    [['plan', '--profile', 'mimi'], /did you mean 'mini'/],
    [['swep'], /unknown command 'swep'/],
    [['plan', '--set', 'distill.epoch=3'], /did you mean 'distill.schedule.epochs'/],
    [['sweep', '--profile', 'imagenet1k'], /Missing: mae-vit-l|cannot run here/],
    [['explain', 'relation/qk-v'], /did you mean 'relation\/qk-vv'/],
    [['plan', '--sed', '1'], /unknown option '--sed'/],
  ])('ends with 2 on bad use: %s', async (args, message) => {
    const { exitCode, all } = await command(args, { cwd: folder });
    expect(all).toMatch(message);
    expect(exitCode).toBe(2);
  });

  it('has help for every command', async () => {
    for (const name of ['setup', 'doctor', 'plan', 'sweep', 'status', 'report', 'explain', 'diff', 'export']) {
      const { exitCode, all } = await command([name, '--help'], { cwd: folder });
      expect(exitCode).toBe(0);
      expect(all).toContain(`Usage: ablate ${name}`);
    }
  });
});
