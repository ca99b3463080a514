/** A call that fails frees what was made for it: after memory has run out the same process goes on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject, StageContext, StageRunner } from '../../../../src/core/ablation/kind.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { nativeBackend, type Binding } from '../../../../src/engine/compile/native.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { initClassifier, initEncoder } from '../../../../src/tinymim/nn/init.ts';
import { runDistill } from '../../../../src/tinymim/stages/distill.ts';
import { runEvaluate } from '../../../../src/tinymim/stages/evaluate.ts';
import { runFinetune } from '../../../../src/tinymim/stages/finetune.ts';
import { runPretrain } from '../../../../src/tinymim/stages/pretrain.ts';
import { distillRecipe, evaluateRecipe, finetuneRecipe, pretrainRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { distillFields, image } from '../../../helpers/distill-recipe.ts';
import { leaveUpstream, StageInFolder } from '../../../helpers/run-stage.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'failed-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** What the binding was asked to make and to free, and calls that fail as they do when memory runs out. */
class Handles {
  readonly #backend = nativeBackend();
  readonly #real: Binding = this.#backend.binding;
  readonly #open = new Set<number>();
  calls = 0;

  /** @param failing number of the first call that fails, from 1; all after it succeed */
  constructor(failing = Infinity) {
    const real = this.#real;
    const own = Object.fromEntries(Object.entries(Object.getOwnPropertyDescriptors(real)).map(([name, { value }]) => [name, value as unknown])) as unknown as Binding;
    this.#backend.binding = Object.assign(own, {
      executeOp: (...args: Parameters<Binding['executeOp']>) => {
        this.calls += 1;
        if (this.calls === failing) throw new Error('OOM when allocating tensor');
        const results = real.executeOp(...args);
        for (const { id } of results) this.#open.add(id);
        return results;
      },
      createTensor: (...args: Parameters<Binding['createTensor']>) => {
        const id = real.createTensor(...args);
        this.#open.add(id);
        return id;
      },
      deleteTensor: (id: number) => {
        this.#open.delete(id);
        real.deleteTensor(id);
      },
    });
  }

  /** How many tensors and variables were made since, and not freed. */
  get open(): number {
    return this.#open.size;
  }

  restore(): void {
    this.#backend.binding = this.#real;
  }
}

const model = { ...image, embed_dim: 8, depth: 2, num_heads: 2 };
const schedule = { ...distillFields.schedule, epochs: 1, accumulation_steps: 2 };
const teacher = { ...image, embed_dim: 16, depth: 2, num_heads: 4 };
const { data, images, optimizer, augment } = distillFields;
const decoder = { embed_dim: 8, depth: 1, num_heads: 2, mlp_ratio: 2 };

interface Kind {
  readonly runner: StageRunner;
  readonly recipe: object;
  readonly upstream: () => StageContext['upstream'];
}

const kind = <R extends object>(runner: StageRunner<R>, recipe: R, upstream: Kind['upstream'] = () => ({})): Kind => ({ runner: runner as StageRunner, recipe, upstream });
const KINDS: Readonly<Record<string, Kind>> = {
  pretrain: kind(runPretrain, pretrainRecipe.parse({ data, images, optimizer, augment, schedule, model, decoder, mask_ratio: 0.75, norm_pix_loss: true, engine: {} })),
  distill: kind(runDistill, distillRecipe.parse({ ...distillFields, schedule }), () => ({ teacher: leaveUpstream(folder, { model: teacher }, initEncoder(teacher, 1)) })),
  finetune: kind(runFinetune, finetuneRecipe.parse({ data, images, optimizer, augment, schedule, model, drop_path: 0.1, label_smoothing: 0.1, layer_decay: 0.75, engine: {} }), () => ({
    weights: leaveUpstream(folder, { model }, initEncoder(model, 1)),
  })),
  evaluate: kind(runEvaluate, evaluateRecipe.parse({ data, split: 'validation', batch_size: 10, crop: null, engine: {} }), () => ({
    weights: leaveUpstream(folder, { model }, initClassifier(model, 4, 1)),
  })),
};

/** Runs a stage, and counts what is left of it. */
async function run({ runner, recipe, upstream }: Kind, failing?: number): Promise<{ calls: number; open: number; tensors: number; failure: unknown }> {
  const before = tf.memory().numTensors,
    handles = new Handles(failing);
  let failure: unknown;
  try {
    await runner(new StageInFolder(folder, recipe as JsonObject, upstream()).context());
  } catch (error) {
    failure = error;
  } finally {
    handles.restore();
  }
  return { calls: handles.calls, open: handles.open, tensors: tf.memory().numTensors - before, failure };
}

describe.each(Object.keys(KINDS))('of a stage of kind %s', name => {
  it('leaves nothing, whichever call it is', async () => {
    const whole = await run(KINDS[name]!);
    expect(whole).toMatchObject({ open: 0, tensors: 0, failure: undefined });
    // The first ones, when variables are made one by one; some of the steps; the last ones, of the evaluation.
    const failing = [1, 2, 3, ...[0.2, 0.4, 0.6, 0.8].map(share => Math.round(share * whole.calls)), whole.calls - 1, whole.calls];
    for (const call of failing) {
      const failed = await run(KINDS[name]!, call);
      expect({ call, ...failed }).toMatchObject({ call, open: 0, tensors: 0, failure: expect.objectContaining({ message: 'OOM when allocating tensor' }) as unknown });
    }
  });
});
