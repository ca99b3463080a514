/** Table 4 at the profile of the paper, on folders of the forms of ImageNet, -A, -R and -C: what is missing is told, then nine numbers come of it. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { IMAGENET_C, SEVERITIES } from '../../src/tinymim/data/corruption-names.ts';
import { imagenetForm } from '../helpers/imagenet-form.ts';
import { command } from '../toy/commands.ts';

const FILES = join(import.meta.dirname, '../fixtures/decode');
const CLASSES = 4;
const WNIDS = Array.from({ length: CLASSES }, (_, label) => `n${String(1_440_764 + 13 * label).padStart(8, '0')}`);

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'robustness-'));
  imagenetForm(join(home, 'imagenet1k'), { classes: CLASSES, train: 4, val: 2 });
  const put = (folder: string, classes: readonly string[]): void => {
    for (const name of classes) {
      mkdirSync(join(home, folder, name), { recursive: true });
      for (const file of ['rgb.jpg', '420.jpg']) cpSync(join(FILES, file), join(home, folder, name, file));
    }
  };
  put('imagenet-a', WNIDS.slice(0, 2));
  put('imagenet-r', WNIDS.slice(1));
  for (const corruption of IMAGENET_C) for (const severity of SEVERITIES) put(`imagenet-c/${corruption}/${severity}`, WNIDS);
});
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

const ablate = (...args: readonly string[]) => command(args, { cwd: home, env: { TINYMIM_CACHE: join(home, 'cache'), ENGINE: process.env['ENGINE'] ?? 'native', TINYMIM_DEVICE: 'cpu' } });
const SETS = [
  'data={"name":"imagenet1k","classes":4,"train":16,"test":8}',
  'model.image_size=[16,16]',
  'model.patch_size=4',
  // As deep as every ablation needs, which the report shows.
  'model.sizes.L={"embed_dim":8,"depth":8,"num_heads":4}',
  'pretrain.decoder={"embed_dim":8,"depth":1,"num_heads":2,"mlp_ratio":4}',
  ...['T', 'S', 'B'].map((size, i) => `model.sizes.${size}={"embed_dim":${8 + 4 * i},"depth":2,"num_heads":2}`),
  'supervise.schedule={"epochs":1,"warmup_epochs":0,"batch_size":8,"accumulation_steps":1,"base_lr":0.001,"min_lr":0}',
  'supervise.augment={"crop":null,"flip":true}',
  'evaluate={"batch_size":8,"crop":{"resize":18}}',
  'robustness.imagenet_a={"name":"imagenet-a","classes":2,"images":4}',
  'robustness.imagenet_r={"name":"imagenet-r","classes":3,"images":6}',
  'robustness.imagenet_c={"name":"imagenet-c","classes":4,"images":8}',
].flatMap(set => ['--set', set]);
const sweep = () => ablate('sweep', '--profile', 'imagenet1k', '--only', 'robustness/scratch-t,robustness/scratch-b', '--devices', 'cpu:1x1', ...SETS);

it('says which folders are missing, and runs when they are told', async () => {
  expect((await ablate('setup', '--data', `imagenet1k=${join(home, 'imagenet1k')}`)).exitCode).toBe(0);
  const before = await sweep();
  expect(before.exitCode).toBe(2);
  for (const name of ['A', 'R', 'C']) {
    expect(before.all).toMatch(
      new RegExp(`Missing: Expected the folder of ImageNet-${name}, got none: .*; 2 stages cannot run without it\\. To mend it: .* setup --data imagenet-${name.toLowerCase()}=/path/to/folder`),
    );
  }
  for (const name of ['imagenet-a', 'imagenet-r', 'imagenet-c']) {
    const { all, exitCode } = await ablate('setup', '--data', `${name}=${join(home, name)}`);
    expect(exitCode, all).toBe(0);
  }
  const { all, exitCode } = await sweep();
  expect(exitCode, all).toBe(0);

  const reader = openStoreReadOnly(join(home, 'runs'));
  const results = reader.keys().map(key => ({ ...reader.stage(key)!, result: reader.result(key)! }));
  const ofKind = (kind: string) => results.filter(one => one.kind === kind);
  expect(ofKind('evaluate').map(({ result }) => Number(result['count'])).sort((a, b) => a - b)).toEqual([4, 4, 6, 6, 8, 8]); // prettier-ignore
  for (const { result, recipe } of ofKind('evaluate-corrupted')) {
    expect(recipe).toMatchObject({ denominators: 'alexnet', crop: null });
    expect([result['count'], Object.keys(result).filter(name => /_[1-5]$/.test(name)).length]).toEqual([8, 75]);
    expect(result['mce']).toBeGreaterThan(0);
  }
  const [report] = readdirSync(join(home, 'reports'));
  const page = readFileSync(join(home, 'reports', report!, 'index.html'), 'utf8');
  for (const text of ['ImageNet-A (%)', 'ImageNet-R (%)', 'Mean corruption error on ImageNet-C (%)', 'Errors over severity', 'Errors by corruption']) expect(page).toContain(text);
});
