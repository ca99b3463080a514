/** Runs a stage as a worker does, in a given mode, with checkpoints in a folder. */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint, JsonObject, MetricRecord, StageContext, StageResult, StageRunner, UpstreamOutput } from '../../src/ablation/kind.ts';
import type { Mode } from '../../src/tensor/compile/compile-step.ts';
import { readWeights, writeWeights, type Weights } from '../../src/tensor/weights.ts';

const MODEL = 'model.safetensors';

export interface StageRun {
  readonly result: StageResult;
  readonly weights: Weights;
  readonly records: readonly MetricRecord[];
  readonly facts: JsonObject;
}

export interface RunOptions {
  readonly folder: string;
  readonly mode: Mode;
  readonly upstream?: StageContext['upstream'];
  /** Asks the stage to stop at this step, then runs it again from its checkpoint. */
  readonly interruptAt?: number;
  /** The mode to go on in; default `mode`. */
  readonly resumeIn?: Mode;
}

export async function runStage<R extends object>(runner: StageRunner<R>, recipe: R, { folder, mode, upstream = {}, interruptAt, resumeIn = mode }: RunOptions): Promise<StageRun> {
  const output = mkdtempSync(join(folder, 'run-'));
  const records: MetricRecord[] = [], facts: JsonObject = {};
  let latest: Checkpoint | undefined;
  const attempt = (signal: AbortSignal, onStep: (step: number) => void): Promise<StageResult> => runner({
    recipe, seed: 5, upstream, output, signal,
    checkpoints: {
      latest: () => Promise.resolve(latest),
      due: () => false,
      save: async (step, write) => {
        const dir = mkdtempSync(join(folder, 'checkpoint-'));
        await write(dir);
        latest = { step, dir };
      },
    },
    execution: { device: 'cpu', threads: 1, dataDir: folder, acceptEngineChange: false },
    metric: record => { records.push(record); },
    progress: ({ phase, step }) => { if (phase === 'step') onStep(step); },
    log: () => undefined,
    provenance: more => { Object.assign(facts, more); },
  });
  process.env['TINYMIM_ENGINE_MODE'] = mode;
  try {
    if (interruptAt !== undefined) {
      const stop = new AbortController();
      const ended = await attempt(stop.signal, step => { if (step === interruptAt) stop.abort(); }).catch((error: unknown) => error);
      if ((ended as { code?: unknown }).code !== 'INTERRUPTED') throw new Error('Expected the stage to stop on request.', { cause: ended });
    }
    process.env['TINYMIM_ENGINE_MODE'] = resumeIn;
    const result = await attempt(new AbortController().signal, () => undefined);
    return { result, weights: readWeights(join(output, MODEL)), records, facts };
  } finally {
    delete process.env['TINYMIM_ENGINE_MODE'];
  }
}

/** Leaves weights as an upstream stage does. */
export function leaveUpstream(folder: string, recipe: object, weights: Weights): UpstreamOutput {
  const output = mkdtempSync(join(folder, 'upstream-'));
  mkdirSync(output, { recursive: true });
  writeWeights(join(output, MODEL), weights);
  return { key: 'k', kind: 'pretrain', recipe: recipe as JsonObject, result: {}, output };
}
