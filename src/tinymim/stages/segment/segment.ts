/** Semantic segmentation from the weights of an encoder or a classifier: UPerNet, trained as mmsegmentation trains it. */
import type { StageRunner } from '../../../core/ablation/kind.ts';
import * as tf from '../../../engine/tf.ts';
import { resizeBilinear } from '../../../engine/grad/resample.ts';
import { stream } from '../../../engine/random/rng.ts';
import { stepsPerEpoch } from '../../data/batch.ts';
import { linearRates } from '../../nn/drop-path.ts';
import { pixelCrossEntropy } from '../../nn/pixel-cross-entropy.ts';
import { segment, type SegmentOptions } from '../../nn/upernet.ts';
import { isRunningStatistic } from '../../nn/upernet-spec.ts';
import { finetuneGroups } from '../../optim/groups.ts';
import { polynomialRate } from '../../optim/schedule.ts';
import { normalise, pixels, type Normalisation } from '../images.ts';
import type { ScheduleRecipe } from '../recipes.ts';
import { graphSignature } from '../signature.ts';
import { saveModel, upstreamModel } from '../stage-io.ts';
import { train } from '../train.ts';
import type { HostInputs, Inputs, SettingLossFunction } from '../train-step.ts';
import { onEncoder, segmenterConfig } from './model.ts';
import type { SegmentRecipe } from './recipes.ts';
import { loadEngineAndScenes } from './scenes.ts';

export const runSegment: StageRunner<SegmentRecipe> = async context => {
  const { recipe, seed } = context;
  const { model, schedule, optimizer, layer_decay, engine, augment } = recipe;
  const scenes = await loadEngineAndScenes(context);
  const { weights, loaded, fresh } = onEncoder(recipe, seed, upstreamModel(context.upstream['weights']));
  context.log(`Starting from ${loaded.length} parameters of the encoder; ${fresh.length} are new.`);
  const trained = Object.fromEntries(Object.entries(weights).filter(([name]) => !isRunningStatistic(name)));
  const set = scenes.train,
    padding = scenes.mean.map(mean => Math.round(255 * mean));

  const { params, losses } = await train(
    {
      context,
      weights,
      groups: finetuneGroups(trained, { depth: model.depth, weightDecay: optimizer.weight_decay, layerDecay: layer_decay }),
      loss: segmentLoss(recipe, scenes),
      schedule: inEpochs(schedule, stepsPerEpoch({ set, batchSize: schedule.batch_size })),
      rate: step => polynomialRate(schedule, step),
      optimizer,
      engine,
      signature: segmentSignature(recipe),
    },
    {
      set,
      augment: { scene: { ...augment, crop: model.image_size, padding } },
      withLabels: false,
      seed,
      schedule,
      inputs: ({ images, maps, step }) => {
        const [height, width] = model.image_size,
          shown = pixels(images, { height, width, channels: set.channels });
        return { images: shown, maps: { data: maps!, shape: shown.shape.slice(0, 3) }, ...drawnInputs(recipe, seed, step) };
      },
    },
  );
  try {
    saveModel(context, params);
  } finally {
    tf.dispose(params);
  }
  return { loss: losses['loss']!, decode_loss: losses['decode']! };
};

/** What is drawn for a batch. */
function drawnInputs({ model, head, drop_path, schedule: { batch_size } }: SegmentRecipe, seed: number, step: number): HostInputs {
  const dropPath = [model.depth, 2, batch_size] as const;
  const channels = { dropout: head.channels, auxiliary_dropout: head.auxiliary_channels };
  return {
    ...(drop_path > 0 && { drop_path: { data: stream(seed, 'segment/drop-path', step).uniforms(dropPath.reduce((a, b) => a * b)), shape: dropPath, batchAxis: 2 } }),
    ...(head.dropout > 0 &&
      Object.fromEntries(Object.entries(channels).map(([name, width]) => [name, { data: stream(seed, `segment/${name}`, step).uniforms(batch_size * width), shape: [batch_size, width] }]))),
  };
}

/** Cross entropy of both heads, whose logits are brought to the size of the map. */
export function segmentLoss(recipe: SegmentRecipe, normalisation: Normalisation): SettingLossFunction {
  const { model, head } = recipe,
    config = segmenterConfig(recipe);
  return (params, inputs, set) => {
    const { decode, auxiliary } = segment(params, normalise(inputs['images']!, normalisation), config, { statistics: { set }, ...dropsOf(recipe, inputs) });
    const [ofDecode, ofAuxiliary] = [decode, auxiliary!].map(logits => pixelCrossEntropy(inputs['maps']!, resizeBilinear(logits, model.image_size)));
    return { loss: tf.add<tf.Scalar>(ofDecode!, tf.mul(ofAuxiliary!, head.auxiliary_weight)), decode: ofDecode!, auxiliary: ofAuxiliary! };
  };
}

function dropsOf({ model, head, drop_path }: SegmentRecipe, { drop_path: uniforms, dropout, auxiliary_dropout }: Inputs): Pick<SegmentOptions, 'dropPath' | 'dropout'> {
  return {
    ...(uniforms && { dropPath: { rates: linearRates(drop_path, model.depth), uniforms } }),
    ...(dropout && auxiliary_dropout && { dropout: { decode: { rate: head.dropout, uniforms: dropout }, auxiliary: { rate: head.dropout, uniforms: auxiliary_dropout } } }),
  };
}

/** As the loop counts: so many passes over the scenes are so many steps. */
function inEpochs({ steps, warmup_steps, batch_size, accumulation_steps, lr, min_lr }: SegmentRecipe['schedule'], perEpoch: number): ScheduleRecipe {
  return { epochs: steps / perEpoch, warmup_epochs: warmup_steps / perEpoch, batch_size, accumulation_steps, base_lr: (256 * lr) / batch_size, min_lr };
}

/** Of the step of a training: all of the recipe but how scenes are changed, how long it takes and at which rate. */
function segmentSignature({ data, model, feature_blocks, relative_position_bias, layer_scale, head, drop_path, schedule, optimizer, layer_decay, engine }: SegmentRecipe): string {
  const { batch_size, accumulation_steps } = schedule;
  return graphSignature('segment', { data, model, feature_blocks, relative_position_bias, layer_scale, head, drop_path, batch_size, accumulation_steps, optimizer, layer_decay, engine });
}
