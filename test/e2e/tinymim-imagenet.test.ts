/** From a clone to a report at the profile of the paper, as whoever has ImageNet goes: its classes, batches and accumulation, with small models and few steps. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { imagenetForm } from '../helpers/imagenet-form.ts';
import { testedItems } from '../helpers/stage-bytes.ts';
import deep from '../fixtures/import/mae_deep.json' with { type: 'json' };
import { command } from '../toy/commands.ts';

/** Written by PyTorch: see `make.py` there. */
const DEEP_MAE = join(import.meta.dirname, '../fixtures/import/mae_deep.pth');

let home: string, root: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'imagenet-'));
  root = join(home, 'imagenet');
  imagenetForm(root, { train: 5, val: 1 });
});
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

/** The cache is the test's own, so the engine is named, which would be looked for there. */
const env = { ENGINE: process.env['ENGINE'] ?? 'native', TINYMIM_DEVICE: 'cpu' };
const ablate = (...args: readonly string[]) => command(args, { cwd: home, env: { ...env, TINYMIM_CACHE: join(home, 'cache') } });
const setting = (sets: readonly string[]): string[] => sets.flatMap(set => ['--set', set]);

/** Of a folder of its form. */
const COUNTS = ['data.train=5000', 'data.test=1000'];
/** Half an epoch or one: batches are those of the paper, so these are one or two steps. */
const FEW_STEPS = ['pretrain', 'distill', 'finetune', 'supervise'].flatMap(stage => [`${stage}.schedule.epochs=${stage === 'pretrain' || stage === 'distill' ? 1 : 0.5}`, `${stage}.schedule.warmup_epochs=0`]);
const SMALL = [
  'model.image_size=[16,16]',
  'model.patch_size=4',
  'evaluate.crop={"resize":18}',
  'model.sizes.L={"embed_dim":8,"depth":8,"num_heads":4}',
  ...['T', 'S', 'B'].map((size, i) => `model.sizes.${size}={"embed_dim":${8 + 4 * i},"depth":2,"num_heads":2}`),
];
const SETS = setting([...COUNTS, ...FEW_STEPS, 'finetune.sizes.L.epochs=0.5', ...SMALL]);
const AT = ['--profile', 'imagenet1k', '--devices', 'cpu:1x1', '--loaders', '2'];

it('says what is missing, the folder and the teacher, then runs every kind of stage and ends in a report', async () => {
  const only = ['--only', 'relation/qk-vv,relation/qk-vv-softmax,mae-vs-scratch/mae-t,mae-vs-scratch/scratch-t'];
  const plan = async (...sets: readonly string[]): Promise<string> => {
    const { stdout, exitCode } = await ablate('plan', ...AT, ...only, ...sets);
    expect(exitCode).toBe(0);
    return stdout.replaceAll(/\s+/g, ' ');
  };
  expect(await plan()).toMatch(/Note Expected the folder of ImageNet-1K, got none: nobody has said where it lies, .*IMAGENET1K_DIR=.*setup --data imagenet1k=\/path\/to\/folder/);

  const { all: found, exitCode: indexed } = await ablate('setup', '--data', `imagenet1k=${root}`);
  expect(indexed).toBe(0);
  expect(found).toContain('1,000 classes, 5,000 images in train (train), 1,000 images in val (test).');
  expect((await ablate('import', DEEP_MAE, '--as', 'mae-vit-l')).stdout).toContain(`SHA-256   ${deep.sha256}`);
  const other = await ablate('sweep', ...AT, ...only, ...setting([...FEW_STEPS, ...SMALL]));
  expect(other.exitCode).toBe(2);
  expect(other.all).toMatch(/Expected ImageNet-1K with 1,281,167 training images, 50,000 test images, got 5,000, 1,000 in .*--set data\.train=5000 --set data\.test=1000/);

  const planned = await plan(...SETS);
  expect(planned).not.toContain('Note');
  const { all, exitCode } = await ablate('sweep', ...AT, ...only, ...SETS);
  expect(all).toMatch(/1\d stages done in/);
  expect(exitCode).toBe(0);
  const [report] = readdirSync(join(home, 'reports'));
  expect(readFileSync(join(home, 'reports', report!, 'README.md'), 'utf8')).toContain('Which relations to distill');

  const store = openStoreReadOnly(join(home, 'runs'));
  const stages = store.keys().map(key => ({ ...store.stage(key)!, provenance: store.provenance(key)!, result: store.result(key)! }));
  expect(new Set(stages.map(({ kind }) => kind))).toEqual(new Set(['checkpoint', 'distill', 'finetune', 'evaluate', 'pretrain', 'supervise']));
  const batches = (kind: string) => (stages.find(stage => stage.kind === kind)!.recipe as { schedule: object }).schedule;
  expect(batches('distill')).toMatchObject({ batch_size: 4096, accumulation_steps: 16 });
  expect(batches('supervise')).toMatchObject({ batch_size: 1024, accumulation_steps: 4 });
  expect(stages.filter(({ kind, provenance }) => kind === 'distill' && 'pack' in provenance)).toHaveLength(2);
  for (const { kind, result } of stages) if (kind === 'evaluate') expect(result['count']).toBe(1000);
});

it('tests on fifty thousand images', { tags: 'long' }, async () => {
  const many = join(home, 'many');
  imagenetForm(many, { train: 5, val: 50 });
  const run = (...args: readonly string[]) => command(args, { cwd: home, env: { ...env, TINYMIM_CACHE: join(home, 'many-cache') } });
  expect((await run('setup', '--data', `imagenet1k=${many}`)).exitCode).toBe(0);
  const sets = setting(['data.train=5000', ...FEW_STEPS, ...SMALL]);
  const { exitCode, all } = await run('sweep', ...AT, '--only', 'mae-vs-scratch/scratch-t', '--store', 'many-runs', '--no-report', ...sets);
  expect(exitCode, all).toBe(0);
  expect(testedItems(join(home, 'many-runs'))).toEqual([expect.objectContaining({ count: 50_000, ofItems: expect.objectContaining({ count: 50_000 }) as object })]);
});
