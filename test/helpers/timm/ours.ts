/** What our models compute, beside timm's values of the same weights. */
import * as tf from '../../../src/engine/tf.ts';
import { toTensors, type Weights } from '../../../src/engine/formats/weights.ts';
import { classify } from '../../../src/tinymim/nn/classifier.ts';
import type { ClassifierConfig } from '../../../src/tinymim/nn/config.ts';
import { norm } from '../../../src/tinymim/nn/block.ts';
import { encode, extractFeatures, featureOf } from '../../../src/tinymim/nn/vit.ts';
import { expectClose } from '../parity/fixtures.ts';
import { VALUE } from '../parity/model.ts';

/** Every block, the tokens behind the last norm (unless a linear layer stands there), and the logits of a classifier. @param weights by our names */
export function expectAsTimm(weights: Weights, config: ClassifierConfig, values: Weights): void {
  const params = toTensors(weights),
    expected = toTensors(values);
  const images = expected['images']!;
  const blocks = Array.from({ length: config.depth }, (_, i) => i + 1);
  const features = extractFeatures(
    params,
    images,
    config,
    blocks.map(block => ({ block, features: ['block'] })),
  );
  for (const block of blocks) expectClose(featureOf(features, block, 'block'), expected[`block/${block}`]!, VALUE, `block ${block}`);
  const tokens = encode(params, images, config);
  if ((config.feature_dim ?? null) === null) expectClose('norm.weight' in weights ? norm(params, 'norm', tokens) : tokens, expected['features']!, VALUE, 'features');
  if ('head.weight' in weights) expectClose(classify(params, images, config), expected['logits']!, VALUE, 'logits');
  tf.dispose([params, expected]);
}
