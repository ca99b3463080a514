/** Our side of the race of loaders: a folder, its batches from as many threads as asked for, and decoding alone. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEngine } from '../../../src/engine/backend.ts';
import type { Augment } from '../../../src/tinymim/data/batch.ts';
import { openDataset, type Dataset } from '../../../src/tinymim/data/dataset.ts';
import { buildIndex } from '../../../src/tinymim/data/folder/build.ts';
import { rememberFolder } from '../../../src/tinymim/data/folder/known.ts';
import { imageAt, takeImages } from '../../../src/tinymim/data/image-set.ts';
import { createLoader } from '../../../src/tinymim/data/loader.ts';
import { serve } from '../race/peer.ts';
import type { DecodeRequest, LoadRequest, OpenRequest } from './sides.ts';

let dataset: Dataset, request: OpenRequest;

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

async function open(asked: OpenRequest): Promise<object> {
  request = asked;
  await loadEngine({ device: 'cpu', threads: 1 }); // as in a worker that trains: its library decodes
  const dataDir = mkdtempSync(join(tmpdir(), 'loader-'));
  rememberFolder('photos', asked.folder, dataDir);
  const { classes, train, test } = await buildIndex(asked.folder, dataDir, {}, () => undefined);
  dataset = openDataset({ name: 'folder', folder: 'photos', classes: classes.length, train: sum(train!.images), validation: 0, test: sum(test!.images), mean: [1, 1, 1], std: [1, 1, 1] }, dataDir);
  return {};
}

const training: Augment = { crop: { scale: [0.2, 1], ratio: [3 / 4, 4 / 3] }, flip: true };
const AUGMENT = { training, distillation: { ...training, studentJitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4 } }, evaluation: {} } as const;

/** Seconds that `batches` take to come after the first `warm` of them. */
async function load({ task, warm, batches }: LoadRequest): Promise<object> {
  const isTest = task === 'evaluation';
  const loader = createLoader({
    set: isTest ? repeated(warm + batches) : dataset.train,
    batchSize: request.batch,
    seed: 0,
    augment: AUGMENT[task],
    withLabels: true,
    ...(isTest && { evaluation: { resize: 256 } }),
    startStep: 0,
    endStep: warm + batches,
    threads: request.workers,
  });
  try {
    for (let step = 0; step < warm; step++) await loader.next();
    const started = performance.now();
    for (let step = 0; step < batches; step++) await loader.next();
    return { seconds: (performance.now() - started) / 1e3 };
  } finally {
    await loader.close();
  }
}

/** So many batches of images of the test. */
function repeated(batches: number): Dataset['test'] {
  const { test } = dataset;
  return takeImages(
    test,
    Array.from({ length: batches * request.batch }, (_, i) => i % test.count),
    test.name,
  );
}

/** Seconds for reading and decoding so many, without a thread. */
function decode({ images }: DecodeRequest): object {
  const started = performance.now();
  for (let i = 0; i < images; i++) imageAt(dataset.train, i % dataset.train.count);
  return { seconds: (performance.now() - started) / 1e3 };
}

serve({ open, load, decode });
