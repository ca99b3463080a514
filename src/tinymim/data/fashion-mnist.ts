/**
 * Fashion-MNIST: 28x28 grey photographs of products in ten balanced classes, 60,000 for training and 10,000 for the test.
 * Source: Xiao, Rasul, Vollgraf, arXiv:1708.07747; repository zalandoresearch/fashion-mnist. MIT licence.
 */
import { join } from 'node:path';
import { stream } from '../../engine/random/rng.ts';
import { DataError } from './errors.ts';
import { ensureFiles, filesStatus, readKnownFile, type FilesStatus, type KnownFile, type PrintLine, type Source } from './files.ts';
import { parseIdx } from './idx.ts';
import { allocateImageSet, balancedIndices, takeImages, type ImageSet } from './image-set.ts';
import { debianSource, folderSource, webSource } from './sources.ts';
import { FASHION_CLASSES, imageCount } from './spec.ts';

/** SHA-256 of the unpacked files as Debian ships them (0.0~git20200523.55506a9-1). */
const FILES = {
  trainImages: { name: 'train-images-idx3-ubyte', bytes: 47_040_016, sha256: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888' },
  trainLabels: { name: 'train-labels-idx1-ubyte', bytes: 60_008, sha256: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9' },
  testImages: { name: 't10k-images-idx3-ubyte', bytes: 7_840_016, sha256: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b' },
  testLabels: { name: 't10k-labels-idx1-ubyte', bytes: 10_008, sha256: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34' },
} as const satisfies Record<string, KnownFile>;

const ADDRESS = 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com';
const MEGABYTES = 31;
const VARIABLE = 'FASHION_MNIST_DIR';

const FASHION_MNIST_MEND = 'Run `npx ablate setup`.';
const MEND_FETCH = `Mend one of them and run \`npx ablate setup\`; or put the four .gz files of the publisher into a folder and name it: ` + `${VARIABLE}=/path/to/folder npx ablate setup`;

const folder = (dataDir: string): string => join(dataDir, 'fashion-mnist');

export interface FashionMnistStatus extends FilesStatus {
  /** What to do about it, unless all is well. */
  readonly mend?: string;
}

/** Whether the files are there and unharmed. Reads all of them: about 0.1 s. */
export function fashionMnistStatus(dataDir: string): FashionMnistStatus {
  const status = filesStatus(folder(dataDir), Object.values(FILES));
  return status.state === 'present' ? status : { ...status, mend: FASHION_MNIST_MEND };
}

/**
 * Makes sure that `<dataDir>/fashion-mnist` holds the four files: from the folder `$FASHION_MNIST_DIR` where that is set, else from
 * the Debian package, else from the publisher. Costs 31 MB of download once, and 55 MB of disk.
 * @param say takes lines that tell a person what happens
 * @throws DataError `DATA_FETCH`
 */
export async function ensureFashionMnist(dataDir: string, say: PrintLine, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  await ensureFiles(folder(dataDir), Object.values(FILES), fashionMnistSources(env), MEND_FETCH, say);
}

function fashionMnistSources(env: NodeJS.ProcessEnv): Source[] {
  const given = env[VARIABLE];
  return [
    ...(given ? [folderSource(VARIABLE, given)] : []),
    debianSource({ name: 'dataset-fashion-mnist', folder: 'usr/share/datasets/fashion-mnist', megabytes: MEGABYTES }),
    webSource('Publisher', ADDRESS, MEGABYTES),
  ];
}

/**
 * The official split, with 5,000 training images (500 of each class, always the same) held out for validation.
 * @throws DataError `DATA_MISSING`, `DATA_DAMAGED`
 */
export function openFashionMnist(dataDir: string): { train: ImageSet; validation: ImageSet; test: ImageSet } {
  const dir = folder(dataDir);
  const read = (file: KnownFile): Uint8Array => readKnownFile(dir, file, FASHION_MNIST_MEND);
  const official = joinIdx('fashion-mnist/train', read(FILES.trainImages), read(FILES.trainLabels), FASHION_CLASSES);
  const test = joinIdx('fashion-mnist/test', read(FILES.testImages), read(FILES.testLabels), FASHION_CLASSES);
  return { ...holdOut(official, imageCount({ name: 'fashion-mnist' }, 'validation')), test };
}

/** Splits off `count` images with balanced classes, always the same ones. @internal */
export function holdOut(official: ImageSet, count: number): { train: ImageSet; validation: ImageSet } {
  const order = stream(0, 'fashion-mnist/validation', 0).permutation(official.count);
  const validation = balancedIndices(official, count, order);
  const held = new Set(validation);
  return {
    train: takeImages(official, order.filter(index => !held.has(index)).sort(), 'fashion-mnist/train'),
    validation: takeImages(official, validation, 'fashion-mnist/validation'),
  };
}

/**
 * Grey images from idx files of `[N, H, W]` images and `[N]` labels.
 * @throws DataError `DATA_INVALID` where they do not belong together
 * @internal
 */
export function joinIdx(name: string, images: Uint8Array, labels: Uint8Array, classes: readonly string[]): ImageSet {
  const pictures = parseIdx(images, `${name} images`),
    numbers = parseIdx(labels, `${name} labels`);
  const [count, height, width] = pictures.shape;
  if (pictures.shape.length !== 3 || count === undefined || height === undefined || width === undefined) {
    throw new DataError('DATA_INVALID', `Expected ${name} images of shape [N, H, W], got [${pictures.shape.join()}].`);
  }
  if (numbers.shape.length !== 1 || numbers.shape[0] !== count) {
    throw new DataError('DATA_INVALID', `Expected ${name} labels of shape [${count}], one for each image, got [${numbers.shape.join()}].`);
  }
  const wrong = numbers.data.find(label => label >= classes.length);
  if (wrong !== undefined) throw new DataError('DATA_INVALID', `Expected ${name} labels below ${classes.length}, got ${wrong}.`);
  const set = allocateImageSet({ name, count, height, width, channels: 1, classes });
  set.images.set(pictures.data);
  set.labels.set(numbers.data);
  return set;
}
