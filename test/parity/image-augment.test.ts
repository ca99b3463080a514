import { describe, expect, it } from 'vitest';
import { centralImage, flipHorizontal } from '../../src/tinymim/data/augment.ts';
import { applyJitter, type Adjustment } from '../../src/tinymim/data/color-jitter.ts';
import { resizeBicubic, type Box, type Pixels } from '../../src/tinymim/data/resize.ts';
import { fixture, type Fixture } from '../helpers/parity/fixtures.ts';

interface CropCase {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  readonly size: number;
  readonly flip: boolean;
}
interface EvalCase {
  readonly resized_wh: readonly [number, number];
  readonly crop: number;
  readonly size: number;
}
interface Cases<C> {
  readonly config?: unknown;
  readonly cases: Readonly<Record<string, C>>;
}

const evaluation = fixture<Cases<EvalCase>>('image_eval');
const crops = fixture<Cases<CropCase>>('image_random_resized_crop');
const resizes = fixture('image_resize');
const jitter = fixture<{ readonly config?: unknown; readonly factors: Record<Adjustment, number>; readonly order: readonly Adjustment[] }>('image_color_jitter');

function image(from: Pick<Fixture<{ readonly config?: unknown }>, 'tensors'>, name: string): Pixels {
  const { dtype, shape, data } = from.tensors[name]!;
  if (dtype !== 'U8' || shape.length !== 3) throw new Error(`Expected ${name} to be bytes [H, W, C], got ${dtype} [${shape.join()}].`);
  return { data: Uint8Array.from(data), offset: 0, height: shape[0]!, width: shape[1]!, channels: shape[2]! };
}

const decoded = (file: string): Pixels => image(evaluation, `${file}/decoded`);
const whole = ({ height, width }: Pixels): Box => ({ top: 0, left: 0, height, width });
const blank = (height: number, width: number, channels: number): Pixels => ({ data: new Uint8Array(height * width * channels), offset: 0, height, width, channels });

function expectSameImage(actual: Pixels, expected: Pixels): void {
  expect([actual.height, actual.width, actual.channels]).toEqual([expected.height, expected.width, expected.channels]);
  expect(Buffer.compare(actual.data, expected.data), 'bytes differ').toBe(0);
}

describe('bicubic resize, from decoded pictures', () => {
  const names = Object.keys(resizes.tensors).filter(name => name.includes('/bicubic_'));
  it.each(names)('%s equals PIL', name => {
    const expected = image(resizes, name);
    const source = decoded(name.split('/')[0]!);
    const target = blank(expected.height, expected.width, expected.channels);
    resizeBicubic(source, whole(source), target);
    expectSameImage(target, expected);
  });
});

describe('crop, resize, flip', () => {
  it.each(Object.entries(crops.json.cases))('%s equals torchvision', (name, { size, flip, ...box }) => {
    const expected = image(crops, `${name}/cropped_u8`);
    const target = blank(size, size, expected.channels);
    resizeBicubic(decoded(name), box, target);
    if (flip) flipHorizontal(target);
    expectSameImage(target, expected);
  });
});

describe('resize and centre crop', () => {
  const cases = Object.entries(evaluation.json.cases);

  it('has pictures between the two', () => expect(cases.filter(([name]) => evaluation.tensors[`${name}/resized_u8`])).not.toEqual([]));

  it.each(cases)('%s equals torchvision', (name, { size, crop, resized_wh: [width, height] }) => {
    const source = decoded(name.split('/')[0]!);
    const cropped = blank(crop, crop, source.channels);
    centralImage(source, cropped, size);
    expectSameImage(cropped, image(evaluation, `${name}/cropped_u8`));
    if (!evaluation.tensors[`${name}/resized_u8`]) return;
    const resized = blank(height, width, source.channels);
    resizeBicubic(source, whole(source), resized);
    expectSameImage(resized, image(evaluation, `${name}/resized_u8`));
  });
});

describe('colour jitter', () => {
  const { factors, order } = jitter.json;
  it.each(Object.keys(jitter.tensors))('%s equals PIL', name => {
    const [file, what] = name.split('/') as [string, Adjustment | 'all'];
    const actual = decoded(file);
    applyJitter(
      actual,
      (what === 'all' ? order : [what]).map(adjustment => [adjustment, factors[adjustment]]),
    );
    expectSameImage(actual, image(jitter, name));
  });
});
