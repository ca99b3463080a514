/** Tensors and images: safetensors, idx, and files with a known sum. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { decodeImage } from '../../src/tinymim/data/decode/decode.ts';
import { DecodeError } from '../../src/tinymim/data/decode/errors.ts';
import { DataError } from '../../src/tinymim/data/errors.ts';
import { joinIdx } from '../../src/tinymim/data/fashion-mnist.ts';
import { filesStatus, readKnownFile, type KnownFile } from '../../src/tinymim/data/files.ts';
import { buildIndex } from '../../src/tinymim/data/folder/build.ts';
import { readIndex, type FolderIndex } from '../../src/tinymim/data/folder/index-file.ts';
import { indexPath } from '../../src/tinymim/data/folder/known.ts';
import { gunzip, IdxError, isGzip, parseIdx, type IdxArray } from '../../src/tinymim/data/idx.ts';
import type { Pixels } from '../../src/tinymim/data/resize.ts';
import { bytesInMemory } from '../../src/engine/formats/bytes.ts';
import { ARRAY_OF } from '../../src/engine/formats/dtype.ts';
import { CheckpointError } from '../../src/engine/formats/pytorch/error.ts';
import { parseSafetensors, serializeSafetensors, type SafetensorsContent, type StoredTensor } from '../../src/engine/formats/safetensors.ts';
import { SafetensorsError } from '../../src/engine/formats/safetensors-error.ts';
import { weightsIn } from '../../src/engine/formats/weight-file.ts';
import { readWeights, type Weights } from '../../src/engine/formats/weights.ts';
import { textOf, treeOf } from './tree.ts';
import type { Codec } from './damage.ts';
import { Fault, fileFormat, type FileSubject, type Format } from './fuzz.ts';
import { room } from './room.ts';

/** The header of a safetensors file, whose length follows what becomes of it. */
const safetensorsHeader: Codec = {
  read(bytes) {
    if (bytes.length < 8) return undefined;
    const length = bytes.readBigUInt64LE();
    if (length > 50_000n) return undefined;
    try {
      return treeOf(JSON.parse(bytes.subarray(8, 8 + Number(length)).toString('utf8')));
    } catch {
      return undefined;
    }
  },
  write(tree, bytes) {
    const header = Buffer.from(textOf(tree)),
      start = Buffer.alloc(8);
    start.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([start, header, bytes.subarray(8 + Number(bytes.readBigUInt64LE()))]);
  },
};

const floats = (...shape: number[]): StoredTensor => ({ dtype: 'F32', shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i / 7) });

const TENSORS: readonly Buffer[] = [
  new Map<string, StoredTensor>([
    ['blocks.0.attn.qkv.weight', floats(6, 2)],
    ['norm.bias', floats(3)],
    ['cls_token', floats(1, 1, 2)],
    ['empty', floats(0, 4)],
    ['scalar', floats()],
    ['half', { dtype: 'BF16', shape: [4], data: Uint16Array.of(1, 2, 3, 4) }],
    ['step', { dtype: 'I64', shape: [1], data: BigInt64Array.of(5n) }],
    ['mask', { dtype: 'BOOL', shape: [3], data: Uint8Array.of(0, 1, 1) }],
  ]),
  new Map<string, StoredTensor>([
    ['head.weight', floats(2, 3)],
    ['__proto__', floats(2)],
  ]),
  new Map<string, StoredTensor>(),
].map((tensors, i) => Buffer.from(serializeSafetensors(tensors, i === 1 ? {} : { format: 'pt', note: 'h\u00f6her' })));

const elements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

function checkTensors({ tensors }: SafetensorsContent): void {
  for (const [name, { dtype, shape, data }] of tensors) {
    if (!(data instanceof ARRAY_OF[dtype]) || data.length !== elements(shape)) throw new Fault(`Expected ${name} to hold ${elements(shape)} elements of ${dtype}, got ${data.length}`);
  }
}

const safetensors = fileFormat('safetensors', (): FileSubject<SafetensorsContent> => ({
  samples: TENSORS,
  codec: safetensorsHeader,
  read: bytes => parseSafetensors(bytes),
  own: [SafetensorsError],
  check(content, bytes) {
    checkTensors(content);
    const total = [...content.tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    if (total !== bytes.length - 8 - Number(bytes.readBigUInt64LE())) throw new Fault(`Expected every byte to belong to a tensor, got ${total} bytes of tensors in ${bytes.length}`);
  },
}));

const weights = fileFormat('safetensors as weights', (): FileSubject<Weights> => {
  const dir = room(),
    path = join(dir, 'model.safetensors');
  return {
    samples: [
      Buffer.from(
        serializeSafetensors(
          new Map([
            ['a', floats(2, 3)],
            ['b', floats(4)],
          ]),
        ),
      ),
      ...TENSORS,
    ],
    codec: safetensorsHeader,
    plant: bytes => {
      writeFileSync(path, bytes);
      return true;
    },
    read: () => readWeights(path),
    own: [SafetensorsError],
    check(found) {
      for (const [name, { shape, data }] of Object.entries(found)) {
        if (!(data instanceof Float32Array) || data.length !== elements(shape)) throw new Fault(`Expected ${name} to hold ${elements(shape)} floats, got ${data.length}`);
      }
    },
    close: () => rmSync(dir, { recursive: true }),
  };
});

const checkpoint = (name: string): Buffer => readFileSync(new URL(`../fixtures/checkpoints/${name}`, import.meta.url));

/** All tensors of a file, each read. */
function readCheckpoint(bytes: Buffer): SafetensorsContent['tensors'] {
  const { tensors } = weightsIn(bytesInMemory(bytes, 'file'));
  return new Map([...tensors].map(([tensor, source]) => [tensor, source.read()]));
}

const pytorch = (name: string, samples: readonly string[]) =>
  fileFormat(name, (): FileSubject<SafetensorsContent['tensors']> => ({
    samples: samples.map(checkpoint),
    read: readCheckpoint,
    own: [CheckpointError, SafetensorsError],
    check: tensors => {
      checkTensors({ tensors, metadata: {} });
    },
  }));

const zip = pytorch('PyTorch (zip)', ['small.pth', 'dtypes.pt', 'evil_stride.pth']),
  legacy = pytorch('PyTorch (legacy)', ['small_legacy.pth', 'dtypes_legacy.pt', 'evil_eval_legacy.pth']);

/** An idx file of such a shape. */
function idxFile(shape: readonly number[], element: (i: number) => number): Buffer {
  const sizes = Buffer.alloc(4 * shape.length);
  shape.forEach((size, i) => sizes.writeUInt32BE(size, 4 * i));
  return Buffer.concat([Buffer.from([0, 0, 8, shape.length]), sizes, Buffer.from(Array.from({ length: elements(shape) }, (_, i) => element(i)))]);
}

const IMAGES = idxFile([4, 5, 3], i => i * 3),
  LABELS = idxFile([4], i => i);
const CLASSES = ['a', 'b', 'c', 'd', 'e'];

/** What is accepted, written again, gives the bytes that were read. */
function checkIdx({ shape, data }: IdxArray, bytes: Buffer): void {
  const plain = isGzip(bytes) ? gunzip(bytes, 'file') : bytes;
  if (!idxFile(shape, i => data[i]!).equals(plain)) throw new Fault(`Expected an array of shape [${shape.join()}] to be what the file says, got another`);
}

const idx = fileFormat('idx', (): FileSubject<IdxArray> => ({
  samples: [IMAGES, LABELS, idxFile([], () => 7), idxFile([0, 3], () => 0)],
  read: bytes => parseIdx(bytes, 'file'),
  own: [IdxError],
  check: checkIdx,
}));

/** Checked by its own checksum, so that what is accepted is one of the files that were packed: parts of several are none. */
const idxGzipped = fileFormat('idx, gzipped', (): FileSubject<IdxArray> => {
  const samples = [IMAGES, LABELS, idxFile([9], i => 255 - i)].map(file => gzipSync(file));
  const packed = samples.map(file => parseIdx(file, 'file'));
  return {
    samples,
    read: bytes => parseIdx(bytes, 'file'),
    own: [IdxError],
    check(found, bytes) {
      checkIdx(found, bytes);
      if (isGzip(bytes) && !packed.some(whole => isDeepStrictEqual(whole, found))) throw new Fault(`Expected damage to be detected, got an array of shape [${found.shape.join()}]`);
    },
  };
});

const imageSet = fileFormat('idx as labelled images', (): FileSubject<unknown> => ({
  samples: [LABELS, idxFile([5], i => i), IMAGES],
  read: bytes => joinIdx('set', IMAGES, bytes, CLASSES),
  own: [IdxError, DataError],
}));

const knownFile = fileFormat('data file with a known sum', (): FileSubject<Uint8Array> => {
  const dir = room();
  const file: KnownFile = { name: 'images', bytes: IMAGES.length, sha256: createHash('sha256').update(IMAGES).digest('hex') };
  return {
    samples: [IMAGES, LABELS],
    sealed: true,
    plant: bytes => {
      writeFileSync(join(dir, file.name), bytes);
      return true;
    },
    read: () => readKnownFile(dir, file, 'Run make setup.'),
    own: [DataError],
    check: (_, bytes) => {
      if (filesStatus(dir, [file]).state === 'present' && !bytes.equals(IMAGES)) throw new Fault('Expected the file to be reported as damaged, got present');
    },
    close: () => rmSync(dir, { recursive: true }),
  };
});

const picture = (name: string, ...samples: readonly string[]) =>
  fileFormat(name, (): FileSubject<Pixels> => ({
    samples: samples.map(decodeFixture),
    read: decodeImage,
    own: [DecodeError],
    check({ data, height, width, channels }) {
      if (channels !== 3 || data.length !== height * width * 3) throw new Fault(`Expected three bytes for each of ${width} x ${height} pixels, got ${data.length}`);
    },
  }));

const decodeFixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/decode/${name}`, import.meta.url));

const pictures = [
  picture('JPEG', 'rgb.jpg', 'progressive.jpg', 'cmyk.jpg', 'exif-rotated.jpg'),
  picture('PNG', 'palette-4.png', 'interlaced-11x13.png', 'rgba-16.png'),
  picture('GIF', 'transparent.gif', 'interlaced.gif'),
  picture('WebP', 'moving-corner.webp', 'lossless.webp', 'lossy.webp'),
  picture('BMP', '4.bmp', 'rle8.bmp', '565.bmp', 'fields-v5.bmp'),
  picture('PPM', 'plain.ppm', 'comments.ppm', '1000.pgm'),
  picture('TIFF', 'turned-6.tif', 'palette-4.tif', 'tiles.tif'),
];

/** A small folder of images, and a cache. */
function folderOfImages(): { root: string; cache: string; close: () => void } {
  const dir = room(),
    root = join(dir, 'images');
  for (const split of ['train', 'val']) {
    for (const name of ['ant', 'bee']) {
      mkdirSync(join(root, split, name), { recursive: true });
      for (const file of ['grey-2.png', 'grey-4.png']) writeFileSync(join(root, split, name, file), decodeFixture(file));
    }
  }
  return { root, cache: join(dir, 'cache'), close: () => rmSync(dir, { recursive: true }) };
}

const folderIndex = fileFormat('index of a folder of images', async (): Promise<FileSubject<FolderIndex | undefined>> => {
  const { root, cache, close } = folderOfImages();
  await buildIndex(root, cache, {}, () => undefined);
  const file = indexPath(root, cache);
  return {
    samples: [readFileSync(file)],
    sealed: true,
    plant: bytes => {
      writeFileSync(file, bytes);
      return true;
    },
    read: () => readIndex(file),
    own: [],
    isRefusal: index => index === undefined,
    close,
  };
});

/** Of an indexing that was stopped: what is damaged is found anew. */
const folderJournal = fileFormat('journal of an indexing', async (): Promise<FileSubject<FolderIndex>> => {
  const { root, cache, close } = folderOfImages();
  const index = indexPath(root, cache);
  mkdirSync(index, { recursive: true }); // in the way of the index, which comes last
  await buildIndex(root, cache, { verify: true }, () => undefined).catch(() => undefined);
  const journal = `${index}.partial`;
  const whole = readFileSync(journal);
  rmSync(index, { recursive: true });
  return {
    samples: [whole],
    sealed: true,
    plant: bytes => {
      writeFileSync(journal, bytes);
      return true;
    },
    read: () => buildIndex(root, cache, {}, () => undefined),
    own: [],
    close,
  };
});

export const DATA_FORMATS: readonly Format[] = [safetensors, weights, zip, legacy, idx, idxGzipped, imageSet, knownFile, ...pictures, folderIndex, folderJournal];
