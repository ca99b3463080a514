/** From a clone to a report at the profile of the paper, as whoever has ImageNet goes: a folder of its form and a file of PyTorch, small models and few steps. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { imagenetForm } from '../helpers/imagenet-form.ts';
import { testedItems } from '../helpers/stage-bytes.ts';
import deep from '../fixtures/import/mae_deep.json' with { type: 'json' };
import { command } from '../toy/commands.ts';

/** Written by PyTorch: see `make.py` there. */
const DEEP_MAE = join(import.meta.dirname, '../fixtures/import/mae_deep.pth');
const CLASSES = 1000;
const KINDS = ['checkpoint', 'distill', 'evaluate', 'finetune', 'pretrain', 'supervise'];

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'imagenet-'));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

/** The cache is the test's own, so the engine is named, which would be looked for there. */
const ablate = (...args: readonly string[]) => command(args, { cwd: home, env: { ENGINE: process.env['ENGINE'] ?? 'native', TINYMIM_DEVICE: 'cpu', TINYMIM_CACHE: join(home, 'cache') } });
const setting = (sets: readonly string[]): string[] => sets.flatMap(set => ['--set', set]);
const AT = ['--profile', 'imagenet1k', '--devices', 'cpu:1x1'];
const sweep = (...args: readonly string[]) => ablate('sweep', ...AT, '--loaders', '2', ...args);

/** As deep as every ablation needs. */
const SMALL = [
  'model.image_size=[16,16]',
  'model.patch_size=4',
  'evaluate.crop={"resize":18}',
  'pretrain.decoder={"embed_dim":8,"depth":1,"num_heads":2,"mlp_ratio":4}',
  'model.sizes.L={"embed_dim":8,"depth":8,"num_heads":4}',
  ...['T', 'S', 'B'].map((size, i) => `model.sizes.${size}={"embed_dim":${8 + 4 * i},"depth":2,"num_heads":2}`),
];

/** The lengths of all trainings, in epochs: those without labels first. */
const lengths = (unlabelled: number, labelled: number): string[] => [
  ...['pretrain', 'distill'].map(stage => `${stage}.schedule.epochs=${unlabelled}`),
  ...['finetune', 'supervise'].map(stage => `${stage}.schedule.epochs=${labelled}`),
  `finetune.sizes.L.epochs=${labelled}`,
  ...['pretrain', 'distill', 'finetune', 'supervise'].map(stage => `${stage}.schedule.warmup_epochs=0`),
];

const batches = (stages: readonly string[], size: number): string[] => stages.map(stage => `${stage}.schedule.batch_size=${size}`);

/** The folder is told, the teacher imported. @param images of a class */
async function prepare(images: { readonly train: number; readonly val: number }): Promise<void> {
  const root = join(home, 'imagenet');
  imagenetForm(root, images);
  const { all, exitCode } = await ablate('setup', '--data', `imagenet1k=${root}`);
  expect(exitCode, all).toBe(0);
  const [train, val] = [images.train, images.val].map(count => (CLASSES * count).toLocaleString('en-US'));
  expect(all).toContain(`1,000 classes, ${train} images in train (train), ${val} images in val (test).`);
  expect((await ablate('import', DEEP_MAE, '--as', 'mae-vit-l')).stdout).toContain(`SHA-256   ${deep.sha256}`);
}

/** Stages that are done, by their kind. */
function stagesOf() {
  const reader = openStoreReadOnly(join(home, 'runs'));
  return reader.keys().map(key => ({ ...reader.stage(key)!, result: reader.result(key)!, provenance: reader.provenance(key)! }));
}

it('says what is missing, the folder and the teacher, then runs every kind of stage and ends in a report', async () => {
  const only = ['--only', 'relation/qk-vv-softmax,mae-vs-scratch/mae-t,mae-vs-scratch/scratch-t'];
  const plan = async (...sets: readonly string[]): Promise<string> => {
    const { stdout, exitCode, all } = await ablate('plan', ...AT, ...only, ...setting(sets));
    expect(exitCode, all).toBe(0);
    return stdout.replaceAll(/\s+/g, ' ');
  };
  const before = await plan();
  expect(before).toMatch(/Missing mae-vit-l, the ViT-L teacher: it is not imported; it is the file mae_pretrain_vit_large\.pth/);
  expect(before).toMatch(/Note Expected the folder of ImageNet-1K, got none: nobody has said where it lies, .*IMAGENET1K_DIR=.*setup --data imagenet1k=\/path\/to\/folder/);

  await prepare({ train: 2, val: 1 });
  const steps = [...lengths(0.67, 0.13), ...batches(['pretrain', 'distill'], 512), ...batches(['finetune', 'supervise'], 128)];
  const other = await sweep(...only, ...setting([...SMALL, ...steps]));
  expect(other.exitCode).toBe(2);
  expect(other.all).toMatch(/Expected ImageNet-1K with 1,281,167 training images, 50,000 test images, got 2,000, 1,000 in .*--set data\.train=2000 --set data\.test=1000/);

  const sets = [...SMALL, ...steps, 'data.train=2000', 'data.test=1000'];
  const planned = await plan(...sets);
  expect(planned).not.toMatch(/Note|Missing/);
  expect(planned).toMatch(/File mae-vit-l, the ViT-L teacher: mae_deep\.pth, SHA-256 [0-9a-f]{12}.* Training it here instead \(--set teachers\.L=null\) would add 1,024 images/);
  const { all, exitCode } = await sweep(...only, ...setting(sets));
  expect(exitCode, all).toBe(0);
  expect(all).toContain('11 stages done in');
  const [report] = readdirSync(join(home, 'reports'));
  expect(readFileSync(join(home, 'reports', report!, 'README.md'), 'utf8')).toContain('Which relations to distill');

  const stages = stagesOf();
  expect([...new Set(stages.map(({ kind }) => kind))].sort()).toEqual(KINDS);
  for (const { kind, result } of stages) if (kind === 'evaluate') expect(result['count']).toBe(1000);
});

it("runs with the paper's batches of 4096, in 16 parts", { tags: 'long' }, async () => {
  await prepare({ train: 5, val: 1 });
  const only = ['--only', 'relation/qk-vv,relation/qk-vv-softmax,mae-vs-scratch/mae-t,mae-vs-scratch/scratch-t'];
  const { all, exitCode } = await sweep(...only, '--no-report', ...setting([...SMALL, ...lengths(1, 0.5), 'data.train=5000', 'data.test=1000']));
  expect(exitCode, all).toBe(0);
  const stages = stagesOf();
  const schedules = (kind: string) => stages.filter(stage => stage.kind === kind).map(({ recipe }) => recipe['schedule']);
  for (const kind of ['pretrain', 'distill']) expect(schedules(kind)).toContainEqual(expect.objectContaining({ batch_size: 4096, accumulation_steps: 16 }));
  for (const kind of ['finetune', 'supervise']) expect(schedules(kind)).toContainEqual(expect.objectContaining({ batch_size: 1024, accumulation_steps: 4 }));
  expect(stages.filter(({ kind, provenance }) => kind === 'distill' && 'pack' in provenance)).toHaveLength(2);
});

it('tests on fifty thousand images', { tags: 'long' }, async () => {
  await prepare({ train: 1, val: 50 });
  const { all, exitCode } = await sweep('--only', 'mae-vs-scratch/scratch-t', '--no-report', ...setting([...SMALL, ...lengths(1, 0.29), ...batches(['supervise'], 128), 'data.train=1000']));
  expect(exitCode, all).toBe(0);
  expect(testedItems(join(home, 'runs')).map(({ count, ofItems }) => [count, ofItems.count])).toEqual([[50_000, 50_000]]);
});
