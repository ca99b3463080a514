/** Runs stages as a worker does, alone or in a pack, with checkpoints in a folder. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Interrupted } from '../../src/core/ablation/errors.ts';
import type { Checkpoint, JsonObject, MetricRecord, PackRunner, StageContext, StageResult, StageRunner, UpstreamOutput } from '../../src/core/ablation/kind.ts';
import { readWeights, writeWeights, type Weights } from '../../src/engine/formats/weights.ts';

const MODEL = 'model.safetensors';
/** Of every stage that is run here. */
export const SEED = 5;

export interface StageRun {
  readonly result: StageResult;
  readonly weights: Weights;
  readonly records: readonly MetricRecord[];
  readonly facts: JsonObject;
  readonly log: readonly string[];
}

/** One stage in a folder: what its attempts leave stays. */
export class StageInFolder<R extends object = object> {
  readonly folder: string;
  readonly recipe: R;
  readonly upstream: StageContext['upstream'];
  readonly output: string;
  readonly records: MetricRecord[] = [];
  readonly facts: JsonObject = {};
  readonly log: string[] = [];
  items: readonly boolean[] | undefined;
  latest: Checkpoint | undefined;
  place: { readonly device: 'cpu' | 'gpu'; readonly threads: number } = { device: 'cpu', threads: 1 };
  /** Fails every checkpoint, as a full disk does. */
  diskIsFull = false;

  constructor(folder: string, recipe: R, upstream: StageContext['upstream'] = {}) {
    this.folder = folder;
    this.recipe = recipe;
    this.upstream = upstream;
    this.output = mkdtempSync(join(folder, 'run-'));
  }

  context({
    signal = new AbortController().signal,
    onStep = () => undefined,
    acceptEngineChange = false,
  }: Partial<{
    signal: AbortSignal;
    onStep: (step: number) => void;
    acceptEngineChange: boolean;
  }> = {}): StageContext<R> {
    return {
      recipe: this.recipe,
      seed: SEED,
      upstream: this.upstream,
      output: this.output,
      scratch: join(this.folder, 'scratch'),
      signal,
      checkpoints: {
        latest: () => Promise.resolve(this.latest),
        due: () => this.diskIsFull,
        save: async (step, write) => {
          if (this.diskIsFull) throw new Error('ENOSPC: no space left on device');
          const dir = mkdtempSync(join(this.folder, 'checkpoint-'));
          await write(dir);
          this.latest = { step, dir };
        },
      },
      execution: { ...this.place, dataDir: this.folder, acceptEngineChange },
      metric: record => {
        this.records.push(record);
      },
      progress: ({ phase, step }) => {
        if (phase === 'step') onStep(step);
      },
      items: right => {
        this.items = right;
      },
      log: line => {
        this.log.push(line);
      },
      provenance: more => {
        Object.assign(this.facts, more);
      },
    };
  }

  run(result: StageResult): StageRun {
    return { result, weights: readWeights(join(this.output, MODEL)), records: this.records, facts: this.facts, log: this.log };
  }

  /** Stops it at a step, after a checkpoint. */
  async interruptAt(runner: StageRunner<R>, step: number): Promise<void> {
    const stop = new AbortController();
    const ended: unknown = await runner(
      this.context({
        signal: stop.signal,
        onStep: at => {
          if (at === step) stop.abort();
        },
      }),
    ).catch((error: unknown) => error);
    if (!(ended instanceof Interrupted)) throw new Error('Expected the stage to stop on request.', { cause: ended });
  }
}

export interface RunOptions {
  readonly folder: string;
  readonly upstream?: StageContext['upstream'];
  /** Asks the stage to stop at this step, then runs it again from its checkpoint. */
  readonly interruptAt?: number;
}

export async function runStage<R extends object>(runner: StageRunner<R>, recipe: R, { folder, upstream, interruptAt }: RunOptions): Promise<StageRun> {
  const stage = new StageInFolder(folder, recipe, upstream);
  if (interruptAt !== undefined) await stage.interruptAt(runner, interruptAt);
  return stage.run(await runner(stage.context()));
}

/** Runs stages in one pack; each of them must succeed. */
export async function runPack<R extends object>(runner: PackRunner<R>, stages: readonly StageInFolder<R>[]): Promise<StageRun[]> {
  const outcomes = await runner(stages.map(stage => stage.context()));
  return outcomes.map((outcome, i) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return stages[i]!.run(outcome.value);
  });
}

/** The curve without what is not decided by the identity. */
export const curveOf = ({ records }: Pick<StageRun, 'records'>): object[] => records.map(record => ({ ...record, images_per_second: undefined, waiting: undefined }));

/** Leaves weights as an upstream stage does. */
export function leaveUpstream(folder: string, recipe: object, weights: Weights): UpstreamOutput {
  const output = mkdtempSync(join(folder, 'upstream-'));
  writeWeights(join(output, MODEL), weights);
  return { key: 'k', kind: 'pretrain', recipe: recipe as JsonObject, result: {}, output };
}
