/** Scenes in files: as ADE20K and CamVid have them, told by a name, listed once, refused where they are not what is meant. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeBatch } from '../../../../../src/tinymim/data/batch.ts';
import { rememberFolder } from '../../../../../src/tinymim/data/folder/known.ts';
import { imageAt, mapAt } from '../../../../../src/tinymim/data/image-set.ts';
import { createLoader } from '../../../../../src/tinymim/data/loader.ts';
import { holdsScenes, indexScenes, indexScenesAtFirstUse, sceneFolderProblem, withSceneFingerprint, type SceneFolderSpec } from '../../../../../src/tinymim/data/scenes/folder.ts';
import { openScenes } from '../../../../../src/tinymim/data/scenes/open.ts';
import { palettePng } from '../../../../../src/tinymim/data/scenes/png.ts';
import { IGNORED, sceneClasses, sceneSpec, sceneTitle } from '../../../../../src/tinymim/data/scenes/spec.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'scenes-'));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const [HEIGHT, WIDTH] = [20, 26];
const grey = (level: number) => [level, level, level] as const;
/** Labels 0 to 3 in stripes of their own direction. */
const labelsOf = (i: number): Uint8Array => Uint8Array.from({ length: HEIGHT * WIDTH }, (_, pixel) => (i % 2 ? Math.floor(pixel / WIDTH) : pixel % WIDTH) % 4);
const map = (i: number, levels: readonly number[] = [0, 1, 2, 3]): Buffer => palettePng(labelsOf(i), WIDTH, levels.map(grey));
const photo = (i: number): Buffer =>
  palettePng(labelsOf(i), WIDTH, [
    [10, 20, 30],
    [200, 0, 0],
    [0, 200, 0],
    [0, 0, 200 + i],
  ]);

let made = 0;
/** A folder in this form, and a cache in which it is known. */
function folder([train, test]: readonly [string, string] = ['training', 'validation'], write: (file: string, png: Buffer) => void = writeFileSync): { path: string; cache: string } {
  const path = join(root, `folder-${++made}`),
    cache = join(root, `cache-${made}`);
  for (const [split, count] of [
    [train, 5],
    [test, 3],
  ] as const) {
    for (const part of ['images', 'annotations']) mkdirSync(join(path, part, split), { recursive: true });
    for (let i = 0; i < count; i++) {
      write(join(path, 'images', split, `scene ${i}.png`), photo(i));
      write(join(path, 'annotations', split, `scene ${i}.png`), map(i));
    }
  }
  rememberFolder('streets', path, cache);
  return { path, cache };
}

const spec = sceneSpec.parse({ name: 'folder', folder: 'streets', classes: 3, train: 5, test: 3, reduce_zero_label: true, ignored: null }) as SceneFolderSpec;
const listed = (names?: readonly [string, string]) => {
  const { path, cache } = folder(names);
  indexScenes(path, cache);
  return { path, cache };
};

describe('a folder of scenes', () => {
  it.each([[['training', 'validation']], [['train', 'test']], [['train', 'val']]] as const)('is opened with the splits %s', names => {
    const { path, cache } = listed(names);
    expect(holdsScenes(path)).toBe(true);
    expect(sceneFolderProblem(spec, cache)).toBeUndefined();
    const { train, test, mean } = openScenes(spec, cache);
    expect([train.count, test.count, train.classes.length]).toEqual([5, 3, sceneClasses(spec)]);
    expect(mean).toEqual([0.485, 0.456, 0.406]);
    const image = imageAt(test, 2);
    expect([image.height, image.width, image.channels]).toEqual([HEIGHT, WIDTH, 3]);
    expect([...image.data.subarray(image.offset, image.offset + 6)]).toEqual([10, 20, 30, 200, 0, 0]);
    // Label 0 is none of the classes, and the others count from 1.
    expect([...mapAt(test, 2)]).toEqual(Array.from(labelsOf(2), label => (label === 0 ? IGNORED : label - 1)));
  });

  it('has labels as they are, and a void, where the spec says so', () => {
    const { cache } = listed();
    const plain: SceneFolderSpec = { ...spec, reduce_zero_label: false, ignored: 3 };
    expect([...mapAt(openScenes(plain, cache).train, 0).subarray(0, 4)]).toEqual([0, 1, 2, IGNORED]);
    expect(sceneTitle(plain)).toBe('streets');
    expect(sceneTitle({ ...plain, folder: 'ade20k' })).toBe('ADE20K');
  });

  it('gives the same batches in threads as here, of scenes that are resized, cropped and padded', async () => {
    const { cache } = listed();
    const { train } = openScenes(spec, cache);
    const scene = { crop: [16, 16] as const, resize: { within: [26, 20] as const, ratio: [0.5, 1.5] as const }, cat_max_ratio: 0.75, flip: true, photometric: true, padding: [124, 116, 104] };
    const plan = { set: train, batchSize: 4, seed: 5, augment: { scene }, withLabels: false };
    const loader = createLoader({ ...plan, startStep: 0, endStep: 3, threads: 2 });
    const labels = new Set<number>();
    try {
      for (let step = 0; step < 3; step++) {
        const batch = await loader.next(),
          here = makeBatch({ ...plan }, step);
        expect(Buffer.compare(batch.images, here.images)).toBe(0);
        expect(Buffer.compare(batch.maps!, here.maps!)).toBe(0);
        for (const label of batch.maps!) labels.add(label);
        loader.release(batch);
      }
    } finally {
      await loader.close();
    }
    expect([...labels].sort((a, b) => a - b)).toEqual([0, 1, 2, IGNORED]);
  });

  it('is listed at its first use, which is said, and its fingerprint is of names and sizes', () => {
    const { cache } = folder(),
      said: string[] = [];
    indexScenesAtFirstUse(spec, cache, line => said.push(line));
    expect(said.join('\n')).toMatch(/5 training and 3 test scenes, each with its map; fingerprint [0-9a-f]{12}/);
    const known = withSceneFingerprint(spec, cache);
    expect(known.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(withSceneFingerprint(spec, listed().cache).fingerprint).toBe(known.fingerprint);
    expect(withSceneFingerprint(spec, listed(['train', 'val']).cache).fingerprint).not.toBe(known.fingerprint);
    expect(withSceneFingerprint(spec, join(root, 'nowhere'))).toEqual(spec);
  });
});

describe('is refused, with what to do', () => {
  const problem = (cache: string, fields: Partial<SceneFolderSpec> = {}) => sceneFolderProblem({ ...spec, ...fields }, cache);

  it('where nobody has told where it lies, or nobody has listed it', () => {
    expect(problem(join(root, 'nowhere'))).toMatchObject({ what: expect.stringContaining('nobody has said where it lies') as string, mend: ['setup', '--data', 'streets=/path/to/folder'] });
    const { path, cache } = folder();
    expect(problem(cache)).toMatchObject({ mend: ['setup', '--data', `streets=${path}`] });
    expect(() => openScenes(spec, cache)).toThrow(`To mend it: npx ablate setup --data streets=${path}`);
  });

  it('with other counts, of which its own are told, or other files', () => {
    const { cache } = listed();
    expect(problem(cache, { train: 6, test: 3 })!.what).toContain('with 6 training scenes, got 5 training scenes');
    expect(problem(cache, { train: 6 })!.what).toContain('--set segment.data.train=5');
    expect(problem(cache, { fingerprint: '0'.repeat(64) })!.what).toContain('which holds other files');
  });

  it('when it has changed since', async () => {
    const { path, cache } = listed();
    await new Promise(resolve => setTimeout(resolve, 20));
    writeFileSync(join(path, 'images', 'training', 'new.png'), photo(9));
    expect(problem(cache)!.what).toContain('a folder that has changed or is gone');
  });

  it('where an image has no map, or there is no split', () => {
    const { path, cache } = folder();
    rmSync(join(path, 'annotations', 'validation', 'scene 1.png'));
    expect(() => indexScenes(path, cache)).toThrow('Expected a map annotations/validation/scene 1.png for images/validation/scene 1.png');
    rmSync(join(path, 'images', 'validation'), { recursive: true });
    expect(() => indexScenes(path, cache)).toThrow('Expected a folder images/validation or images/val or images/test');
  });

  it('where a map has colours, or a label beyond the classes', () => {
    const write = (bad: Buffer) => folder(undefined, (file, png) => writeFileSync(file, file.includes('annotations') && file.endsWith('scene 1.png') ? bad : png));
    for (const [bad, message] of [
      [photo(1), 'Expected a grey image whose levels are labels, got one with colours'],
      [map(1, [0, 1, 2, 9]), 'Expected labels of the classes that the data have, got 9'],
    ] as const) {
      const { path, cache } = write(bad);
      indexScenes(path, cache);
      expect(() => mapAt(openScenes(spec, cache).train, 1)).toThrow(message);
    }
  });
});
