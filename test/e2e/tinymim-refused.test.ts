/** What cannot run, or means nothing, is refused by `plan` and `sweep` before anything is spent: the real program on its own profiles. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../toy/command-server.ts';
import { command } from '../toy/commands.ts';
import { toyEnvironment } from '../toy/program.ts';

const GRID = fileURLToPath(new URL('../grid', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ablate-refused-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What of a store says that a stage was begun. */
const begun = (store: string): string[] => (existsSync(store) ? readdirSync(store, { recursive: true, encoding: 'utf8' }).filter(name => name.includes('attempts')) : []);

/** Every kind of stage, at `mini`. */
const ARMS = ['--only', 'relation/qk-vv,mae-vs-scratch/*-b'];
const ablate = (name: string, sets: readonly string[], ...more: readonly string[]): Promise<Answer> =>
  command([name, '--experiments', GRID, '--devices', 'cpu:1x1', ...ARMS, ...sets.flatMap(set => ['--set', set]), ...more], { cwd: folder, env: toyEnvironment });
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

const GREY = { name: 'procedural', image_size: [28, 28], channels: 1, train: 600, validation: 50, test: 50, seed: 1 };
const few = ['unlabelled_images=null', 'labelled_images=null'];

/** Field and words of the message. */
const IMPOSSIBLE: readonly (readonly [sets: string | readonly string[], message: RegExp])[] = [
  ['finetune.batch_size=8192', /^error finetune of .*: schedule\.batch_size: expected at most 4096, the images that it trains on, got 8192$/],
  ['supervise.batch_size=4097', /supervise of mae-vs-scratch\/scratch-b: schedule\.batch_size: expected at most 4096, .* got 4097$/],
  ['distill.batch_size=20000', /distill of relation\/qk-vv: schedule\.batch_size: expected at most 16384, .* got 20000$/],
  ['pretrain.batch_size=60000', /pretrain of .*: schedule\.batch_size: expected at most 16384/],
  ['finetune.sizes={"B":{"batch_size":5000}}', /finetune of .*: schedule\.batch_size: expected at most 4096, .* got 5000$/],
  ['distill.epochs=0.001', /distill of relation\/qk-vv: schedule\.epochs: expected at least 0\.0156, one step of 256 of 16384 images, got 0\.001$/],
  ['pretrain.epochs=0.001', /pretrain of .*: schedule\.epochs: expected at least 0\.0156/],
  ['finetune.epochs=0.001', /finetune of .*: schedule\.epochs: expected at least 0\.0313, one step of 128 of 4096 images, got 0\.001$/],
  ['supervise.epochs=1e-9', /supervise of .*: schedule\.epochs: expected at least 0\.0313, .* got 1e-9$/],
  ['finetune.mae={"epochs":0.001}', /finetune of mae-vs-scratch\/mae-b, teachers\/mae-l: schedule\.epochs: expected at least 0\.0313/],
  ['finetune.epochs=1e12', /finetune of .*: schedule\.epochs: expected at most 4294967296 steps, of which 32 are an epoch, got 1000000000000$/],
  ['distill.accumulation_steps=3', /schedule\.accumulation_steps: expected a divisor of batch_size 256, got 3$/],
  ['finetune.accumulation_steps=256', /schedule\.accumulation_steps: expected a divisor of batch_size 128, got 256$/],
  ['model.patch_size=13', /pretrain, distill, finetune, supervise of .*: model\.patch_size: expected a divisor of both sides of image_size \[28, 28\], got 13$/],
  ['model.image_size=[35,35]', /model\.image_size: expected \[28, 28\], the size of the images of Fashion-MNIST, got \[35,35\]$/],
  ['model.in_chans=3', /model\.in_chans: expected 1, the channels of Fashion-MNIST, got 3$/],
  ['data.name=imagenet1k', /model\.in_chans: expected 3, the channels of ImageNet-1K, got 1$/],
  ['model.sizes.B.num_heads=5', /distill, .*: model\.num_heads: expected a divisor of embed_dim 64, got 5$/],
  ['model.sizes.B.classifier_heads=5', /^error finetune, supervise of .*: model\.num_heads: expected a divisor of embed_dim 64, got 5$/],
  ['model.sizes.L.embed_dim=130', /pretrain, finetune of .*: model\.embed_dim: expected a multiple of 4, for sine and cosine of row and column, got 130$/],
  ['model.mlp_ratio=0.001', /model\.mlp_ratio: expected at least 0\.00781, a hidden layer of 1 for embed_dim 128, got 0\.001/],
  ['pretrain.decoder.num_heads=5', /pretrain of .*: decoder\.num_heads: expected a divisor of embed_dim 64, got 5$/],
  ['pretrain.decoder.embed_dim=66', /decoder\.embed_dim: expected a multiple of 4, .* got 66/],
  ['pretrain.mask_ratio=0.99', /pretrain of .*: mask_ratio: expected a share that leaves 1 to 15 of the 16 patches visible, got 0\.99$/],
  ['model.patch_size=28', /pretrain of .*: mask_ratio: expected more than one patch to mask, got 0\.75$/],
  ['model.patch_size=1', /pretrain of .*: norm_pix_loss: expected false for patches of a single value, which have no variance, got true$/],
  ['labelled_images=5', /finetune, supervise of .*: images: expected at least 10, one of each class of Fashion-MNIST, got 5/],
  ['labelled_images=60000', /images: expected at most 55000, the training images of Fashion-MNIST, got 60000$/],
  ['unlabelled_images=100000', /pretrain, distill of .*: images: expected at most 55000, the training images of Fashion-MNIST, got 100000$/],
  [[`data=${JSON.stringify({ ...GREY, classes: 1 })}`, ...few], /finetune, supervise of .*: data\.classes: expected at least 2 for a classifier, got 1$/],
  ['distill.augment.crop.scale=[1,0.2]', /distill of .*: augment\.crop\.scale: expected a range, the smaller bound first, got \[1,0\.2\]$/],
  ['finetune.augment.crop.ratio=[2,0.5]', /augment\.crop\.ratio: expected a range, the smaller bound first, got \[2,0\.5\]$/],
  ['evaluate.crop={"resize":20}', /evaluate of .*: crop\.resize: expected at least the image_size of the model, 28, got 20$/],
  ['finetune.augment.rand_augment=rand-m9', /^error finetune of .*: augment\.rand_augment: expected null or timm's rand-m9-mstd0\.5-inc1, with other numbers, .* got "rand-m9"$/],
  ['supervise.augment.mixing={"mixup":0,"cutmix":0,"switch_prob":0.5}', /supervise of .*: augment\.mixing: expected null for none, or an alpha above 0 of mix-up or cut-mix, got \{/],
  [
    ['finetune.augment.mixing={"mixup":0.8,"cutmix":1,"switch_prob":0.5}', 'finetune.accumulation_steps=128'],
    /finetune of .*: schedule\.accumulation_steps: expected a divisor of half the batch_size 128: images are mixed in pairs, which stay together, got 128$/,
  ],
  ['model.sizes.L.depth=6', /^error relation\/qk-vv: Expected a teacherBlock that falls on one of the 6 blocks of the L teacher, got 0\.75 \(block 4\.5\)\. Choose a multiple of 1\/6\.$/],
  ['model.sizes.B.embed_dim=60', /^error relation\/qk-vv: Expected a B student whose width the 8 heads of its L teacher divide, got width 60\./],
  // Each by itself means nothing: the schema says so.
  ['distill.batch_size=0', /--set distill\.batch_size=0: too small: expected number to be >0, got 0/],
  ['finetune.epochs=-1', /--set finetune\.epochs=-1: too small: expected number to be >0, got -1/],
  ['pretrain.mask_ratio=1', /--set pretrain\.mask_ratio=1: too big: expected number to be <1, got 1/],
  ['labelled_images=0', /--set labelled_images=0: .*expected number to be >0, got 0/],
  ['engine.precision=float8', /--set engine\.precision=float8: expected one of 'float32', 'tf32', 'bfloat16', got 'float8'/],
];

describe('what cannot run', () => {
  it.each(IMPOSSIBLE)('%s: refused by plan and by sweep, with field and words', async (sets, message) => {
    for (const name of ['plan', 'sweep']) {
      const { exitCode, stdout, stderr } = await ablate(name, [sets].flat());
      expect(stderr.split('\n')).toContainEqual(expect.stringMatching(message));
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(stdout).toBe('');
      expect(exitCode).toBe(2);
    }
    expect(existsSync(join(folder, 'runs'))).toBe(false);
  });

  it('is told all together, with the arms that need it', async () => {
    const { stderr } = await command(['plan', '--experiments', GRID, '--set', 'labelled_images=5', '--set', 'model.patch_size=13'], { cwd: folder, env: toyEnvironment });
    const lines = stderr.split('\n');
    expect(lines.filter(line => line.includes('model.patch_size'))).toEqual([expect.stringMatching(/^(?:error )?[a-z, ]+ of smallest\/scratch, mae-vs-scratch\/scratch-t and \d+ more arms: model/)]);
    expect(lines.filter(line => line.includes('images: expected at least 10'))).toHaveLength(1);
  });
});

describe('what is surely not meant', () => {
  const DOUBTS: readonly (readonly [set: string, doubt: RegExp])[] = [
    ['distill.warmup_epochs=1', /^distill: schedule\.warmup_epochs: expected fewer than the 1 epochs of the training, .* got 1$/],
    ['finetune.min_lr=0.1', /^finetune: schedule\.min_lr: expected at most the rate that it falls from, 0\.006 for batches of 128, got 0\.1$/],
    ['pretrain.base_lr=0', /^pretrain: schedule\.base_lr: expected a rate above 0: nothing is learned in 4 epochs, got 0$/],
    ['supervise.base_lr=10', /^supervise: schedule\.base_lr: expected a rate of at most 1, which for batches of 128 is a base_lr of 2, got 10$/],
    ['distill.weight_decay=1000', /^distill: optimizer\.weight_decay: expected less than 1 over the rate 0\.003: .* got 1000$/],
    ['finetune.betas=[0.999,0.9]', /^finetune: optimizer\.betas: expected the decay of the squares, which comes second, to be no less than the first, got \[0\.999,0\.9\]$/],
    ['distill.jitter.saturation=0.4', /^distill: student_jitter\.saturation: expected 0 for images that are not of three channels, .* got 0\.4$/],
    ['finetune.layer_decay=0.0001', /^finetune: layer_decay: expected a decay that leaves the first of 1 blocks more than 0\.000001 of the rate, got 0\.0001$/],
    ['finetune.label_smoothing=0.9', /^finetune: label_smoothing: expected at most 0\.5: .* got 0\.9$/],
    ['supervise.drop_path=0.95', /^supervise: drop_path: expected at most 0\.5: .* got 0\.95$/],
    ['model.sizes.B.depth=1', /^distill: drop_path: expected 0 for a model of one block, which never drops its path, got 0\.1$/],
    ['evaluate.batch_size=20000', /^evaluate: batch_size: expected at most 10000, the images that it is tested on: .* got 20000$/],
    ['finetune.augment.crop.ratio=[50,60]', /^finetune: augment\.crop\.ratio: expected ratios of crops that fit, from 0\.8 to 1\.25, got \[50,60\]$/],
  ];
  const sets = DOUBTS.map(([set]) => set);

  it('is planned, each with field, value and what would be right', async () => {
    const { stdout, exitCode } = await ablate('plan', sets, '--json');
    const { doubts } = JSON.parse(stdout) as { doubts: { kinds: string[]; arms: string[]; field: string; expected: string; got: string }[] };
    const texts = doubts.map(({ kinds, field, expected, got }) => `${kinds.join(', ')}: ${field}: expected ${expected}, got ${got}`);
    for (const [, doubt] of DOUBTS) expect(texts).toContainEqual(expect.stringMatching(doubt));
    expect(doubts.find(({ field }) => field === 'schedule.warmup_epochs')!.arms).toEqual(['relation/qk-vv']);
    // Two more: without a block before the last, supervised training has no path to drop either; and the teacher has other blocks for the decay.
    expect(doubts).toHaveLength(DOUBTS.length + 2);
    expect(exitCode).toBe(0);
  });

  it('is a warning of the plan as text', async () => {
    const { stdout } = await ablate('plan', ['finetune.min_lr=0.1']);
    expect(flat(stdout)).toContain('1 doubt: what runs, and is surely not meant: finetune of relation/qk-vv, mae-vs-scratch/mae-b, teachers/mae-l: schedule.min_lr: expected at most the rate');
  });
});

describe('what cannot run here', () => {
  it.each([
    ['evaluate.batch_size=1000000000', /evaluate of .*: expected stages that fit into [\d.]+ [GT]B of memory, got up to [\d.]+ [TP]B by estimate/],
    ['engine.precision=tf32', /expected workers on NVIDIA GPUs alone for tf32/],
  ])('%s: shown by plan, refused by sweep before a worker starts', async (set, reason) => {
    const plan = await ablate('plan', [set]);
    expect(flat(plan.stdout)).toMatch(new RegExp(`Note ${reason.source}`));
    expect(plan.exitCode).toBe(0);
    const sweep = await ablate('sweep', [set], '--no-report');
    expect(flat(sweep.stderr)).toMatch(reason);
    expect(sweep.stderr).toContain('error Profile mini cannot run here: ');
    expect(sweep.all).not.toContain('started');
    expect(sweep.exitCode).toBe(2);
    expect(begun(join(folder, 'runs'))).toEqual([]);
  });

  it('missing data: shown by plan with what mends it', async () => {
    const { stdout } = await ablate('plan', []);
    expect(flat(stdout)).toMatch(/Note Expected the files of Fashion-MNIST in .*, got none\./);
  });
});

describe('what is sensible', () => {
  const SENSIBLE: readonly (readonly string[])[] = [
    ['distill.epochs=0.5', 'finetune.epochs=0.1', 'finetune.warmup_epochs=0.05', 'pretrain.epochs=1', 'supervise.epochs=100'],
    ['distill.warmup_epochs=0', 'finetune.warmup_epochs=0', 'finetune.min_lr=0'],
    ['labelled_images=10', 'finetune.batch_size=10', 'supervise.batch_size=10'],
    ['labelled_images=null', 'unlabelled_images=null', 'distill.batch_size=4096', 'distill.accumulation_steps=16'],
    ['finetune.batch_size=4096', 'supervise.batch_size=1', 'finetune.accumulation_steps=4096'],
    ['model.patch_size=4', 'pretrain.mask_ratio=0.9'],
    ['model.patch_size=14', 'pretrain.mask_ratio=0.5'],
    ['model.patch_size=2', 'pretrain.mask_ratio=0.01', 'pretrain.norm_pix_loss=false'],
    ['model.sizes.B.num_heads=8', 'model.sizes.B.classifier_heads=2', 'model.sizes.B.depth=12', 'model.mlp_ratio=2.5'],
    ['model.sizes.L.depth=4', 'model.sizes.L.num_heads=16', 'model.sizes.B.embed_dim=80'],
    ['pretrain.decoder={"embed_dim":32,"depth":1,"num_heads":2,"mlp_ratio":2}'],
    ['engine.precision=bfloat16', 'engine.mode=hybrid'],
    ['teacher_seed=replicate', 'finetune.layer_decay=0.65', 'finetune.drop_path=0.2', 'supervise.label_smoothing=0'],
    ['distill.augment={"crop":null,"flip":false}', 'distill.jitter={"brightness":0.8,"contrast":0}'],
    ['distill.optimizer={"weight_decay":0,"betas":[0,0]}', 'pretrain.base_lr=1e-6'],
    [`data=${JSON.stringify({ ...GREY, classes: 10 })}`, ...few, 'distill.batch_size=300', 'evaluate.batch_size=50', 'pretrain.batch_size=1'],
  ];

  it.each(SENSIBLE)('%s, ...: planned without a doubt', async (...sets) => {
    const { exitCode, stdout, stderr } = await ablate('plan', sets, '--json');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ doubts: [] });
    expect(exitCode).toBe(0);
  });
});
