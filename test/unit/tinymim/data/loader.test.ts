import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { makeBatch, stepsPerEpoch, type Batch, type BatchPlan } from '../../../../src/tinymim/data/batch.ts';
import { openDataset } from '../../../../src/tinymim/data/dataset.ts';
import { allocateImageSet, imageBytes, type ImageSet } from '../../../../src/tinymim/data/image-set.ts';
import { createLoader, defaultPrefetch, type Loader } from '../../../../src/tinymim/data/loader.ts';
import { ALLOW_TYPESCRIPT } from '../../../helpers/typescript.ts';

const { train } = openDataset({ name: 'procedural', classes: 3, image_size: [8, 10], channels: 1, train: 50, validation: 1, test: 1, seed: 1 }, '');
const crop = { scale: [0.2, 1], ratio: [3 / 4, 4 / 3] } as const;
const studentJitter = { brightness: 0.4, contrast: 0.4 };
const plan: BatchPlan = { set: train, batchSize: 8, seed: 5, augment: { crop, flip: true, studentJitter }, withLabels: true };
const plain: BatchPlan = { ...plan, augment: {} };

const digest = ({ images }: Batch): string => Buffer.from(images).toString('base64');
const splitImages = ({ images }: Batch): string[] => {
  const bytes = imageBytes(train);
  return Array.from({ length: images.length / bytes }, (_, i) => Buffer.from(images.subarray(i * bytes, (i + 1) * bytes)).toString('base64'));
};
const allImages = splitImages({ images: train.images } as Batch);

async function using(loader: Loader, use: (loader: Loader) => Promise<void>): Promise<void> {
  try {
    await use(loader);
  } finally {
    await loader.close();
  }
}

describe('makeBatch', () => {
  it('shows each image at most once an epoch, in another order each epoch, and drops the last partial batch', () => {
    expect(stepsPerEpoch(plain)).toBe(6);
    const epochs = [0, 1].map(epoch => Array.from({ length: 6 }, (_, i) => splitImages(makeBatch(plain, epoch * 6 + i))).flat());
    for (const epoch of epochs) {
      expect(new Set(epoch).size).toBe(48);
      expect(allImages).toEqual(expect.arrayContaining(epoch));
    }
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  it('gives each image its label, if asked for', () => {
    const batch = makeBatch(plain, 3);
    expect([...batch.labels]).toEqual(splitImages(batch).map(image => train.labels[allImages.indexOf(image)]));
    expect(makeBatch({ ...plain, withLabels: false }, 3).labels).toHaveLength(0);
  });

  it('counts epochs as a fraction', () => {
    expect([0, 3, 6, 15].map(step => makeBatch(plain, step).epoch)).toEqual([0, 0.5, 1, 2.5]);
  });

  it('is a function of seed and step, whatever was made before', () => {
    const later = digest(makeBatch({ ...plan }, 14));
    makeBatch(plan, 2);
    expect(digest(makeBatch(plan, 14))).toBe(later);
    expect(digest(makeBatch({ ...plan, seed: 6 }, 14))).not.toBe(later);
    expect(digest(makeBatch(plan, 13))).not.toBe(later);
  });

  it('draws what it has always drawn: a change here changes the results of every training, so their kinds need a new revision', () => {
    const ramp: ImageSet = allocateImageSet({ name: 'ramp', count: 20, height: 9, width: 7, channels: 1, classes: ['a'] });
    ramp.images.forEach((_, i) => (ramp.images[i] = (i * 37) % 251));
    const { images, studentImages } = makeBatch({ ...plan, set: ramp }, 3);
    const sum = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex').slice(0, 16);
    expect([sum(images), sum(studentImages!)]).toEqual(['54eda6d5c5422e96', 'f83892f13964152d']);
  });

  it('draws RandAugment and erasing for each place of a batch alone, whatever stands at the others, and pins what it draws', () => {
    const augment = { randAugment: { magnitude: 9, deviation: 0.5, layers: 2, probability: 0.5, fill: [99] }, randomErase: 0.5 };
    const [whole, half] = [8, 4].map(batchSize => makeBatch({ ...plain, batchSize, augment }, 0)) as [Batch, Batch];
    expect(splitImages(whole).slice(0, 4)).toEqual(splitImages(half));
    expect([...whole.erased!.subarray(0, 16)]).toEqual([...half.erased!]);
    const sum = createHash('sha256').update(whole.images).digest('hex').slice(0, 16);
    expect([sum, [...half.erased!]]).toEqual(['1c050e80a99c062a', [3, 5, 6, 8, 2, 5, 0, 8, 0, 0, 0, 0, 2, 6, 2, 3]]);
  });

  it('erases within the rectangles that it tells, about as often as asked for', () => {
    const augment = { randomErase: 0.25 };
    const batches = Array.from({ length: 24 }, (_, step) => [makeBatch({ ...plain, augment }, step), makeBatch(plain, step)] as const);
    let erased = 0;
    for (const [after, before] of batches) {
      for (let i = 0; i < 8; i++) {
        const [top, bottom, left, right] = [...after.erased!.subarray(4 * i, 4 * i + 4)] as [number, number, number, number];
        if (bottom > top && right > left) erased++;
        for (let y = top; y < bottom; y++) after.images.set(before.images.subarray(80 * i + 10 * y + left, 80 * i + 10 * y + right), 80 * i + 10 * y + left);
      }
      expect(Buffer.compare(after.images, before.images), 'changed elsewhere').toBe(0);
    }
    expect(erased).toBeGreaterThan(30); // of 192
    expect(erased).toBeLessThan(66);
  });

  it('shows repeated images one after the other, each augmented anew, in an epoch of as many batches', () => {
    const repeated = { ...plain, augment: { repeats: 3 } };
    const epoch = Array.from({ length: 6 }, (_, step) => makeBatch(repeated, step));
    const shown = epoch.flatMap(splitImages);
    expect(new Set(shown).size).toBe(16); // of the 48 of an epoch without
    expect(shown).toEqual([...new Set(shown)].flatMap(image => [image, image, image]));
    expect(shown.filter((_, i) => i % 3 === 0)).toEqual([0, 1].flatMap(step => splitImages(makeBatch(plain, step))));
    expect(epoch.flatMap(({ labels }) => [...labels])).toEqual(shown.map(image => train.labels[allImages.indexOf(image)]));
    const cropped = splitImages(makeBatch({ ...plain, augment: { repeats: 3, crop } }, 0));
    expect(new Set(cropped).size).toBe(8);
  });

  it('gives teacher and student the same crops, and changes nothing else when jitter is turned off', () => {
    const { images, studentImages } = makeBatch(plan, 4);
    const without = makeBatch({ ...plan, augment: { crop, flip: true, studentJitter: null } }, 4);
    expect(Buffer.compare(without.images, images)).toBe(0);
    expect(without).not.toHaveProperty('studentImages');
    expect(studentImages).toHaveLength(images.length);
    expect(Buffer.compare(studentImages!, images)).not.toBe(0);
    const identity = makeBatch({ ...plan, augment: { crop, flip: true, studentJitter: { brightness: 0, contrast: 0 } } }, 4);
    expect(Buffer.compare(identity.studentImages!, images)).toBe(0);
  });

  it('leaves the images of the set as they were', () => {
    const before = Uint8Array.from(train.images);
    makeBatch(plan, 0);
    expect(Buffer.compare(before, train.images)).toBe(0);
  });

  it('flips about half of the images', () => {
    const flipped = makeBatch({ ...plain, batchSize: 50, augment: { flip: true } }, 0);
    const unchanged = splitImages(flipped).filter(image => allImages.includes(image)).length;
    expect(unchanged).toBeGreaterThan(12);
    expect(unchanged).toBeLessThan(38);
  });

  it('refuses a batch larger than the set', () => {
    expect(() => makeBatch({ ...plan, batchSize: 51 }, 0)).toThrow('Expected a batch of 1 to 50 images of procedural/train, got 51.');
  });
});

describe('createLoader', () => {
  it('delivers what makeBatch makes, from any step on, in order', async () => {
    await using(createLoader({ ...plan, startStep: 4, endStep: 15, prefetch: 2 }), async loader => {
      for (let step = 4; step < 15; step++) expect(await loader.next()).toEqual(makeBatch(plan, step));
      await expect(loader.next()).rejects.toThrow('Expected at most 15 steps, got a request for one more.');
    });
  });

  it('delivers what strong augmentation makes, with the rectangles', async () => {
    const strong = { ...plan, augment: { crop, flip: true, repeats: 3, randAugment: { magnitude: 9, deviation: 0.5, layers: 2, probability: 0.5, fill: [99] }, randomErase: 0.25 } };
    await using(createLoader({ ...strong, startStep: 2, endStep: 9 }), async loader => {
      for (let step = 2; step < 9; step++) expect(await loader.next()).toEqual(makeBatch(strong, step));
    });
  });

  it('answers calls that do not wait for each other, in order', async () => {
    await using(createLoader({ ...plan, startStep: 0, endStep: 10, prefetch: 1 }), async loader => {
      const batches = await Promise.all(Array.from({ length: 10 }, () => loader.next()));
      expect(batches.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });
  });

  it('rejects with the cause when the thread fails, and keeps rejecting', async () => {
    const broken = { ...plan, augment: { crop: { scale: [0.2, 1], ratio: null } } } as unknown as BatchPlan;
    await using(createLoader({ ...broken, startStep: 0, endStep: 3 }), async loader => {
      await expect(loader.next()).rejects.toMatchObject({ code: 'LOADER_THREAD', message: expect.stringMatching(/^The loader's thread failed: Cannot read properties of null/) as string });
      await expect(loader.next()).rejects.toMatchObject({ code: 'LOADER_THREAD' });
    });
  });

  it('rejects what is still asked for when it is closed, and can be closed twice', async () => {
    const loader = createLoader({ ...plan, startStep: 0, endStep: 10 });
    const pending = expect(loader.next()).rejects.toMatchObject({ code: 'LOADER_CLOSED' });
    await loader.close();
    await loader.close();
    await pending;
    await expect(loader.next()).rejects.toMatchObject({ code: 'LOADER_CLOSED' });
  });

  it('gets nothing of the loader that had its thread before, which had asked for more', async () => {
    const first = createLoader({ ...plan, startStep: 0, endStep: 10, prefetch: 8 });
    await first.next();
    await first.close();
    const both = [createLoader({ ...plain, startStep: 2, endStep: 6 }), createLoader({ ...plan, seed: 9, startStep: 1, endStep: 5 })];
    for (let i = 0; i < 4; i++) {
      expect(await both[0]!.next()).toEqual(makeBatch(plain, 2 + i));
      expect(await both[1]!.next()).toEqual(makeBatch({ ...plan, seed: 9 }, 1 + i));
    }
    await Promise.all(both.map(loader => loader.close()));
  });

  it('makes batches of what was given back, so that as many are in memory as are ready, in the making and used', async () => {
    const allocated: number[] = [];
    vi.stubGlobal(
      'SharedArrayBuffer',
      class extends SharedArrayBuffer {
        constructor(bytes: number) {
          super(bytes);
          allocated.push(bytes);
        }
      },
    );
    try {
      await using(createLoader({ ...plan, startStep: 0, endStep: 12, prefetch: 2 }), async loader => {
        for (let step = 0; step < 12; step++) {
          const batch = await loader.next();
          expect(batch).toEqual(makeBatch(plan, step));
          loader.release(batch);
        }
      });
      expect(allocated).toEqual(Array(2 * 3).fill(8 * imageBytes(train)));
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it.each([
    ['with a copy for the student', { studentJitter }, 2],
    ['with one image each', {}, 3],
  ])('has at most 4 GB in memory for batches of 4096 of 224 x 224, %s', (_, augment, least) => {
    const large: BatchPlan = { ...plain, set: { ...train, height: 224, width: 224, channels: 3 }, batchSize: 4096, augment };
    const bytes = (Object.keys(augment).length + 1) * 4096 * imageBytes(large.set);
    expect((defaultPrefetch(large) + 1) * bytes).toBeLessThanOrEqual(4e9); // those ready or in the making, and the one that is used
    expect(defaultPrefetch(large)).toBeGreaterThanOrEqual(least);
  });

  it('refuses a batch larger than the set before it starts a thread', () => {
    expect(() => createLoader({ ...plan, batchSize: 51, startStep: 0, endStep: 1 })).toThrow(expect.objectContaining({ code: 'DATA_INVALID' }));
  });

  it('runs in programs of TypeScript, and lets them end once closed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'data-loader-'));
    const source = join(import.meta.dirname, '../../../../src/tinymim/data');
    writeFileSync(
      join(folder, 'main.mts'),
      `
      import { openDataset } from '${source}/dataset.ts';
      import { createLoader } from '${source}/loader.ts';
      const spec = { name: 'procedural', classes: 3, image_size: [8, 10], channels: 1, train: 50, validation: 1, test: 1, seed: 1 } as const;
      const { train } = openDataset({ ...spec, image_size: [8, 10] }, '');
      const loader = createLoader({ set: train, batchSize: 8, seed: 5, augment: {}, withLabels: false, startStep: 7, endStep: 8 });
      process.stdout.write(Buffer.from((await loader.next()).images).toString('base64'));
      await loader.close();
    `,
    );
    try {
      const { stdout } = await promisify(execFile)(process.execPath, ['--import', ALLOW_TYPESCRIPT, join(folder, 'main.mts')], { cwd: import.meta.dirname });
      expect(stdout).toBe(digest(makeBatch(plain, 7)));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
