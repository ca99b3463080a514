/** The model of a recipe, and where it starts. */
import type { Weights } from '../../../engine/formats/weights.ts';
import { sceneClasses } from '../../data/scenes/spec.ts';
import { patchGrid, type ClassifierConfig } from '../../nn/config.ts';
import { initialise, warmStart, type WarmStart } from '../../nn/init.ts';
import { interpolatePosEmbed } from '../../nn/pos-embed.ts';
import { segmenterSpec, type HeadWidths } from '../../nn/upernet-spec.ts';
import type { SegmenterConfig } from '../../nn/upernet.ts';
import type { SegmentRecipe } from './recipes.ts';

type ModelFields = Pick<SegmentRecipe, 'data' | 'model' | 'feature_blocks' | 'relative_position_bias' | 'layer_scale' | 'head'>;

export const segmenterConfig = ({ model, feature_blocks, relative_position_bias }: Omit<ModelFields, 'data' | 'head'>): SegmenterConfig => ({ ...model, feature_blocks, relative_position_bias });

/** @internal */
export const headWidths = ({ head: { channels, auxiliary_channels }, data }: Pick<ModelFields, 'head' | 'data'>): HeadWidths => ({ channels, auxiliary_channels, classes: sceneClasses(data) });

export const initSegmenter = (recipe: ModelFields, seed: number): Weights => initialise(segmenterSpec(segmenterConfig(recipe), headWidths(recipe), recipe), seed);

/**
 * A segmenter on the blocks of an encoder, or of a classifier without its head. Its table of positions is resized, as MAE resizes it for another
 * resolution.
 */
export function onEncoder(recipe: ModelFields, seed: number, { config, weights }: { readonly config: ClassifierConfig; readonly weights: Weights }): WarmStart {
  const table = weights['pos_embed'],
    [from, to] = [patchGrid(config), patchGrid(recipe.model)],
    dim = config.embed_dim;
  if (table === undefined) return warmStart(initSegmenter(recipe, seed), weights);
  const plain = config.dist_token === true ? withoutRow(table.data, dim, 1) : table.data;
  const data = from.join() === to.join() ? plain : interpolatePosEmbed(plain, dim, from, to);
  return warmStart(initSegmenter(recipe, seed), { ...weights, pos_embed: { shape: [1, 1 + to[0] * to[1], dim], data } });
}

/** A table `[rows, D]` without one of its rows, such as that of a distillation token, which a segmenter has not. */
function withoutRow(table: Float32Array, dim: number, row: number): Float32Array {
  const rest = new Float32Array(table.length - dim);
  rest.set(table.subarray(0, row * dim));
  rest.set(table.subarray((row + 1) * dim), row * dim);
  return rest;
}
