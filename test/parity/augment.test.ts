/** RandAugment, random erasing and mixing, given what is drawn, are what timm and PIL make of it (`augment/`, made by the script there). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors, toFloat32 } from '../../src/engine/formats/safetensors.ts';
import type { Stream } from '../../src/engine/random/rng.ts';
import * as tf from '../../src/engine/tf.ts';
import { drawErased, erase } from '../../src/tinymim/data/erase.ts';
import { applyRandAugment, drawRandAugment, OPERATIONS, parseRandAugment, type Layer } from '../../src/tinymim/data/rand-augment.ts';
import type { Pixels } from '../../src/tinymim/data/resize.ts';
import { mixImages, mixTargets, softTargets } from '../../src/tinymim/nn/mixup.ts';
import { normalise } from '../../src/tinymim/stages/images.ts';
import { drawMixing } from '../../src/tinymim/stages/mixing.ts';
import { expectClose, startEngine } from '../helpers/parity/fixtures.ts';

interface Values {
  readonly fill: readonly number[];
  readonly operations: readonly (Layer & { readonly key: string; readonly source: string })[];
  readonly policies: readonly {
    readonly key: string;
    readonly source: string;
    readonly text: string;
    readonly layers: readonly { operation: number; applied: number; normal: number; sign: number }[];
  }[];
  readonly erasing: readonly { readonly key: string; readonly size: [number, number]; readonly drawn: readonly number[]; readonly box: readonly number[] | null }[];
  readonly mixing: readonly { readonly key: string; readonly alphas: [number, number]; readonly labels: readonly number[]; readonly size: [number, number]; readonly drawn: readonly number[] }[];
}

const FOLDER = join(import.meta.dirname, 'augment');
const { fill, operations, policies, erasing, mixing } = JSON.parse(readFileSync(join(FOLDER, 'values.json'), 'utf8')) as Values;
const { tensors } = readSafetensors(join(FOLDER, 'values.safetensors'));
const stored = (name: string) => tensors.get(name)!;

/** A picture, to be changed. */
function picture(name: string): Pixels {
  const { shape, data } = stored(name) as { shape: readonly number[]; data: Uint8Array };
  const [height, width, channels = 1] = shape as [number, number, number?];
  return { data: Uint8Array.from(data), offset: 0, height, width, channels };
}

/** Gives these numbers, in their order, whatever is asked for. */
function given(numbers: readonly number[]): Stream & { readonly left: readonly number[] } {
  const left = [...numbers];
  const next = (): number => {
    const number = left.shift();
    if (number === undefined) throw new Error('Expected no more draws than timm made.');
    return number;
  };
  const unused = (): never => {
    throw new Error('Expected one number at a time.');
  };
  return { left, uniform: next, normal: next, integer: next, uniforms: unused, normals: unused, permutation: unused };
}

beforeAll(startEngine);

describe('RandAugment', () => {
  it('knows the operations of timm, in its order', () => {
    expect(Object.keys(OPERATIONS)).toEqual([...new Set(operations.map(({ operation }) => operation))]);
  });

  it.each(operations)('$key equals PIL', ({ key, source, ...layer }) => {
    const image = picture(`source/${source}`);
    applyRandAugment(image, [layer], fill);
    expect(Buffer.compare(image.data, picture(key).data), 'bytes differ').toBe(0);
  });

  it.each(policies)('$key equals timm', ({ key, source, text, layers }) => {
    const image = picture(`source/${source}`);
    const draws = given(layers.flatMap(({ operation, applied, normal, sign }) => [operation, applied, normal, sign]));
    applyRandAugment(image, drawRandAugment(draws, parseRandAugment(text)!), fill);
    expect(draws.left).toEqual([]);
    expect(Buffer.compare(image.data, picture(key).data), 'bytes differ').toBe(0);
  });
});

describe('random erasing', () => {
  it.each(erasing)('$key has the rectangle of timm', ({ drawn, size, box }) => {
    const draws = given(drawn),
      found = drawErased(draws, 0.25, ...size);
    expect(draws.left).toEqual([]);
    expect(found && found.height * found.width > 0 ? [found.top, found.left, found.height, found.width] : null).toEqual(box);
  });

  it.each(erasing.filter(({ box }) => box))("$key is given to a model as timm's noise, to within half a step of 1/32 or beyond its ends", ({ key, size: [height, width], box }) => {
    const [top, left, h, w] = box as [number, number, number, number];
    const channels = stored(key).shape[2]!,
      noise = toFloat32(stored(key));
    const image: Pixels = { data: new Uint8Array(height * width * channels).fill(99), offset: 0, height, width, channels };
    erase(image, { top, left, height: h, width: w }, given([...noise]));
    const erased = tf.tensor2d([[top, top + h, left, left + w]], [1, 4], 'int32');
    const [mean, std] = [0.4, 0.2].map(value => Array<number>(channels).fill(value)) as [number[], number[]];
    const seen = normalise(tf.tensor4d(image.data, [1, height, width, channels], 'int32'), { mean, std }, erased);
    const inside = tf.slice(seen, [0, 0, top, left], [1, channels, h, w]);
    const cut = [...noise].map(value => Math.min(Math.max(value, -127.5 / 32), 127.5 / 32));
    const expected = tf.transpose(tf.tensor4d(cut, [1, h, w, channels]), [0, 3, 1, 2]);
    expect(tf.max(tf.abs(tf.sub(inside, expected))).dataSync()[0]).toBeLessThanOrEqual(1 / 64 + 1e-6);
    const untouched = normalise(tf.fill([1, height, width, channels], 99, 'int32'), { mean, std });
    expect(tf.sum(tf.cast(tf.notEqual(seen, untouched), 'int32')).dataSync()[0]).toBeLessThanOrEqual(h * w * channels);
  });
});

describe('mixing', () => {
  it.each(mixing)('$key equals timm', ({ key, alphas: [mixup, cutmix], labels, size, drawn }) => {
    const draws = given(drawn);
    const { lambda, box, share } = drawMixing(draws, { mixup, cutmix, switch_prob: 0.5 }, size, stream => stream.uniform());
    expect(draws.left).toEqual([]);
    const tensor = (name: string): tf.Tensor => tf.tensor(toFloat32(stored(name)), [...stored(name).shape]);
    expectClose(mixImages(tensor(`${key}/images`) as tf.Tensor4D, { box: tf.tensor2d([[...box]]), share: tf.scalar(share) }), tensor(`${key}/mixed`), 1e-6);
    expectClose(tf.tensor2d(mixTargets(softTargets(labels, 5, 0.1), 5, lambda), [4, 5]), tensor(`${key}/targets`), 1e-6);
  });
});
