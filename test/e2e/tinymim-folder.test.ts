/** A folder of class folders, from where it lies to a report: what whoever has ImageNet does, at the size of a toy. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { command } from '../toy/commands.ts';

const FILES = join(import.meta.dirname, '../fixtures/decode');
const SOUND = ['rgb.jpg', '420.jpg', 'grey.jpg', 'palette.png'];

let home: string, root: string;
const ablate = (...args: readonly string[]) => ablateWith({}, ...args);
const ablateWith = (env: Readonly<Record<string, string>>, ...args: readonly string[]) => command(args, { cwd: home, env: { TINYMIM_CACHE: join(home, 'cache'), ...env } });

const sets = (data: string): string[] =>
  [
    `data=${data}`,
    'unlabelled_images=null',
    'labelled_images=null',
    'model.in_chans=3',
    'model.image_size=[28,28]',
    'distill.jitter.saturation=0.4',
    ...['pretrain', 'distill', 'finetune', 'supervise'].map(stage => `${stage}.schedule.batch_size=4`),
    'evaluate.batch_size=4',
  ].flatMap(set => ['--set', set]);
const sweep = (data: string, only = 'relation/qk-vv') => ablate('sweep', '--profile', 'smoke', '--only', only, '--seeds', '0', '--devices', 'cpu:1x1', '--loaders', '2', ...sets(data));
const FOLDER = '{"name":"folder","folder":"photos","classes":2,"train":8,"validation":0,"test":4}';

function fill(folder: string): void {
  for (const name of ['n01440764', 'n01443537']) {
    for (const split of ['train', 'val']) mkdirSync(join(folder, split, name), { recursive: true });
    for (const file of SOUND) cpSync(join(FILES, file), join(folder, 'train', name, file));
    for (const file of SOUND.slice(2)) cpSync(join(FILES, file), join(folder, 'val', name, file));
  }
}

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'folder-sweep-'));
  root = join(home, 'images');
  fill(root);
});
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

it('asks where the folder lies, says what is in it, and goes from there to a report', async () => {
  const unknown = await sweep(FOLDER);
  expect(unknown.exitCode).toBe(2);
  expect(unknown.all).toMatch(/Expected the folder of photos, got none.*PHOTOS_DIR=\/path\/to\/folder\.\nTo mend it: .* setup --data photos=\/path\/to\/folder/);

  cpSync(join(FILES, 'empty.jpg'), join(root, 'train/n01440764/z.jpg'));
  const odd = await ablate('setup', '--data', `photos=${root}`);
  expect(odd.exitCode).toBe(1);
  expect(odd.all).toContain('2 classes, 9 images in train (train), 4 images in val (test).');
  expect(odd.all).toContain(`${root}/train/n01440764/z.jpg: it is empty`);
  const refused = await sweep(FOLDER.replace('8', '9'));
  expect(refused.exitCode).toBe(2);
  expect(refused.all).toMatch(/got 1 that cannot be read:\n.*z\.jpg: it is empty\n.*\nTo mend it: .* setup --data photos --leave-out/);

  expect((await ablate('setup', '--data', 'photos', '--leave-out', '--verify')).all).toMatch(/Left out: 1 that cannot be read\.\n.*\nSHA-256 of all contents: [0-9a-f]{64}/);
  const { all, exitCode } = await sweep(FOLDER);
  expect(all).toMatch(/\d stages done in/);
  expect(exitCode).toBe(0);
  expect(readdirSync(join(home, 'reports'))).toHaveLength(1);
});

it('indexes a folder at its first use, told by an option or a variable, and means the same from then on', async () => {
  const snaps = join(home, 'snaps');
  fill(snaps);
  const plan = async (env: Readonly<Record<string, string>>, ...args: readonly string[]) => {
    const chosen = ['--profile', 'smoke', '--only', 'relation/qk-vv', '--seeds', '0', '--json', ...sets(FOLDER.replace('photos', 'snaps'))];
    const { exitCode, stdout, stderr } = await ablateWith(env, 'plan', ...chosen, ...args);
    expect(exitCode, stderr).toBe(0);
    const { stages, obstacles } = JSON.parse(stdout) as { stages: { key: string }[]; obstacles: string[] };
    const said = stderr.split('\n').filter(line => /Indexing|Data:/.test(line));
    return { keys: stages.map(({ key }) => key), obstacles, said };
  };
  const unknown = await plan({});
  expect(unknown.obstacles.join()).toContain('Expected the folder of snaps, got none');
  const first = await plan({}, '--data', `snaps=${snaps}`);
  expect(first.said).toEqual([
    expect.stringMatching(/^Indexing .*snaps, which is done once/),
    expect.stringMatching(/^Data: snaps in .*: 2 classes, 8 images in train \(train\), 4 images in val \(test\)\.$/),
  ]);
  expect(first.obstacles).toEqual([]);
  expect(first.keys).not.toEqual(unknown.keys);
  expect(await plan({})).toEqual({ ...first, said: [] });

  expect((await ablate('setup', '--data', 'snaps', '--verify')).all).toContain(
    'stages that were run before they were verified are not taken for these. To go back to those: npx ablate setup --data snaps',
  );
  expect((await plan({})).keys).not.toEqual(first.keys);
  expect((await ablate('setup', '--data', 'snaps')).all).toContain('The contents are no longer verified');
  expect(await plan({})).toEqual({ ...first, said: [] });

  const elsewhere = { TINYMIM_CACHE: join(home, 'other-cache') };
  expect(await plan({ ...elsewhere, SNAPS_DIR: snaps })).toEqual(first);
  expect(await plan(elsewhere)).toEqual({ ...first, said: [] });
  const both = await ablateWith({ SNAPS_DIR: snaps }, 'plan', '--data', `snaps=${root}`);
  expect(both.all).toMatch(/--data: expected one place of snaps, got .*images here and .*snaps in SNAPS_DIR, which goes before/);
  expect(both.exitCode).toBe(2);
});

it('plans ImageNet without it, and with a folder of its form runs the recipe of the same name', async () => {
  const plan = await ablate('plan', '--profile', 'imagenet1k', '--only', 'mae-vs-scratch/mae-t');
  expect(plan.exitCode).toBe(0);
  await ablate('setup', '--data', `imagenet1k=${root}`, '--leave-out');
  const counts = await sweep('{"name":"imagenet1k"}', 'mae-vs-scratch/mae-t');
  expect(counts.all).toMatch(/Expected ImageNet-1K with 1,000 classes, 1,281,167 training images, 50,000 test images, got 2, 8, 4 in .*--set data\.classes=2 --set data\.train=8 --set data\.test=4/);
  expect((await sweep('{"name":"imagenet1k","classes":2,"train":8,"test":4}', 'mae-vs-scratch/mae-t')).exitCode).toBe(0);
});

it.each([
  [['setup', '--verify'], /--leave-out, --verify: expected the name of a folder beside them/],
  [['setup', '--data', 'No Name=/x'], /--data: expected lower-case words/],
  [['setup', '--data', 'elsewhere'], /--data: expected where the folder lies, as in elsewhere=\/path\/to\/folder or in the variable ELSEWHERE_DIR/],
  [['setup', '--data', 'elsewhere=/nowhere/at/all'], /Expected a folder with train\/<class>\/\.\.\. and val\/<class>\/\.\.\., got nothing at \/nowhere\/at\/all/],
  [['plan', '--data', 'elsewhere'], /--data: expected where the folder lies, as in elsewhere=\/path\/to\/folder, got 'elsewhere' alone/],
  [['sweep', '--data', 'elsewhere=/nowhere/at/all'], /--data: expected a folder of images, got nothing at \/nowhere\/at\/all/],
  [['sweep', '--loaders', 'many'], /--loaders: expected a number of threads from 1/],
])('refuses %s', async (args, message) => {
  const { exitCode, all } = await ablate(...args);
  expect(all).toMatch(message);
  expect(exitCode).toBe(2);
});
