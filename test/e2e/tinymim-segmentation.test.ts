/** Segmentation from a command to a report, and scenes in a folder from where they lie to a plan: the real program at the size of a toy. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { palettePng } from '../../src/tinymim/data/scenes/png.ts';
import { command } from '../toy/commands.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'segmentation-'));
});
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});
const ablate = (...args: readonly string[]) => command(args, { cwd: home, env: { TINYMIM_CACHE: join(home, 'cache') } });

const procedural = (train: number, channels = 1) => JSON.stringify({ name: 'procedural', classes: 10, image_size: [28, 28], channels, train, validation: 16, test: 32, seed: 1 });
const arm = [
  '--profile',
  'smoke',
  '--only',
  'segmentation/scratch',
  '--seeds',
  '0',
  '--set',
  `data=${procedural(256)}`,
  '--set',
  `segment.data.source=${procedural(32)}`,
  '--set',
  'segment.data.test=5',
];

it('trains a segmenter on a classifier, tests it, and puts its mIoU and pictures beside the published number', async () => {
  const { exitCode, all } = await ablate('sweep', ...arm, '--devices', 'cpu:1x1');
  expect(exitCode, all).toBe(0);
  expect(all).toMatch(/done +segment of segmentation\/scratch seed 0 .*decode_loss/);
  expect(all).toMatch(/done +segment-evaluate of segmentation\/scratch seed 0 .*aacc [\d.]+, macc [\d.]+, miou [\d.]+/);
  const written = /Report written[^\n]*: (\S+index\.html)/.exec(all);
  expect(written, all).not.toBeNull();
  const page = readFileSync(join(home, written![1]!), 'utf8');
  expect(page).toContain('mIoU, Scenes of Procedural images (seed 1), 84 x 84');
  expect(page).toContain('47.2');
  const pictures = [...page.matchAll(/<img src="(data:image\/png;base64,[^"]+)"/g)].map(([, address]) => address!.length);
  expect(pictures).toHaveLength(24); // in Table 9 and, as the same arm, in Table 3
  // With all arms of Tables 3, 9 and 10 there are 104, of 150 kB at most.
  expect((104 / 24) * pictures.reduce((a, b) => a + b, 0)).toBeLessThan(150_000);
  expect(page).toMatch(/alt="Truth 1: [\w, ]+"/);
  const explained = await ablate('explain', 'segmentation/scratch', ...arm.filter(arg => !['--only', 'segmentation/scratch'].includes(arg)));
  expect(explained.all).toMatch(/segment-evaluate/);
});

it('asks where scenes in files lie, lists them, and then plans', async () => {
  const root = join(home, 'streets'),
    pixels = new Uint8Array(64 * 64);
  for (const split of ['training', 'validation']) {
    for (const part of ['images', 'annotations']) {
      mkdirSync(join(root, part, split), { recursive: true });
      for (const name of ['a', 'b']) writeFileSync(join(root, part, split, `${name}.png`), palettePng(pixels, 64, [[1, 1, 1]]));
    }
  }
  const data = '{"name":"folder","folder":"streets","classes":3,"train":2,"test":2,"reduce_zero_label":true,"ignored":null}';
  const planOf = () =>
    ablate(
      'plan',
      '--profile',
      'smoke',
      '--only',
      'segmentation/scratch',
      '--set',
      'model.in_chans=3',
      '--set',
      `data=${procedural(256, 3)}`,
      '--set',
      `segment.data=${data}`,
      '--set',
      'segment.schedule.batch_size=2',
    );
  const before = await planOf();
  expect(before.all).toMatch(/Expected the folder of streets, got none.*STREETS_DIR=\/path\/to\/folder/s);
  const setup = await ablate('setup', '--data', `streets=${root}`);
  expect(setup.all).toMatch(/2 training and 2 test scenes, each with its map; fingerprint [0-9a-f]{12}/);
  expect((await planOf()).all).not.toContain('Expected the folder of streets');
});
