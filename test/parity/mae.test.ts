import { beforeAll, describe, expect, it } from 'vitest';
import { decodePatches, encodeVisible, maeLoss, reconstructionTarget, type MaeConfig, type MaskTensors } from '../../src/tinymim/nn/mae.ts';
import { maskingIndices } from '../../src/tinymim/nn/masking.ts';
import { patchCount } from '../../src/tinymim/nn/config.ts';
import { patchify } from '../../src/tinymim/nn/patches.ts';
import { toFloat32 } from '../../src/engine/formats/safetensors.ts';
import * as tf from '../../src/engine/tf.ts';
import { expectClose, fixture, startEngine } from '../helpers/parity/fixtures.ts';
import { expectAllClose, GRADIENT, VALUE, valueAndGrads, vitConfig, type EncoderFields } from '../helpers/parity/model.ts';
import { maskTensors } from '../helpers/mask-tensors.ts';

interface MaeJson {
  config: EncoderFields & { image_size: [number, number]; patch_size: number; batch_size: number; decoder: EncoderFields; mask_ratio: number; norm_pix_loss: boolean };
}

const model = fixture<MaeJson>('mae_model');
const { config } = model;
const encoder = vitConfig(config, config, model.tensors['image']!.shape[1]!);
const patches = patchCount(encoder);
const masking = maskingIndices(toFloat32(model.tensors['noise']!), patches, config.mask_ratio);
const maeConfig = (norm_pix_loss: boolean): MaeConfig => ({ encoder, decoder: config.decoder, norm_pix_loss });
const perPatch = (rows: tf.Tensor): tf.Tensor => tf.reshape(rows, [config.batch_size, patches, -1]);
let masks: MaskTensors;

beforeAll(async () => {
  await startEngine();
  masks = maskTensors(masking);
});

describe('masking', () => {
  it('ids and mask, exactly', () => {
    const shuffle = model.tensor('ids_shuffle');
    expectClose(masks.ids_keep, tf.slice(shuffle, [0, 0], [config.batch_size, masking.kept]), 0, 'ids_keep');
    expectClose(masks.ids_restore, model.tensor('ids_restore'), 0, 'ids_restore');
    expectClose(masks.mask, model.tensor('mask'), 0, 'mask');
  });
});

describe('MAE', () => {
  it('patches, latent tokens, prediction', () => {
    const params = model.group('param/'),
      image = model.tensor('image');
    expectClose(perPatch(patchify(image, encoder, 'row-column-channel')), model.tensor('patches'), 0, 'patches');
    const latent = encodeVisible(params, image, encoder, masks);
    expectClose(latent, model.tensor('latent'), VALUE, 'latent');
    expectClose(decodePatches(params, latent, config.decoder, masks), model.tensor('pred'), VALUE, 'pred');
  });

  it.each(['mae_norm_pix', 'mae_raw_pix'])('%s: target, loss, all gradients', name => {
    const expected = fixture<MaeJson>(name);
    const mae = maeConfig(expected.config.norm_pix_loss);
    expect(mae.norm_pix_loss).toBe(name === 'mae_norm_pix');
    expectClose(perPatch(reconstructionTarget(model.tensor('image'), mae)), expected.tensor('target'), VALUE, 'target');
    const { value, grads } = valueAndGrads(({ image, ...params }) => maeLoss(params, image!, mae, masks), { ...model.group('param/'), image: model.tensor('image') });
    expectClose(value, expected.tensor('loss'), VALUE, 'loss');
    expectAllClose(grads, expected.group('grad/'), GRADIENT);
  });
});
