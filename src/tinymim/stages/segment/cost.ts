/** What segmentation spends, takes of memory and leaves on the disk, from recipes alone. Light: planning asks. */
import type { StageCost, StageDisk, StageMemory } from '../../../core/ablation/kind.ts';
import { sceneClasses, sceneCount, sceneShape, type SceneSpec } from '../../data/scenes/spec.ts';
import { patchCount, patchGrid, POOL_SCALES, relativePositions, type ViTConfig } from '../../nn/config.ts';
import { encoderFlops } from '../cost.ts';
import { GRAPH, PROCESS, stackTensors } from '../memory.ts';
import { encoderParameters, FLOAT32 } from '../parameters.ts';
import type { SegmentEvaluateRecipe, SegmentRecipe } from './recipes.ts';
import { windowCorners } from './windows.ts';

type Model = Pick<SegmentRecipe, 'data' | 'model' | 'head' | 'relative_position_bias' | 'layer_scale'>;

/** A convolution, and at how many pixels of an image it is computed. */
interface Convolution {
  readonly pixels: number;
  readonly from: number;
  readonly to: number;
  /** Places of the kernel. */
  readonly places: number;
  /** What it has beside its weight: a bias, or the four vectors of a normalisation. */
  readonly vectors: 1 | 4;
}

/** Pixels of the four levels of the pyramid, the finest first. */
function levelPixels(model: ViTConfig): number[] {
  const [rows, columns] = patchGrid(model);
  return [16 * rows * columns, 4 * rows * columns, rows * columns, Math.floor(rows / 2) * Math.floor(columns / 2)];
}

/** Pyramid and decoding head, and apart from them the auxiliary head, which a test does not run (`segmenterSpec`). */
function convolutions({ data, model, head: { channels, auxiliary_channels: auxiliary } }: Model): { decode: Convolution[]; auxiliary: Convolution[] } {
  const levels = levelPixels(model),
    dim = model.embed_dim,
    classes = sceneClasses(data);
  const module = (pixels: number, from: number, to: number, kernel: number): Convolution => ({ pixels, from, to, places: kernel ** 2, vectors: 4 });
  const plain = (pixels: number, from: number, to: number, places: number): Convolution => ({ pixels, from, to, places, vectors: 1 });
  const [finest, , middle, smallest] = levels as [number, number, number, number];
  return {
    decode: [
      ...[middle, 4 * middle, middle].map(pixels => plain(pixels, dim, dim, 4)),
      ...POOL_SCALES.map(scale => module(scale ** 2, dim, channels, 1)),
      module(smallest, dim + 4 * channels, channels, 3),
      ...levels.slice(0, -1).flatMap(pixels => [module(pixels, dim, channels, 1), module(pixels, channels, channels, 3)]),
      module(finest, 4 * channels, channels, 3),
      plain(finest, channels, classes, 1),
    ],
    auxiliary: [module(middle, dim, auxiliary, 3), plain(middle, auxiliary, classes, 1)],
  };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** All that a segmenter holds, and what of it is trained: all but running averages. @internal */
export function segmenterParameters(recipe: Model): { all: number; trained: number } {
  const { model, relative_position_bias: biased, layer_scale } = recipe,
    dim = model.embed_dim,
    { decode, auxiliary } = convolutions(recipe);
  const additions = model.depth * ((biased ? relativePositions(patchGrid(model)) * model.num_heads : 0) + (layer_scale === null ? 0 : 2 * dim));
  const layers = [...decode, ...auxiliary];
  const all = encoderParameters(model) - 2 * dim + additions + 4 * dim + sum(layers.map(({ from, to, places, vectors }) => from * to * places + vectors * to));
  return { all, trained: all - 2 * dim - sum(layers.map(({ to, vectors }) => (vectors === 4 ? 2 * to : 0))) };
}

/** Of one image forward. */
const flops = (layers: readonly Convolution[]): number => sum(layers.map(({ pixels, from, to, places }) => 2 * pixels * from * to * places));

const windows = ({ data, stride }: SegmentEvaluateRecipe, { image_size }: ViTConfig): number =>
  sceneCount(data, 'test') * windowCorners(sceneShape(data).size ?? image_size, image_size, stride).length;

export function segmentCost(recipe: SegmentRecipe): StageCost {
  const { decode, auxiliary } = convolutions(recipe),
    images = recipe.schedule.steps * recipe.schedule.batch_size;
  return { labelledImages: images, unlabelledImages: 0, flops: 3 * images * (encoderFlops(recipe.model) + flops([...decode, ...auxiliary])) };
}

export const segmentEvaluateCost = (recipe: SegmentEvaluateRecipe, segmenter: SegmentRecipe): StageCost => ({
  labelledImages: 0,
  unlabelledImages: 0,
  flops: windows(recipe, segmenter.model) * (encoderFlops(segmenter.model) + flops(convolutions(segmenter).decode)),
});

export function segmentDisk(recipe: SegmentRecipe): StageDisk {
  const { all, trained } = segmenterParameters(recipe);
  return { output: FLOAT32 * all, checkpoint: FLOAT32 * (all + 2 * trained) };
}

/** Scenes, and the images that they are made of. */
function sceneBytes(data: SceneSpec): number {
  const { channels, size: [height, width] = [0, 0] } = sceneShape(data);
  return (sceneCount(data, 'train') + sceneCount(data, 'test')) * height * width * (channels + 1);
}

/** Values of one image that a convolution and what follows it keep for the gradient: its input in rows, and of its output the sum, what is normalised, and the result. */
const kept = ({ pixels, from, to, vectors }: Convolution): number => pixels * (from + (vectors === 4 ? 4 : 2) * to);

/** Of one image at the size of the map: logits, their exponentials and targets. */
const logitTensors = ({ data, model }: Model): number => 5 * model.image_size[0] * model.image_size[1] * sceneClasses(data);

export function segmentMemory(recipe: SegmentRecipe): StageMemory {
  const { model, schedule, data } = recipe,
    { decode, auxiliary } = convolutions(recipe),
    { trained } = segmenterParameters(recipe);
  const values = stackTensors(model, 1 + patchCount(model)) + sum([...decode, ...auxiliary].map(kept)) + 2 * logitTensors(recipe);
  const parts = schedule.accumulation_steps;
  return { shared: PROCESS + sceneBytes(data) + (FLOAT32 * schedule.batch_size * values) / parts, own: GRAPH + FLOAT32 * (parts > 1 ? 6 : 5) * trained };
}

/** Of a test: the widest map, and what windows come to. */
export function segmentEvaluateMemory({ data, batch_size }: SegmentEvaluateRecipe, segmenter: SegmentRecipe): StageMemory {
  const values = 3 * Math.max(...convolutions(segmenter).decode.map(kept)) + logitTensors(segmenter);
  return { shared: PROCESS + sceneBytes(data) + FLOAT32 * batch_size * values, own: GRAPH + 2 * FLOAT32 * segmenterParameters(segmenter).all };
}
