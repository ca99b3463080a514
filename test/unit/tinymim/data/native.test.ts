/** What the engine's binding does for images, beside WebAssembly and TypeScript, which stand in for it: the same bytes. */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { stream } from '../../../../src/engine/random/rng.ts';
import { makeBatch, type BatchPlan } from '../../../../src/tinymim/data/batch.ts';
import { openDataset } from '../../../../src/tinymim/data/dataset.ts';
import { decodeImage } from '../../../../src/tinymim/data/decode/decode.ts';
import { buildIndex } from '../../../../src/tinymim/data/folder/build.ts';
import { rememberFolder } from '../../../../src/tinymim/data/folder/known.ts';
import { createLoader } from '../../../../src/tinymim/data/loader.ts';
import { nativeImages } from '../../../../src/tinymim/data/native.ts';
import { resizeBicubic, type Pixels } from '../../../../src/tinymim/data/resize.ts';
import { dataSpec } from '../../../../src/tinymim/data/spec.ts';

const FILES = join(import.meta.dirname, '../../../fixtures/decode');
/** Data that are wrong and can be read: what becomes of them depends on the version of libjpeg-turbo and the processor. */
const GUESSED = 'corrupt.jpg';
const jpegs = readdirSync(FILES).filter(name => name.endsWith('.jpg') && name !== GUESSED);
const SOUND = ['rgb.jpg', '420.jpg', '422.jpg', 'grey.jpg', 'progressive.jpg', 'trailing.jpg'];

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Pixels, or why there are none. */
function decoded(name: string): unknown {
  try {
    const { data, height, width } = decodeImage(readFileSync(join(FILES, name)));
    return { height, width, sha256: sha256(data) };
  } catch (error) {
    return (error as Error).message;
  }
}

/** Parts of images of drawn sizes, smaller and larger, and cut out of what they become. */
function resizes(): string[] {
  const draws = stream(1, 'resizes', 0);
  const upTo = (most: number): number => 1 + draws.integer(most);
  return Array.from({ length: 150 }, (_, i) => {
    const [height, width] = [upTo(70), upTo(90)];
    const source: Pixels = { data: Uint8Array.from({ length: height * width * 3 + 5 }, () => draws.integer(256)), offset: 5, height, width, channels: 3 };
    const box = { height: upTo(height), width: upTo(width), top: 0, left: 0 };
    const of = { height: i % 5 === 0 ? box.height : upTo(60), width: i % 7 === 0 ? box.width : upTo(60) };
    const target: Pixels = { data: new Uint8Array(new SharedArrayBuffer(60 * 60 * 3)), offset: 0, height: upTo(of.height), width: upTo(of.width), channels: 3 };
    const cutout = { of, top: draws.integer(of.height - target.height + 1), left: draws.integer(of.width - target.width + 1) };
    resizeBicubic(source, { ...box, top: draws.integer(height - box.height + 1), left: draws.integer(width - box.width + 1) }, target, cutout);
    return sha256(target.data);
  });
}

/** Of six epochs: each image is cropped, flipped and recoloured in several ways. */
const STEPS = Array.from({ length: 12 }, (_, step) => step);

let home: string, plan: BatchPlan;
let before: { readonly files: unknown[]; readonly resizes: string[]; readonly batches: readonly (readonly [images: string, student: string])[] };

const bytesOf = ({ images, studentImages }: Pick<ReturnType<typeof makeBatch>, 'images' | 'studentImages'>): [string, string] => [sha256(images), sha256(studentImages!)];

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'native-'));
  const root = join(home, 'photos');
  for (const folder of ['train/ant', 'train/bee', 'val/ant', 'val/bee']) {
    mkdirSync(join(root, folder), { recursive: true });
    for (const file of SOUND) cpSync(join(FILES, file), join(root, folder, file));
  }
  await buildIndex(root, home, {}, () => undefined);
  rememberFolder('photos', root, home);
  const spec = dataSpec.parse({ name: 'folder', folder: 'photos', classes: 2, train: 12, validation: 0, test: 12 });
  const { train } = openDataset(spec, home, [24, 20]);
  const augment = { crop: { scale: [0.2, 1], ratio: [3 / 4, 4 / 3] }, flip: true, studentJitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4 } } as const;
  plan = { set: train, batchSize: 5, seed: 3, augment, withLabels: false };
  before = { files: jpegs.map(decoded), resizes: resizes(), batches: STEPS.map(step => bytesOf(makeBatch(plan, step))) };
  expect(nativeImages()).toBeUndefined();
  await loadEngine({ device: 'cpu', threads: 1 });
});
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

describe('with the native engine', () => {
  it('TensorFlow decodes sound JPEG files', () => {
    const native = nativeImages()!;
    for (const name of SOUND) {
      const file = readFileSync(join(FILES, name)),
        { data } = decodeImage(file);
      const pixels = new Uint8Array(data.length);
      expect(native.decodeJpeg(file, pixels), name).toBe(true);
      expect(Buffer.compare(pixels, data)).toBe(0);
    }
  });

  it('says no where it would not: of a file that is none, and of pixels that are not so many', () => {
    const native = nativeImages()!;
    expect(native.decodeJpeg(readFileSync(join(FILES, 'text.jpg')), new Uint8Array(300))).toBe(false);
    expect(native.decodeJpeg(readFileSync(join(FILES, 'rgb.jpg')), new Uint8Array(300))).toBe(false);
  });

  it.each(jpegs.map((name, i) => [name, i] as const))('%s is decoded to the same pixels, or refused for the same reason', (name, i) => {
    expect(decoded(name)).toEqual(before.files[i]);
  });

  it('wrong data become pixels of some kind', () => {
    expect(decoded(GUESSED)).toMatchObject({ height: 43, width: 61 });
  });

  it('images are resized to the same bytes', () => {
    expect(resizes()).toEqual(before.resizes);
  });

  it('threads of a loader make the same batches', async () => {
    const loader = createLoader({ ...plan, startStep: 0, endStep: STEPS.length, threads: 2 });
    try {
      for (const expected of before.batches) expect(bytesOf(await loader.next())).toEqual(expected);
    } finally {
      await loader.close();
    }
  });
});
