/** What crosses between JavaScript and TensorFlow in a step: pixels as bytes, small draws and losses. `make bench-traffic` counts at real sizes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StageContext, StageRunner, UpstreamOutput } from '../../../../src/core/ablation/kind.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import type { Weights } from '../../../../src/engine/formats/weights.ts';
import { initClassifier, initEncoder } from '../../../../src/tinymim/nn/init.ts';
import { runDistill, runDistillPack } from '../../../../src/tinymim/stages/distill.ts';
import { runEvaluate } from '../../../../src/tinymim/stages/evaluate.ts';
import { runFinetune } from '../../../../src/tinymim/stages/finetune.ts';
import { runPretrain } from '../../../../src/tinymim/stages/pretrain.ts';
import { distillRecipe, evaluateRecipe, finetuneRecipe, pretrainRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { distillFields } from '../../../helpers/distill-recipe.ts';
import { leaveUpstream } from '../../../helpers/run-stage.ts';
import { stageContext } from '../../../helpers/stage-context.ts';
import { StepTraffic, trafficOf, type Traffic } from '../../../helpers/step-traffic.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'traffic-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const BATCH = 8;
const PIXELS = 16 * 16 * 3;
const sizes = { image_size: [16, 16] as [number, number], patch_size: 4, in_chans: 3, mlp_ratio: 2 };
const teacher = { ...sizes, embed_dim: 16, depth: 2, num_heads: 4 };
const model = { ...sizes, embed_dim: 8, depth: 2, num_heads: 2 };
const decoder = { embed_dim: 8, depth: 1, num_heads: 2, mlp_ratio: 2 };
const data = { ...distillFields.data, image_size: [16, 16], channels: 3, train: 4 * BATCH, validation: BATCH, test: 4 * BATCH };
const schedule = { ...distillFields.schedule, epochs: 1, batch_size: BATCH };
const pretraining = { data, images: null, model, schedule, optimizer: distillFields.optimizer, augment: distillFields.augment, engine: {} };
const common = { ...pretraining, drop_path: 0.1 };

const student = (fields: object) => distillRecipe.parse({ ...distillFields, ...common, ...fields });
const relations = { model: { ...model, last_block_heads: 4 } };
const features = { target: { family: 'feature', feature: 'block', final_norm: false, class_token: true } };
const masked = { ...features, mask_ratio: 0.75, reconstruction: { weight: 1, decoder, norm_pix_loss: true } };

const upstream = (recipe: object, weights: Weights): UpstreamOutput => leaveUpstream(folder, recipe, weights);
const fromTeacher = () => ({ teacher: upstream({ model: teacher }, initEncoder(teacher, 1)) });

interface Stage {
  readonly recipe: object;
  readonly upstream?: StageContext['upstream'];
}

/** Mean traffic of a step. */
async function ofSteps(run: (contexts: readonly StageContext<never>[]) => Promise<unknown>, ...stages: readonly Stage[]): Promise<Traffic> {
  const steps = new StepTraffic();
  const contexts = stages.map((stage, i) =>
    stageContext(
      { recipe: stage.recipe as StageContext['recipe'], seed: 5, upstream: stage.upstream ?? {}, output: mkdtempSync(join(folder, 'run-')) },
      {
        threads: 1,
        dataDir: folder,
        progress: ({ phase }) => {
          if (i === 0) steps.mark(phase);
        },
      },
    ),
  );
  await run(contexts as readonly unknown[] as readonly StageContext<never>[]);
  return steps.mean();
}

const alone =
  <R extends object>(runner: StageRunner<R>) =>
  ([context]: readonly StageContext<never>[]): Promise<unknown> =>
    runner(context!);

/** @param images of which pixels cross, for each image of the batch */
function expectLittle({ bytesIn, bytesOut, calls }: Traffic, images = 1): void {
  expect(bytesIn / BATCH).toBeGreaterThanOrEqual(images * PIXELS);
  expect(bytesIn / BATCH).toBeLessThanOrEqual(1.2 * images * PIXELS);
  expect(bytesOut).toBeGreaterThan(0);
  expect(bytesOut / BATCH).toBeLessThanOrEqual(100);
  expect(calls).toBeGreaterThanOrEqual(1);
}

describe('pixels go in as bytes once, and losses come out', () => {
  it('of a student alone', async () => {
    expectLittle(await ofSteps(alone(runDistill), { recipe: student(relations), upstream: fromTeacher() }), 2);
  });

  it('of a pack, however many are in it', async () => {
    const pack = [relations, features, masked].map(fields => ({ recipe: student(fields), upstream: fromTeacher() }));
    expectLittle(await ofSteps(runDistillPack, ...pack), 2);
  });

  it('of students without an image of their own, whose teacher drops paths', async () => {
    expectLittle(await ofSteps(alone(runDistill), { recipe: student({ ...features, student_jitter: null, teacher_drop_path: 0.1 }), upstream: fromTeacher() }));
  });

  it('in micro-batches', async () => {
    const parts = { ...relations, schedule: { ...schedule, accumulation_steps: 2 } };
    expectLittle(await ofSteps(alone(runDistill), { recipe: student(parts), upstream: fromTeacher() }), 2);
  });

  it('of pre-training', async () => {
    expectLittle(await ofSteps(alone(runPretrain), { recipe: pretrainRecipe.parse({ ...pretraining, decoder, mask_ratio: 0.75, norm_pix_loss: true }) }));
  });

  it('of fine-tuning', async () => {
    const weights = upstream({ model }, initEncoder(model, 1));
    expectLittle(await ofSteps(alone(runFinetune), { recipe: finetuneRecipe.parse({ ...common, label_smoothing: 0.1, layer_decay: 0.9 }), upstream: { weights } }));
  });

  it('of evaluation: what three more batches add', async () => {
    const weights = upstream({ model }, initClassifier(model, data.classes, 1));
    const whole = (test: number): Promise<Traffic> =>
      trafficOf(() => ofSteps(alone(runEvaluate), { recipe: evaluateRecipe.parse({ data: { ...data, test }, split: 'test', batch_size: BATCH, engine: {} }), upstream: { weights } }));
    const [one, four] = [await whole(BATCH), await whole(4 * BATCH)];
    expectLittle({ bytesIn: (four.bytesIn - one.bytesIn) / 3, bytesOut: (four.bytesOut - one.bytesOut) / 3, calls: (four.calls - one.calls) / 3 });
  });
});
