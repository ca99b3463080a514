/** Weights of finished stages for timm and for the official code of MAE, as safetensors. */
import { join } from 'node:path';
import { PermanentError } from '../../core/ablation/errors.ts';
import type { Exported, Exporter, ExportRequest } from '../../core/ablation/kind.ts';
import { SafetensorsError } from '../../engine/formats/safetensors-error.ts';
import { readWeights, writeWeights, type Weights } from '../../engine/formats/weights.ts';
import { normalisationOf } from '../data/dataset.ts';
import { classCount, dataTitle, type DataSpec } from '../data/spec.ts';
import { PARTS, trainedParts } from '../distill/trained-parts.ts';
import { headsOf, LAYER_NORM_EPS } from '../nn/config.ts';
import { toDialect } from '../nn/foreign-names.ts';
import { loadingCode, maeModel, timmModel } from '../nn/foreign-models.ts';
import { classifierSpec, encoderSpec, maeSpec, type ModelSpec } from '../nn/spec.ts';
import type { ClassifierVitRecipe, DistillRecipe, PretrainRecipe, SuperviseRecipe, VitRecipe } from './recipes.ts';
import { WEIGHTS } from './stage-io.ts';

/** MAE with its decoder; timm has no place for that one. */
export const exportMae: Exporter<PretrainRecipe> = async request => {
  const { model, decoder, norm_pix_loss } = request.recipe;
  if (request.format === 'mae') requireAsMae(model, decoder);
  return exportModel(request, { config: model, spec: () => maeSpec(model, decoder), decoder: { ...decoder, norm_pix_loss }, notes: [] });
};

/** @throws PermanentError for what `models_mae.py` cannot be told */
function requireAsMae({ image_size: [height, width], mlp_ratio }: VitRecipe, decoder: PretrainRecipe['decoder']): void {
  const other =
    height !== width
      ? `square images, as its class has them, got ${height} x ${width} pixels`
      : mlp_ratio !== decoder.mlp_ratio
        ? `one mlp_ratio for encoder and decoder, as its class has it, got ${mlp_ratio} and ${decoder.mlp_ratio}`
        : undefined;
  if (other !== undefined) throw new PermanentError('NOT_IN_MAE', `--to mae: expected ${other}. The encoder alone can go to timm.`);
}

/** The encoder: what else a distillation trains serves only there. */
export const exportStudent: Exporter<DistillRecipe> = request => {
  const { model, target, reconstruction } = request.recipe;
  const trained = trainedParts({ target, reconstruction });
  const untrained = PARTS.filter(part => !trained.includes(part));
  const heads = headsOf(model, model.depth);
  return exportModel(request, {
    config: model,
    spec: () => encoderSpec(model),
    notes: [
      ...(heads === model.num_heads
        ? []
        : [
            `Its last block was distilled with ${heads} heads, the others have ${model.num_heads}: the code that loads it sets them. Fine-tuning may split them anew, as the released code of TinyMIM does.`,
          ]),
      ...(untrained.length === 0
        ? []
        : [
            `Of its last block and final norm, ${untrained.join(', ')} ${untrained.length === 1 ? 'is' : 'are'} as initialised: its distillation read the others. Fine-tune it before its last outputs are used.`,
          ]),
    ],
  });
};

export const exportClassifier: Exporter<SuperviseRecipe> = request => {
  const { model, data } = request.recipe;
  if (request.format === 'mae') requireOneHead(model);
  return exportModel(request, { config: model, spec: () => classifierSpec(model, classCount(data)), notes: [] });
};

/** @throws PermanentError for what `models_vit.py` has no place for */
function requireOneHead({ dist_token, feature_dim }: ClassifierVitRecipe): void {
  const other = dist_token === true ? 'one with a distillation token' : (feature_dim ?? null) === null ? undefined : `one with a layer to ${feature_dim} features`;
  if (other !== undefined) throw new PermanentError('NOT_IN_MAE', `--to mae: expected a classifier with one head on its last norm, as its class has it, got ${other}. It can go to timm.`);
}

interface Model {
  readonly config: ClassifierVitRecipe;
  /** All that its stage leaves. */
  readonly spec: () => ModelSpec;
  readonly decoder?: PretrainRecipe['decoder'] & { readonly norm_pix_loss: boolean };
  readonly notes: readonly string[];
}

async function exportModel({ recipe, format, output, path, origin, dataDir }: ExportRequest<{ readonly data: DataSpec } & object>, { config, spec, decoder, notes }: Model): Promise<Exported> {
  const weights = readChecked(join(output, WEIGHTS), spec);
  const dialect = format === 'mae' ? 'mae' : 'timm';
  const { weights: named, without } = toDialect(weights, dialect);
  const model = dialect === 'mae' ? maeModel(config, named, decoder) : timmModel(config, named);
  const statistics = normalisationOf(recipe.data, dataDir);
  const heads = headsOf(config, config.depth);
  writeWeights(path, named, {
    ...origin,
    format: 'pt', // what other readers look for
    library: dialect,
    model: `${model.module}.${model.name}`,
    args: JSON.stringify(model.args),
    layer_norm_eps: String(LAYER_NORM_EPS),
    ...(heads === config.num_heads ? {} : { last_block_heads: String(heads) }),
    ...((config.feature_dim ?? null) === null ? {} : { feature_dim: String(config.feature_dim) }),
    data: dataTitle(recipe.data),
    ...(statistics && { mean: JSON.stringify(statistics.mean), std: JSON.stringify(statistics.std) }),
  });
  return Promise.resolve({
    usage: loadingCode(model, path, config),
    notes: [
      ...(without.length === 0 ? [] : [`${without.length} tensors were left out, for which ${dialect} has no place: the decoder.`]),
      ...notes,
      statistics
        ? `Its images are pixels from 0 to 1, less the mean ${list(statistics.mean)}, over the standard deviation ${list(statistics.std)} of each channel.`
        : `Its images are pixels from 0 to 1, normalised by mean and standard deviation of each channel of the training images, which are not here to tell them (${dataTitle(recipe.data)}).`,
    ],
  });
}

const list = (values: readonly number[]): string => values.map(value => value.toFixed(4)).join(', ');

/** @throws PermanentError unless these are the parameters of the model: nothing else would load strictly */
export function readChecked(file: string, spec: () => ModelSpec): Weights {
  try {
    const weights = readWeights(file);
    const expected = spec();
    const names = new Set([...Object.keys(expected), ...Object.keys(weights)]);
    const wrong = [...names].find(name => expected[name]?.shape.join() !== weights[name]?.shape.join());
    if (wrong === undefined) return weights;
    const text = (shape: readonly number[] | undefined): string => (shape === undefined ? 'none' : `[${shape.join(', ')}]`);
    throw new PermanentError(
      'WEIGHTS_UNFIT',
      `${file}: expected the parameters of the stage's model, got "${wrong}" of shape ${text(weights[wrong]?.shape)} where ${text(expected[wrong]?.shape)} was expected. It was not written by this kind of stage.`,
    );
  } catch (error) {
    if (error instanceof SafetensorsError) throw new PermanentError(error.code, error.message, { cause: error });
    throw error;
  }
}
