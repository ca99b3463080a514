/** Folders of the form of ImageNet-A, -R and -C: what is listed, what is refused, and whose classes they are. */
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IMAGENET_C, SEVERITIES } from '../../../../src/tinymim/data/corruption-names.ts';
import { openDataset } from '../../../../src/tinymim/data/dataset.ts';
import { buildIndex } from '../../../../src/tinymim/data/folder/build.ts';
import { foundLines } from '../../../../src/tinymim/data/folder/found.ts';
import { rememberFolder } from '../../../../src/tinymim/data/folder/known.ts';
import { withFingerprint } from '../../../../src/tinymim/data/folder/open.ts';
import { testFolderProblem } from '../../../../src/tinymim/data/folder/test-folder.ts';
import { imageAt, type EvalBatch } from '../../../../src/tinymim/data/image-set.ts';
import { dataSpec } from '../../../../src/tinymim/data/spec.ts';
import { corruptedSpec, shiftedSpec, type TestFolderSpec } from '../../../../src/tinymim/data/test-spec.ts';
import { openCorrupted, openShifted, type Beside } from '../../../../src/tinymim/data/test-sets.ts';
import { imagenetForm } from '../../../helpers/imagenet-form.ts';

const FILES = join(import.meta.dirname, '../../../fixtures/decode');
/** As `imagenetForm` calls its classes. */
const WNIDS = Array.from({ length: 6 }, (_, label) => `n${String(1_440_764 + 13 * label).padStart(8, '0')}`);

let home: string, cache: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'test-folder-'));
  cache = join(home, 'cache');
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

/** So many images in each class of a folder. */
function put(folder: string, classes: readonly string[], images: number): void {
  for (const name of classes) {
    mkdirSync(join(home, folder, name), { recursive: true });
    for (let i = 0; i < images; i++) cpSync(join(FILES, i % 2 === 0 ? 'rgb.jpg' : '420.jpg'), join(home, folder, name, `${i}.JPEG`));
  }
}

async function tell(name: string, folder = name): Promise<string[]> {
  const index = await buildIndex(join(home, folder), cache, {}, () => undefined);
  rememberFolder(name, join(home, folder), cache);
  return foundLines(name, index);
}

/** The training data, of six classes. */
async function beside(): Promise<Beside> {
  imagenetForm(join(home, 'imagenet'), { classes: 6, train: 2, val: 1 });
  await tell('imagenet1k', 'imagenet');
  const dataset = openDataset(dataSpec.parse({ name: 'imagenet1k', classes: 6, train: 12, test: 6 }), cache, [16, 16]);
  return { dataset, split: 'test', dataDir: cache, size: [16, 16] };
}

const A = shiftedSpec.parse({ name: 'imagenet-a', classes: 2, images: 6 });
const C = corruptedSpec.parse({ name: 'imagenet-c', classes: 6, images: 6 });
const putC = (): void => {
  for (const corruption of IMAGENET_C) for (const severity of SEVERITIES) put(`imagenet-c/${corruption}/${severity}`, WNIDS, 1);
};
const problem = (spec: object): string | undefined => testFolderProblem(spec as TestFolderSpec, cache)?.what;

describe('a folder of class folders alone', () => {
  it('is a test set of the classes of its names, which are the only answers', async () => {
    put('imagenet-a', [WNIDS[4]!, WNIDS[1]!], 3);
    expect(problem(A)).toMatch(/^Expected the folder of ImageNet-A, got none: .*IMAGENET_A_DIR=/);
    expect(await tell('imagenet-a')).toEqual([expect.stringMatching(/^Data: imagenet-a in .*: 2 classes, 6 images in a test set\.$/), expect.stringMatching(/^Fingerprint/)]);
    expect(problem(A)).toBeUndefined();
    const { set, answers } = openShifted(A, await beside());
    expect(answers).toEqual([1, 4]);
    expect([...set.labels]).toEqual([0, 0, 0, 1, 1, 1]);
    expect(imageAt(set, 0).channels).toBe(3);
  });

  it('is refused with other counts, in words that can be copied, and in another form', async () => {
    put('imagenet-a', [WNIDS[0]!], 3);
    await tell('imagenet-a');
    expect(problem(shiftedSpec.parse({ name: 'imagenet-a' }))).toMatch(
      /^Expected ImageNet-A with 200 classes and 7,500 images, got 1 and 3 in .* --set robustness\.imagenet_a\.classes=1 --set robustness\.imagenet_a\.images=3$/,
    );
    rememberFolder('imagenet-c', join(home, 'imagenet-a'), cache);
    expect(problem(C)).toMatch(/^Expected ImageNet-C as folders <corruption>\/<severity>\/<class>\/\.\.\., got another form in /);
  });

  it('is refused where a class is none of the training images', async () => {
    put('imagenet-a', [WNIDS[1]!, 'n99999999'], 3);
    await tell('imagenet-a');
    const data = await beside();
    expect(() => openShifted(A, data)).toThrow(/^Expected the class folders of ImageNet-A to be called as those of the training images, got n99999999 in /);
  });

  it('is known by its fingerprint, of classes, names and sizes', async () => {
    put('imagenet-a', WNIDS.slice(0, 2), 3);
    await tell('imagenet-a');
    const known = withFingerprint(A as TestFolderSpec, 'imagenet-a', cache);
    expect(known.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    renameSync(join(home, 'imagenet-a', WNIDS[0]!, '0.JPEG'), join(home, 'imagenet-a', WNIDS[0]!, 'other.JPEG'));
    await tell('imagenet-a');
    expect(problem(known)).toMatch(/^Expected ImageNet-A with the fingerprint [0-9a-f]{12} of classes, names and sizes, got /);
  });

  it('is no data to train on', async () => {
    put('imagenet', WNIDS, 1);
    await tell('imagenet1k', 'imagenet');
    expect(() => openDataset(dataSpec.parse({ name: 'imagenet1k' }), cache)).toThrow(/^Expected ImageNet-1K in folders train\/<class>\/\.\.\. and val\/<class>\/\.\.\., got test sets alone in /);
  });
});

describe('a folder of corruptions and severities', () => {
  it('is 75 sets of the same images', async () => {
    putC();
    expect((await tell('imagenet-c'))[0]).toMatch(/: 6 classes, 450 images in 75 test sets\.$/);
    const images = openCorrupted(C, await beside());
    expect([images.corruptions, images.count, images.shape.count, images.answers]).toEqual([IMAGENET_C, 6, 30, undefined]);
    const batches: EvalBatch[] = [];
    for await (const batch of images.batches('snow', 8)) batches.push({ ...batch, images: batch.images.slice() });
    expect(batches.map(({ start }) => start)).toEqual([0, 8, 16, 24]);
    expect(batches.flatMap(({ labels }) => [...labels])).toEqual(SEVERITIES.flatMap(() => [0, 1, 2, 3, 4, 5]));
    expect(batches[0]!.images.some(level => level > 0)).toBe(true);
  });

  it('is refused without one of them, or with other images in one', async () => {
    putC();
    renameSync(join(home, 'imagenet-c/fog/3', WNIDS[2]!, '0.JPEG'), join(home, 'imagenet-c/fog/3', WNIDS[2]!, '7.JPEG'));
    await tell('imagenet-c');
    const images = openCorrupted(C, await beside());
    expect(() => images.batches('fog', 8)).toThrow(/^Expected the same images in gaussian_noise\/1 and fog\/3 of .*, got n01440790\/0\.JPEG in one of them alone\.$/);
    rmSync(join(home, 'imagenet-c/fog/3'), { recursive: true });
    await expect(tell('imagenet-c')).rejects.toThrow(/^Expected folders <corruption>\/<severity>\/<class>\/\.\.\. of 15 corruptions at 5 severities in .*, got none in fog\/3\.$/);
  });
});
