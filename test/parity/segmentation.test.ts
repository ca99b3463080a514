/** The layers of UPerNet, and a whole small one on a ViT, are what PyTorch computes (`segmentation/`, made by the script there). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors, toFloat32 } from '../../src/engine/formats/safetensors.ts';
import type { Params } from '../../src/engine/formats/weights.ts';
import { convolve, convolveUp } from '../../src/engine/grad/convolution.ts';
import { maxPool } from '../../src/engine/grad/max-pool.ts';
import { adaptiveMeanPool, resizeBilinear } from '../../src/engine/grad/resample.ts';
import * as tf from '../../src/engine/tf.ts';
import { linearRates } from '../../src/tinymim/nn/drop-path.ts';
import { batchNormalised, type Statistics } from '../../src/tinymim/nn/feature-map.ts';
import { pixelCrossEntropy } from '../../src/tinymim/nn/pixel-cross-entropy.ts';
import { segment, type SegmenterConfig, type SegmentOptions } from '../../src/tinymim/nn/upernet.ts';
import { isRunningStatistic, segmenterSpec } from '../../src/tinymim/nn/upernet-spec.ts';
import { expectClose, startEngine } from '../helpers/parity/fixtures.ts';
import { expectAllClose, GRADIENT, projected, VALUE, valueAndGrads } from '../helpers/parity/model.ts';

interface Values {
  readonly config: SegmenterConfig & { readonly channels: number; readonly auxiliary_channels: number; readonly classes: number };
  readonly drop_path: number;
  readonly dropout: number;
  readonly layers: Readonly<Record<string, { readonly size?: [number, number] }>>;
}

const FOLDER = join(import.meta.dirname, 'segmentation');
const { config, layers, ...rates } = JSON.parse(readFileSync(join(FOLDER, 'values.json'), 'utf8')) as Values;
const { tensors } = readSafetensors(join(FOLDER, 'values.safetensors'));
const stored = (name: string): tf.Tensor => {
  const { dtype, shape, data } = tensors.get(name)!;
  return dtype === 'I32' ? tf.tensor(data, [...shape], 'int32') : tf.tensor(toFloat32(tensors.get(name)!), [...shape]);
};
const group = (prefix: string): Record<string, tf.Tensor> => Object.fromEntries([...tensors.keys()].filter(key => key.startsWith(prefix)).map(key => [key.slice(prefix.length), stored(key)]));

beforeAll(startEngine);

/** In training, where nobody asks for the running averages. */
const nothing: Statistics = {
  set: () => undefined,
};

const LAYERS: Readonly<Record<string, (x: tf.Tensor4D, params: Params, size: [number, number]) => tf.Tensor>> = {
  conv1: (x, { weight }) => convolve(x, weight!),
  conv3: (x, { weight }) => convolve(x, weight!),
  up: (x, { weight, bias }) => convolveUp(x, weight!, bias!),
  resize: (x, _, size) => resizeBilinear(x, size),
  pool: (x, _, size) => adaptiveMeanPool(x, size),
  'max pool': x => maxPool(x),
  norm: (x, params) => batchNormalised(Object.fromEntries(Object.entries({ ...params, ...running('before') }).map(([name, tensor]) => [`bn.${name}`, tensor])), 'bn', x, nothing),
};
const running = (when: string): Params => ({ running_mean: stored(`norm/${when}/mean`), running_var: stored(`norm/${when}/var`) });

describe('layers', () => {
  it.each(Object.entries(layers))('%s: values and gradients', (name, { size }) => {
    const layer = LAYERS[name.split('/')[0]!]!;
    const run = ({ x, ...params }: Params) => layer(x as tf.Tensor4D, params, size!);
    const inputs = { x: stored(`${name}/x`), ...group(`${name}/param/`) };
    expectClose(run(inputs), stored(`${name}/y`), VALUE);
    const { grads } = valueAndGrads(given => projected(run(given), stored(`${name}/r`)), inputs);
    expectAllClose(grads, group(`${name}/grad/`), GRADIENT);
  });

  it('a normalisation keeps running averages, and divides by them in a test', () => {
    const set: Record<string, tf.Tensor> = {};
    const named = (params: Params) => Object.fromEntries(Object.entries(params).map(([name, tensor]) => [`bn.${name}`, tensor]));
    const affine = group('norm/param/');
    batchNormalised(named({ ...affine, ...running('before') }), 'bn', stored('norm/x') as tf.Tensor4D, { set: (name, value) => (set[name] = tf.keep(value)) });
    expectAllClose(set, named(running('after')), VALUE);
    expectClose(batchNormalised(named({ ...affine, ...running('after') }), 'bn', stored('norm/tested x') as tf.Tensor4D, 'running'), stored('norm/tested'), VALUE);
  });
});

describe('a whole segmenter', () => {
  const params = () => group('model/param/');
  const labels = () => stored('model/labels');
  const training = (statistics: Statistics): SegmentOptions => ({
    statistics,
    dropPath: { rates: linearRates(rates.drop_path, config.depth), uniforms: stored('model/drop_path') },
    dropout: { decode: { rate: rates.dropout, uniforms: stored('model/dropout/decode') }, auxiliary: { rate: rates.dropout, uniforms: stored('model/dropout/auxiliary') } },
  });
  const model: SegmenterConfig = { ...config, relative_position_bias: true };
  const losses = (p: Params, statistics: Statistics): tf.Scalar[] => {
    const { decode, auxiliary } = segment(p, stored('model/images'), model, training(statistics));
    return [decode, auxiliary!].map(logits => pixelCrossEntropy(labels(), resizeBilinear(logits, config.image_size)));
  };

  it('has the parameters and shapes of the PyTorch model', () => {
    const spec = segmenterSpec(model, config, { layer_scale: 1 });
    expect(Object.fromEntries(Object.entries(spec).map(([name, { shape }]) => [name, shape]))).toEqual(Object.fromEntries(Object.entries(params()).map(([name, { shape }]) => [name, shape])));
  });

  it('logits and losses in training, and running averages after it', () => {
    const set: Record<string, tf.Tensor> = {};
    const keep: Statistics = { set: (name, value) => (set[name] = tf.keep(value)) };
    const { decode, auxiliary } = segment(params(), stored('model/images'), model, training(keep));
    expectClose(decode, stored('model/decode'), VALUE);
    expectClose(auxiliary!, stored('model/auxiliary'), VALUE);
    const [ofDecode, ofAuxiliary] = losses(params(), keep);
    expectClose(ofDecode!, stored('model/loss/decode'), VALUE);
    expectClose(ofAuxiliary!, stored('model/loss/auxiliary'), VALUE);
    expectAllClose(set, group('model/after/'), VALUE);
  });

  it('all gradients, through both heads', () => {
    const { value, grads } = valueAndGrads(p => {
      const [decode, auxiliary] = losses(p, nothing);
      return tf.add(decode!, tf.mul(auxiliary!, 0.4));
    }, params());
    expectClose(value, stored('model/loss'), VALUE);
    const { 'fpn1.0.bias': first, 'fpn1.3.bias': second, 'fpn2.0.bias': third, ...others } = group('model/grad/');
    expectAllClose(grads, others, GRADIENT);
    // The normalisation behind them takes away what biases add: their gradients are rounding, in PyTorch as here.
    for (const rounding of [first!, second!, third!, ...['fpn1.0.bias', 'fpn1.3.bias', 'fpn2.0.bias'].map(name => grads[name]!)]) expect(tf.max(tf.abs(rounding)).dataSync()[0]).toBeLessThan(1e-6);
    expect(Object.keys(grads).filter(isRunningStatistic)).toEqual([]);
  });

  it('logits in a test, by the running averages', () => {
    const tested = segment({ ...params(), ...group('model/after/') }, stored('model/images'), model, { statistics: 'running' });
    expect(tested.auxiliary).toBeUndefined();
    expectClose(resizeBilinear(tested.decode, config.image_size), stored('model/tested'), VALUE);
  });
});
