/** A folder of class folders, from where it lies to a report: what whoever has ImageNet does, at the size of a toy. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { command } from '../toy/commands.ts';

const FILES = join(import.meta.dirname, '../fixtures/decode');
const SOUND = ['rgb.jpg', '420.jpg', 'grey.jpg', 'palette.png'];

let home: string, root: string;
const ablate = (...args: readonly string[]) => command(args, { cwd: home, env: { TINYMIM_CACHE: join(home, 'cache') } });

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
const sweep = (data: string) => ablate('sweep', '--profile', 'smoke', '--only', 'relation/qk-vv', '--seeds', '0', '--devices', 'cpu:1x1', '--loaders', '2', ...sets(data));
const FOLDER = '{"name":"folder","folder":"photos","classes":2,"train":8,"validation":0,"test":4}';

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'folder-sweep-'));
  root = join(home, 'images');
  for (const name of ['n01440764', 'n01443537']) {
    for (const split of ['train', 'val']) mkdirSync(join(root, split, name), { recursive: true });
    for (const file of SOUND) cpSync(join(FILES, file), join(root, 'train', name, file));
    for (const file of SOUND.slice(2)) cpSync(join(FILES, file), join(root, 'val', name, file));
  }
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

it.each([
  [['setup', '--verify'], /--leave-out, --verify: expected the name of a folder beside them/],
  [['setup', '--data', 'No Name=/x'], /--data: expected lower-case words/],
  [['setup', '--data', 'elsewhere'], /--data: expected where the folder lies, as in elsewhere=\/path\/to\/folder or in the variable ELSEWHERE_DIR/],
  [['setup', '--data', 'elsewhere=/nowhere/at/all'], /Expected a folder with train\/<class>\/\.\.\. and val\/<class>\/\.\.\., got nothing at \/nowhere\/at\/all/],
  [['sweep', '--loaders', 'many'], /--loaders: expected a number of threads from 1/],
])('refuses %s', async (args, message) => {
  const { exitCode, all } = await ablate(...args);
  expect(all).toMatch(message);
  expect(exitCode).toBe(2);
});
