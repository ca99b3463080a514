/** What every stage begins with: the engine and the images. */
import { join } from 'node:path';
import { PermanentError } from '../ablation/errors.ts';
import type { StageContext, UpstreamOutput } from '../ablation/kind.ts';
import { openDataset, type Dataset } from '../data/dataset.ts';
import { DataError } from '../data/errors.ts';
import type { DataSpec } from '../data/spec.ts';
import { EngineError, loadEngine } from '../tensor/backend.ts';
import { readWeights, saveParams, type HostTensor, type Params } from '../tensor/weights.ts';
import { vit, type VitRecipe } from './recipes.ts';

/**
 * Loads the engine on the device that the worker was given, and opens the data set.
 * @throws PermanentError when either is missing: trying again cannot mend that
 */
export async function openSession(context: StageContext<object>, data: DataSpec): Promise<Dataset> {
  context.progress({ phase: 'load', step: 0, steps: 0 });
  const { device, threads, dataDir } = context.execution;
  try {
    const engine = await loadEngine({ device, threads });
    context.log(`Engine: ${engine.name} ${engine.libraryVersion} on the ${engine.device} with ${engine.threads} threads (${engine.why}).`);
    context.provenance({ engine: { ...engine } });
    return openDataset(data, dataDir);
  } catch (error) {
    if (error instanceof EngineError || error instanceof DataError) throw new PermanentError(error.code, error.message, { cause: error });
    throw error;
  }
}

/** File of the weights that a stage leaves for those after it, in PyTorch's names and layouts. */
export const WEIGHTS = 'model.safetensors';

/** Writes them. */
export function saveModel(context: StageContext<object>, params: Params): void {
  saveParams(join(context.output, WEIGHTS), params);
}

/** The model that an upstream stage left. @throws Error when the slot is empty or its recipe has no model */
export function upstreamModel(upstream: UpstreamOutput | undefined): { config: VitRecipe; weights: Record<string, HostTensor> } {
  if (upstream === undefined) throw new Error('Expected an upstream stage with weights, got none.');
  return { config: vit.parse(upstream.recipe['model']), weights: readWeights(join(upstream.output, WEIGHTS)) };
}
