/** The model of a recipe, and where it starts. */
import type { Weights } from '../../../engine/formats/weights.ts';
import { sceneClasses } from '../../data/scenes/spec.ts';
import { patchGrid, type ViTConfig } from '../../nn/config.ts';
import { initialise, warmStart, type WarmStart } from '../../nn/init.ts';
import { interpolatePosEmbed } from '../../nn/pos-embed.ts';
import { segmenterSpec, type HeadWidths } from '../../nn/upernet-spec.ts';
import type { SegmenterConfig } from '../../nn/upernet.ts';
import type { SegmentRecipe } from './recipes.ts';

type ModelFields = Pick<SegmentRecipe, 'data' | 'model' | 'feature_blocks' | 'relative_position_bias' | 'layer_scale' | 'head'>;

export const segmenterConfig = ({ model, feature_blocks, relative_position_bias }: Omit<ModelFields, 'data' | 'head'>): SegmenterConfig => ({ ...model, feature_blocks, relative_position_bias });

export const headWidths = ({ head: { channels, auxiliary_channels }, data }: Pick<ModelFields, 'head' | 'data'>): HeadWidths => ({ channels, auxiliary_channels, classes: sceneClasses(data) });

export const initSegmenter = (recipe: ModelFields, seed: number): Weights => initialise(segmenterSpec(segmenterConfig(recipe), headWidths(recipe), recipe), seed);

/**
 * A segmenter on the blocks of an encoder, or of a classifier without its head. Its table of positions is resized, as MAE resizes it for another
 * resolution.
 */
export function onEncoder(recipe: ModelFields, seed: number, { config, weights }: { readonly config: ViTConfig; readonly weights: Weights }): WarmStart {
  const positions = weights['pos_embed'],
    [from, to] = [patchGrid(config), patchGrid(recipe.model)];
  const resized = positions && {
    pos_embed: { shape: [1, 1 + to[0] * to[1], config.embed_dim], data: from.join() === to.join() ? positions.data : interpolatePosEmbed(positions.data, config.embed_dim, from, to) },
  };
  return warmStart(initSegmenter(recipe, seed), { ...weights, ...resized });
}
