import { appendFileSync, chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { centralImage } from '../../../../src/tinymim/data/augment.ts';
import { fillBatch, emptyBatch, makeBatch, type BatchPlan } from '../../../../src/tinymim/data/batch.ts';
import { asOnThisMachine, notReady, openDataset, prepare } from '../../../../src/tinymim/data/dataset.ts';
import { buildIndex, type IndexOptions } from '../../../../src/tinymim/data/folder/build.ts';
import type { FolderIndex } from '../../../../src/tinymim/data/folder/index-file.ts';
import { folderVariable, indexPath, rememberedFolder, rememberFolder } from '../../../../src/tinymim/data/folder/known.ts';
import { evalBatches, imageAt, type EvalBatch } from '../../../../src/tinymim/data/image-set.ts';
import { createLoader, loadEvaluation } from '../../../../src/tinymim/data/loader.ts';
import { dataSpec, imageCount, type DataSpec } from '../../../../src/tinymim/data/spec.ts';

const FILES = join(import.meta.dirname, '../../../fixtures/decode');
const SOUND = ['rgb.jpg', '420.jpg', 'grey.jpg', 'cmyk.jpg', 'palette.png', 'png.JPEG'] as const;

let home: string, root: string, cache: string;
let said: string[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'folder-'));
  root = join(home, 'photos');
  cache = join(home, 'cache');
  said = [];
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

function put(path: string, file: string): void {
  const to = join(root, path);
  mkdirSync(dirname(to), { recursive: true });
  cpSync(join(FILES, file), to);
}

/** Three classes of as many images as there are sound files, and two for the test. */
function fill(test = 'val'): void {
  for (const name of ['ant', 'bee', 'cat']) {
    for (const file of SOUND) put(`train/${name}/${name}-${file}`, file);
    for (const file of SOUND.slice(0, 2)) put(`${test}/${name}/${name}-${file}`, file);
  }
}

type OfSplits = FolderIndex & Required<Pick<FolderIndex, 'train' | 'test'>>;
const index = (options: IndexOptions = {}): Promise<OfSplits> => buildIndex(root, cache, options, line => said.push(line)) as Promise<OfSplits>;
const spec = (more: object = {}): DataSpec => dataSpec.parse({ name: 'folder', folder: 'photos', classes: 3, train: 18, validation: 0, test: 6, ...more });
const known = async (options: IndexOptions = {}): Promise<FolderIndex> => {
  const made = await index(options);
  rememberFolder('photos', root, cache);
  return made;
};

/** Of three megabytes, which end as they should, with a camera's notes in front. */
function hugeJpeg(): Buffer {
  const small = readFileSync(join(FILES, 'rgb.jpg')),
    frame = small.indexOf(Buffer.from([0xff, 0xc0]));
  const notes = Buffer.alloc(60_000);
  notes.set([0xff, 0xe1, (notes.length - 2) >> 8, (notes.length - 2) & 255]);
  const file = Buffer.concat([small.subarray(0, 2), notes, small.subarray(2, -2), Buffer.alloc(3e6), small.subarray(-2)]);
  return (file.fill(0xff, notes.length + frame + 5, notes.length + frame + 9), file);
}

/** As a user whom permissions bind. */
async function asSomebody(work: () => Promise<unknown>): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid!(65534);
  try {
    await work();
  } finally {
    if (isRoot) process.seteuid!(0);
  }
}

describe('buildIndex', () => {
  it.each(['val', 'validation', 'test'])('finds classes and images, with %s as the test', async name => {
    fill(name);
    const { classes, train, test, validation, problems } = await index();
    expect(classes).toEqual(['ant', 'bee', 'cat']);
    expect([train.images, test, validation, problems]).toEqual([[6, 6, 6], { folder: name, images: [2, 2, 2] }, undefined, []]);
  });

  it('takes a split of its own for choosing', async () => {
    fill('test');
    for (const name of ['ant', 'bee', 'cat']) put(`val/${name}/1.jpg`, 'rgb.jpg');
    await known();
    const { validation, train } = openDataset(spec({ validation: 3 }), cache, [16, 16]);
    expect([validation.count, train.count]).toEqual([3, 18]);
  });

  it('follows torchvision: suffixes in any case, nested folders, links, names in any alphabet and encoding; what is hidden or no image it leaves', async () => {
    fill();
    put('train/ant/Thumbs.db', 'text.jpg');
    put('train/ant/._1.jpg', 'rgb.jpg');
    put('train/.cache/1.jpg', 'rgb.jpg');
    put('train/ant/deep/er/1.JPG', 'rgb.jpg');
    put('train/ant/蟻 と ñ.jpg', 'rgb.jpg');
    writeFileSync(Buffer.concat([Buffer.from(join(root, 'train/ant/')), Buffer.from([0x66, 0xff, 0xe9]), Buffer.from('.png')]), '');
    cpSync(join(FILES, 'rgb.png'), join(home, 'elsewhere.png'));
    symlinkSync(join(home, 'elsewhere.png'), join(root, 'train/bee/link.png'));
    mkdirSync(join(home, 'more'));
    cpSync(join(FILES, 'rgb.png'), join(home, 'more', 'a.png'));
    symlinkSync(join(home, 'more'), join(root, 'train/cat/linked'));
    const { train, others, problems } = await index();
    expect(train.images).toEqual([9, 7, 7]);
    expect(others).toEqual({ count: 2, some: ['train/ant/._1.jpg', 'train/ant/Thumbs.db'] });
    expect(problems.map(({ why }) => why)).toEqual(['it is empty']);
  });

  it('names what cannot be read', async () => {
    fill();
    put('train/ant/a.jpg', 'empty.jpg');
    put('train/ant/b.jpg', 'text.jpg');
    put('train/ant/d.jpg', 'half.jpg');
    put('train/ant/d.png', 'cut.png');
    put('train/ant/d.webp', 'cut.webp');
    put('train/ant/e.bmp', 'text.jpg');
    put('train/ant/e.tif', 'lzw.tif');
    put('train/ant/f.jpg', 'trailing.jpg');
    put('train/ant/g.jpg', 'unknown-marker.jpg');
    symlinkSync(join(home, 'nothing'), join(root, 'train/bee/dangling.jpg'));
    writeFileSync(join(root, 'train/bee/x.jpg'), '\0\0\0\x1cftypavif');
    execFileSync('mkfifo', [join(root, 'train/bee/y.jpg')]);
    put('train/cat/huge.png', 'huge.png');
    writeFileSync(join(root, 'train/cat/huge.jpg'), hugeJpeg());
    const { problems } = await index();
    expect(problems).toEqual([
      { path: 'train/ant/a.jpg', why: 'it is empty' },
      { path: 'train/ant/b.jpg', why: 'it is no image' },
      { path: 'train/ant/d.jpg', why: 'it is truncated' },
      { path: 'train/ant/d.png', why: 'it is truncated' },
      { path: 'train/ant/d.webp', why: 'it is damaged' },
      { path: 'train/ant/e.bmp', why: 'it is no image' },
      { path: 'train/ant/e.tif', why: 'it is a TIFF file with compression 5, which is not read here (convert it to PNG)' },
      { path: 'train/bee/dangling.jpg', why: 'it is a link to nothing' },
      { path: 'train/bee/x.jpg', why: 'it is an AVIF or HEIF file, which is not read here (convert it to PNG)' },
      { path: 'train/bee/y.jpg', why: 'it is no file' },
      { path: 'train/cat/huge.jpg', why: 'its 65535 x 65535 pixels are more than the 178,956,970 that an image may have' },
      { path: 'train/cat/huge.png', why: 'its 40000 x 40000 pixels are more than the 178,956,970 that an image may have' },
    ]);
    const verified = await index({ verify: true });
    const damaged = { path: 'train/ant/g.jpg', why: 'its data make no sense' };
    expect(verified.problems).toEqual([...problems, damaged].sort((a, b) => (a.path < b.path ? -1 : 1)));
    expect(verified.contents).toMatch(/^[0-9a-f]{64}$/);
  });

  it('has one fingerprint wherever the folder lies, another for other names, sizes, classes or files left out', async () => {
    fill();
    const before = (await index()).fingerprint;
    renameSync(root, join(home, 'moved'));
    root = join(home, 'moved');
    utimesSync(join(root, 'train/ant/ant-rgb.jpg'), 1, 1);
    expect((await index()).fingerprint).toBe(before);
    put('train/ant/more.jpg', 'empty.jpg');
    const more = (await index()).fingerprint,
      less = (await index({ leaveOut: true })).fingerprint;
    rmSync(join(root, 'train/ant/more.jpg'));
    appendFileSync(join(root, 'train/ant/ant-rgb.jpg'), 'x');
    const longer = (await index()).fingerprint;
    for (const split of ['train', 'val']) renameSync(join(root, split, 'ant'), join(root, split, 'ape'));
    expect(new Set([before, more, less, longer, (await index()).fingerprint]).size).toBe(5);
  });

  it('goes on where it was stopped, and lists anew what has changed since', async () => {
    fill();
    const whole = await index();
    const journal = `${indexPath(root, cache)}.partial`;
    // As a stopped run leaves it: a class that is done, with a file that is not there to be found again, and half of a line.
    const folders = whole.folders.filter(([path]) => path.endsWith('train/ant'));
    const kept = (of: readonly (readonly [string, number])[]): string => {
      const json = JSON.stringify({ split: 'train', name: 'ant', files: [{ name: 'remembered.jpg', bytes: 7 }], others: [], folders: of });
      return `${createHash('sha256').update(json).digest('hex')} ${json}\n`;
    };
    writeFileSync(journal, `${kept(folders)}{"split":"tr`);
    expect((await index()).train.images).toEqual([1, 6, 6]);
    for (const damaged of [kept([[folders[0]![0], 1]]), kept(folders).replace('remembered', 'remember3d'), kept(folders).slice(0, -9)]) {
      writeFileSync(journal, damaged);
      expect((await index()).train.images).toEqual([6, 6, 6]);
    }
  });

  it('goes on with listing and reading where it was stopped', async () => {
    fill();
    const file = indexPath(root, cache);
    mkdirSync(file, { recursive: true }); // in the way of the index, which comes last
    await expect(index({ verify: true })).rejects.toThrow(/^Expected to be able to write .*\.index2, got: E/);
    rmSync(file, { recursive: true });
    const path = join(root, 'train/ant/ant-rgb.jpg'),
      bytes = readFileSync(path);
    bytes[bytes.length - 3]! ^= 1;
    writeFileSync(path, bytes); // of which the times of no folder tell
    const goneOn = await index({ verify: true }),
      anew = await index({ verify: true });
    expect(anew.fingerprint).toBe(goneOn.fingerprint);
    expect(anew.contents).not.toBe(goneOn.contents);
  });

  it('is not hindered by another that indexes the same folder, and leaves nothing behind', async () => {
    fill();
    const [one, other] = await Promise.all([index(), index({ verify: true })]);
    expect(one.fingerprint).toBe(other.fingerprint);
    expect(readdirSync(join(cache, 'folders'))).toEqual([expect.stringMatching(/^[0-9a-f]{16}\.index2$/)]);
  });

  it('says what it may not read, and where it cannot write', async () => {
    fill();
    mkdirSync(cache);
    chmodSync(home, 0o755);
    chmodSync(cache, 0o555);
    chmodSync(join(root, 'train/ant/ant-rgb.jpg'), 0);
    await asSomebody(() => expect(index()).rejects.toThrow(/^Expected to be able to write .*cache.*, got: EACCES.*Free some space there, or name another folder for the cache: export TINYMIM_CACHE=/));
    chmodSync(cache, 0o777);
    await asSomebody(async () => {
      expect((await index()).problems).toEqual([{ path: 'train/ant/ant-rgb.jpg', why: 'it may not be read by this user' }]);
    });
    chmodSync(join(root, 'train/bee'), 0);
    await asSomebody(() => expect(index()).rejects.toThrow(/^Expected to be able to list .*train\/bee, got: EACCES.*Let this user read it \(chmod -R a\+rX\), or move it away\.$/));
    chmodSync(join(root, 'train/bee'), 0o755);
  });

  it('says that the disk is full', async () => {
    fill();
    mkdirSync(join(cache, 'folders'), { recursive: true });
    symlinkSync('/dev/full', `${indexPath(root, cache)}.partial`);
    await expect(index()).rejects.toThrow(/^Expected to be able to write .*\.partial, got: ENOSPC.*Free some space there/);
  });

  it.each<[string, () => void, RegExp]>([
    ['nothing', () => undefined, /^Expected a folder with train\/<class>\/\.\.\. and val\/<class>\/\.\.\., got nothing at/],
    ['no train', () => put('val/ant/1.jpg', 'rgb.jpg'), /^Expected a folder train\/<class>\/\.\.\. in .*, got val\.$/],
    ['no test', () => put('train/ant/1.jpg', 'rgb.jpg'), /^Expected a folder val\/<class>\/\.\.\., validation\/<class>\/\.\.\. or test\/<class>\/\.\.\. in .*, got train\.$/],
    [
      'a flat val',
      () => {
        put('train/ant/1.jpg', 'rgb.jpg');
        put('val/1.jpg', 'rgb.jpg');
      },
      /^Expected a folder for each class in .*val, got its images without any\. Sort them into val\/<class>\/\.\.\., .* valprep\.sh/,
    ],
    [
      'other classes',
      () => {
        fill();
        put('val/dog/1.jpg', 'rgb.jpg');
      },
      /^Expected the same classes in train and val of .*, got 3 and 4; 1 stand in one of them alone, such as dog\.$/,
    ],
    [
      'an empty class',
      () => {
        fill();
        mkdirSync(join(root, 'train/dog'));
        put('val/dog/1.jpg', 'rgb.jpg');
      },
      /^Expected images in every folder of a class in .*, got none in 1, such as train\/dog\.$/,
    ],
    [
      'a folder within itself',
      () => {
        fill();
        symlinkSync(join(root, 'train'), join(root, 'train/ant/loop'));
      },
      /^Expected .* to hold images, got a link to a folder that it is in\./,
    ],
  ])('refuses %s', async (_, make, message) => {
    make();
    await expect(index()).rejects.toThrow(message);
  });
});

describe('notReady', () => {
  it('asks for the folder, for its index, and for a new one when it has changed', async () => {
    fill();
    expect(notReady(spec(), cache)).toEqual({
      what: 'Expected the folder of photos, got none: nobody has said where it lies, with this command or with PHOTOS_DIR=/path/to/folder',
      mend: ['setup', '--data', 'photos=/path/to/folder'],
    });
    rememberFolder('photos', root, cache);
    expect(notReady(spec(), cache)?.what).toMatch(/^Expected an index of photos in .*photos \(ablate setup\), got none$/);
    await index();
    expect(notReady(spec(), cache)).toBeUndefined();
    put('train/ant/more.jpg', 'rgb.jpg');
    expect(notReady(spec(), cache)).toMatchObject({ what: expect.stringMatching(/train\/ant to be as it was when/) as string, mend: ['setup', '--data', 'photos'] });
    put('train/ant/odd.jpg', 'empty.jpg');
    await index({ leaveOut: true, verify: true });
    put('train/dog/1.jpg', 'rgb.jpg');
    expect(notReady(spec(), cache)).toMatchObject({ what: expect.stringMatching(/photos\/train to be as it was when/) as string, mend: ['setup', '--data', 'photos', '--leave-out', '--verify'] });
    rmSync(root, { recursive: true });
    expect(notReady(spec(), cache)?.what).toMatch(/got a folder that has changed or is gone$/);
  });

  it('takes the folder from a variable', async () => {
    fill();
    await index();
    expect(folderVariable('my-photos.2')).toBe('MY_PHOTOS_2_DIR');
    process.env['PHOTOS_DIR'] = root;
    try {
      expect(notReady(spec(), cache)).toBeUndefined();
    } finally {
      delete process.env['PHOTOS_DIR'];
    }
  });

  it('compares the counts, which for ImageNet are those of ILSVRC 2012', async () => {
    fill();
    await known();
    rememberFolder('imagenet1k', root, cache);
    const paper = notReady(dataSpec.parse({ name: 'imagenet1k' }), cache)!.what;
    expect(paper).toMatch(/^Expected ImageNet-1K with 1,000 classes, 1,281,167 training images, 50,000 test images, got 3, 18, 6 in /);
    expect(paper).toMatch(/with --set data\.classes=3 --set data\.train=18 --set data\.test=6$/);
    expect(notReady(dataSpec.parse({ name: 'imagenet1k', classes: 3, train: 18, test: 6 }), cache)).toBeUndefined();
    expect(notReady(spec({ train: 12, validation: 6 }), cache)).toBeUndefined();
    expect(notReady(spec({ train: 18, validation: 6 }), cache)?.what).toMatch(/24 training images \(6 of them held out\), got 18 /);
  });

  it('does not begin with images that cannot be read, unless they are left out', async () => {
    fill();
    put('train/ant/z.jpg', 'empty.jpg');
    await known();
    expect(notReady(spec({ train: 19 }), cache)).toEqual({
      what: expect.stringMatching(/got 1 that cannot be read:\n {2}.*train\/ant\/z\.jpg: it is empty\nReplace them/) as string,
      mend: ['setup', '--data', 'photos', '--leave-out'],
    });
    const { leftOut } = await index({ leaveOut: true });
    expect(leftOut).toEqual([{ path: 'train/ant/z.jpg', why: 'it is empty' }]);
    expect(notReady(spec(), cache)).toBeUndefined();
  });

  it('fills in the fingerprint of what is here, and refuses another than the one named', async () => {
    fill();
    const { fingerprint } = await known();
    expect(asOnThisMachine(spec(), () => cache)).toEqual({ ...spec(), fingerprint });
    expect(asOnThisMachine(spec({ fingerprint: 'a'.repeat(64) }), () => cache)).toMatchObject({ fingerprint: 'a'.repeat(64) });
    expect(notReady(spec({ fingerprint: 'a'.repeat(64) }), cache)?.what).toMatch(/fingerprint aaaaaaaaaaaa of classes, names and sizes, got /);
    expect(notReady(spec({ fingerprint }), cache)).toBeUndefined();
  });

  it('knows a folder that was verified by its contents, too', async () => {
    fill();
    const { fingerprint, contents } = await known({ verify: true });
    expect(asOnThisMachine(spec(), () => cache)).toEqual({ ...spec(), fingerprint, contents });
    expect(asOnThisMachine(spec({ fingerprint }), () => cache)).toEqual({ ...spec(), fingerprint });
    expect(notReady(spec({ contents }), cache)).toBeUndefined();
    expect(notReady(spec({ contents: 'b'.repeat(64) }), cache)).toEqual({
      what: expect.stringMatching(/^Expected photos with the SHA-256 bbbbbbbbbbbb of all contents, got [0-9a-f]{12} in .*photos, where files have other contents$/) as string,
      mend: ['setup', '--data', 'photos', '--verify'],
    });
    await index();
    expect(asOnThisMachine(spec(), () => cache)).toEqual({ ...spec(), fingerprint });
    expect(notReady(spec({ contents }), cache)?.what).toMatch(/got a folder whose contents nobody has verified, /);
  });
});

describe('prepare', () => {
  const inVariable = async (path: string, work: () => Promise<void>): Promise<void> => {
    process.env['PHOTOS_DIR'] = path;
    try {
      await work();
    } finally {
      delete process.env['PHOTOS_DIR'];
    }
  };
  const prepared = (): Promise<void> => prepare(spec(), cache, line => said.push(line));

  it('indexes a folder that is known, once, says what it found, and remembers where a variable said it lies', async () => {
    fill();
    put('train/ant/Thumbs.db', 'text.jpg');
    await prepared();
    expect(said).toEqual([]); // nobody has said where it lies
    await inVariable(`${root}/`, prepared);
    expect(said).toEqual([
      expect.stringMatching(/^Indexing .*photos, which is done once/),
      `Data: photos in ${root}: 3 classes, 18 images in train (train), 6 images in val (test).`,
      'No images, and not used: 1 other files, such as train/ant/Thumbs.db.',
      expect.stringMatching(/^Fingerprint of classes, names and sizes: [0-9a-f]{64}$/),
    ]);
    expect(rememberedFolder('photos', cache)).toBe(root);
    await prepared();
    await inVariable(root, prepared);
    expect(said).toHaveLength(4);
    expect(notReady(spec(), cache)).toBeUndefined();
  });

  it('leaves what was told alone, and what has changed to a person', async () => {
    fill();
    const other = join(home, 'other');
    cpSync(root, other, { recursive: true });
    rememberFolder('photos', root, cache);
    await inVariable(other, prepared);
    expect(rememberedFolder('photos', cache)).toBe(root);
    await prepared();
    put('train/ant/more.jpg', 'rgb.jpg');
    said = [];
    await prepared();
    expect(said).toEqual([]);
  });

  it('says what is wrong with where it was told to look', async () => {
    await expect(inVariable(join(home, 'nowhere'), prepared)).rejects.toThrow(/^Expected a folder with train\/<class>\/\.\.\. and val\/<class>\/\.\.\., got nothing at .*nowhere\.$/);
    expect(rememberedFolder('photos', cache)).toBeUndefined();
  });
});

describe('counts of ImageNet', () => {
  it('are those of all images, less what is held out', async () => {
    const paper = dataSpec.parse({ name: 'imagenet1k' }),
      held = dataSpec.parse({ name: 'imagenet1k', validation: 50_000 });
    const counts = (of: DataSpec): number[] => (['train', 'validation', 'test'] as const).map(split => imageCount(of, split));
    expect([counts(paper), counts(held)]).toEqual([
      [1_281_167, 0, 50_000],
      [1_231_167, 50_000, 50_000],
    ]);
    fill();
    await known();
    rememberFolder('imagenet1k', root, cache);
    expect(notReady(held, cache)?.what).toMatch(/with 1,000 classes, 1,281,167 training images \(50,000 of them held out\), 50,000 test images, got/);
  });
});

describe('images of a folder', () => {
  const plan = (): BatchPlan => ({
    set: openDataset(spec(), cache, [16, 16]).train,
    batchSize: 9,
    seed: 3,
    augment: {
      crop: { scale: [0.2, 1], ratio: [3 / 4, 4 / 3] },
      flip: true,
      studentJitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4 },
      randAugment: { magnitude: 9, deviation: 0.5, layers: 2, probability: 0.5, fill: [124, 116, 104] },
      randomErase: 0.5,
    },
    withLabels: true,
  });

  it('have the labels of their folders and the pixels of their files', async () => {
    fill();
    await known();
    const { train, test } = openDataset(spec(), cache, [43, 61]);
    expect([...train.labels]).toEqual([0, 1, 2].flatMap(label => SOUND.map(() => label)));
    expect([...test.labels]).toEqual([0, 0, 1, 1, 2, 2]);
    const [first] = [...evalBatches(test, 4)];
    expect(Buffer.compare(first!.images.subarray(0, 43 * 61 * 3), imageAt(test, 0).data)).toBe(0);
    expect([...evalBatches(test, 4)].map(({ labels }) => labels.length)).toEqual([4, 2]);
  });

  it('are held out with balanced classes, never trained on', async () => {
    fill();
    await known();
    const { train, validation } = openDataset(spec({ train: 12, validation: 6 }), cache, [16, 16]);
    expect([...validation.labels].sort()).toEqual([0, 0, 1, 1, 2, 2]);
    const rows = [...train.files!.rows, ...validation.files!.rows];
    expect(new Set(rows).size).toBe(18);
  });

  it('come in the same batches for any number of threads, in any parts, from any step on', async () => {
    fill();
    await known();
    const expected = [0, 1, 2, 3].map(step => makeBatch(plan(), step));
    expect(Buffer.compare(expected[0]!.images, expected[0]!.studentImages!)).not.toBe(0);
    for (const [threads, startStep] of [
      [1, 0],
      [3, 2],
    ] as const) {
      const loader = createLoader({ ...plan(), threads, startStep, endStep: 4 });
      for (let step = startStep; step < 4; step++) expect(await loader.next()).toEqual(expected[step]);
      await loader.close();
    }
    const parts = emptyBatch(plan(), 2);
    for (const [from, to] of [
      [5, 9],
      [0, 1],
      [1, 5],
    ] as const) {
      fillBatch(plan(), parts, from, to);
    }
    expect(parts).toEqual(expected[2]);
  });

  it('are evaluated in their order, by any number of threads, each as it is alone', async () => {
    fill();
    await known();
    const { test } = openDataset(spec(), cache, [16, 16]);
    const loaded: EvalBatch[] = [];
    for await (const batch of loadEvaluation(test, 4)) loaded.push(batch);
    expect(loaded).toEqual([...evalBatches(test, 4)]);
    const cropped: EvalBatch[] = [];
    for await (const batch of loadEvaluation(test, 6, 20)) cropped.push(batch);
    const alone = { data: new Uint8Array(16 * 16 * 3), offset: 0, height: 16, width: 16, channels: 3 };
    centralImage(imageAt(test, 5), alone, 20);
    expect(cropped).toHaveLength(1);
    expect(Buffer.compare(cropped[0]!.images.subarray(5 * 768), alone.data)).toBe(0);
    expect(Buffer.compare(cropped[0]!.images, Buffer.concat(loaded.map(({ images }) => images)))).not.toBe(0);
  });

  it('end a training with the path of a file that cannot be read, or is not what it was', async () => {
    fill();
    put('train/ant/z.jpg', 'unknown-marker.jpg');
    await known();
    const { train } = openDataset(spec({ train: 19 }), cache, [16, 16]);
    const at = (index: number) => () => imageAt(train, index);
    expect(at(6)).toThrow(/train\/ant\/z\.jpg: Expected an image, but its data make no sense\. To find all such files: npx ablate setup --data photos --verify; to leave them out/);
    appendFileSync(join(root, 'train/ant/ant-rgb.jpg'), 'x');
    rmSync(join(root, 'train/bee/bee-rgb.jpg'));
    const found = Array.from({ length: train.count }, (_, i) => i).flatMap(i => {
      try {
        imageAt(train, i);
        return [];
      } catch (error) {
        return [(error as Error).message];
      }
    });
    expect(found).toHaveLength(3);
    expect(found.join('\n')).toMatch(/ant-rgb\.jpg: Expected an image, but it has \d+ bytes and had \d+ when its folder was indexed\. To index it again: npx ablate setup --data photos/);
    expect(found.join('\n')).toMatch(/bee-rgb\.jpg: Expected an image, but it cannot be read: ENOENT/);
  });

  it('are found again where an index is damaged: it is made anew', async () => {
    fill();
    await known();
    writeFileSync(indexPath(root, cache), 'nonsense\n');
    expect(notReady(spec(), cache)?.what).toMatch(/^Expected an index/);
  });
});
