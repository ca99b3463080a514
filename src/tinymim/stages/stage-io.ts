/** What every stage begins with: the engine and the images. */
import { join } from 'node:path';
import { canonicalJson } from '../../core/ablation/json.ts';
import { PermanentError } from '../../core/ablation/errors.ts';
import type { StageContext, UpstreamOutput } from '../../core/ablation/kind.ts';
import { openDataset, type Dataset } from '../data/dataset.ts';
import { labelledSubset, unlabelledSubset, type ImageSet } from '../data/image-set.ts';
import type { DataSpec } from '../data/spec.ts';
import { loadEngine, type Engine } from '../../engine/backend.ts';
import { executedMode } from '../../engine/compile/native.ts';
import { isTf32Process, LEAST_TF32_CAPABILITY } from '../../engine/tf32.ts';
import { readWeights, saveParams, type HostTensor, type Params } from '../../engine/formats/weights.ts';
import { notOnEngine } from './engine-limits.ts';
import { classifierVitRecipe, type ClassifierVitRecipe, type EngineRecipe, type VitRecipe } from './recipes.ts';

/**
 * Loads the engine on the device that the worker was given, and opens the data set.
 * @param model that sees the images
 * @throws EngineError, DataError when either is missing; PermanentError when the engine cannot run the recipe
 */
export async function loadEngineAndDataset(context: StageContext<{ data: DataSpec; engine: EngineRecipe }>, { image_size }: Pick<VitRecipe, 'image_size'>): Promise<Dataset> {
  await loadStageEngine(context);
  return cachedDataset(context.recipe.data, context.execution.dataDir, image_size);
}

/** Loads the engine, and says and records which it is. @throws EngineError where it is missing; PermanentError when it cannot run the recipe */
export async function loadStageEngine({ recipe, ...context }: StageContext<{ engine: EngineRecipe }>): Promise<void> {
  context.progress({ phase: 'load', step: 0, steps: 0 });
  const { device, threads } = context.execution;
  const engine = await loadEngine({ device, threads });
  const unable = notOnEngine(recipe.engine, engine.name, [engine.device]) ?? notInProcess(recipe.engine, engine);
  if (unable !== undefined) throw new PermanentError('ENGINE_PRECISION', `This recipe cannot run here: ${unable}.`);
  const executed = { ...recipe.engine, mode: executedMode(recipe.engine.mode) };
  context.log(`${engineText(engine)}, ${modeText(recipe.engine, executed)}.`);
  const { gpu, ...facts } = engine;
  context.provenance({ engine: { ...facts, ...executed, ...(gpu && { gpu: { ...gpu } }) } });
}

/** Of TF32, which a card has or not, and which is decided for a whole process. */
function notInProcess({ precision }: EngineRecipe, { device, gpu }: Engine): string | undefined {
  if (precision === 'tf32' && gpu?.computeCapability !== undefined && gpu.computeCapability < LEAST_TF32_CAPABILITY) {
    return `expected a GPU of the Ampere generation or later for tf32 (compute capability ${LEAST_TF32_CAPABILITY}.0), got ${gpu.card} (${gpu.computeCapability.toFixed(1)}); set engine.precision to float32`;
  }
  const started = isTf32Process(process.env) ? 'tf32' : 'float32';
  if (device === 'cpu' || (precision === 'tf32') === (started === 'tf32')) return undefined;
  return `expected a process that was started for ${precision}, got one for ${started}; let a sweep start it, with TINYMIM_TF32 unset`;
}

const engineText = ({ name, libraryVersion, device, threads, why, gpu }: Engine): string =>
  `Engine: ${name} ${libraryVersion} on the ${device} with ${threads} ${threads === 1 ? 'thread' : 'threads'} (${why})${gpu ? `: ${gpu.card}, driver ${gpu.driver}, CUDA ${gpu.cuda}, cuBLAS ${gpu.cublas}, cuDNN ${gpu.cudnn}` : ''}`;

const modeText = (recipe: EngineRecipe, { mode, precision }: EngineRecipe): string => `mode ${mode}${mode === recipe.mode ? '' : ` (${recipe.mode} needs native TensorFlow)`}, ${precision}`;

/** The stages of a process mostly share one data set; its images are never written to. */
let lastDataset: { readonly key: string; readonly dataset: Dataset } | undefined;

function cachedDataset(spec: DataSpec, dataDir: string, size: readonly [number, number]): Dataset {
  const key = canonicalJson([spec, dataDir, ...size]);
  if (lastDataset?.key !== key) lastDataset = { key, dataset: openDataset(spec, dataDir, size) };
  return lastDataset.dataset;
}

const subsets = new WeakMap<ImageSet, Map<string, ImageSet>>();

/** The training images of a recipe: `null` is all of them. See `labelledSubset` and `unlabelledSubset`. */
export function trainingImages({ train }: Dataset, images: number | null, kind: 'labelled' | 'unlabelled'): ImageSet {
  if (images === null) return train;
  const known = subsets.get(train) ?? new Map<string, ImageSet>();
  subsets.set(train, known);
  const key = `${kind} ${images}`;
  const subset = known.get(key) ?? (kind === 'labelled' ? labelledSubset : unlabelledSubset)(train, images);
  known.set(key, subset);
  return subset;
}

/** File of the weights that a stage leaves for those after it, in PyTorch's names and layouts. */
export const WEIGHTS = 'model.safetensors';

/** Writes them. */
export function saveModel(context: StageContext<object>, params: Params): void {
  saveParams(join(context.output, WEIGHTS), params);
}

/** The model of an upstream stage, a classifier or not. @throws Error when the slot is empty or its recipe has no model */
export const upstreamConfig = (upstream: UpstreamOutput | undefined): ClassifierVitRecipe => classifierVitRecipe.parse(expectUpstream(upstream).recipe['model']);

/** The same with the weights that it left. */
export function upstreamModel(upstream: UpstreamOutput | undefined): { config: ClassifierVitRecipe; weights: Record<string, HostTensor> } {
  return { config: upstreamConfig(upstream), weights: upstreamWeights(upstream) };
}

export const upstreamWeights = (upstream: UpstreamOutput | undefined): Record<string, HostTensor> => readWeights(join(expectUpstream(upstream).output, WEIGHTS));

function expectUpstream(upstream: UpstreamOutput | undefined): UpstreamOutput {
  if (upstream === undefined) throw new Error('Expected an upstream stage with weights, got none.');
  return upstream;
}
