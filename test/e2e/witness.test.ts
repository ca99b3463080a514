/** The second implementation, in PyTorch: its pieces against golden values of the official code and against ours, and a whole sweep of it. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa, execaNode } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { dataDir } from '../../src/setup/cache.ts';
import { applyJitter, type Adjustment } from '../../src/tinymim/data/color-jitter.ts';
import { openDataset, type Dataset } from '../../src/tinymim/data/dataset.ts';
import { imageAt, labelledSubset, unlabelledSubset, type ImageSet } from '../../src/tinymim/data/image-set.ts';
import { resizeBicubic } from '../../src/tinymim/data/resize.ts';
import { pytorchHere } from '../helpers/pytorch.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SOURCES = join(ROOT, 'src/tinymim/witness');
const torch = await pytorchHere();
const why = 'failure' in torch ? ` (left out: ${torch.failure})` : '';
const env = { ...('env' in torch ? torch.env : {}), OMP_NUM_THREADS: '1' };
const python = (args: readonly string[], more: Record<string, string> = {}) => execa('python3', ['-B', ...args], { env: { ...env, ...more }, reject: false });

interface Pieces {
  readonly values: Readonly<Record<string, number>>;
  readonly gradients: Readonly<Record<string, number>>;
  readonly stepped: Readonly<Record<string, number>>;
  readonly exact: Readonly<Record<string, boolean>>;
  readonly made: {
    readonly splits: Readonly<Record<string, readonly [images: string, labels: string]>>;
    readonly unlabelled: string;
    readonly mean: number;
    readonly std: number;
    readonly boxes: readonly (readonly [readonly [number, number, number, number], readonly number[]])[];
    readonly jitter: readonly (readonly [Adjustment, number, readonly number[]])[];
  };
}

describe.skipIf('failure' in torch)(`its pieces${why}`, () => {
  let pieces: Pieces;
  let data: Dataset;
  beforeAll(async () => {
    const { stdout, stderr, exitCode } = await python([join(import.meta.dirname, 'witness/pieces.py'), SOURCES, join(ROOT, 'test/fixtures'), dataDir()]);
    expect(exitCode, stderr).toBe(0);
    pieces = JSON.parse(stdout) as Pieces;
    data = openDataset({ name: 'fashion-mnist' }, dataDir());
  });

  const above = (found: Readonly<Record<string, number>>, limit: number) => Object.entries(found).filter(([, difference]) => !(difference <= limit));

  it('have the values, gradients and steps of the official code', () => {
    expect([Object.keys(pieces.values).length, Object.keys(pieces.gradients).length, Object.keys(pieces.stepped).length]).toEqual([26, 75, 136]);
    expect(above(pieces.values, 1e-5)).toEqual([]);
    expect(above(pieces.gradients, 2e-5)).toEqual([]);
    expect(above(pieces.stepped, 0.02)).toEqual([]);
    expect(pieces.exact).toEqual({ 'groups/depth12_decay0.65_global_pool': true, 'groups/depth12_decay0.75_global_pool': true });
  });

  it('see the images that ours see', () => {
    const hash = (array: Uint8Array | Uint16Array): string => createHash('sha256').update(Uint8Array.from(array)).digest('hex');
    const both = ({ images, labels }: ImageSet) => [hash(images), hash(labels)];
    const { train, validation, test } = data;
    expect(pieces.made.splits).toEqual({ train: both(train), validation: both(validation), test: both(test), labelled: both(labelledSubset(train, 1000)), few: both(labelledSubset(train, 256)) });
    expect(pieces.made.unlabelled).toBe(hash(unlabelledSubset(train, 256).images));
    expect(pieces.made.mean).toBeCloseTo(data.mean[0]!, 12);
    expect(pieces.made.std).toBeCloseTo(data.std[0]!, 12);
  });

  it('crop and jitter as ours do: to a level, to the byte', () => {
    const size = { height: 28, width: 28, channels: 1 };
    const empty = () => ({ data: new Uint8Array(28 * 28), offset: 0, ...size });
    for (const [i, [[top, left, height, width], made]] of pieces.made.boxes.entries()) {
      const target = empty();
      resizeBicubic(imageAt(data.test, i), { top, left, height, width }, target);
      expect(Math.max(...made.map((level, at) => Math.abs(level - target.data[at]!)))).toBeLessThanOrEqual(1);
    }
    for (const [i, [adjustment, factor, made]] of pieces.made.jitter.entries()) {
      const { data: bytes, offset } = imageAt(data.test, i);
      const image = { data: Uint8Array.from(bytes.subarray(offset, offset + 28 * 28)), offset: 0, ...size };
      applyJitter(image, [[adjustment, factor]]);
      expect(made).toEqual([...image.data]);
    }
  });
});

describe.skipIf('failure' in torch)(`a sweep of both implementations${why}`, () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'ablate-witness-'))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('compares them in a report, and goes on from a checkpoint with the numbers of an undisturbed run', { tags: 'long' }, async () => {
    const args = ['--profile', 'smoke', '--set', 'pytorch=true', '--only', 'witness', '--store', join(folder, 'runs'), '--reports', join(folder, 'reports'), '--devices', 'cpu:1x1'];
    const swept = await execaNode(join(ROOT, 'src/cli/ablate.mjs'), ['sweep', ...args], { cwd: folder, reject: false, all: true, env });
    expect(swept.exitCode, swept.all).toBe(0);
    expect(readFileSync(join(folder, 'reports/smoke+pytorch-true/README.md'), 'utf8')).toMatch(/Relations, in PyTorch[^|]*\| [^–|]*\d/);

    const store = openStoreReadOnly(join(folder, 'runs'));
    const key = store.keys().find(one => store.stage(one)!.kind === 'witness')!;
    const stage = store.stage(key)!;
    const told = {
      recipe: join(folder, 'recipe.json'),
      seed: String(stage.seed),
      metrics: join(folder, 'metrics.jsonl'),
      result: join(folder, 'result.json'),
      checkpoints: join(folder, 'checkpoints'),
      upstream_teacher: store.output(stage.upstream['teacher']!)!,
      data: dataDir(),
      device: 'cpu',
      threads: '1',
    };
    const variables = (more: Record<string, string> = {}) => Object.fromEntries(Object.entries({ ...told, ...more }).map(([name, value]) => [`ABLATE_${name.toUpperCase()}`, value]));
    writeFileSync(told.recipe, JSON.stringify(stage.recipe));
    mkdirSync(told.checkpoints);
    // Asked to stop from its beginning, it makes a step each time: through the end of a training and into the next.
    const program = join(SOURCES, 'witness.py');
    const stopped = `import os, runpy, signal, sys; sys.argv = sys.argv[1:]; sys.path.insert(0, os.path.dirname(sys.argv[0])); at = signal.signal
signal.signal = lambda which, act: (at(which, act), os.kill(os.getpid(), which)); runpy.run_path(sys.argv[0], run_name='__main__')`;
    let resume: Record<string, string> = {};
    for (let step = 1; step <= 6; step++) {
      const run = await python(['-c', stopped, program], variables(resume));
      expect(run.exitCode, run.stderr).toBe(0);
      resume = { resume: join(told.checkpoints, `${step}.pt`) };
    }
    const last = await python([program], variables(resume));
    expect(last.exitCode, last.stderr).toBe(0);
    expect(JSON.parse(readFileSync(told.result, 'utf8'))).toEqual(store.result(key));
  });
});
